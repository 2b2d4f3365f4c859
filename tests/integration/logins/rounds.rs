//! Logins with more than one round, packet by packet: each way in which server and client take turns.

use std::io;
use std::sync::Arc;

use testkit::proto::packet::frame;
use testkit::proto::resultset::one_cell;
use testkit::proto::{ok_err, scramble};
use testkit::wait::Gate;
use testkit::{Greeting, Host, Login, MariaDb, RawClient, RawServer, ServerConn};

use crate::support::*;

const SHA2: &str = "caching_sha2_password";

const FAST_SUCCESS: [u8; 2] = [1, 3];

const FULL_AUTHENTICATION: [u8; 2] = [1, 4];

fn sha2_login() -> Login {
    Login::new("u", "p").method(SHA2).auth_data(&[7; 32])
}

/// A server that greets with caching_sha2_password, reads the login and goes on as given; then it
/// answers queries.
fn sha2_server(
    rounds: impl Fn(&mut ServerConn) -> io::Result<()> + Send + Sync + 'static,
) -> RawServer {
    RawServer::start(move |conn| {
        conn.write(0, &Greeting::default().method(SHA2).payload())?;
        conn.read()?;
        rounds(conn)?;
        conn.serve(|_| one_cell("v", "logged in"))
    })
}

fn assert_logged_in(client: &mut RawClient) {
    for _ in 0..2 {
        assert_eq!(client.query("SELECT 1").unwrap().value(), "logged in");
    }
}

#[test]
fn sha2_fast_in_one_segment() {
    let server = sha2_server(|conn| {
        let both = [frame(2, &FAST_SUCCESS), frame(3, &ok_err::plain_ok())].concat();
        conn.write_bytes(&both)
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &sha2_login());
    expect_packet(&mut client, 2, &FAST_SUCCESS);
    expect_packet(&mut client, 3, &ok_err::plain_ok());
    assert_logged_in(&mut client);
}

#[test]
fn sha2_fast_in_two_segments() {
    let gate = Arc::new(Gate::default());
    let go_on = Arc::clone(&gate);
    let server = sha2_server(move |conn| {
        conn.write(2, &FAST_SUCCESS)?;
        go_on.wait();
        conn.ok(3).map(|_| ())
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &sha2_login());
    expect_packet(&mut client, 2, &FAST_SUCCESS);
    gate.open();
    expect_packet(&mut client, 3, &ok_err::plain_ok());
    assert_logged_in(&mut client);
}

/// Full authentication; `asks_for_key`: the client does not know the server's key.
fn sha2_full(asks_for_key: bool, accepted: bool) {
    const KEY: &[u8] = b"\x01-----BEGIN PUBLIC KEY-----";
    let server = sha2_server(move |conn| {
        let mut id = conn.write(2, &FULL_AUTHENTICATION)?;
        if asks_for_key {
            let request = conn.read()?;
            assert_eq!((request.id, request.payload.as_slice()), (3, [2].as_slice()));
            id = conn.write(4, KEY)?;
        }
        let password = conn.read()?;
        assert_eq!((password.id, password.payload.len()), (id, 256));
        if accepted {
            conn.ok(id + 1)?;
            return Ok(());
        }
        conn.err(id + 1, 1045, "28000", "Access denied")?;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &sha2_login());
    expect_packet(&mut client, 2, &FULL_AUTHENTICATION);
    let mut id = 3;
    if asks_for_key {
        client.send_packet(3, &[2]).unwrap();
        expect_packet(&mut client, 4, KEY);
        id = 5;
    }
    client.send_packet(id, &[9; 256]).unwrap();
    if accepted {
        expect_packet(&mut client, id + 1, &ok_err::plain_ok());
        assert_logged_in(&mut client);
    } else {
        assert_eq!(assert_err_and_close(&mut client, id + 1).code, 1045);
    }
}

#[test]
fn sha2_full_key_asked_for() {
    sha2_full(true, true);
    sha2_full(true, false);
}

#[test]
fn sha2_full_key_known() {
    sha2_full(false, true);
    sha2_full(false, false);
}

#[test]
fn another_method_is_switched() {
    let host = Host::plain(db());
    let login = MariaDb::user().method("client_ed25519").auth_data(&[]);
    let (mut client, _) = send_login(&host, &login);
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (2, Some(0xfe)));
    let (method, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    assert_eq!(method, "mysql_native_password");
    client.send_packet(3, &scramble::native(login.password_text(), &data)).unwrap();
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (4, Some(0)));
    assert_in_step(&mut client);
}

#[test]
fn native_switched_to_sha2_fast() {
    const SWITCH: &[u8] = b"\xfecaching_sha2_password\0abcdefghijabcdefghij\0";
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        conn.read()?;
        conn.write(2, SWITCH)?;
        let answer = conn.read()?;
        assert_eq!((answer.id, answer.payload.len()), (3, 32));
        conn.write_all(4, &[FAST_SUCCESS.to_vec(), ok_err::plain_ok()])?;
        conn.serve(|_| one_cell("v", "logged in"))
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &MariaDb::user());
    expect_packet(&mut client, 2, SWITCH);
    client.send_packet(3, &[5; 32]).unwrap();
    expect_packet(&mut client, 4, &FAST_SUCCESS);
    expect_packet(&mut client, 5, &ok_err::plain_ok());
    assert_logged_in(&mut client);
}

/// The server asks, the client answers, in turn; then OK.
fn login_rounds(method: &'static str, rounds: &'static [(&'static [u8], &'static [u8])]) {
    let server = RawServer::start(move |conn| {
        conn.write(0, &Greeting::default().method(method).payload())?;
        conn.read()?;
        let mut id = 2;
        for (question, answer) in rounds {
            conn.write(id, question)?;
            let packet = conn.read()?;
            assert_eq!((packet.id, packet.payload.as_slice()), (id + 1, *answer));
            id += 2;
        }
        conn.ok(id)?;
        conn.serve(|_| one_cell("v", "logged in"))
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &MariaDb::user().method(method).auth_data(&[]));
    let mut id = 2;
    for (question, answer) in rounds {
        expect_packet(&mut client, id, question);
        client.send_packet(id + 1, answer).unwrap();
        id += 2;
    }
    expect_packet(&mut client, id, &ok_err::plain_ok());
    assert_logged_in(&mut client);
}

#[test]
fn old_password_request() {
    login_rounds("mysql_native_password", &[(b"\xfe", b"ABCDEFGH\0")]);
}

#[test]
fn dialog_with_two_questions() {
    login_rounds("dialog", &[(b"\x02First:", b"one\0"), (b"\x02Second:", b"two\0")]);
}

#[test]
fn wrong_id_in_a_switch_answer() {
    let mut host = Host::plain(db());
    host.assert_serves();
    let base = host.idle_fds();
    for _ in 0..50 {
        let (mut client, _) = send_login(&host, &MariaDb::user().method("x").auth_data(&[]));
        assert_eq!(client.read_packet().unwrap().kind(), Some(0xfe));
        client.send_packet(7, &[1; 20]).unwrap();
        client.read_to_close();
    }
    host.wait_for_fds(base);
    host.assert_serves();
}
