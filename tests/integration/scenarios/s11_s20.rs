//! Scenarios 11 to 20: odd handshakes and logins, capabilities, authentication with more rounds.

use std::io;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use testkit::proto::packet::frame;
use testkit::proto::resultset::one_cell;
use testkit::proto::{caps, ok_err, scramble};
use testkit::wait::Gate;
use testkit::{Greeting, Host, Login, MariaDb, RawClient, RawServer, Relay, ServerConn};

use crate::support::*;

const SHA2: &str = "caching_sha2_password";
const FAST_SUCCESS: [u8; 2] = [1, 3];
const FULL_AUTHENTICATION: [u8; 2] = [1, 4];

/// A client must get an ERR or a handshake with which it can log in.
fn assert_err_or_login(host: &mut Host, what: &str) {
    let mut client = host.connect();
    let first = client.read_packet().unwrap_or_else(|error| panic!("{what}: {error}"));
    if first.is_err() {
        client.expect_closed();
    } else {
        let handshake = testkit::client::handshake::Handshake::parse(&first.payload)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let login = Login::new("u", "p").auth_data(&[7; 20]);
        let next_id = client.send_packet(1, &login.payload(&handshake)).unwrap();
        client.finish_login(&login, next_id).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert!(host.is_alive(), "{what}");
}

#[test]
fn s11_odd_lengths_of_the_authentication_data() {
    for length in [0, 4, 255] {
        let server = RawServer::start(move |conn| {
            conn.accept_login(&Greeting::default().auth_length(length))?;
            conn.read_to_close()
        });
        let mut host = Host::plain(server.address());
        assert_err_or_login(&mut host, &format!("length {length}"));
    }
}

#[test]
fn s11_broken_handshakes() {
    let cut_off = Greeting::default().payload()[..20].to_vec();
    let wrong_version = [vec![9], Greeting::default().payload()[1..].to_vec()].concat();
    for payload in [vec![], cut_off, wrong_version, vec![0], vec![0xfe]] {
        let sent = payload.clone();
        let server = RawServer::start(move |conn| {
            conn.write(0, &sent)?;
            conn.read_to_close()
        });
        let mut host = Host::plain(server.address());
        assert_err_and_close(&mut host.connect(), 0);
        assert!(host.is_alive(), "handshake \"{}\"", payload.escape_ascii());
    }
}

fn assert_login_refused(host: &Host, payload: &[u8]) {
    let mut client = host.connect();
    client.read_handshake().unwrap();
    client.send_packet(1, payload).unwrap();
    assert_err_and_close(&mut client, 2);
}

#[test]
fn s12_tls_request() {
    let mut host = Host::plain(db());
    let mut request = Vec::new();
    request.extend_from_slice(&(caps::CLIENT_DEFAULT | caps::SSL).to_le_bytes());
    request.extend_from_slice(&[0, 0, 0, 1, 45]);
    request.extend_from_slice(&[0; 23]);
    assert_eq!(request.len(), 32);
    assert_login_refused(&host, &request);
    host.assert_serves();
}

#[test]
fn s12_login_from_before_4_1() {
    let mut host = Host::plain(db());
    assert_login_refused(&host, b"\x05\x00\xff\xff\xffu\0AAAAAAAA\0");
    host.assert_serves();
}

#[test]
fn s12_cut_off_login() {
    let mut host = Host::plain(db());
    let mut client = host.connect();
    let whole = MariaDb::user().payload(&client.read_handshake().unwrap());
    drop(client);
    for length in [0, 1, 4, 31, 33, 36] {
        assert_login_refused(&host, &whole[..length]);
    }
    host.assert_serves();
}

#[test]
fn s13_capabilities_that_cannot_be_followed() {
    const REFUSED: u32 = caps::COMPRESS
        | caps::DEPRECATE_EOF
        | caps::OPTIONAL_METADATA
        | caps::ZSTD_COMPRESSION
        | caps::QUERY_ATTRIBUTES
        | caps::PROGRESS;
    // But for bulk operations and extended metadata, which are followed (`capabilities`, `prepared_bulk`).
    const REFUSED_EXTENDED: u32 = 0xff & !(1 << 2 | 1 << 3);
    let relay = Relay::start(db());
    let host = Host::plain(relay.address());
    // A set LONG_PASSWORD bit would tell the server that there are no MariaDB bits.
    let login =
        MariaDb::user().with(REFUSED).without(caps::LONG_PASSWORD).extended(REFUSED_EXTENDED);
    let (mut client, handshake) = send_login(&host, &login);
    assert_eq!(handshake.capabilities & (REFUSED | caps::SSL), 0, "offered to the client");
    let offered = u32::from_le_bytes(handshake.filler[6..].try_into().unwrap());
    assert_eq!(offered & REFUSED_EXTENDED, 0, "MariaDB's extended bits offered to the client");
    client.finish_login(&login, 2).unwrap();
    let seen = relay.passed()[0].to_server[0].payload.clone();
    let bits = u32::from_le_bytes(seen[..4].try_into().unwrap());
    assert_eq!(bits & REFUSED, 0, "bits at the server: {bits:#x}");
    assert_eq!(seen[28..32], [0; 4], "MariaDB's extended bits at the server");
    for _ in 0..2 {
        assert_same_as_direct(&mut client, "SELECT '', NULL, 1 UNION SELECT 'a', 'b', 2");
    }
    assert_in_step(&mut client);
}

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
fn s14_sha2_fast_in_one_segment() {
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
fn s14_sha2_fast_in_two_segments() {
    let server = sha2_server(|conn| {
        conn.write(2, &FAST_SUCCESS)?;
        sleep(Duration::from_millis(300));
        conn.ok(3).map(|_| ())
    });
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &sha2_login());
    expect_packet(&mut client, 2, &FAST_SUCCESS);
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
fn s15_sha2_full_key_asked_for() {
    sha2_full(true, true);
    sha2_full(true, false);
}

#[test]
fn s15_sha2_full_key_known() {
    sha2_full(false, true);
    sha2_full(false, false);
}

#[test]
fn s16_another_method_is_switched() {
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
fn s17_native_switched_to_sha2_fast() {
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
fn s18_old_password_request() {
    login_rounds("mysql_native_password", &[(b"\xfe", b"ABCDEFGH\0")]);
}

#[test]
fn s18_dialog_with_two_questions() {
    login_rounds("dialog", &[(b"\x02First:", b"one\0"), (b"\x02Second:", b"two\0")]);
}

#[test]
fn s19_wrong_id_in_a_switch_answer() {
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

#[test]
fn s20_login_of_12_mb_that_the_server_does_not_read() {
    let gate = Arc::new(Gate::default());
    let reading = Arc::clone(&gate);
    let server = RawServer::start(move |conn| {
        conn.write(0, &Greeting::default().payload())?;
        reading.wait();
        Ok(())
    });
    let host =
        Host::builder().backend(server.address()).option("pyproxy-write-timeout", "0.6").start();
    let login = MariaDb::user().attribute("filling", &"x".repeat(12_000_000));
    let (mut client, _) = send_login(&host, &login);
    assert_err_and_close(&mut client, 2);
    gate.open();
}
