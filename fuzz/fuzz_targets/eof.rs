//! EOF: what looks like one and has its fields writes back to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::reply::{EofPacket, is_eof};

fuzz_target!(|payload: &[u8]| {
    let Ok(eof) = EofPacket::parse(payload) else { return };
    assert_eq!(is_eof(payload), payload.len() < 9);
    assert!(payload.starts_with(&eof.encode()));
});
