//! Results in the text protocol, read by a real client and compared with a direct connection.

use mysql::prelude::Queryable;
use mysql::{Conn, Row, Value};
use testkit::Host;

use crate::support::*;

const TYPES: &str = "\
    SELECT CAST(-5 AS SIGNED), CAST(5 AS UNSIGNED), 1.5, 2.5e0, CAST('1' AS DECIMAL(30,10)), \
    DATE '2024-02-29', TIME '-838:59:59', TIMESTAMP '2024-02-29 12:34:56.789', CAST(2024 AS YEAR), \
    'text', _utf8mb4'žluť', x'00ff', b'101', NULL, '', TRUE, JSON_ARRAY(1, 'a')";

fn connect(host: &Host) -> Conn {
    Conn::new(host.url().as_str()).unwrap()
}

#[test]
fn all_types_are_the_servers_bytes() {
    let host = Host::plain(db());
    let mut client = host.client();
    // CAST AS YEAR is MySQL only.
    assert_same_as_direct(&mut client, &TYPES.replace("CAST(2024 AS YEAR), ", ""));
}

#[test]
fn a_real_client_reads_values() {
    let host = Host::plain(db());
    let row: Row = connect(&host).query_first("SELECT 7, 'x', NULL, x'00ff'").unwrap().unwrap();
    assert_eq!(
        row.unwrap(),
        [
            Value::Bytes(b"7".to_vec()),
            Value::Bytes(b"x".to_vec()),
            Value::NULL,
            Value::Bytes(vec![0, 255])
        ]
    );
}

#[test]
fn hundred_thousand_rows() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let mut expected = 1_u32;
    conn.query_iter("SELECT seq, REPEAT('x', seq % 50) FROM test.seq_1_to_100000")
        .unwrap()
        .for_each(|row| {
            let (number, text): (u32, String) = mysql::from_row(row.unwrap());
            assert_eq!(number, expected);
            assert_eq!(text.len(), usize::try_from(number % 50).unwrap());
            expected += 1;
        });
    assert_eq!(expected, 100_001);
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn hundred_thousand_rows_through_a_script() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"seq_1_to" in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            total = sum(int(row[0]) for row in inj.resultset.rows)
            print("rows", inj.resultset.row_count, "total", total, flush=True)
        "#,
    );
    let mut conn = connect(&host);
    let rows: Vec<u32> = conn.query("SELECT seq FROM test.seq_1_to_100000").unwrap();
    assert_eq!(rows.len(), 100_000);
    host.wait_for_stdout("rows 100000 total 5000050000");
}

#[test]
fn empty_result_set() {
    let host = Host::plain(db());
    let mut client = host.client();
    let answer = assert_same_as_direct(&mut client, "SELECT 1, 2 FROM DUAL WHERE FALSE");
    assert!(answer.text().is_empty());
    assert_in_step(&mut client);
}

#[test]
fn many_columns() {
    let host = Host::plain(db());
    let columns: Vec<String> = (0..1000).map(|number| format!("{number} AS c{number}")).collect();
    let mut client = host.client();
    let answer = assert_same_as_direct(&mut client, &format!("SELECT {}", columns.join(",")));
    assert_eq!(answer.text()[0].len(), 1000, "packet ids wrap on the way");
    assert_in_step(&mut client);
}

#[test]
fn errors_warnings_and_counts() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.query_drop("CREATE TEMPORARY TABLE counts (a INT AUTO_INCREMENT PRIMARY KEY, b TINYINT)")
        .unwrap();
    conn.query_drop("INSERT INTO counts (b) VALUES (1), (2), (3)").unwrap();
    assert_eq!((conn.affected_rows(), conn.last_insert_id()), (3, 1));
    conn.query_drop("SET sql_mode = ''; ").unwrap();
    conn.query_drop("UPDATE counts SET b = 1000 WHERE a = 2").unwrap();
    assert_eq!(conn.warnings(), 1);
    let error = conn.query_drop("SELECT nosuch FROM counts").unwrap_err();
    assert!(error.to_string().contains("1054"), "{error}");
    assert_eq!(conn.query_first("SELECT COUNT(*) FROM counts").unwrap(), Some(3));
}

#[test]
fn multi_statements() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let mut result = conn.query_iter("SELECT 1; DO 0; SELECT 'two', 2").unwrap();
    let mut sets = Vec::new();
    while let Some(set) = result.iter() {
        sets.push(set.map(|row| row.unwrap().unwrap()).collect::<Vec<_>>());
    }
    assert_eq!(sets.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    drop(result);
    assert_eq!(conn.query_first("SELECT 3").unwrap(), Some(3));
}

#[test]
fn other_commands_of_a_real_client() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.ping().unwrap();
    conn.select_db("mysql").unwrap();
    assert_eq!(conn.query_first("SELECT DATABASE()").unwrap(), Some("mysql".to_owned()));
    conn.query_drop("SET @kept = 1").unwrap();
    conn.reset().unwrap();
    let kept: Option<Option<u8>> = conn.query_first("SELECT @kept").unwrap();
    assert_eq!(kept, Some(None), "COM_RESET_CONNECTION reached the server");
}

#[test]
fn transactions() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.query_drop("CREATE TABLE test.results_tx (a INT) ENGINE=InnoDB").unwrap();
    let mut tx = conn.start_transaction(mysql::TxOpts::default()).unwrap();
    tx.query_drop("INSERT INTO test.results_tx VALUES (1)").unwrap();
    tx.rollback().unwrap();
    assert_eq!(conn.query_first("SELECT COUNT(*) FROM test.results_tx").unwrap(), Some(0));
}
