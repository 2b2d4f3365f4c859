//! Scripts that answer, block or change results: `proxy.response`.

use testkit::{Host, MariaDb};

use crate::support::*;

#[test]
fn blocks_a_query() {
    MariaDb::shared().query("CREATE TABLE test.scripting_kept (a INT)").ok();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUERY and b"DROP" in packet.upper():
                proxy.response = {
                    "type": proxy.MYSQLD_PACKET_ERR,
                    "errmsg": "dropping is not allowed",
                    "errcode": 1142,
                    "sqlstate": "42000",
                }
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    let answer = client.query("drop table test.scripting_kept").unwrap();
    let error = answer.err();
    assert_eq!((error.code, error.sqlstate.as_deref()), (1142, Some("42000")));
    assert_eq!(error.message, "dropping is not allowed");
    assert_in_step(&mut client);
    MariaDb::shared().query("DROP TABLE test.scripting_kept").ok();
}

#[test]
fn error_defaults() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.response.type = proxy.MYSQLD_PACKET_ERR
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let answer = host.client().query("x").unwrap();
    assert_eq!((answer.err().code, answer.err().sqlstate.as_deref()), (1105, Some("07000")));
    assert!(!answer.err().message.is_empty());
}

#[test]
fn answers_by_itself() {
    let host = Host::with_script(
        r#"
        import datetime
        import decimal

        def read_query(proxy, packet):
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            if b"rows" in packet:
                values = (None, b"\x00\xff", "ž", 7, 2.5, True, decimal.Decimal("1.50"),
                          datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 1, 2, 3))
                proxy.response.resultset = {
                    "fields": [(f"c{n}", proxy.MYSQL_TYPE_STRING) for n in range(len(values))],
                    "rows": (values for _ in range(3)),
                }
            elif b"mapping" in packet:
                proxy.response.resultset = {
                    "fields": [{"name": "a", "type": proxy.MYSQL_TYPE_LONGLONG}],
                    "rows": [[1], (2,)],
                }
            else:
                proxy.response.affected_rows = 300
                proxy.response.insert_id = 70000
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    let rows = client.query("rows").unwrap();
    let expected =
        ["NULL", "\0\u{fffd}", "ž", "7", "2.5", "1", "1.50", "2024-02-29", "2024-02-29 01:02:03"];
    assert_eq!(rows.text(), [expected; 3]);
    assert_eq!(client.query("mapping").unwrap().text(), [["1"], ["2"]]);
    let ok = client.query("ok").unwrap().ok();
    assert_eq!((ok.affected_rows, ok.insert_id, ok.status, ok.warnings), (300, 70_000, 2, 0));
}

#[test]
fn answers_with_raw_packets() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            one = b"\x00\x07\x00\x02\x00\x00\x00"
            proxy.response.type = proxy.MYSQLD_PACKET_RAW
            proxy.response.packets = one if b"one" in packet else [memoryview(one)]
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    assert_eq!(client.query("one").unwrap().ok().affected_rows, 7);
    assert_eq!(client.query("list").unwrap().ok().affected_rows, 7);
}

#[test]
fn a_response_does_not_leak_into_the_next_command() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"first" in packet:
                proxy.response.affected_rows = 99
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    assert_eq!(client.query("first").unwrap().ok().affected_rows, 99);
    assert_eq!(client.query("second").unwrap().ok().affected_rows, 0);
}

#[test]
fn replaces_a_result() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"secret" in packet:
                proxy.queries.append(1, packet, resultset_is_needed=True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            rows = [(row[0], "***") for row in inj.resultset.rows]
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {"fields": inj.resultset.fields, "rows": rows},
            }
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.client();
    let answer = client.query("SELECT 1 AS id, 'secret' AS word UNION SELECT 2, 'x'").unwrap();
    assert_eq!(answer.text(), [["1", "***"], ["2", "***"]]);
    assert_in_step(&mut client);
}
