//! What takes too long.

use std::time::{Duration, Instant};

use testkit::client::COM_QUERY;
use testkit::host::counters::{STATE_DOWN, STATE_UP};
use testkit::{Host, MariaDb, RawServer, ServerConn, Unreachable};

use super::*;
use crate::support::*;

#[test]
fn a_server_that_accepts_and_does_not_greet_is_down() {
    let mute = RawServer::start(ServerConn::read_to_close);
    let host = Host::builder()
        .backend(mute.address())
        .backend(db())
        .with_counters()
        .option("pyproxy-connect-timeout", "0.4")
        .start();
    let mut client = host.client();
    assert_in_step(&mut client);
    let states: Vec<_> = host.counters().iter().map(|backend| backend.state).collect();
    assert_eq!(states, [STATE_DOWN, STATE_UP]);
    mute.wait_until(|seen| seen.len() == 1 && seen[0].ended);
    host.wait_for_clients(&[0, 1]);
    host.wait_for_log("is not reachable (it does not greet), marked DOWN");
}

#[test]
fn nobody_greets() {
    let mute = RawServer::start(ServerConn::read_to_close);
    let host = Host::builder()
        .backend(mute.address())
        .with_counters()
        .option("pyproxy-connect-timeout", "0.4")
        .start();
    let error = assert_err_and_close(&mut host.connect(), 0);
    assert_eq!(error.message, "(proxy) all backends are down");
    host.wait_for_clients(&[0]);
}

#[test]
fn a_black_hole_is_down() {
    let hole = Unreachable::new();
    let host = Host::builder()
        .backend(hole.address())
        .backend(db())
        .with_counters()
        .option("pyproxy-connect-timeout", "0.4")
        .start();
    assert_in_step(&mut host.client());
    assert_eq!(host.counters()[0].state, STATE_DOWN);
}

/// The connects together may not take longer than a login.
#[test]
fn black_holes_do_not_add_up() {
    let holes = [Unreachable::new(), Unreachable::new(), Unreachable::new()];
    let mut builder = Host::builder().option("pyproxy-login-timeout", "1");
    for hole in &holes {
        builder = builder.backend(hole.address());
    }
    let host = builder.option("pyproxy-connect-timeout", "8").start();
    let start = Instant::now();
    let error = assert_err_and_close(&mut host.connect(), 0);
    assert_eq!(error.message, "pyproxy: backend timed out");
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[test]
fn a_login_that_drips_ends_in_time() {
    let host = Host::builder()
        .backend(db())
        .with_counters()
        .option("pyproxy-login-timeout", "1.5")
        .start();
    let mut client = host.connect();
    let handshake = client.read_handshake().unwrap();
    let login = testkit::proto::packet::frame(1, &MariaDb::user().payload(&handshake));
    let start = Instant::now();
    for byte in login.chunks(1) {
        if client.send_bytes(byte).is_err() || client.has_input(Duration::from_millis(200)) {
            break;
        }
    }
    let waited = start.elapsed();
    assert!(
        waited < Duration::from_millis(200) * u32::try_from(login.len()).unwrap(),
        "{waited:?}"
    );
    let error = assert_err_and_close(&mut client, 2);
    assert_eq!((error.code, error.message.as_str()), (1159, "pyproxy: the login takes too long"));
    host.wait_for_clients(&[0]);
}

#[test]
fn a_query_has_its_own_limit() {
    let host = Host::builder()
        .backend(db())
        .script(TELLING)
        .option("pyproxy-query-timeout", "0.6")
        .option("pyproxy-login-timeout", "0.6")
        .start();
    let (mut slow, mut other) = (host.client(), host.client());
    slow.send_command(COM_QUERY, b"SELECT SLEEP(5)").unwrap();
    let error = assert_err_and_close(&mut slow, 1);
    assert_eq!((error.code, error.message.as_str()), (1105, "pyproxy: backend timed out"));
    // Neither an idle client nor one whose login was long ago.
    assert_in_step(&mut other);
    assert_eq!(counted(&mut other, "query_timeouts"), 1);
}

/// It moves with the rows.
#[test]
fn rows_are_progress() {
    let host = Host::builder().backend(db()).option("pyproxy-query-timeout", "0.8").start();
    let mut client = host.client();
    let answer =
        client.query("SELECT SLEEP(0.3), REPEAT('x', 20000) FROM test.seq_1_to_6").unwrap();
    assert_eq!(answer.text().len(), 6);
}

/// What a client says while a server is awaited gives the server no time.
#[test]
fn a_client_that_chatters_gives_its_server_no_time() {
    let host = Host::builder().backend(db()).option("pyproxy-query-timeout", "0.6").start();
    let mut client = host.client();
    let start = Instant::now();
    client.send_command(COM_QUERY, b"SELECT SLEEP(8)").unwrap();
    while !client.has_input(Duration::from_millis(100)) {
        client.send_bytes(b"\x01\0\0\0\x0e").unwrap();
        assert!(start.elapsed() < Duration::from_secs(7), "it waits as long as the server wants");
    }
    let packet = client.read_packet().unwrap();
    assert!(packet.is_err() && packet.id == 1, "{packet:?}");
}

#[test]
fn an_idle_client_has_its_own_limit() {
    let host =
        Host::builder().backend(db()).with_counters().option("pyproxy-idle-timeout", "0.6").start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT SLEEP(1)").unwrap().text(), [["0"]]);
    let error = assert_err_and_close(&mut client, 0);
    assert_eq!(error.code, 4031);
    host.wait_for_clients(&[0]);
}

#[test]
fn a_client_that_does_not_read_ends() {
    let host = Host::builder()
        .backend(db())
        .with_counters()
        .option("pyproxy-write-timeout", "0.6")
        .start();
    let mut client = host.client();
    let sql = b"SELECT REPEAT('x', 1000000) FROM test.seq_1_to_100";
    client.send_command(COM_QUERY, sql).unwrap();
    host.wait_for_clients(&[1]);
    host.wait_for_clients(&[0]);
    host.wait_for_log("the client does not take what it is sent");
}

/// mysql-proxy's state machine goes back to its connect; and an idle client is told what MySQL tells it.
#[test]
fn the_chassis_has_the_same_rules() {
    let mute = RawServer::start(ServerConn::read_to_close);
    let host = Host::builder()
        .backend(mute.address())
        .backend(db())
        .with_counters()
        .option("pyproxy-event-loop", "chassis")
        .option("pyproxy-read-timeout", "0.6")
        .start();
    let mut client = host.connect();
    let handshake = client.read_handshake().unwrap();
    client.send_packet(1, &MariaDb::user().payload(&handshake)).unwrap();
    client.finish_login(&MariaDb::user(), 2).unwrap();
    host.wait_for_log("is not reachable (it does not greet), marked DOWN");
    mute.wait_until(|seen| seen.len() == 1 && seen[0].ended);
    assert_eq!(assert_err_and_close(&mut client, 0).code, 4031);
    host.wait_for_clients(&[0, 0]);
    assert_eq!(host.criticals(), Vec::<String>::new());
}
