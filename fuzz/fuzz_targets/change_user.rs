//! COM_CHANGE_USER. The first byte of the input chooses the capabilities of the login.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Capabilities;
use wire::connect::ChangeUser;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, payload)) = input.split_first() else { return };
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::SECURE_CONNECTION, choice & 1 != 0);
    caps.set(Capabilities::PLUGIN_AUTH, choice & 2 != 0);
    caps.set(Capabilities::CONNECT_ATTRS, choice & 4 != 0);
    let Ok(change) = ChangeUser::parse(payload, caps) else { return };
    let _ = change.attributes().count();
    match change.encode(caps) {
        Ok(encoded) => assert_eq!(ChangeUser::parse(&encoded, caps), Ok(change)),
        Err(_) => assert!(change.auth_response.len() > ChangeUser::MAX_AUTH_RESPONSE),
    }
});
