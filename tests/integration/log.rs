//! What the log tells those who run the proxy, and that clients cannot write in it.

use testkit::{Host, Login, MariaDb, RawClient, RawServer};

use crate::support::*;

/// The lines of a level, without their times.
fn lines(log: &str, level: &str) -> Vec<String> {
    let level = format!("({level}) pyproxy: ");
    let lines = log.lines().filter_map(|line| line.split_once(&level));
    lines.map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn the_start_is_told_of() {
    let script = "def connect_server(proxy): pass\ndef read_query(proxy, packet): pass\n";
    let host = Host::builder().backend(db()).script(script).start();
    let told = lines(&host.log(), "message");
    let file = host.file("hooks.py").display().to_string();
    assert!(told.contains(&format!("{file}: hooks: connect_server, read_query")), "{told:?}");
    assert!(told.contains(&format!("listening on {}", host.address())), "{told:?}");
}

#[test]
fn a_connection_is_told_of_at_debug() {
    let host = Host::plain(db());
    let client = host.client();
    client.quit();
    host.wait_for_log("connection 1: over");
    let told = lines(&host.log(), "debug");
    let said = |text: &str| told.iter().any(|line| line.starts_with(text));
    assert!(said("connection 1: a client from 127.0.0.1:"), "{told:?}");
    assert!(said(&format!("connection 1: connected to backend {}", db())), "{told:?}");
    assert!(said(&format!("connection 1: user {:?} is in", MariaDb::user().user())), "{told:?}");
}

#[test]
fn a_backend_is_down_for_a_reason_and_up_again() {
    let address = refusing();
    let host = Host::plain(address);
    assert!(host.connect().read_packet().unwrap().is_err());
    host.wait_for_log(&format!(
        "connection 1: backend {address} is not reachable (Connection refused (os error 111)), marked DOWN"
    ));
    let _server = RawServer::start_on(address.port(), |conn| {
        conn.accept_login(&testkit::Greeting::default())?;
        conn.serve(|_command| testkit::proto::resultset::one_cell("v", "up"))
    });
    let up = format!("backend {address} is reachable, marked UP");
    assert!(testkit::eventually(testkit::wait::PATIENCE, || {
        // DOWN backends are tried again after a few seconds.
        RawClient::login(host.address(), &MariaDb::user()).is_ok()
    }));
    assert_eq!(host.log().matches(&up).count(), 1, "{}", host.log());
}

#[test]
fn a_refused_login_is_told_of() {
    let host = Host::plain(db());
    assert!(RawClient::login(host.address(), &Login::new("nobody", "wrong")).is_err());
    host.wait_for_log(", user \"nobody\"): refused: error 1045: Access denied for user 'nobody'@");
    let told = lines(&host.log(), "message");
    assert!(told.iter().any(|line| line.starts_with("connection 1 (127.0.0.1:")), "{told:?}");
}

/// A line as the proxy would write it.
const FORGED: &str = "2026-01-01 00:00:00: (critical) pyproxy: forged";

#[test]
fn a_user_name_writes_no_line() {
    let host = Host::plain(db());
    assert!(RawClient::login(host.address(), &Login::new(&format!("x\n{FORGED}"), "")).is_err());
    host.wait_for_log("refused: error 1045");
    assert!(!host.log().lines().any(|line| line == FORGED), "{}", host.log());
}

#[test]
fn a_query_in_an_exception_or_a_message_writes_no_line() {
    let host = Host::with_script(
        r#"
        import logging, threading
        from pyproxy import chassis

        def read_query(proxy, packet):
            text = packet[1:].decode()
            logging.warning("saw %s", text)
            chassis.warning(text)
            try:
                raise KeyError("inner") from ValueError(text)
            except KeyError:
                logging.exception("in a handler: %s", text)
            def fail():
                raise OSError(text)
            thread = threading.Thread(target=fail)
            thread.start()
            thread.join()
            raise LookupError(text) from RuntimeError(text)
        "#,
    );
    let sql = format!("SELECT 1\n{FORGED}\r\x1b[2J");
    assert_query_fails(&mut host.client(), &sql, "read_query");
    let log = host.log();
    assert!(!log.lines().any(|line| line.trim() == FORGED), "{log}");
    assert!(!log.contains('\r') && !log.contains('\x1b'), "{log}");
    // The lines of the traceback are there, and so is the text.
    for text in
        ["\nTraceback (most recent call last):\n", "LookupError: SELECT 1\\n2026", "\\x1b[2J"]
    {
        assert!(log.contains(text), "{text}\n{log}");
    }
    for error in ["RuntimeError: SELECT 1\\n", "ValueError: SELECT 1\\n", "OSError: SELECT 1\\n"] {
        assert!(log.contains(error), "{error}\n{log}");
    }
}
