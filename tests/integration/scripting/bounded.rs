//! `pyproxy-max-kept-bytes`: what is kept for a script, and what a script makes, has an end.

use testkit::wait::{PATIENCE, eventually};
use testkit::{Host, MariaDb, RawClient};

use crate::support::*;

/// Queues every query, to be kept, and says how many rows the hook saw.
const KEEPS: &str = r#"
import itertools


def read_query(proxy, packet):
    sql = packet[1:]
    if sql == b"endless rows":
        fields = [("a", proxy.MYSQL_TYPE_LONG)]
        rows = itertools.repeat((1,))
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": {"fields": fields, "rows": rows}}
        return proxy.PROXY_SEND_RESULT
    if sql == b"endless packets":
        proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": itertools.repeat(b"x")}
        return proxy.PROXY_SEND_RESULT
    proxy.queries.append(1, packet, resultset_is_needed=True)
    if sql.startswith(b"SELECT 'two'"):
        proxy.queries.append(2, b"\x03SELECT 'small'", resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    print("result", inj.id, inj.resultset.row_count, flush=True)
"#;

fn small_host() -> Host {
    let builder = Host::builder().backend(db()).script(KEEPS);
    builder.option("pyproxy-max-kept-bytes", "100K").start()
}

fn assert_too_large(client: &mut RawClient, sql: &str) {
    let answer = client.query(sql).unwrap();
    let error = answer.err();
    assert_eq!(error.code, ER_UNKNOWN_ERROR);
    assert_eq!(error.message, "pyproxy: the result is larger than pyproxy-max-kept-bytes=102400");
    assert_eq!(answer.packets[0].id, 1);
}

#[test]
fn a_larger_result_becomes_an_error_and_the_script_is_not_asked() {
    if MariaDb::lacks("tables of numbers") {
        return;
    }
    let host = small_host();
    let mut client = host.client();
    assert_too_large(&mut client, "SELECT seq FROM test.seq_1_to_100000");
    assert_too_large(&mut client, "SELECT REPEAT('x', 200000)");
    assert_in_step(&mut client);
    let text = client.query("SELECT seq FROM test.seq_1_to_500").unwrap().text();
    assert_eq!(text.len(), 500);
    host.wait_for_stdout("result 1 500");
    assert!(!host.stdout().contains("100000"), "{}", host.stdout());
    host.wait_for_log("the result of query 1 is larger than pyproxy-max-kept-bytes=102400");
}

/// The client has its answer, the ERR: what is queued behind is run, and its result dropped.
#[test]
fn what_is_queued_behind_it_is_run() {
    if MariaDb::lacks("tables of numbers") {
        return;
    }
    let host = small_host();
    let mut client = host.client();
    assert_too_large(&mut client, "SELECT 'two', seq FROM test.seq_1_to_100000");
    host.wait_for_stdout("result 2 1");
    assert_in_step(&mut client);
}

#[test]
fn an_endless_answer_is_a_script_error() {
    let host = small_host();
    let mut client = host.client();
    for sql in ["endless rows", "endless packets"] {
        assert_query_fails(&mut client, sql, "read_query");
    }
    assert_in_step(&mut client);
    host.wait_for_log("the answer is larger than pyproxy-max-kept-bytes");
}

/// A row of NULLs has no text, but it has cells. The generator ends with the failed answer.
#[test]
fn rows_that_are_read_ahead_count_with_their_cells() {
    let script = "
import pyproxy

def rows():
    n = 0
    try:
        while True:
            n += 1
            yield (None,) * 1000
    finally:
        print(f'closed after {n};', flush=True)

def read_query(proxy, packet):
    if packet[1:] == b'endless':
        return pyproxy.Rows([f'c{n}' for n in range(1000)], rows())
";
    let builder = Host::builder().backend(db()).script(script);
    let host = builder.option("pyproxy-max-kept-bytes", "100K").start();
    let mut client = host.client();
    assert_query_fails(&mut client, "endless", "read_query");
    host.wait_for_log("the answer is larger than pyproxy-max-kept-bytes");
    host.wait_for_stdout(";");
    let output = host.stdout();
    let rows = output.split(' ').next_back().unwrap().trim_end_matches(";\n");
    assert!(rows.parse::<u32>().unwrap() < 10, "{output}");
    assert_in_step(&mut client);
}

/// Nobody reads what the server would send for minutes.
#[test]
fn a_client_that_leaves_ends_the_query() {
    if MariaDb::lacks("tables of numbers") {
        return;
    }
    let host = Host::builder().backend(db()).script(KEEPS).with_counters().start();
    for limit_is_passed in [false, true] {
        let mut client = host.client();
        let marker = format!("left behind {limit_is_passed}");
        // Few large rows pass the limit of 256 MiB at once.
        let cell = if limit_is_passed { "REPEAT('x', 1000000)" } else { "seq" };
        let sql = format!("SELECT /* {marker} */ {cell} FROM test.seq_1_to_4000000000");
        client.send_command(0x03, sql.as_bytes()).unwrap();
        let running = || {
            let sql = format!(
                "SELECT COUNT(*) FROM information_schema.processlist \
                 WHERE info LIKE '%{marker}%' AND info NOT LIKE '%processlist%'"
            );
            MariaDb::shared().query(&sql).value() == "1"
        };
        assert!(eventually(PATIENCE, running), "the query runs");
        if limit_is_passed {
            host.wait_for_log("is larger than pyproxy-max-kept-bytes=268435456: it is dropped");
        }
        drop(client);
        assert!(eventually(PATIENCE, || !running()), "the server works for nobody");
    }
    host.wait_for_clients(&[0]);
    assert_in_step(&mut host.client());
}
