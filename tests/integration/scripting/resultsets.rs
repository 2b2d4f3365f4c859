//! What a script sees of a result: `inj`, `inj.resultset`, `rows` and `fields`, for the text and the
//! binary protocol (`docs/scripting.md#objects`).

use mysql::prelude::Queryable;
use mysql::{Conn, Value};
use testkit::proto::caps;
use testkit::{Host, MariaDb, RawClient};

use super::checks::{assert_all_pass, with_checks};

#[test]
fn of_queries() {
    let host = with_checks(
        r#"
        import time

        from checks import raises, result_of, runner

        read_query, read_query_result = runner(globals())

        @result_of("SELECT 1 AS a, 'x' AS b, NULL AS c UNION SELECT 2, 'y', 'z'")
        def check_injection(proxy, inj):
            assert inj.id == 7 and inj.query.startswith(b"\x03SELECT 1 AS a")
            assert type(inj.query_time) is int and 0 < inj.query_time <= inj.response_time < 3e7
            assert inj.resultset is inj.resultset and "Injection 7" in repr(inj)
            raises(AttributeError, setattr, inj, "id", 5)
            result = inj.resultset
            assert result.row_count == 2 and result.query_status == proxy.MYSQLD_PACKET_OK
            assert result.affected_rows is None and result.insert_id is None
            assert type(result.raw) is bytes and result.raw == b"\x03"
            assert result.warning_count == 0 and result.bytes == (4 + 5) + (4 + 6)

        @result_of("SELECT 1, 'x', NULL UNION SELECT 2, 'y', 'z' UNION SELECT 3, '', ''")
        def check_rows(proxy, inj):
            rows = inj.resultset.rows
            expected = [("1", "x", None), ("2", "y", "z"), ("3", "", "")]
            assert list(rows) == list(rows) == expected and len(rows) == 3
            assert [type(row) for row in rows] == [tuple] * 3
            assert rows[0] == rows[-3] == expected[0] and list(rows[1:]) == expected[1:]
            raises(IndexError, lambda: rows[3])
            raises(TypeError, lambda: rows["x"])
            one, two = iter(rows), iter(rows)
            assert next(one) == next(two) == expected[0] and next(one) == expected[1]
            assert expected[1] in rows and "3" in repr(rows)
            inj.resultset.rows  # a further look starts again
            assert next(iter(inj.resultset.rows)) == expected[0]

        @result_of("SELECT _utf8mb4'ž🐢', _binary'ab', x'00ff', b'101', POINT(1, 2), '' AS nothing")
        def check_text_is_str_and_binary_is_bytes(proxy, inj):
            (row,) = inj.resultset.rows
            assert [type(cell) for cell in row] == [str, bytes, bytes, bytes, bytes, str], row
            assert row[:3] == ("ž🐢", b"ab", b"\x00\xff") and row[5] == ""

        @result_of("SELECT 1, -2, 3.50, 1e100, CAST('2024-02-29' AS DATE), NOW(6), TIME('-1:2:3')")
        def check_numbers_and_dates_are_the_servers_text(proxy, inj):
            (row,) = inj.resultset.rows
            assert row[:5] == ("1", "-2", "3.50", "1e100", "2024-02-29") and row[6] == "-01:02:03"
            assert type(row[5]) is str and len(row[5]) == 26

        @result_of("SELECT s.a AS x, b, c, 1 + 1 FROM test.resultset_fields AS s")
        def check_fields(proxy, inj):
            fields = inj.resultset.fields
            assert len(fields) == 4 and fields[0] is fields[0] and list(fields)[3].name == "1 + 1"
            x, b, c, sum = fields
            assert (x.name, x.org_name, x.table, x.org_table, x.database) == (
                "x", "a", "s", "resultset_fields", "test")
            assert (x.type, x.charset, x.length, x.decimals) == (proxy.MYSQL_TYPE_LONG, 63, 11, 0)
            assert x.flags & 1 and x.flags & 2, "NOT NULL and primary key"
            assert (b.type, b.length) == (proxy.MYSQL_TYPE_VAR_STRING, 36)
            # utf8mb4 by the default collations of MariaDB 10.11, of MySQL and of MariaDB 11.8.
            assert b.charset in (45, 255, 224), b.charset
            assert (c.type, c.decimals) == (proxy.MYSQL_TYPE_NEWDECIMAL, 2)
            assert (sum.org_name, sum.table, sum.org_table, sum.database) == ("", "", "", "")
            for field in fields:
                assert repr(field.name).strip("'") in repr(field) and type(field).__doc__
                raises(AttributeError, setattr, field, "name", "y")
            again = inj.resultset.fields
            assert again[0] == x and hash(again[0]) == hash(x) and b != x and {x: 1}[again[0]] == 1

        @result_of("INSERT INTO test.resultset_fields (b) VALUES ('p'), ('q')")
        def check_ok(proxy, inj):
            result = inj.resultset
            assert result.fields is None and result.rows is None and result.raw[0] == 0
            assert (result.affected_rows, result.insert_id, result.row_count) == (2, 1, 0)
            assert result.query_status == proxy.MYSQLD_PACKET_OK and result.bytes == 0

        @result_of("SELECT no_such_column")
        def check_err(proxy, inj):
            result = inj.resultset
            assert result.fields is None and result.rows is None and result.raw[0] == 255
            assert result.query_status == proxy.MYSQLD_PACKET_ERR and result.warning_count == 0

        @result_of("SELECT 1 WHERE FALSE")
        def check_no_rows(proxy, inj):
            result = inj.resultset
            assert list(result.rows) == [] and len(result.rows) == 0 == result.row_count
            assert len(result.fields) == 1

        @result_of("SELECT 1/0")
        def check_warnings(proxy, inj):
            assert inj.resultset.warning_count == 1
            assert list(inj.resultset.rows) == [(None,)]

        @result_of("BEGIN")
        def check_x_flags_in_a_transaction(proxy, inj):
            flags = inj.resultset.flags
            assert flags.in_trans is True and flags.auto_commit is True

        @result_of("ROLLBACK")
        def check_y_flags_after_it(proxy, inj):
            assert inj.resultset.flags.in_trans is False

        @result_of("SELECT COUNT(*) FROM test.resultset_fields WHERE b = 'x'")
        def check_flags_without_an_index(proxy, inj):
            flags = inj.resultset.flags
            assert flags.no_index_used is True and flags.no_good_index_used is False
        "#,
    )
    .start();
    MariaDb::shared()
        .query(
            "CREATE TABLE test.resultset_fields (a INT AUTO_INCREMENT PRIMARY KEY, \
             b VARCHAR(9) CHARACTER SET utf8mb4, c DECIMAL(8, 2))",
        )
        .ok();
    let mut client = host.client();
    // So that the lengths of columns count 4 bytes for a character.
    client.query("SET NAMES utf8mb4").unwrap().ok();
    assert_all_pass(&mut client);
}

#[test]
fn of_other_character_sets() {
    let host = with_checks(
        r#"
        from checks import result_of, runner

        read_query, read_query_result = runner(globals())

        @result_of("SELECT 'déjà €'")
        def check_decoded_with_the_set_of_the_column(proxy, inj):
            assert inj.resultset.fields[0].charset == 8, inj.resultset.fields[0].charset
            assert list(inj.resultset.rows) == [("déjà €",)], list(inj.resultset.rows)

        @result_of("SELECT 1, CONVERT(x'8198ff' USING latin1)")
        def check_undecodable_bytes_encode_back(proxy, inj):
            ((_, text),) = inj.resultset.rows
            assert text.encode("cp1252", "surrogateescape") == b"\x81\x98\xff", ascii(text)
        "#,
    )
    .start();
    let mut client = host.client();
    client.query("SET NAMES utf8mb4, character_set_results = latin1").unwrap().ok();
    assert_all_pass(&mut client);
}

#[test]
fn of_a_result_that_was_not_kept() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, packet)
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            result = inj.resultset
            print(result.fields, result.rows, result.raw, result.row_count, result.bytes > 0,
                  result.query_status, result.affected_rows)
        "#,
    );
    let mut client = host.client();
    client.query("SELECT 1 UNION SELECT 2").unwrap();
    host.wait_for_stdout("None None None 2 True 0 None\n");
}

#[test]
fn of_prepared_statements() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_STMT_EXECUTE:
                proxy.queries.append(1, packet, True)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            result = inj.resultset
            if result.rows is None:
                return None
            for row in result.rows:
                print([type(cell).__name__ for cell in row], row[0])
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": result.fields,
                    "rows": [(row[0] + 1, *row[1:]) for row in result.rows],
                },
            }
            return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    let row: (i64, f64, String, Vec<u8>, Option<i32>, Value) = conn
        .exec_first(
            "SELECT CAST(? AS SIGNED), CAST(2.5 AS DOUBLE), 'ž', x'00ff', NULL, \
             CAST('2024-02-29' AS DATE) + INTERVAL 0 DAY",
            (41,),
        )
        .unwrap()
        .unwrap();
    assert_eq!(row.0, 42);
    assert_eq!((row.1, row.2.as_str(), row.3, row.4), (2.5, "ž", vec![0, 255], None));
    assert_eq!(row.5, Value::Date(2024, 2, 29, 0, 0, 0, 0));
    host.wait_for_stdout("['int', 'float', 'str', 'bytes', 'NoneType', 'date'] 41\n");
    let moment: (Value, Value) = conn
        .exec_first("SELECT 1, CAST(? AS DATETIME(6))", ("2024-02-29 01:02:03.000004",))
        .unwrap()
        .unwrap();
    assert_eq!(moment.1, Value::Date(2024, 2, 29, 1, 2, 3, 4));
    host.wait_for_stdout("['int', 'datetime'] 1\n");
}

#[test]
fn the_error_of_a_result_is_there_whether_it_was_kept_or_not() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUERY:
                proxy.queries.append(1, packet, b"keep" in packet)
                return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            print(inj.resultset.error and inj.resultset.error[:9])
        "#,
    );
    let several = caps::MULTI_STATEMENTS | caps::MULTI_RESULTS;
    let login = MariaDb::user().with(several);
    let mut client = RawClient::login(host.address(), &login).unwrap();
    for sql in ["SELECT nope", "SELECT nope /* keep */", "SELECT 1; SELECT nope", "SELECT 1"] {
        client.query(sql).unwrap();
    }
    let error = "b'\\xff\\x1e\\x04#42S22'\n";
    assert_eq!(host.stdout(), format!("{error}{error}{error}None\n"));
}
