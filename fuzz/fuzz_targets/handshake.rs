//! The handshake: what was read writes to something that reads the same, and a mask takes only
//! capabilities.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Capabilities;
use wire::connect::Handshake;

fuzz_target!(|payload: &[u8]| {
    let Ok(handshake) = Handshake::parse(payload) else { return };
    let _ = (handshake.version_id(), handshake.scramble20());
    // The method of a packet cut short may hold anything but a NUL, so encoding what was read never
    // fails.
    let encoded = handshake.encode().expect("fields come from the wire");
    let again = Handshake::parse(&encoded).expect("own bytes are readable");
    assert_eq!(again.encode().as_ref(), Ok(&encoded));

    let mut masked = payload.to_vec();
    Handshake::mask(&mut masked, Capabilities::UNSUPPORTED).expect("readable is maskable");
    let mut want = handshake;
    want.capabilities.remove(Capabilities::UNSUPPORTED);
    assert_eq!(Handshake::parse(&masked), Ok(want));
});
