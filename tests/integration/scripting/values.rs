//! Hooks that return what the client gets, and `proxy.command`, between real clients and a real server.

use mysql::prelude::Queryable;
use mysql::{Conn, Value};
use testkit::{Host, MariaDb};

use crate::support::*;

const ANSWERS: &str = r#"
import datetime
import decimal
import pyproxy

ROWS = [
    (1, -2**63, 1.5, decimal.Decimal("2.50"), "ž", b"\xff", None, datetime.date(2024, 2, 29),
     datetime.datetime(2024, 2, 29, 1, 2, 3), datetime.timedelta(hours=25)),
    (2**63, None, 2, 3, None, b"", None, None, None, None),
]

def read_query(proxy, packet):
    sql = proxy.command.sql or ""
    if proxy.command.type == proxy.COM_STMT_PREPARE:
        return None
    if sql.startswith("SELECT rows"):
        return pyproxy.Rows(list("abcdefghij"), ROWS)
    if sql.startswith("SELECT error"):
        return pyproxy.Error("not today", 1226, "42000")
    if sql.startswith("SELECT ok"):
        return pyproxy.Ok(300, insert_id=70000, warnings=2, info="done")
    if sql.startswith("SELECT raw"):
        return pyproxy.Raw([b"\0\7\0\2\0\0\0"])
    if sql.startswith("SELECT other"):
        return pyproxy.Send(sql.replace("other", "'ž',"))
    if sql.startswith("SELECT kept"):
        proxy.queries.append(1, "SELECT 7", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    return inj
"#;

#[test]
fn a_client_gets_what_a_hook_returns() {
    let host = Host::with_script(ANSWERS);
    let mut client = host.client();
    let rows = client.query("SELECT rows").unwrap();
    let first = [
        "1",
        "-9223372036854775808",
        "1.5",
        "2.50",
        "ž",
        "\u{fffd}",
        "NULL",
        "2024-02-29",
        "2024-02-29 01:02:03",
        "25:00:00",
    ];
    let second =
        ["9223372036854775808", "NULL", "2", "3", "NULL", "", "NULL", "NULL", "NULL", "NULL"];
    assert_eq!(rows.text(), [first, second]);
    let error = client.query("SELECT error").unwrap();
    assert_eq!((error.err().code, error.err().sqlstate.as_deref()), (1226, Some("42000")));
    assert_eq!(error.err().message, "not today");
    let ok = client.query("SELECT ok").unwrap().ok();
    assert_eq!((ok.affected_rows, ok.insert_id, ok.warnings), (300, 70_000, 2));
    assert_eq!(client.query("SELECT raw").unwrap().ok().affected_rows, 7);
    assert_eq!(client.query("SELECT other 2").unwrap().text(), [["ž", "2"]]);
    assert_eq!(client.query("SELECT kept").unwrap().value(), "7");
    assert_in_step(&mut client);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn the_state_of_the_connection_is_in_an_ok() {
    let host = Host::with_script(ANSWERS);
    let mut client = host.client();
    client.query("BEGIN").unwrap().ok();
    assert_eq!(client.query("SELECT ok").unwrap().ok().status & 3, 3, "in a transaction");
    client.query("ROLLBACK").unwrap().ok();
    assert_eq!(client.query("SELECT ok").unwrap().ok().status & 3, 2);
}

const PREPARED: &str = r#"
import pyproxy

def read_query(proxy, packet):
    c = proxy.command
    if c.name == "COM_STMT_EXECUTE":
        print(c.sql, c.params, flush=True)
        if c.params == (42,):
            return pyproxy.Rows(["n", "text"], [(42, "answered"), (None, "é")])
        if c.params == (43,):
            return pyproxy.Ok(5)
        if c.params == (44,):
            return pyproxy.Error("no 44")
        if c.params == (45,):
            return pyproxy.Send("SELECT 1")
    elif c.name == "COM_STMT_PREPARE" and "old" in c.sql:
        return pyproxy.Send(b"\x16" + c.sql.replace("old", "new").encode())
"#;

#[test]
fn executions_are_known_and_answered() {
    let host = Host::with_script(PREPARED);
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let statement = conn.prep("SELECT ?, 'x'").unwrap();
    let rows: Vec<(Option<i64>, String)> = conn.exec(&statement, (42,)).unwrap();
    assert_eq!(rows, [(Some(42), "answered".to_owned()), (None, "é".to_owned())]);
    conn.exec_drop(&statement, (43,)).unwrap();
    assert_eq!(conn.affected_rows(), 5);
    let error = conn.exec_drop(&statement, (44,)).unwrap_err();
    assert!(error.to_string().contains("no 44"), "{error}");
    let error = conn.exec_drop(&statement, (45,)).unwrap_err();
    assert!(error.to_string().contains("read_query failed"), "{error}");
    let row: (i64, String) = conn.exec_first(&statement, (7,)).unwrap().unwrap();
    assert_eq!(row, (7, "x".to_owned()));
    let values = (Value::NULL, -5, 1.5, "ž", vec![0xff_u8], Value::Date(2024, 2, 29, 1, 2, 3, 0));
    conn.exec_drop("SELECT ?, ?, ?, ?, ?, ?", values).unwrap();
    host.wait_for_stdout("(None, -5, 1.5, 'ž', ");
    let output = host.stdout();
    for line in
        ["SELECT ?, 'x' (42,)", "SELECT ?, 'x' (7,)", "datetime.datetime(2024, 2, 29, 1, 2, 3)"]
    {
        assert!(output.contains(line), "{line}: {output}");
    }
}

#[test]
fn a_statement_may_be_prepared_as_another() {
    let host = Host::with_script(PREPARED);
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let row: Option<(String, i64)> = conn.exec_first("SELECT 'old', ?", (7,)).unwrap();
    assert_eq!(row, Some(("new".to_owned(), 7)));
    host.wait_for_stdout("SELECT 'old', ? (7,)");
}

#[test]
fn text_is_in_the_character_set_of_the_login() {
    const LATIN1: u8 = 8;
    let host = Host::with_script(
        r#"
        import pyproxy

        def read_query(proxy, packet):
            sql = proxy.command.sql
            if sql and "é" in sql:
                return pyproxy.Send(sql + ", 'ö'")
        "#,
    );
    let mut client = host.login(&MariaDb::user().charset(LATIN1));
    client.send_command(3, b"SELECT HEX('\xe9')").unwrap();
    assert_eq!(client.read_answer(1).unwrap().text()[0], ["E9", "\u{fffd}"]);
}

#[test]
fn a_login_can_be_refused_with_a_value() {
    let host = Host::with_script(
        r#"
        import pyproxy

        def read_auth(proxy):
            return pyproxy.Error("not you", 1045, "28000")
        "#,
    );
    let error = Conn::new(host.url().as_str()).unwrap_err().to_string();
    assert!(error.contains("not you") && error.contains("28000"), "{error}");
}

#[test]
fn a_stream_that_is_sent_instead_passes_while_it_arrives() {
    let host = Host::with_script(
        r#"
        import pyproxy

        def read_query(proxy, packet):
            if packet[1:] == b"many":
                return pyproxy.Send("SELECT seq FROM test.seq_1_to_100000")

        def read_query_result(proxy, inj):
            raise AssertionError("nothing was queued")
        "#,
    );
    let mut client = host.client();
    assert_eq!(client.query("many").unwrap().text().len(), 100_000);
    assert_in_step(&mut client);
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn rows_have_values_and_names() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] != proxy.COM_QUIT:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            if inj.resultset.rows is not None:
                print(inj.resultset.columns, list(inj.resultset.rows.typed().dicts()), flush=True)
        "#,
    );
    host.client()
        .query("SELECT 1 AS i, 1.50 AS d, DATE '2024-02-29' AS t, 'x' AS s, NULL AS n")
        .unwrap();
    host.wait_for_stdout(
        "('i', 'd', 't', 's', 'n') [{'i': 1, 'd': Decimal('1.50'), 't': datetime.date(2024, 2, 29), \
         's': 'x', 'n': None}]",
    );
}
