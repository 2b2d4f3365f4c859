//! After many connections and queries, descriptors, counters and memory are where they were.

use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

const SCRIPT: &str = r#"
    def read_query(proxy, packet):
        if b"injected" in packet:
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY
        if b"answered" in packet:
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": [("a", proxy.MYSQL_TYPE_STRING)],
                    "rows": [["x" * 1000] for _ in range(20)],
                },
            }
            return proxy.PROXY_SEND_RESULT
        if b"raised" in packet:
            raise RuntimeError("raised")

    def read_query_result(proxy, inj):
        for row in inj.resultset.rows:
            row[0]
    "#;

const WORDS: [&str; 4] = ["plain", "injected", "answered", "raised"];

fn one_session(host: &Host) {
    let mut client = host.client();
    for word in WORDS {
        let answer = client.query(&format!("SELECT '{word}', REPEAT('x', 5000)")).unwrap();
        assert!(!answer.outcomes.is_empty());
    }
    client.quit();
}

#[test]
fn connections_leave_nothing_behind() {
    let host = Host::builder().backend(db()).script(SCRIPT).with_counters().start();
    for _ in 0..50 {
        one_session(&host);
    }
    let base = host.idle_fds();
    let memory = host.rss_peak_kib();
    for _ in 0..500 {
        one_session(&host);
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
    let grown = host.rss_peak_kib() - memory;
    assert!(grown < 4_000, "the host grew by {grown} KiB in 500 connections");
}

#[test]
fn queries_leave_nothing_behind() {
    let host = Host::builder().backend(db()).script(SCRIPT).start();
    let mut client = host.client();
    let mut run = |count: usize| {
        for number in 0..count {
            let word = WORDS[number % WORDS.len()];
            client.query(&format!("SELECT '{word}', REPEAT('x', 5000)")).unwrap();
        }
    };
    run(2_000);
    let memory = host.rss_peak_kib();
    run(10_000);
    let grown = host.rss_peak_kib() - memory;
    assert!(grown < 4_000, "the host grew by {grown} KiB in 10000 queries");
}

#[test]
fn refused_logins_leave_nothing_behind() {
    let host = Host::builder().backend(db()).with_counters().start();
    drop(host.client());
    let base = host.idle_fds();
    for _ in 0..100 {
        let login = testkit::Login::new("u", "wrong");
        assert!(RawClient::login(host.address(), &login).is_err());
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
}

#[test]
fn clients_that_vanish_leave_nothing_behind() {
    let host = Host::builder().backend(db()).with_counters().start();
    drop(host.client());
    let base = host.idle_fds();
    for number in 0..100 {
        let mut client = host.client();
        match number % 4 {
            0 => client.abort(),
            1 => drop(client),
            2 => {
                client.send_command(3, b"SELECT REPEAT('x', 10000000)").unwrap();
                client.abort();
            }
            _ => {
                client.send_bytes(b"\x50\0\0\0\x03SEL").unwrap();
                client.shutdown_write();
            }
        }
    }
    host.wait_for_fds(base);
    host.wait_for_clients(&[0]);
    // The server's side is closed, too.
    let host_gone = testkit::eventually(testkit::wait::PATIENCE, || {
        let sleeping = "SELECT COUNT(*) FROM information_schema.PROCESSLIST \
                        WHERE INFO LIKE 'SELECT REPEAT(''x'', 10000000)'";
        MariaDb::shared().query(sleeping).value() == "0"
    });
    assert!(host_gone);
}
