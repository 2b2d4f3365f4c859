//! Column definitions survive a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::result::ColumnDefinition;

fuzz_target!(|payload: &[u8]| {
    let Ok(column) = ColumnDefinition::parse(payload) else { return };
    let mut encoded = Vec::new();
    column.encode(&mut encoded);
    assert_eq!(ColumnDefinition::parse(&encoded), Ok(column));
});
