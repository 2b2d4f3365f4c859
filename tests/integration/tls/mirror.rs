//! The default: a client has TLS on both sides, or on neither.

use testkit::{Host, RawClient};

use super::support::*;
use crate::support::*;

/// The capability TLS in a handshake.
const SSL: u32 = 1 << 11;

#[test]
fn a_client_gets_on_both_sides_what_it_asks_for() {
    let host = proxy().start();
    assert_eq!(sides(host.address(), &["--ssl"]), Ok(BOTH));
    assert_eq!(sides(host.address(), &["--skip-ssl"]), Ok(NEITHER));
    assert_eq!(pymysql(host.address(), &[]), Ok("TLSv1.3 TLSv1.3".to_owned()));
    assert_eq!(pymysql(host.address(), &["--plain"]), Ok("none none".to_owned()));
}

#[test]
fn what_is_not_verified_is_said_once_and_the_made_certificate_too() {
    let host = proxy().option("log-level", "message").start();
    let log = host.log();
    let count = |text: &str| log.matches(text).count();
    assert_eq!(count("(warning) pyproxy: TLS: servers are not verified"), 1, "{log}");
    assert_eq!(count("a certificate was made for clients, SHA-256 fingerprint "), 1, "{log}");
}

#[test]
fn a_server_without_tls_leaves_clients_without() {
    let host = Host::plain(db());
    assert_eq!(sides(host.address(), &["--ssl"]), Ok(NEITHER));
    assert_fails(pymysql(host.address(), &[]), "SSL");
    let handshake = host.connect().read_handshake().unwrap();
    assert_eq!(handshake.capabilities & SSL, 0);
}

#[test]
fn accounts_that_require_tls() {
    secure().query("CREATE USER tls_mirror IDENTIFIED BY 'secret' REQUIRE SSL").ok();
    let host = proxy().start();
    let user = ["--user=tls_mirror"];
    assert_eq!(sides(host.address(), &[&user[..], &["--ssl"]].concat()), Ok(BOTH));
    assert_fails(sides(host.address(), &[&user[..], &["--skip-ssl"]].concat()), "ERROR 1045");
}

#[test]
fn accounts_that_require_a_certificate_look_at_that_of_the_proxy() {
    secure().query("CREATE USER tls_x509 IDENTIFIED BY 'secret' REQUIRE X509").ok();
    let arguments = ["--user=tls_x509", "--ssl"];
    let without = proxy().start();
    assert_fails(sides(without.address(), &arguments), "ERROR 1045");
    let certificate = ca().issue("proxy", None);
    let host = proxy().certificate(FOR_SERVERS, &certificate).start();
    assert_eq!(sides(host.address(), &arguments), Ok(BOTH));
}

#[test]
fn sessions_go_on_in_the_next_connection() {
    let host = proxy().option("log-level", "debug").start();
    let mut command = python_client("tls_resumption.py");
    command.arg(host.address().port().to_string());
    assert_eq!(said(command), Ok("False\nTrue".to_owned()));

    // MariaDB does not tell of its side.
    let reused = || host.log().matches("Server: an earlier TLS session goes on").count();
    for expected in [0, 1, 2] {
        assert_eq!(sides(host.address(), &["--ssl"]), Ok(BOTH));
        assert_eq!(reused(), expected);
    }
}

#[test]
fn a_client_that_breaks_its_handshake_harms_nobody() {
    let mut host = proxy().start();
    for rubbish in [&b""[..], b"\x16\x03\x01\x00\x05hello", b"GET / HTTP/1.0\r\n\r\n"] {
        let mut client: RawClient = host.connect();
        client.read_handshake().unwrap();
        let mut request = vec![0; 32];
        request[..4].copy_from_slice(&0x000f_aa8f_u32.to_le_bytes());
        client.send_packet(1, &request).unwrap();
        client.send_bytes(rubbish).unwrap();
    }
    host.assert_serves();
    assert_eq!(sides(host.address(), &["--ssl"]), Ok(BOTH));
}
