//! Framing: joining and splitting are each other's reverse.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::packet;

fuzz_target!(|framed: &[u8]| {
    let Ok(payloads) = packet::join(framed) else { return };
    let mut again = Vec::new();
    let mut id = 0;
    for payload in &payloads {
        id = packet::frame(payload, id, &mut again);
    }
    assert_eq!(again.len(), framed.len());
    assert!(packet::join(&again).as_ref() == Ok(&payloads));
});
