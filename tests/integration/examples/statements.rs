//! The tutorial about prepared statements, and its short form.

use mysql::Conn;
use mysql::prelude::Queryable;
use testkit::RawClient;

use super::*;

const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;

/// Prepares, executes and closes two statements, and has a third one refused. Their numbers, and what was printed.
fn two_statements(script: &str) -> (u32, u32, Vec<String>) {
    let host = run(script);
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let sum = conn.prep("SELECT ? + 1, ?").unwrap();
    let now = conn.prep("DO 1").unwrap();
    let (a, b) = (sum.id(), now.id());
    assert!(conn.prep("SELECT FROM").is_err());
    let first: (i64, String) = conn.exec_first(&sum, (41, "text")).unwrap().unwrap();
    assert_eq!(first, (42, "text".to_owned()));
    let second: (f64, Option<String>) =
        conn.exec_first(&sum, (-2.5, None::<String>)).unwrap().unwrap();
    assert_eq!(second, (-1.5, None));
    conn.exec_drop(&now, ()).unwrap();
    conn.close(sum).unwrap();
    conn.close(now).unwrap();
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
    drop(conn);
    (a, b, printed(host))
}

#[test]
fn short_prepared_statements_prints_texts_parameters_and_ends() {
    let (a, b, lines) = two_statements("short_prepared_statements.py");
    assert_eq!(
        lines,
        [
            "prepared: SELECT ? + 1, ?".to_owned(),
            "prepared: DO 1".to_owned(),
            "prepared: SELECT FROM".to_owned(),
            format!("statement {a}: executed with (41, 'text'): SELECT ? + 1, ?"),
            format!("statement {a}: executed with (-2.5, None): SELECT ? + 1, ?"),
            format!("statement {b}: executed with (): DO 1"),
            format!("statement {a}: closed"),
            format!("statement {b}: closed"),
        ]
    );
}

#[test]
fn prepared_statements_prints_texts_parameters_and_ends() {
    let (a, b, lines) = two_statements("tutorial_prepared_statements.py");
    assert_eq!(
        lines,
        [
            format!("statement {a}: SELECT ? + 1, ? (2 parameters, 2 columns)"),
            format!("statement {b}: DO 1 (0 parameters, 0 columns)"),
            format!("statement {a}: executed with [41, b'text']"),
            format!("statement {a}: executed with [-2.5, None]"),
            format!("statement {b}: executed with []"),
            format!("statement {a}: closed"),
            format!("statement {b}: closed"),
        ]
    );
}

/// A client that sends types only once, and a value ahead. The numbers of two statements, and what was printed.
fn types_and_long_data(script: &str) -> (u32, u32, Vec<String>) {
    let host = run(script);
    let mut client = host.client();
    let execution = |statement: u32, rest: &[u8]| {
        [&statement.to_le_bytes(), [0, 1, 0, 0, 0].as_slice(), rest].concat()
    };
    let [a, b] = [(); 2].map(|()| {
        client.send_command(COM_STMT_PREPARE, b"SELECT ?").unwrap();
        let ok = &read_packets(&mut client, 5)[0];
        u32::from_le_bytes(ok[1..5].try_into().unwrap())
    });
    // Without NULLs, with a type (SHORT), and its value; then without the type.
    client.send_command(COM_STMT_EXECUTE, &execution(a, b"\0\x01\x02\0\x05\0")).unwrap();
    read_packets(&mut client, 5);
    client.send_command(COM_STMT_EXECUTE, &execution(a, b"\0\0\xff\xff")).unwrap();
    read_packets(&mut client, 5);
    for piece in [b"in two ", b"pieces "] {
        let parameter = [&b.to_le_bytes(), [0, 0].as_slice(), piece].concat();
        client.send_command(COM_STMT_SEND_LONG_DATA, &parameter).unwrap();
    }
    // A BLOB whose value is at the server already.
    client.send_command(COM_STMT_EXECUTE, &execution(b, b"\0\x01\xfc\0")).unwrap();
    let row = &read_packets(&mut client, 5)[3];
    assert_eq!(row, b"\0\0\x0ein two pieces ");
    client.quit();
    (a, b, printed(host))
}

#[test]
fn short_prepared_statements_has_types_and_long_data() {
    let (a, b, lines) = types_and_long_data("short_prepared_statements.py");
    assert_eq!(
        lines[2..],
        [
            format!("statement {a}: executed with (5,): SELECT ?"),
            format!("statement {a}: executed with (-1,): SELECT ?"),
            format!("statement {b}: executed with (b'in two pieces ',): SELECT ?"),
        ]
    );
}

#[test]
fn prepared_statements_remembers_types_and_long_data() {
    let (a, b, lines) = types_and_long_data("tutorial_prepared_statements.py");
    assert_eq!(
        lines[2..],
        [
            format!("statement {a}: executed with [5]"),
            format!("statement {a}: executed with [-1]"),
            format!("statement {b}: executed with [b'in two pieces ']"),
        ]
    );
}

/// The payloads of the next packets, of which the first is no error.
fn read_packets(client: &mut RawClient, count: usize) -> Vec<Vec<u8>> {
    let packets: Vec<_> = (0..count).map(|_| client.read_packet().unwrap()).collect();
    assert!(!packets[0].is_err(), "{packets:?}");
    packets.into_iter().map(|packet| packet.payload).collect()
}
