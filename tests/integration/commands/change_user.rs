//! COM_CHANGE_USER by hand: the server asks anew, the client is right or wrong.

use testkit::proto::scramble;
use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

/// COM_CHANGE_USER of the test user with a wrong scramble, so that the server asks anew.
fn change(client: &mut RawClient, password: &str) -> testkit::Packet {
    let payload = b"\x11u\0\x00test\0\x2d\0mysql_native_password\0";
    client.send_packet(0, payload).unwrap();
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (1, Some(0xfe)), "{switch:?}");
    let (_, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    client.send_packet(2, &scramble::native(password, &data)).unwrap();
    client.read_packet().unwrap()
}

#[test]
fn with_the_right_password() {
    let host = Host::plain(db());
    let mut client = host.client();
    for _ in 0..3 {
        let ok = change(&mut client, testkit::mariadb::PASSWORD);
        assert_eq!((ok.id, ok.kind()), (3, Some(0)), "{ok:?}");
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "test");
        assert_in_step(&mut client);
    }
}

#[test]
fn with_a_wrong_password() {
    let host = Host::builder().backend(db()).with_counters().start();
    let mut client = host.login(&MariaDb::user());
    let error = change(&mut client, "wrong");
    assert!(error.id == 3 && error.is_err(), "{error:?}");
    // MariaDB goes on as the old user, so the plugin does.
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "u@%");
    assert_in_step(&mut client);
    client.quit();
    host.wait_for_clients(&[0]);
}
