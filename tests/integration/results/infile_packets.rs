//! LOAD DATA LOCAL INFILE packet by packet: small and long files, errors, queued by a script, asked for by a script.

use testkit::client::answer::Outcome;
use testkit::{Host, MariaDb, RawClient};

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
fn file_of_one_packet_and_of_none() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("infile_small");
    let answer = load(&mut client, &format!("{LOAD}{name}"), &[b"1\n2\n3\n".to_vec()]);
    assert_eq!(answer.ok().affected_rows, 3);
    let answer = load(&mut client, &format!("{LOAD}{name}"), &[]);
    assert_eq!(answer.ok().affected_rows, 0);
    assert_in_step(&mut client);
    assert_eq!(rows_in(&name), "3");
}

#[test]
fn file_of_300_packets() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("infile_many");
    let parts: Vec<_> = (0..300).map(|number| format!("{number}\n").into_bytes()).collect();
    let answer = load(&mut client, &format!("{LOAD}{name}"), &parts);
    assert_eq!(answer.ok().affected_rows, 300);
    assert_in_step(&mut client);
}

#[test]
fn answer_is_err() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("infile_err");
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
fn followed_by_another_statement() {
    let host = Host::plain(db());
    let mut client = host.client();
    let name = table("infile_more");
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
fn injected_first_of_two() {
    let name = table("infile_first");
    let host = host_injecting_load(&name, false);
    let mut client = host.client();
    let answer = load(&mut client, "inject", &[b"1\n2\n".to_vec()]);
    assert_eq!(answer.ok().affected_rows, 2);
    assert_in_step(&mut client);
}

#[test]
fn injected_and_ignored() {
    let name = table("infile_ignored");
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
fn injected_after_the_answer() {
    let name = table("infile_late");
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
fn file_request_of_a_script_without_server() {
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
