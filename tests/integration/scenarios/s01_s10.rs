//! Scenarios 1 to 10: a normal login, the choice of a backend, backends that fail, handshakes.

use std::time::{Duration, Instant};

use testkit::host::counters::STATE_DOWN;
use testkit::proto::ok_err;
use testkit::proto::resultset::one_cell;
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, Login, MariaDb, RawServer, Relay, Unreachable};

use crate::support::*;

#[test]
fn s01_login_query_quit() {
    let relay = Relay::start(db());
    let host = Host::builder().backend(relay.address()).with_counters().start();
    let (mut client, _) = send_login(&host, &MariaDb::user());
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (2, Some(0)));
    let answer = client.query("SELECT 1").unwrap();
    let ids: Vec<u8> = answer.packets.iter().map(|packet| packet.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    assert_eq!(host.connected_clients(), [1]);
    client.quit();
    let passed = relay.wait_until(|all| all[0].proxy_ended);
    assert_eq!(passed[0].to_server.last().unwrap().payload, [1], "COM_QUIT reaches the server");
    host.wait_for_clients(&[0]);
}

#[test]
fn s02_wrong_password() {
    let host = Host::plain(db());
    let (mut client, _) = send_login(&host, &Login::new("u", "wrong"));
    let error = assert_err_and_close(&mut client, 2);
    assert_eq!(error.code, 1045);
    assert_eq!(error.sqlstate.as_deref(), Some("28000"));
}

#[test]
fn s03_shortest_queue_first() {
    let servers = [server_saying("A"), server_saying("B"), server_saying("read only")];
    let host = Host::builder()
        .backend(servers[0].address())
        .backend(servers[1].address())
        .readonly(servers[2].address())
        .with_counters()
        .start();
    let mut clients: Vec<_> = (0..5).map(|_| host.client()).collect();
    let order: Vec<_> =
        clients.iter_mut().map(|client| client.query("SELECT 1").unwrap().value()).collect();
    assert_eq!(order, ["A", "B", "A", "B", "A"]);
    assert_eq!(host.connected_clients(), [3, 2, 0]);
}

#[test]
fn s04_first_backend_refuses() {
    let first = refusing();
    let second = server_saying("second");
    let host = Host::builder().backend(first).backend(second.address()).with_counters().start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "second");
    let counters = host.counters();
    assert_eq!((counters[0].state, counters[0].connected_clients), (STATE_DOWN, 0));
    assert_eq!(counters[1].connected_clients, 1);
}

#[test]
fn s05_first_backend_unreachable() {
    let first = Unreachable::new();
    let second = server_saying("second");
    let host = Host::builder()
        .backend(first.address())
        .backend(second.address())
        .option("pyproxy-connect-timeout", "0.7")
        .with_counters()
        .start();
    let start = Instant::now();
    let mut client = host.client();
    let waited = start.elapsed();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "second");
    assert!(waited >= Duration::from_millis(500), "the time-out is 0.7 s, waited {waited:?}");
    assert!(waited < Duration::from_secs(10), "the time-out is 0.7 s, waited {waited:?}");
    let counters = host.counters();
    assert_eq!((counters[0].state, counters[0].connected_clients), (STATE_DOWN, 0));
}

fn assert_all_down(host: &Host) {
    for _ in 0..2 {
        let error = assert_err_and_close(&mut host.connect(), 0);
        assert_eq!(error.code, ER_UNKNOWN_ERROR);
        assert_eq!(error.sqlstate, None, "the form from before 4.1, {error:?}");
        assert!(error.message.contains("all backends are down"), "{error:?}");
    }
}

#[test]
fn s06_all_backends_refuse() {
    let host = Host::builder().backend(refusing()).backend(refusing()).start();
    assert_all_down(&host);
}

#[test]
fn s06_only_a_read_only_backend_is_up() {
    let up = server_saying("read only");
    let host = Host::builder().backend(refusing()).readonly(up.address()).start();
    assert_all_down(&host);
    assert!(up.seen().is_empty());
}

#[test]
fn s07_a_backend_that_comes_up_is_used_again() {
    let first = refusing();
    let second = RawServer::start(|conn| conn.accept_login(&Greeting::default()).map(|_| ()));
    let host = Host::builder().backend(first).backend(second.address()).start();
    let down_since = Instant::now();
    host.connect().read_handshake().unwrap();
    let came_back = RawServer::start_on(first.port(), |conn| {
        conn.accept_login(&Greeting::default().version("5.5.5-10.11.99-first")).map(|_| ())
    });
    loop {
        if host.connect().read_handshake().unwrap().version.ends_with("first") {
            break;
        }
        assert!(down_since.elapsed() < PATIENCE, "the first backend is not used again");
        std::thread::sleep(Duration::from_millis(50));
    }
    let pause = down_since.elapsed();
    assert!(pause > Duration::from_secs(3), "used again too early, after {pause:?}");
    assert!(pause < Duration::from_secs(12), "used again late, after {pause:?}");
    assert!(!came_back.seen().is_empty());
}

#[test]
fn s08_mute_server_times_out() {
    let mute = RawServer::start(testkit::ServerConn::read_to_close);
    let host = Host::builder()
        .backend(mute.address())
        .option("pyproxy-read-timeout", "0.6")
        .with_counters()
        .start();
    let start = Instant::now();
    assert_err_and_close(&mut host.connect(), 0);
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(400), "the time-out is 0.6 s, waited {waited:?}");
    assert!(waited < Duration::from_secs(10), "the time-out is 0.6 s, waited {waited:?}");
    host.wait_for_clients(&[0]);
}

#[test]
fn s09_err_in_place_of_a_handshake() {
    let payload = ok_err::err(1040, "08004", "Too many connections");
    let sent = payload.clone();
    let server = RawServer::start(move |conn| conn.write(0, &sent).map(|_| ()));
    let host = Host::plain(server.address());
    let mut client = host.connect();
    expect_packet(&mut client, 0, &payload);
    client.expect_closed();
}

#[test]
fn s10_server_versions() {
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
