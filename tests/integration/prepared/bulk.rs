//! MariaDB's bulk executions, and the pipelining that its clients use where a server offers them.

use testkit::client::COM_QUERY;
use testkit::proto::{caps, ok_err};
use testkit::{Host, Login, MariaDb, RawClient};

use crate::support::*;

/// MARIADB_CLIENT_STMT_BULK_OPERATIONS, in the extended word.
const BULK_OPERATIONS: u32 = 1 << 2;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;
const CLOSE: u8 = 0x19;
const BULK_EXECUTE: u8 = 0xfa;
/// Stands for the statement that was prepared last.
const LAST: [u8; 4] = [0xff; 4];

const QUEUE_ALL: &str = r#"
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.query[0] == 0xFA:
        result = inj.resultset
        print(result.affected_rows, result.rows and list(result.rows), flush=True)
"#;

fn login() -> Login {
    MariaDb::user().without(caps::LONG_PASSWORD).extended(BULK_OPERATIONS)
}

fn directly() -> RawClient {
    RawClient::login(db(), &login()).expect("a direct login")
}

/// Reads until the end of a result set, or the one packet that is no result set.
fn read_result(client: &mut RawClient) -> Vec<Vec<u8>> {
    let mut payloads = vec![client.read_packet().unwrap().payload];
    let mut ends = if matches!(payloads[0][0], 0 | 0xff) { 0 } else { 2 };
    while ends > 0 {
        let packet = client.read_packet().unwrap();
        ends = if packet.is_err() { 0 } else { ends - usize::from(packet.is_eof()) };
        payloads.push(packet.payload);
    }
    payloads
}

/// Inserts three rows at once, fails to insert two, and does so with RETURNING.
fn bulk_session(client: &mut RawClient, table: &str) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    for returning in ["", " RETURNING a, b"] {
        client.query(&format!("TRUNCATE test.{table}")).unwrap().ok();
        let sql = format!("INSERT INTO test.{table} VALUES (?, ?){returning}");
        client.send_command(PREPARE, sql.as_bytes()).unwrap();
        let prepared = client.read_packet().unwrap().payload;
        let id = prepared[1..5].to_vec();
        // Columns and parameters, each with an EOF behind them if there are any.
        for count in [prepared[5], prepared[7]].into_iter().filter(|count| *count > 0) {
            for _ in 0..=count {
                client.read_packet().unwrap();
            }
        }
        // Types follow: a long and a string; then rows: 0 a value, 1 NULL.
        let head = [&[BULK_EXECUTE], id.as_slice(), &[128, 0, 3, 0, 0xfd, 0]].concat();
        let rows = b"\0\x01\0\0\0\0\x03one\0\x02\0\0\0\x01\0\x03\0\0\0\0\x05three";
        for rows in [&rows[..], b"\0\x09\0\0\0\x01\0\x01\0\0\0\x01"] {
            client.send_packet(0, &[&head, rows].concat()).unwrap();
            answers.extend(read_result(client));
        }
        client.send_packet(0, &[&[CLOSE], id.as_slice()].concat()).unwrap();
        let count = client.query(&format!("SELECT COUNT(*), MAX(b) FROM test.{table}")).unwrap();
        answers.extend(count.payloads().into_iter().map(<[u8]>::to_vec));
    }
    assert_in_step(client);
    answers
}

#[test]
fn bulk_executions_are_answered_as_directly() {
    let table = "bulk_direct";
    let sql = format!("CREATE TABLE test.{table} (a INT PRIMARY KEY, b VARCHAR(9)) ENGINE=InnoDB");
    MariaDb::shared().query(&sql).ok();
    let expected = bulk_session(&mut directly(), table);
    let queueing = Host::with_script(QUEUE_ALL);
    for host in [&Host::plain(db()), &queueing] {
        assert_eq!(bulk_session(&mut host.login(&login()), table), expected);
    }
    let rows = "[(1, 'one'), (2, None), (3, 'three')]";
    // The second of each kind ends in an error: the key is there already.
    assert!(queueing.stdout().starts_with("3 None\n0 None\n"), "{}", queueing.stdout());
    assert!(queueing.stdout().contains(&format!("None {rows}\n")), "{}", queueing.stdout());
}

/// PREPARE and EXECUTE of the statement that it will have made, in one segment.
fn pipelined(client: &mut RawClient, sql: &[u8]) -> Vec<Vec<u8>> {
    let frame = testkit::proto::packet::frame;
    let prepare = frame(0, &[&[PREPARE], sql].concat());
    let execute = frame(0, &[&[EXECUTE], LAST.as_slice(), b"\0\x01\0\0\0"].concat());
    client.send_bytes(&[prepare, execute].concat()).unwrap();
    let mut prepared = client.read_packet().unwrap().payload;
    if prepared[0] == 0 {
        // The id, and one column with its EOF.
        prepared[1..5].fill(0);
        client.read_packet().unwrap();
        client.read_packet().unwrap();
    }
    [vec![prepared], read_result(client)].concat()
}

#[test]
fn prepared_and_executed_in_one_segment() {
    let hosts = [
        Host::plain(db()),
        Host::with_script(QUEUE_ALL),
        Host::with_script(
            r#"
            def read_query(proxy, packet):
                proxy.queries.append(1, b"\x03SELECT 'before'", resultset_is_needed=True)
                proxy.queries.append(2, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                if inj.id == 1:
                    return proxy.PROXY_IGNORE_RESULT
            "#,
        ),
    ];
    let mut straight = directly();
    for host in &hosts {
        let mut client = host.login(&login());
        for sql in [b"SELECT 'x'".as_slice(), b"SELECT nosuch", b"SELECT 7"] {
            let through = pipelined(&mut client, sql);
            assert_eq!(through, pipelined(&mut straight, sql), "{}", sql.escape_ascii());
            assert_in_step(&mut client);
        }
    }
}

#[test]
fn a_script_answers_a_bulk_execution() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == 0xFA:
                resultset = {"fields": [("a", proxy.MYSQL_TYPE_TINY)], "rows": [[7], [None]]}
                proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": resultset}
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.login(&login());
    client.send_packet(0, b"\xfa\x01\0\0\0\x80\0").unwrap();
    let answer = read_result(&mut client);
    assert_eq!(answer[3..5], [&b"\0\0\x07"[..], b"\0\x04"], "binary rows");
    assert_in_step(&mut client);
}

#[test]
fn a_client_that_was_not_offered_them_is_refused_as_directly() {
    let host = Host::plain(db());
    let mut client = host.client();
    let mut straight = direct();
    let errors = [&mut client, &mut straight].map(|client| {
        client.send_packet(0, b"\xfa\x01\0\0\0\x80\0").unwrap();
        let error = client.read_packet().unwrap();
        assert_in_step(client);
        client.send_command(COM_QUERY, b"SELECT 1").unwrap();
        assert_eq!(client.read_answer(1).unwrap().value(), "1");
        ok_err::parse_err(&error.payload).unwrap()
    });
    assert_eq!(errors[0], errors[1]);
}
