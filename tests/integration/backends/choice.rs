//! Which backend a client gets, and what happens when one cannot be reached.

use std::time::{Duration, Instant};

use testkit::host::counters::STATE_DOWN;
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, RawServer, Unreachable, eventually};

use crate::support::*;

#[test]
fn shortest_queue_first() {
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
fn first_backend_refuses() {
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
fn first_backend_unreachable() {
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
fn all_backends_refuse() {
    let host = Host::builder().backend(refusing()).backend(refusing()).start();
    assert_all_down(&host);
}

#[test]
fn only_a_read_only_backend_is_up() {
    let up = server_saying("read only");
    let host = Host::builder().backend(refusing()).readonly(up.address()).start();
    assert_all_down(&host);
    assert!(up.seen().is_empty());
}

#[test]
fn a_backend_that_comes_up_is_used_again() {
    let first = refusing();
    let second = RawServer::start(|conn| conn.accept_login(&Greeting::default()).map(|_| ()));
    let host = Host::builder().backend(first).backend(second.address()).start();
    let down_since = Instant::now();
    host.connect().read_handshake().unwrap();
    let came_back = RawServer::start_on(first.port(), |conn| {
        conn.accept_login(&Greeting::default().version("5.5.5-10.11.99-first")).map(|_| ())
    });
    let used_again = eventually(PATIENCE, || {
        host.connect().read_handshake().unwrap().version.ends_with("first")
    });
    assert!(used_again, "the first backend is not used again");
    let pause = down_since.elapsed();
    assert!(pause > Duration::from_secs(3), "used again too early, after {pause:?}");
    assert!(pause < Duration::from_secs(12), "used again late, after {pause:?}");
    assert!(!came_back.seen().is_empty());
}
