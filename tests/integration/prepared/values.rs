//! Prepared statements of a real client: every type as parameter and as result.

use mysql::prelude::Queryable;
use mysql::{Conn, Row, Value, params};
use testkit::Host;

use crate::support::*;

fn connect(host: &Host) -> Conn {
    Conn::new(host.url().as_str()).unwrap()
}

#[test]
fn all_types_there_and_back() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.query_drop(
        "CREATE TEMPORARY TABLE t (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT, e BIGINT, \
         f BIGINT UNSIGNED, g FLOAT, h DOUBLE, i DECIMAL(20,5), j DATE, k TIME(6), l DATETIME(6), \
         m YEAR, n VARCHAR(50) CHARACTER SET utf8mb4, o VARBINARY(50), p BLOB, q BIT(5), \
         r ENUM('x','y'), s SET('x','y'), t TEXT)",
    )
    .unwrap();
    let values = vec![
        Value::Int(-128),
        Value::Int(65_535),
        Value::Int(-8_388_608),
        Value::Int(i64::from(i32::MIN)),
        Value::Int(i64::MIN),
        Value::UInt(u64::MAX),
        Value::Float(1.5),
        Value::Double(-2.25e100),
        Value::Bytes(b"-12345.67890".to_vec()),
        Value::Date(2024, 2, 29, 0, 0, 0, 0),
        Value::Time(true, 3, 4, 5, 6, 7),
        Value::Date(1999, 12, 31, 23, 59, 59, 999_999),
        Value::Int(2024),
        Value::Bytes("žluťoučký 🐎".into()),
        Value::Bytes(vec![0, 1, 254, 255]),
        Value::Bytes(vec![0xff; 300]),
        Value::Bytes(vec![21]),
        Value::Bytes(b"y".to_vec()),
        Value::Bytes(b"x,y".to_vec()),
        Value::Bytes(Vec::new()),
    ];
    let marks = vec!["?"; values.len()].join(",");
    conn.exec_drop(format!("INSERT INTO t VALUES ({marks})"), values.clone()).unwrap();
    let nulls = vec![Value::NULL; values.len()];
    conn.exec_drop(format!("INSERT INTO t VALUES ({marks})"), nulls.clone()).unwrap();
    let rows: Vec<Row> = conn.exec("SELECT * FROM t ORDER BY a IS NULL", ()).unwrap();
    let rows: Vec<_> = rows.into_iter().map(Row::unwrap).collect();
    assert_eq!(rows, [values, nulls]);
}

#[test]
fn executed_many_times() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let statement = conn.prep("SELECT ? + ?, ?").unwrap();
    for number in 0..200_i64 {
        let sum: (i64, String) = conn.exec_first(&statement, (number, 1, "x")).unwrap().unwrap();
        assert_eq!(sum, (number + 1, "x".to_owned()));
    }
    conn.close(statement).unwrap();
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn named_parameters_and_an_error() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let sum: Option<i64> =
        conn.exec_first("SELECT :a + :b", params! { "a" => 1, "b" => 2 }).unwrap();
    assert_eq!(sum, Some(3));
    let error = conn.prep("SELECT FROM").unwrap_err();
    assert!(error.to_string().contains("1064"), "{error}");
    assert_eq!(conn.exec_first("SELECT ?", (5,)).unwrap(), Some(5));
}

#[test]
fn result_of_many_rows() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    let rows: Vec<u32> =
        conn.exec("SELECT seq FROM test.seq_1_to_100000 WHERE seq > ?", (50_000,)).unwrap();
    assert_eq!(rows.len(), 50_000);
    assert_eq!(rows.last(), Some(&100_000));
}

#[test]
fn procedure_with_several_results() {
    let host = Host::plain(db());
    let mut conn = connect(&host);
    conn.query_drop(
        "CREATE OR REPLACE PROCEDURE test.prepared_two(n INT) BEGIN SELECT n; SELECT n + 1; END",
    )
    .unwrap();
    let mut result = conn.exec_iter("CALL test.prepared_two(?)", (5,)).unwrap();
    let mut values = Vec::new();
    while let Some(set) = result.iter() {
        values.extend(set.map(|row| mysql::from_row::<i64>(row.unwrap())));
    }
    assert_eq!(values, [5, 6]);
    drop(result);
    assert_eq!(conn.query_first("SELECT 1").unwrap(), Some(1));
}

#[test]
fn through_a_script_that_only_looks() {
    let host = Host::with_script(
        r#"
        seen = set()

        def read_query(proxy, packet):
            if packet[0] not in seen:
                seen.add(packet[0])
                print("command", packet[0], flush=True)
        "#,
    );
    let mut conn = connect(&host);
    let statement = conn.prep("SELECT ?").unwrap();
    assert_eq!(conn.exec_first(&statement, (5,)).unwrap(), Some(5));
    conn.close(statement).unwrap();
    conn.query_drop("DO 0").unwrap();
    for command in ["command 22\n", "command 23\n", "command 25\n"] {
        host.wait_for_stdout(command);
    }
}
