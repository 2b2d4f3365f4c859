//! Scenarios 47 to 50: LOAD DATA LOCAL, several results, prepared statements and cursors.

use testkit::client::answer::Outcome;
use testkit::{Host, MariaDb, Packet, RawClient};

use crate::support::*;

const LOAD: &str = "LOAD DATA LOCAL INFILE 'f' INTO TABLE test.";

fn table(name: &str) -> String {
    MariaDb::shared().query(&format!("CREATE TABLE test.{name} (a INT PRIMARY KEY)")).ok();
    name.to_owned()
}

fn rows_in(table: &str) -> String {
    MariaDb::shared().query(&format!("SELECT COUNT(*) FROM test.{table}")).value()
}

/// Sends the packets of a file after a file request and the empty packet that ends it; returns the
/// id that the answer must have.
fn send_file(client: &mut RawClient, first_id: u8, parts: &[Vec<u8>]) -> u8 {
    let mut id = first_id;
    for part in parts {
        id = client.send_packet(id, part).unwrap();
    }
    client.send_packet(id, b"").unwrap()
}

fn load(client: &mut RawClient, sql: &str, parts: &[Vec<u8>]) -> testkit::client::answer::Answer {
    let request = client.query(sql).unwrap();
    assert_eq!(request.single(), &Outcome::LocalInfile("f".into()));
    let id = send_file(client, 2, parts);
    client.read_answer(id).unwrap()
}

#[test]
fn s47_file_of_one_packet_and_of_none() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("s47_small");
    let answer = load(&mut client, &format!("{LOAD}{name}"), &[b"1\n2\n3\n".to_vec()]);
    assert_eq!(answer.ok().affected_rows, 3);
    let answer = load(&mut client, &format!("{LOAD}{name}"), &[]);
    assert_eq!(answer.ok().affected_rows, 0);
    assert_in_step(&mut client);
    assert_eq!(rows_in(&name), "3");
}

#[test]
fn s47_file_of_300_packets() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("s47_many");
    let parts: Vec<_> = (0..300).map(|number| format!("{number}\n").into_bytes()).collect();
    let answer = load(&mut client, &format!("{LOAD}{name}"), &parts);
    assert_eq!(answer.ok().affected_rows, 300);
    assert_in_step(&mut client);
}

#[test]
fn s47_answer_is_err() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("s47_err");
    let sql = format!("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.{name} (nosuch)");
    // MariaDB checks the columns before it asks for the file, so break in the middle: a trigger
    // raises for the first row.
    let trigger = format!(
        "CREATE TRIGGER test.{name}_t BEFORE INSERT ON test.{name} FOR EACH ROW SIGNAL SQLSTATE \
         '45000' SET MESSAGE_TEXT = 'refused'"
    );
    MariaDb::shared().query(&trigger).ok();
    let answer = load(&mut client, &format!("{LOAD}{name}"), &[b"1\n".to_vec()]);
    assert_eq!(answer.err().message, "refused");
    assert_in_step(&mut client);
    client.query(&sql).unwrap().err();
    assert_in_step(&mut client);
}

#[test]
fn s47_followed_by_another_statement() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("s47_more");
    let sql = format!("{LOAD}{name}; SELECT 'and more'");
    let answer = load(&mut client, &sql, &[b"1\n".to_vec()]);
    assert!(matches!(&answer.outcomes[..], [Outcome::Ok(_), Outcome::Rows { .. }]), "{answer:?}");
    assert_in_step(&mut client);
}

fn host_injecting_load(name: &str, ignored: bool) -> Host {
    let ignores = if ignored { "inj.id == 1" } else { "inj.id == 2" };
    Host::with_script(&format!(
        r#"
def read_query(proxy, packet):
    if b"inject" not in packet:
        return None
    proxy.queries.append(1, b"\x03{LOAD}{name}", resultset_is_needed={needed})
    proxy.queries.append(2, b"\x03SELECT 'second'", resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if {ignores}:
        return proxy.PROXY_IGNORE_RESULT
"#,
        needed = if ignored { "True" } else { "False" },
    ))
}

#[test]
fn s47_injected_first_of_two() {
    let name = table("s47_first");
    let host = host_injecting_load(&name, false);
    let mut client = host.client();
    let answer = load(&mut client, "inject", &[b"1\n2\n".to_vec()]);
    assert_eq!(answer.ok().affected_rows, 2);
    assert_in_step(&mut client);
}

#[test]
fn s47_injected_and_ignored() {
    let name = table("s47_ignored");
    let host = host_injecting_load(&name, true);
    let mut client = host.client();
    // What the script will do with the result is not known when the server asks for the file: the client sends it, as
    // it would directly, and then gets the one result that is left.
    let answer = load(&mut client, "inject", &[b"1\n2\n".to_vec()]);
    assert_eq!(answer.value(), "second");
    assert_in_step(&mut client);
    assert_eq!(rows_in(&name), "2");
}

#[test]
fn s47_injected_after_the_answer() {
    let name = table("s47_late");
    let host = Host::with_script(&format!(
        r#"
def read_query(proxy, packet):
    if b"inject" not in packet:
        return None
    proxy.queries.append(1, b"\x03SELECT 'first'", resultset_is_needed=True)
    proxy.queries.append(2, b"\x03{LOAD}{name}", resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 2:
        return proxy.PROXY_IGNORE_RESULT
"#
    ));
    let mut client = host.client();
    // The client is not waiting for a file any more: the server gets an empty one.
    assert_eq!(client.query("inject").unwrap().value(), "first");
    assert_in_step(&mut client);
    assert_eq!(rows_in(&name), "0");
}

#[test]
fn s48_file_request_of_a_script_without_server() {
    let source = format!(
        r#"
GREETING = {greeting}

def connect_server(proxy):
    proxy.response = {{"type": proxy.MYSQLD_PACKET_RAW, "packets": [GREETING]}}
    return proxy.PROXY_SEND_RESULT

def read_query(proxy, packet):
    if b"load" in packet:
        proxy.response = {{"type": proxy.MYSQLD_PACKET_RAW, "packets": [b"\xfbf"]}}
    else:
        proxy.response = {{"type": proxy.MYSQLD_PACKET_OK}}
    return proxy.PROXY_SEND_RESULT
"#,
        greeting = python_greeting()
    );
    let host = Host::builder().backend(refusing()).script(&source).start();
    let mut client = host.client();
    for _ in 0..2 {
        load(&mut client, "load", &[b"some".to_vec(), b"lines".to_vec()]).ok();
        client.query("other").unwrap().ok();
    }
}

const SEVERAL: [&str; 5] = [
    "SELECT 1 AS a; SELECT 2 AS b, 'x' AS c",
    "DO 0; SELECT 1; DO 0",
    "CALL test.s49()",
    "SELECT 1; SELECT 2; SELECT * FROM nowhere.nothing",
    "SELECT * FROM nowhere.nothing; SELECT 1",
];

fn make_procedure() {
    let sql = "CREATE OR REPLACE PROCEDURE test.s49() BEGIN SELECT 1; SELECT 2, 3; END";
    MariaDb::shared().query(sql).ok();
}

#[test]
fn s49_several_results() {
    make_procedure();
    let host = Host::plain(db());
    let mut client = host.client();
    for sql in SEVERAL {
        assert_same_as_direct(&mut client, sql);
    }
    assert_in_step(&mut client);
}

#[test]
fn s49_several_results_buffered() {
    make_procedure();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"step" not in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print("hook", flush=True)
        "#,
    );
    let mut client = host.client();
    for sql in SEVERAL {
        assert_same_as_direct(&mut client, sql);
        assert_in_step(&mut client);
    }
    let calls = host.stdout().lines().filter(|line| *line == "hook").count();
    assert_eq!(calls, SEVERAL.len(), "one call of the hook per command");
}

/// One command by hand and the packets that must answer it: `count`, or all of a result set.
fn exchange(client: &mut RawClient, payload: &[u8], count: usize) -> Vec<Packet> {
    client.send_packet(0, payload).unwrap();
    (0..count).map(|_| client.read_packet().unwrap()).collect()
}

/// Prepare, long data, execute, reset, execute again, a cursor, close: with a statement id.
fn statement_session(client: &mut RawClient) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut prepare =
        exchange(client, b"\x16SELECT ?, 'b' UNION SELECT 'c', 'd' UNION SELECT 'e', 'f'", 6);
    let id = prepare[0].payload[1..5].to_vec();
    // MariaDB numbers the statements of all connections in one sequence.
    prepare[0].payload[1..5].fill(0);
    all.extend(prepare);
    let with_id = |command: u8, rest: &[u8]| [&[command], id.as_slice(), rest].concat();
    let execute = with_id(0x17, b"\0\x01\0\0\0\0\x01\xfd\x00");
    let with_cursor = with_id(0x17, b"\x01\x01\0\0\0\0\x01\xfd\x00");
    let value = |execute: &[u8]| [execute, b"\x03abc"].concat();
    client.send_packet(0, &with_id(0x18, b"\0\0long ")).unwrap();
    client.send_packet(0, &with_id(0x18, b"\0\0data")).unwrap();
    all.extend(exchange(client, &execute, 8));
    all.extend(exchange(client, &with_id(0x1a, b""), 1));
    all.extend(exchange(client, &value(&execute), 8));
    all.extend(exchange(client, &value(&with_cursor), 4));
    all.extend(exchange(client, &with_id(0x1c, b"\x02\0\0\0"), 3));
    all.extend(exchange(client, &with_id(0x1c, b"\x05\0\0\0"), 2));
    client.send_packet(0, &with_id(0x19, b"")).unwrap();
    all.extend(exchange(client, b"\x03SELECT 'after'", 5));
    all.into_iter().map(|packet| packet.payload).collect()
}

#[test]
fn s50_prepared_statement_by_hand() {
    let host = Host::plain(db());
    let mut client = host.client();
    assert_eq!(statement_session(&mut client), statement_session(&mut direct()));
    assert_in_step(&mut client);
}
