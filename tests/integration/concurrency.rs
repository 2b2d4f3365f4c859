//! Many connections at a time, with one and with four event threads.

use std::sync::Barrier;
use std::thread;

use mysql::prelude::Queryable;
use mysql::{Conn, Opts};
use testkit::Host;

use crate::support::*;

const CONNECTIONS: usize = 100;
const QUERIES: usize = 20;

const SCRIPT: &str = r#"
    def read_query(proxy, packet):
        if b"injected" in packet:
            proxy.queries.append(1, packet.replace(b"injected", b"answered"), True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        assert inj.resultset.row_count == 1
        for row in inj.resultset.rows:
            assert row[1] == "answered", row
    "#;

/// All connections are open at the same time, and each gets its own answers only.
fn parallel(host: &Host, word: &str, expected: &str) {
    let options = Opts::from_url(&host.url()).unwrap();
    let all_open = Barrier::new(CONNECTIONS);
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (options, all_open) = (options.clone(), &all_open);
            scope.spawn(move || {
                let mut conn = Conn::new(options).unwrap();
                all_open.wait();
                for query in 0..QUERIES {
                    let mark = number * QUERIES + query;
                    let sql = format!("SELECT {mark}, '{word}', REPEAT('x', {mark})");
                    let row: Option<(usize, String, String)> = conn.query_first(sql).unwrap();
                    let (back, text, filling) = row.unwrap();
                    assert_eq!((back, text.as_str()), (mark, expected));
                    assert_eq!(filling.len(), mark);
                }
            });
        }
    });
}

fn run(threads: u32) {
    let builder = || Host::builder().backend(db()).event_threads(threads).with_counters();
    let host = builder().start();
    parallel(&host, "plain", "plain");
    host.wait_for_clients(&[0]);
    host.stop();
    let host = builder().script(SCRIPT).start();
    parallel(&host, "injected", "answered");
    host.wait_for_clients(&[0]);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn hundred_connections_with_one_event_thread() {
    run(1);
}

#[test]
fn hundred_connections_with_four_event_threads() {
    run(4);
}

#[test]
fn a_slow_query_does_not_hold_up_another_client() {
    let host = Host::plain(db());
    let mut slow = host.client();
    slow.send_command(3, b"SELECT SLEEP(3)").unwrap();
    let start = std::time::Instant::now();
    assert_in_step(&mut host.client());
    assert!(start.elapsed().as_millis() < 2500, "the other client waited");
    assert_eq!(slow.read_answer(1).unwrap().value(), "0");
}
