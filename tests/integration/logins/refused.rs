//! What the host's states make impossible is refused with an ERR that says so.
//!
//! In the method of Windows servers only the two sides can read in a token who speaks next.

use testkit::client::RawClient;
use testkit::{Greeting, Host, Login, RawServer};

use crate::support::*;

const WINDOWS: &str = "authentication_windows_client";
const SWITCH: &[u8] = b"\xfeauthentication_windows_client\0token";
const COM_CHANGE_USER: u8 = 0x11;

fn assert_refused(client: &mut RawClient, id: u8) {
    let error = assert_err_and_close(client, id);
    assert_eq!(error.code, ER_UNKNOWN_ERROR, "{error:?}");
    let why = format!("pyproxy: the authentication method {WINDOWS} cannot be followed");
    assert_eq!(error.message, why);
}

#[test]
fn a_switch_to_the_method() {
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        conn.read()?;
        conn.write(2, SWITCH)?;
        conn.read_to_close()
    });
    let mut host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &Login::new("u", "p"));
    assert_refused(&mut client, 2);
    server.wait_all_ended();
    assert!(host.is_alive());
}

#[test]
fn a_login_that_begins_with_the_method() {
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().method(WINDOWS).payload())?;
        conn.read()?;
        conn.write(2, b"\x01token")?;
        conn.read_to_close()
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &Login::new("u", "p").method(WINDOWS));
    assert_refused(&mut client, 2);
    server.wait_all_ended();
}

#[test]
fn a_change_of_user_to_the_method() {
    let (host, server) = host_before(|conn| {
        assert_eq!(conn.read()?.kind(), Some(COM_CHANGE_USER));
        conn.write(1, SWITCH)?;
        assert_eq!(conn.read()?.payload, b"client's token");
        conn.write(3, b"\x01token")?;
        conn.read_to_close()
    });
    let mut client = host.login(&Login::new("u", "p"));
    let change = b"other\0\0\0\x2d\0mysql_native_password\0";
    client.send_command(COM_CHANGE_USER, change).unwrap();
    expect_packet(&mut client, 1, SWITCH);
    client.send_packet(2, b"client's token").unwrap();
    assert_refused(&mut client, 3);
    server.wait_all_ended();
}
