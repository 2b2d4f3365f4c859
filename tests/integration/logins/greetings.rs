//! The server's greeting: versions, odd and broken ones, an ERR in its place.

use testkit::proto::ok_err;
use testkit::proto::resultset::one_cell;
use testkit::{Greeting, Host, Login, MariaDb, RawServer};

use crate::support::*;

#[test]
fn err_in_place_of_a_handshake() {
    let payload = ok_err::err(1040, "08004", "Too many connections");
    let sent = payload.clone();
    let server = RawServer::start(move |conn| conn.write(0, &sent).map(|_| ()));
    let host = Host::plain(server.address());
    let mut client = host.connect();
    expect_packet(&mut client, 0, &payload);
    client.expect_closed();
}

#[test]
fn server_versions() {
    for version in ["11.4.2-MariaDB", "8.0.36", "5.7", "abc", "5.5.5-10.11.2-MariaDB"] {
        let server = RawServer::start(move |conn| {
            conn.accept_login(&Greeting::default().version(version))?;
            conn.serve(|_| one_cell("v", "served"))
        });
        let host = Host::plain(server.address());
        let mut client = host.connect();
        let handshake = client.read_handshake().unwrap();
        assert_eq!(handshake.version, version);
        assert_eq!(handshake.method, "mysql_native_password");
        assert!(handshake.method_has_nul, "{version}: the NUL after the method name is kept");
        let login = MariaDb::user();
        let next_id = client.send_packet(1, &login.payload(&handshake)).unwrap();
        client.finish_login(&login, next_id).unwrap();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "served", "{version}");
    }
}

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
fn odd_lengths_of_the_authentication_data() {
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
fn broken_handshakes() {
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
