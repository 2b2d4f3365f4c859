//! PROXY headers, of load balancers and for servers.

use testkit::{Host, MariaDb, RawServer, ServerConn, eventually, wait::PATIENCE};

use super::*;
use crate::pooling::support::POOL;
use crate::support::*;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2 with this command and family, and a TLV behind the addresses.
fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family, 0, u8::try_from(addresses.len() + 5).unwrap()]);
    header.extend(addresses);
    header.extend([0x04, 0, 2, 7, 7]);
    header
}

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const TCP4: u8 = 0x11;

fn ends() -> Vec<u8> {
    [&[192, 0, 2, 9][..], &[198, 51, 100, 1], &40_001_u16.to_be_bytes(), &3306_u16.to_be_bytes()]
        .concat()
}

fn behind_a_balancer() -> Host {
    Host::builder()
        .backend(db())
        .script(TELLING)
        .option("pyproxy-proxy-protocol-from", "10.0.0.0/8, 127.0.0.1")
        .option("pyproxy-login-timeout", "1.5")
        .start()
}

#[test]
fn the_client_is_the_one_in_the_header() {
    let host = behind_a_balancer();
    for (header, src) in [
        (from("192.0.2.9"), "192.0.2.9:40000"),
        (v2(PROXY, TCP4, &ends()), "192.0.2.9:40001"),
        (b"PROXY TCP6 2001:db8::9 ::1 7 8\r\n".to_vec(), "[2001:db8::9]:7"),
    ] {
        let mut client = log_in_behind(&host, &header).unwrap();
        assert_eq!(client.query("SELECT 'client'").unwrap().text()[0][0], src);
        assert_in_step(&mut client);
    }
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn a_header_may_come_in_pieces() {
    let host = behind_a_balancer();
    for header in [from("192.0.2.9"), v2(PROXY, TCP4, &ends())] {
        let mut client = host.connect();
        for byte in header.chunks(1) {
            client.send_bytes(byte).unwrap();
            std::thread::yield_now();
        }
        let mut client = log_in(client, &MariaDb::user()).unwrap();
        assert!(client.query("SELECT 'client'").unwrap().text()[0][0].starts_with("192.0.2.9:"));
    }
}

/// As HAProxy's `mysql-check` does, which does not wait for the greeting.
#[test]
fn what_follows_a_header_is_kept() {
    let server = server_saying("kept");
    let host = Host::builder()
        .backend(server.address())
        .option("pyproxy-proxy-protocol-from", "127.0.0.1")
        .start();
    let handshake =
        testkit::client::handshake::Handshake::parse(&testkit::Greeting::default().payload());
    let login = MariaDb::user();
    let payload = login.payload(&handshake.unwrap());
    for header in [from("192.0.2.9"), v2(LOCAL, 0, &[])] {
        let mut bytes = header;
        bytes.extend(testkit::proto::packet::frame(1, &payload));
        let mut client = saying(&host, &bytes);
        client.read_handshake().unwrap();
        client.finish_login(&login, 2).unwrap();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "kept");
    }
}

#[test]
fn who_is_local_or_unknown_keeps_its_address() {
    let host = behind_a_balancer();
    for header in [
        v2(LOCAL, 0, &[]),
        v2(LOCAL, TCP4, &ends()),
        v2(PROXY, 0, &[]),
        b"PROXY UNKNOWN\r\n".to_vec(),
    ] {
        let mut client = log_in_behind(&host, &header).unwrap();
        let own = client.local_address().to_string();
        assert_eq!(client.query("SELECT 'client'").unwrap().text()[0][0], own);
    }
}

/// HAProxy's `check-send-proxy`: it resets the connection behind the header.
#[test]
fn a_health_check_costs_no_backend_and_no_line() {
    let server = RawServer::start(ServerConn::read_to_close);
    let host = Host::builder()
        .backend(server.address())
        .option("pyproxy-proxy-protocol-from", "127.0.0.1")
        .start();
    let (fds, log) = (host.idle_fds(), host.log());
    for _ in 0..20 {
        saying(&host, &v2(LOCAL, 0, &[])).abort();
        host.connect().abort();
    }
    host.wait_for_fds(fds);
    assert_eq!(host.log(), log);
    assert!(server.seen().is_empty());
}

#[test]
fn a_header_from_elsewhere_is_refused() {
    let host =
        Host::builder().backend(db()).option("pyproxy-proxy-protocol-from", "10.0.0.0/8").start();
    for header in [from("192.0.2.9"), v2(PROXY, TCP4, &ends()), v2(LOCAL, 0, &[])] {
        let mut client = saying(&host, &header);
        client.read_handshake().unwrap();
        let error = client.expect_err();
        assert_eq!(error.code, 1043);
        assert_eq!(error.message, "Bad handshake: no PROXY header is accepted from this address");
        client.read_to_close();
    }
    host.client().quit();
}

#[test]
fn who_has_no_header_is_refused() {
    let host = behind_a_balancer();
    let mut other = saying(&host, b"\x20\0\0\x01 no header");
    other.expect_closed();
    host.wait_for_log("is refused: this is no PROXY header");
    let mut broken = saying(&host, b"PROXY TCP4 somewhere else 1 2\r\n");
    broken.expect_closed();
    host.wait_for_log("is refused: this is no PROXY header of version 1");
    for beginning in [&b""[..], b"PROXY TCP4", SIGNATURE] {
        saying(&host, beginning).expect_closed();
    }
    let in_vain = || host.log().matches("no PROXY header came in time").count();
    assert!(eventually(PATIENCE, || in_vain() == 3), "{}", host.log());
    assert_in_step(&mut log_in_behind(&host, &from("192.0.2.9")).unwrap());
}

fn user(client: &mut RawClient) -> String {
    client.query("SELECT USER()").unwrap().value()
}

#[test]
fn a_server_is_told_of_the_client() {
    let server = MariaDb::start_with(&["--proxy-protocol-networks=127.0.0.1"]);
    for version in ["v1", "v2"] {
        let host = Host::builder()
            .backend(server.address())
            .option("pyproxy-proxy-protocol-from", "127.0.0.1")
            .option("pyproxy-backend-proxy-protocol", version)
            .start();
        let mut client = log_in_behind(&host, &from("192.0.2.9")).unwrap();
        assert_eq!(user(&mut client), "u@192.0.2.9", "{version}");
        let header = b"PROXY TCP6 2001:db8::9 ::1 7 8\r\n";
        assert_eq!(user(&mut log_in_behind(&host, header).unwrap()), "u@2001:db8::9", "{version}");
        let mut local = log_in_behind(&host, b"PROXY UNKNOWN\r\n").unwrap();
        assert_eq!(user(&mut local), "u@127.0.0.1", "{version}");
    }
}

/// Its grants are for the address that it was told of.
#[test]
fn a_pooled_connection_is_for_its_address() {
    let server = MariaDb::start_with(&["--proxy-protocol-networks=127.0.0.1"]);
    let host = Host::builder()
        .backend(server.address())
        .script(POOL)
        .option("pyproxy-proxy-protocol-from", "127.0.0.1")
        .option("pyproxy-backend-proxy-protocol", "v2")
        .start();
    let id_of = |address: &str| {
        let mut client = log_in_behind(&host, &from(address)).unwrap();
        assert_eq!(user(&mut client), format!("u@{address}"));
        let id = client.query("SELECT CONNECTION_ID()").unwrap().value();
        client.quit();
        id
    };
    let first = id_of("192.0.2.1");
    let second = id_of("192.0.2.2");
    assert_ne!(first, second);
    let again = |address: &str, id: &str| eventually(PATIENCE, || id_of(address) == id);
    assert!(again("192.0.2.1", &first), "its own connection is not used again");
    assert!(again("192.0.2.2", &second), "its own connection is not used again");
}
