//! The tutorial about prepared statements.

use mysql::Conn;
use mysql::prelude::Queryable;
use testkit::RawClient;

use super::*;

const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;

#[test]
fn prepared_statements_prints_texts_parameters_and_ends() {
    let host = run("tutorial_prepared_statements.py");
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
    assert_eq!(
        printed(host),
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

/// A client that sends types only once, and a value ahead.
#[test]
fn prepared_statements_remembers_types_and_long_data() {
    let host = run("tutorial_prepared_statements.py");
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
    assert_eq!(
        printed(host)[2..],
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
