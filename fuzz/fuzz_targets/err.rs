//! ERR of both forms writes back to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reply::ErrPacket;

fuzz_target!(|payload: &[u8]| {
    let Ok(err) = ErrPacket::parse(payload) else { return };
    assert_eq!(err.encode(), payload);
});
