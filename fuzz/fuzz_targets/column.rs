//! Column definitions survive a round trip, with and without extended metadata. The first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Capabilities;
use wire::result::ColumnDefinition;

fuzz_target!(|input: &[u8]| {
    let [flags, payload @ ..] = input else { return };
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::MARIADB_EXTENDED_METADATA, flags & 1 != 0);
    let Ok(column) = ColumnDefinition::parse(payload, caps) else { return };
    assert!(flags & 1 != 0 || column.extended.is_empty());
    let mut encoded = Vec::new();
    column.encode(&mut encoded, caps);
    assert_eq!(ColumnDefinition::parse(&encoded, caps), Ok(column));
});
