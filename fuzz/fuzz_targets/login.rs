//! The login: as the handshake, and every kind of packet in its place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Capabilities;
use wire::connect::{Login, LoginKind};

fuzz_target!(|payload: &[u8]| {
    let Ok(LoginKind::V41(login)) = LoginKind::classify(payload) else { return };
    let _ = login.attributes().count();
    let encoded = login.encode().expect("fields come from the wire");
    let again = Login::parse(&encoded).expect("own bytes are readable");
    assert_eq!(again.encode().as_ref(), Ok(&encoded));

    let mut masked = payload.to_vec();
    Login::mask(&mut masked, Capabilities::UNSUPPORTED).expect("readable is maskable");
    let capabilities = login.capabilities.difference(Capabilities::UNSUPPORTED);
    let want = Login { capabilities, zstd_level: None, ..login };
    assert_eq!(Login::parse(&masked), Ok(want));
});
