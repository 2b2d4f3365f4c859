//! A panic inside the plugin reaches neither C nor another connection. Builds with debug assertions panic where
//! `PYPROXY_PANIC_IN` says.

use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

/// The callbacks of a connection's life; each is reached by a login and a query.
const CALLBACKS: [&str; 9] = [
    "con_init",
    "con_connect_server",
    "con_read_handshake",
    "con_read_auth",
    "con_read_auth_result",
    "con_send_auth_result",
    "con_read_query",
    "con_read_query_result",
    "con_send_query_result",
];

fn host_panicking_in(callback: &str) -> Host {
    Host::builder().backend(db()).env("PYPROXY_PANIC_IN", callback).start()
}

#[test]
fn a_panic_is_an_err_for_its_client_and_a_backtrace_in_the_log() {
    let host = host_panicking_in("con_read_query");
    let mut client = host.client();
    let answer = client.query("SELECT 1").unwrap();
    assert_eq!(answer.err().code, ER_UNKNOWN_ERROR);
    assert_eq!(answer.err().message, "pyproxy: internal error, see the proxy log");
    client.expect_closed();
    let log = host.log();
    assert!(log.contains("internal error (panic): on purpose, in con_read_query"), "{log}");
    assert!(log.contains("read_query") && log.contains("catch_unwind"), "no backtrace: {log}");
}

#[test]
fn no_panic_takes_the_host_down_or_leaks() {
    for callback in CALLBACKS {
        let mut host = host_panicking_in(callback);
        let idle = host.fd_count();
        for _ in 0..3 {
            // However far it comes: the connection ends, nothing hangs.
            if let Ok(mut client) = RawClient::login(host.address(), &MariaDb::user()) {
                let _ = client.query("SELECT 1");
            }
        }
        assert!(host.is_alive(), "{callback}");
        host.wait_for_fds(idle);
        let panics = host.log().matches("on purpose, in ").count();
        assert!(panics > 0, "{callback} is not reached");
        let ended = host.stop();
        assert!(ended.status.success(), "{callback}: {}", ended.log);
    }
}
