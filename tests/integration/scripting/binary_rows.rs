//! Prepared statements of a real client through a script that reads and makes binary rows.

use mysql::prelude::Queryable;
use mysql::{Conn, Row, Value};
use testkit::Host;

use crate::support::*;

/// Reads every row of a prepared statement, says what it found, and sends the rows back as its own answer.
const THERE_AND_BACK: &str = r#"
def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_EXECUTE:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    result = inj.resultset
    if result.fields is None:
        return
    for row in result.rows:
        print(*(repr(cell) for cell in row), sep="\n", flush=True)
    proxy.response = {"type": 0, "resultset": {"fields": result.fields, "rows": result.rows}}
    return proxy.PROXY_SEND_RESULT
"#;

#[test]
fn every_type_there_and_back() {
    let host = Host::with_script(THERE_AND_BACK);
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    conn.query_drop(
        "CREATE TEMPORARY TABLE t (a TINYINT, b BIGINT UNSIGNED, c FLOAT, d DOUBLE, e DECIMAL(10,2), \
         f DATE, g TIME(6), h DATETIME(6), i YEAR, j VARCHAR(50) CHARACTER SET utf8mb4, k BLOB, l BIT(5), \
         m DATE, n INT)",
    )
    .unwrap();
    conn.query_drop("SET sql_mode=''").unwrap();
    conn.query_drop(
        "INSERT INTO t VALUES (-128, 18446744073709551615, 1.5, -2.25e100, -123.40, '2024-02-29', \
         '-101:02:03.000004', '1999-12-31 23:59:59.999999', 2024, 'žluť', x'00ff', 21, '0000-00-00', NULL)",
    )
    .unwrap();
    let rows: Vec<Row> = conn.exec("SELECT * FROM t", ()).unwrap();
    let want = vec![
        Value::Int(-128),
        Value::UInt(u64::MAX),
        Value::Float(1.5),
        Value::Double(-2.25e100),
        Value::Bytes(b"-123.40".to_vec()),
        Value::Date(2024, 2, 29, 0, 0, 0, 0),
        Value::Time(true, 4, 5, 2, 3, 4),
        Value::Date(1999, 12, 31, 23, 59, 59, 999_999),
        Value::Int(2024),
        Value::Bytes("žluť".into()),
        Value::Bytes(vec![0, 255]),
        Value::Bytes(vec![21]),
        Value::Date(0, 0, 0, 0, 0, 0, 0),
        Value::NULL,
    ];
    let rows: Vec<_> = rows.into_iter().map(Row::unwrap).collect();
    assert_eq!(rows, [want]);
    assert_eq!(
        host.stdout().lines().collect::<Vec<_>>(),
        [
            "-128",
            "18446744073709551615",
            "1.5",
            "-2.25e+100",
            "'-123.40'",
            "datetime.date(2024, 2, 29)",
            "datetime.timedelta(days=-5, seconds=68276, microseconds=999996)",
            "datetime.datetime(1999, 12, 31, 23, 59, 59, 999999)",
            "2024",
            "'žluť'",
            r"b'\x00\xff'",
            r"b'\x15'",
            "'0000-00-00'",
            "None",
        ]
    );
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn a_script_answers_a_prepared_statement_itself() {
    let host = Host::with_script(
        r#"
        import datetime

        def read_query(proxy, packet):
            if packet[0] == proxy.COM_STMT_EXECUTE:
                fields = [("n", proxy.MYSQL_TYPE_LONG), ("t", proxy.MYSQL_TYPE_DATETIME), ("s", 253)]
                rows = [(n, datetime.datetime(2024, 1, n), None if n == 2 else n) for n in (1, 2)]
                proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": rows}}
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let rows: Vec<Row> = conn.exec("SELECT 1", ()).unwrap();
    let rows: Vec<_> = rows.into_iter().map(Row::unwrap).collect();
    let day = |day| Value::Date(2024, 1, day, 0, 0, 0, 0);
    assert_eq!(
        rows,
        [
            vec![Value::Int(1), day(1), Value::Bytes(b"1".to_vec())],
            vec![Value::Int(2), day(2), Value::NULL]
        ]
    );
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn an_answer_that_does_not_fit_its_fields_is_a_script_error() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_STMT_EXECUTE:
                resultset = {"fields": [("n", proxy.MYSQL_TYPE_TINY)], "rows": [[1], [1000]]}
                proxy.response = {"type": 0, "resultset": resultset}
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let error = conn.exec_drop("SELECT 1", ()).unwrap_err().to_string();
    assert!(error.contains("pyproxy: read_query failed, see the proxy log"), "{error}");
    host.wait_for_log("row 1: ");
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
    assert_in_step(&mut host.client());
}
