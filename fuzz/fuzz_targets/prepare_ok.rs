//! The counts of a prepared statement survive a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reply::PrepareOk;

fuzz_target!(|payload: &[u8]| {
    let Ok(ok) = PrepareOk::parse(payload) else { return };
    assert_eq!(PrepareOk::parse(&ok.encode()), Ok(ok));
});
