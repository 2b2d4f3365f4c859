//! Authentication rounds: every payload has a kind, and a switch request writes back to the same
//! bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::connect::{AuthReply, AuthSwitch};

fuzz_target!(|payload: &[u8]| {
    assert_eq!(AuthReply::classify(payload).is_err(), payload.is_empty());
    let Ok(switch) = AuthSwitch::parse(payload) else { return };
    assert_eq!(switch.encode().as_deref(), Ok(payload));
});
