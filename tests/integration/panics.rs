//! A panic inside the plugin reaches neither C nor another connection. Builds with debug assertions panic where
//! `PYPROXY_PANIC_IN` says.

use chassis_sys::network_mysqld_hooks;
use testkit::host::builder::Builder;
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, RawClient, eventually};

use crate::support::*;

/// How often each place panics before it works again.
const TIMES: usize = 3;

/// What a client does. However far it comes, it ends with a closed connection.
type Visit = fn(&Host);

/// The places of the loop of its own, each with a visit that reaches it.
const PLACES: [(&str, Visit); 9] = [
    ("accept", query),
    ("accepted", query),
    ("connected", query),
    ("client_packet", query),
    ("server_packet", query),
    ("ask", query),
    ("ended", query),
    ("timed_out", be_silent),
    ("disconnect_client", query),
];

/// The callbacks that the plugin has, each with a visit that reaches it.
const CALLBACKS: [(&str, Visit); 15] = [
    ("con_init", query),
    ("con_connect_server", query),
    ("con_read_handshake", query),
    ("con_read_auth", query),
    ("con_read_auth_old_password", login_in_rounds),
    ("con_read_auth_result", query),
    ("con_send_auth_result", query),
    ("con_read_query", query),
    ("con_read_query_result", query),
    ("con_send_query_result", query),
    ("con_read_local_infile_data", send_file),
    ("con_read_local_infile_result", send_file),
    ("con_send_local_infile_result", send_file),
    ("con_timeout", be_silent),
    ("con_cleanup", query),
];

fn query(host: &Host) {
    if let Ok(mut client) = RawClient::login(host.address(), &MariaDb::user()) {
        let _ = client.query("SELECT 1");
    }
}

fn login_in_rounds(host: &Host) {
    // The server asks for the account's own method.
    let (mut client, _) = send_login(host, &MariaDb::user().method("no_such_method"));
    if let Ok(packet) = client.read_packet() {
        let _ = client.send_packet(packet.id + 1, &[0; 20]);
        let _ = client.read_packet();
    }
}

fn send_file(host: &Host) {
    let mut client = host.client();
    let sql = "LOAD DATA LOCAL INFILE 'f' INTO TABLE test.panics";
    if client.query(sql).is_ok() {
        let _ = client.send_packet(2, b"1\n");
        let _ = client.send_packet(3, b"");
        let _ = client.read_packet();
    }
}

fn be_silent(host: &Host) {
    let _ = host.client().read_to_close();
}

/// A script whose objects outlive their connection.
const KEEPING: &str = "
kept = []

def read_query(proxy, packet):
    kept.append((proxy, proxy.connection.client, proxy.connection.server))
";

fn panicking_in(event_loop: &str, place: &str) -> Builder {
    let builder = Host::builder().backend(db()).option("pyproxy-event-loop", event_loop);
    builder.env("PYPROXY_PANIC_IN", place)
}

fn panics(log: &str) -> usize {
    log.matches("internal error (panic): on purpose, in ").count()
}

/// Asserts that the panics in `place` end their own connections only, and leave nothing behind.
fn survives(event_loop: &str, place: &str, visit: Visit) {
    let silence = if place.contains("time") { "0.3" } else { "" };
    let mut host = panicking_in(event_loop, &format!("{place}*{TIMES}"))
        .script(KEEPING)
        .with_counters()
        .option("pyproxy-read-timeout", silence)
        .start();
    let idle = host.fd_count();
    for number in 1..=TIMES {
        visit(&host);
        let once = eventually(PATIENCE, || panics(&host.log()) == number);
        assert!(once, "{place}: {} panics in {number} visits\n{}", panics(&host.log()), host.log());
    }
    assert!(host.is_alive(), "{place}");
    host.wait_for_fds(idle);
    host.wait_for_clients(&[0]);
    host.assert_serves();
    host.wait_for_clients(&[0]);
    host.wait_for_fds(idle);
    assert_eq!(panics(&host.stop().log), TIMES, "{place}");
}

#[test]
fn a_panic_is_an_err_for_its_client_and_a_backtrace_in_the_log() {
    for (event_loop, place) in [("own", "ask"), ("chassis", "con_read_query")] {
        let host = panicking_in(event_loop, place).script(KEEPING).start();
        let mut client = host.client();
        let answer = client.query("SELECT 1").unwrap();
        assert_eq!(answer.err().code, ER_UNKNOWN_ERROR);
        assert_eq!(answer.err().message, "pyproxy: internal error, see the proxy log");
        client.expect_closed();
        let log = host.log();
        let panic = format!("internal error (panic): on purpose, in {place} (1)");
        assert!(log.contains(&panic), "{log}");
        assert!(log.contains(place) && log.contains("catch_unwind"), "no backtrace: {log}");
    }
}

#[test]
fn no_place_of_its_own_loop_takes_the_host_down_or_leaks() {
    for (place, visit) in PLACES {
        survives("own", place, visit);
    }
}

#[test]
fn no_callback_takes_the_host_down_or_leaks() {
    MariaDb::shared().query("CREATE TABLE test.panics (a INT)").ok();
    for (callback, visit) in CALLBACKS {
        survives("chassis", callback, visit);
    }
}

#[test]
fn a_panic_in_the_scripts_part_of_the_end_leaks_nothing() {
    survives("chassis", "disconnect_client", query);
}

#[test]
fn every_callback_of_the_table_is_tried() {
    macro_rules! callbacks {
        ($($slot:ident)*) => {{
            // All members are named: one that is new does not compile.
            let network_mysqld_hooks { $($slot,)* } = pyproxy::drive::callbacks::table();
            [$((stringify!($slot), $slot.is_some()),)*]
        }};
    }
    let table = callbacks! {
        con_init con_connect_server con_read_handshake con_send_handshake con_read_auth con_send_auth
        con_read_auth_result con_send_auth_result con_read_query con_read_query_result
        con_send_query_result con_cleanup con_read_auth_old_password con_send_auth_old_password
        con_timer_elapsed con_read_local_infile_data con_send_local_infile_data
        con_read_local_infile_result con_send_local_infile_result con_timeout
    };
    for (slot, is_ours) in table {
        let is_tried = CALLBACKS.iter().any(|(callback, _)| *callback == slot);
        assert_eq!(is_tried, is_ours, "{slot}");
    }
}

#[test]
fn a_panic_while_the_host_ends_the_connections_and_the_listener() {
    // With mysql-proxy's loop, that of the client and that of the listener.
    for (event_loop, place, count) in
        [("own", "disconnect_client", 1), ("chassis", "con_cleanup", 2)]
    {
        let host = panicking_in(event_loop, place).start();
        let _client = host.client();
        // The host asks for its exit code 0.
        let log = host.stop().log;
        assert_eq!(panics(&log), count, "{log}");
    }
}

#[test]
fn a_panic_at_the_start_refuses_it() {
    for function in ["plugin_init", "init", "get_options", "apply_config"] {
        let builder = panicking_in("own", function).script("print('script ran', flush=True)");
        let ended = builder.run_to_end();
        assert_eq!(ended.status.code(), Some(1), "{function}: {}", ended.log);
        assert_eq!(panics(&ended.log), 1, "{function}: {}", ended.log);
        assert_eq!(ended.stdout, "", "{function}: the script ran");
    }
}

#[test]
fn a_panic_at_the_end_changes_no_exit_code() {
    let mut host = panicking_in("own", "destroy").start();
    host.assert_serves();
    assert_eq!(panics(&host.stop().log), 1);
}
