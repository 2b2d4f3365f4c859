//! OK. The first byte of the input chooses the capabilities of the login.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Capabilities;
use wire::reply::OkPacket;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, payload)) = input.split_first() else { return };
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::SESSION_TRACK, choice & 1 != 0);
    caps.set(Capabilities::DEPRECATE_EOF, choice & 2 != 0);
    let Ok(ok) = OkPacket::parse(payload, caps) else { return };
    let _ = ok.schema_change();
    let encoded = ok.encode(caps);
    let again = OkPacket::parse(&encoded, caps).expect("own bytes are readable");
    assert_eq!(again.encode(caps), encoded);
    assert_eq!(again.affected_rows, ok.affected_rows);
    assert_eq!(again.session_state, ok.session_state);
});
