//! Client and server killed at every step of a connection: no leak, no silence, no dead host.

use std::io;

use testkit::proto::packet::frame;
use testkit::{Host, MariaDb, RawClient, Relay};

use crate::support::*;

fn host() -> Host {
    let host = Host::builder().backend(db()).with_counters().start();
    drop(host.client());
    host
}

#[test]
fn client_killed_before_the_login() {
    let host = host();
    let base = host.idle_fds();
    for reset in [false, true] {
        for reads_handshake in [false, true] {
            let mut client = host.connect();
            if reads_handshake {
                client.read_handshake().unwrap();
            }
            if reset {
                client.abort();
            }
        }
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

#[test]
fn client_killed_in_a_login_or_a_command() {
    let host = host();
    let base = host.idle_fds();
    for cut in [1, 3, 4, 5, 36, 60] {
        let mut client = host.connect();
        let login = frame(1, &MariaDb::user().payload(&client.read_handshake().unwrap()));
        client.send_bytes(&login[..cut]).unwrap();
    }
    // The login is complete and nobody waits for its answer.
    drop(send_login(&host, &MariaDb::user()));
    for cut in [1, 4, 5, 10] {
        let mut client = host.client();
        client.send_bytes(&frame(0, b"\x03SELECT 1")[..cut]).unwrap();
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

#[test]
fn client_killed_in_an_answer() {
    let host = host();
    let base = host.idle_fds();
    for read in [0, 1, 2, 3, 10] {
        let mut client = host.client();
        let sql = b"SELECT seq, REPEAT('x', 1000) FROM test.seq_1_to_20000";
        client.send_command(3, sql).unwrap();
        for _ in 0..read {
            client.read_packet().unwrap();
        }
        client.abort();
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

#[test]
fn client_killed_in_a_prepared_statement() {
    let host = host();
    let base = host.idle_fds();
    for step in 0..4 {
        let mut client = host.client();
        client.send_command(0x16, b"SELECT ?, ?").unwrap();
        if step == 0 {
            continue;
        }
        let id = client.read_packet().unwrap().payload[1..5].to_vec();
        if step > 1 {
            client.send_command(0x18, &[&id[..], b"\0\0long"].concat()).unwrap();
        }
        if step > 2 {
            client.send_command(0x17, &[&id[..], b"\0\x01\0\0\0"].concat()).unwrap();
        }
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

/// The session that the server does not survive: login, query, LOAD DATA. Any error ends it, but
/// the client must never wait for nothing.
fn session(address: std::net::SocketAddr, table: &str) -> io::Result<()> {
    let mut client = RawClient::login(address, &MariaDb::user())?;
    client.query("SELECT 1")?;
    client.query("SELECT 2; SELECT 3")?;
    client.send_command(0x16, b"SELECT ?")?;
    for _ in 0..5 {
        client.read_packet()?;
    }
    client.query(&format!("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.{table}"))?;
    client.send_packet(2, b"1\n")?;
    client.send_packet(3, b"")?;
    client.read_answer(4)?;
    Ok(())
}

fn assert_not_silent(result: io::Result<()>, what: &str) {
    if let Err(error) = result {
        let silent = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        assert!(!silent, "{what}: the client waits for ever");
    }
}

fn server_killed(threads: u32, resets: bool, table: &str) {
    MariaDb::shared().query(&format!("CREATE TABLE test.{table} (a INT)")).ok();
    let relay = Relay::start(db());
    if resets {
        relay.reset_connections();
    }
    let host =
        Host::builder().backend(relay.address()).event_threads(threads).with_counters().start();
    session(host.address(), table).unwrap();
    let (to_server, from_server) = {
        let passed = relay.passed();
        (passed[0].to_server.len(), passed[0].from_server.len())
    };
    assert!(to_server >= 7 && from_server >= 20, "{to_server} and {from_server} packets");
    let base = host.idle_fds();
    // Without a greeting the backend would be DOWN, and nothing to be seen of what follows. A reset may overtake it.
    let first = if resets { 2 } else { 1 };
    for count in first..from_server {
        relay.cut_after_server_packets(count);
        let result = session(host.address(), table);
        assert_not_silent(result, &format!("cut after packet {count} of the server"));
    }
    relay.heal();
    for count in 0..to_server {
        relay.cut_at_proxy_packet(count);
        let result = session(host.address(), table);
        assert!(result.is_err(), "cut at packet {count} of the client and yet all is well");
        assert_not_silent(result, &format!("cut at packet {count} of the client"));
    }
    relay.heal();
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
    session(host.address(), table).unwrap();
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn server_killed_at_every_step() {
    server_killed(1, false, "failures_one");
}

#[test]
fn server_killed_at_every_step_with_four_event_threads() {
    server_killed(4, false, "failures_four");
}

#[test]
fn server_reset_at_every_step() {
    server_killed(1, true, "failures_reset_one");
}

#[test]
fn server_reset_at_every_step_with_four_event_threads() {
    server_killed(4, true, "failures_reset_four");
}

#[test]
fn server_killed_in_an_injected_query() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .with_counters()
        .script(
            r#"
            def read_query(proxy, packet):
                if b"inject" in packet:
                    for number in range(3):
                        proxy.queries.append(number, b"\x03SELECT 1, 2", resultset_is_needed=True)
                    return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                if inj.id < 2:
                    return proxy.PROXY_IGNORE_RESULT
            "#,
        )
        .start();
    let session = || -> io::Result<()> {
        let mut client = RawClient::login(host.address(), &MariaDb::user())?;
        client.query("inject").map(|_| ())
    };
    session().unwrap();
    let count = relay.passed()[0].from_server.len();
    let base = host.idle_fds();
    for cut in 2..count {
        relay.cut_after_server_packets(cut);
        assert_not_silent(session(), &format!("cut after packet {cut}"));
    }
    relay.heal();
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
    session().unwrap();
}
