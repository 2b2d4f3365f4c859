//! Unusual commands and unusual packets: what the server says reaches the client.

use testkit::Host;
use testkit::proto::packet::frame;

use crate::support::*;

#[test]
fn unusual_commands() {
    let host = Host::plain(db());
    let mut client = host.client();
    let mut straight = direct();
    for command in [0x1f, 0x05, 0x06, 0x1d, 99, 0x99, 0x00, 0x0b, 0x0d] {
        client.set_patience(std::time::Duration::from_secs(10));
        let through = client
            .simple(command, b"")
            .unwrap_or_else(|error| panic!("command {command:#x}: {error}"));
        let expected = straight.simple(command, b"").unwrap();
        assert_eq!(through, expected, "command {command:#x}");
        assert_in_step(&mut client);
    }
}

#[test]
fn empty_packet() {
    let mut host = Host::plain(db());
    let mut client = host.client();
    client.send_packet(0, b"").unwrap();
    // An ERR before the close is as good.
    client.read_to_close();
    host.assert_serves();
}

#[test]
fn two_commands_in_one_segment() {
    let host = Host::plain(db());
    let mut client = host.client();
    for _ in 0..20 {
        let both = [frame(0, b"\x03SELECT 'one'"), frame(0, b"\x03SELECT 'two'")].concat();
        client.send_bytes(&both).unwrap();
        assert_eq!(client.read_answer(1).unwrap().value(), "one");
        assert_eq!(client.read_answer(1).unwrap().value(), "two");
    }
}

#[test]
fn command_with_a_wrong_id() {
    let mut host = Host::plain(db());
    let mut client = host.client();
    client.send_packet(9, b"\x03SELECT 1").unwrap();
    let rest = client.read_to_close();
    // An ERR is allowed, an executed query is not.
    assert!(rest.is_empty() || rest[4] == 0xff, "\"{}\"", rest.escape_ascii());
    host.assert_serves();
}
