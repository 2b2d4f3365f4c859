//! Rows of prepared statements: read, made, and handed back.

use std::sync::Arc;
use std::time::Instant;

use super::results::with_row;
use super::*;
use engine::{Query, Reply};
use wire::binary::{BinaryValue, Date, DateTime, Time, ValueType};
use wire::reply::StatusFlags;
use wire::result::{BinaryRow, ColumnDefinition, ColumnFlags, ColumnType, ResultSetEncoder};
use wire::{Capabilities, Command};

const UNSIGNED: ColumnFlags = ColumnFlags::UNSIGNED;
const NONE: ColumnFlags = ColumnFlags::empty();

fn column(column_type: ColumnType, charset: u16, flags: ColumnFlags) -> ColumnDefinition<'static> {
    ColumnDefinition { charset, flags, ..ColumnDefinition::named(b"c", column_type) }
}

/// A kept result set of COM_STMT_EXECUTE.
fn executed(columns: &[ColumnDefinition<'_>], rows: &[&[BinaryValue<'_>]]) -> Injection {
    let packet = vec![Command::STMT_EXECUTE.0, 1, 0, 0, 0];
    let query = Query::new(4, packet, true, Instant::now()).expect("not empty");
    let mut injection = Injection::new(query, Capabilities::empty());
    let kept = Arc::make_mut(&mut injection.packets);
    let sink = |payload: &[u8]| kept.push(payload);
    let types: Vec<_> = columns.iter().map(ValueType::of_column).collect();
    let mut encoder =
        ResultSetEncoder::begin(columns, Capabilities::empty(), StatusFlags::AUTOCOMMIT, sink);
    for row in rows {
        encoder.binary_row(&types, row.iter().copied()).expect("fits");
    }
    encoder.finish(StatusFlags::AUTOCOMMIT, 0);
    injection
}

/// One row with a value of each kind.
fn all_kinds() -> (Vec<ColumnDefinition<'static>>, Vec<BinaryValue<'static>>) {
    let day = Date { year: 2024, month: 2, day: 29 };
    let moment = DateTime { date: day, hour: 23, minute: 59, second: 58, micros: 0 };
    let span =
        Time { negative: true, days: 34, hours: 22, minutes: 59, seconds: 59, micros: 999_999 };
    let cells = [
        (column(ColumnType::TINY, 63, NONE), BinaryValue::Int(-128)),
        (column(ColumnType::SHORT, 63, UNSIGNED), BinaryValue::UInt(65_535)),
        (column(ColumnType::INT24, 63, NONE), BinaryValue::Int(-8_388_608)),
        (column(ColumnType::LONGLONG, 63, NONE), BinaryValue::Int(i64::MIN)),
        (column(ColumnType::LONGLONG, 63, UNSIGNED), BinaryValue::UInt(u64::MAX)),
        (column(ColumnType::YEAR, 63, UNSIGNED), BinaryValue::UInt(2024)),
        (column(ColumnType::FLOAT, 63, NONE), BinaryValue::Float(0.1)),
        (column(ColumnType::DOUBLE, 63, NONE), BinaryValue::Double(-2.25e100)),
        (column(ColumnType::DATE, 63, NONE), BinaryValue::Date(day)),
        (column(ColumnType::DATETIME, 63, NONE), BinaryValue::DateTime(moment)),
        (
            column(ColumnType::TIMESTAMP, 63, NONE),
            BinaryValue::DateTime(DateTime { micros: 1, ..moment }),
        ),
        (column(ColumnType::TIME, 63, NONE), BinaryValue::Time(span)),
        (column(ColumnType::NEWDECIMAL, 63, NONE), BinaryValue::Bytes(b"-1.50")),
        (column(ColumnType::VAR_STRING, 8, NONE), BinaryValue::Bytes(b"caf\xe9\x81")),
        (column(ColumnType::BLOB, 63, NONE), BinaryValue::Bytes(b"\0\xff")),
        (column(ColumnType::BIT, 63, UNSIGNED), BinaryValue::Bytes(b"\x15")),
        (column(ColumnType::LONG, 63, NONE), BinaryValue::Null),
    ];
    cells.into_iter().unzip()
}

/// The rows of `columns` as `read_query_result` sees them; an assertion in the statements fails the test.
fn check(injection: Injection, statements: &str) {
    let body = statements.replace('\n', "\n    ");
    let script = format!(
        "import datetime\nfrom datetime import date, timedelta\n\
         def read_query_result(proxy, inj):\n    rows = inj.resultset.rows\n    {body}\n"
    );
    let outcome = Connection::new(&script).result(injection);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn every_type_has_its_python_type() {
    let (columns, cells) = all_kinds();
    check(
        executed(&columns, &[&cells]),
        "want = (-128, 65535, -8388608, -2**63, 2**64 - 1, 2024, 0.10000000149011612, -2.25e100,\n\
         \x20       date(2024, 2, 29), datetime.datetime(2024, 2, 29, 23, 59, 58),\n\
         \x20       datetime.datetime(2024, 2, 29, 23, 59, 58, 1),\n\
         \x20       -timedelta(days=34, hours=22, minutes=59, seconds=59, microseconds=999999),\n\
         \x20       '-1.50', 'café\\udc81', b'\\0\\xff', b'\\x15', None)\n\
         assert rows[0] == want and len(rows) == 1, rows[0]\n\
         assert [type(cell) for cell in rows[0]] == [type(cell) for cell in want], rows[0]",
    );
}

#[test]
fn rows_are_a_sequence_as_those_of_text_are() {
    let rows: [&[BinaryValue<'_>]; 3] =
        [&[BinaryValue::Int(1)], &[BinaryValue::Null], &[BinaryValue::Int(3)]];
    check(
        executed(&[column(ColumnType::LONG, 63, NONE)], &rows),
        "assert len(rows) == 3 and rows[-1] == (3,) and rows[::2] == [(1,), (3,)]\n\
         assert list(rows) == list(rows) == [(1,), (None,), (3,)]",
    );
}

/// Dates and times that Python does not have.
fn impossible() -> (Vec<ColumnDefinition<'static>>, Vec<BinaryValue<'static>>) {
    let february = Date { year: 2023, month: 2, day: 31 };
    let exact = ColumnDefinition { decimals: 3, ..column(ColumnType::DATETIME, 63, NONE) };
    let cells = [
        (column(ColumnType::DATE, 63, NONE), BinaryValue::Date(Date::default())),
        (column(ColumnType::DATE, 63, NONE), BinaryValue::Date(february)),
        (column(ColumnType::DATETIME, 63, NONE), BinaryValue::DateTime(DateTime::default())),
        (exact, BinaryValue::DateTime(DateTime::default())),
        (
            column(ColumnType::DATETIME, 63, NONE),
            BinaryValue::DateTime(DateTime { date: february, hour: 1, ..DateTime::default() }),
        ),
        (
            column(ColumnType::TIME, 63, NONE),
            BinaryValue::Time(Time { days: 2_000_000, hours: 1, ..Time::default() }),
        ),
    ];
    cells.into_iter().unzip()
}

#[test]
fn what_python_does_not_have_stays_text() {
    let (columns, cells) = impossible();
    check(
        executed(&columns, &[&cells]),
        "want = ('0000-00-00', '2023-02-31', '0000-00-00 00:00:00', '0000-00-00 00:00:00.000',\n\
         \x20       '2023-02-31 01:00:00', timedelta(days=2000000, hours=1))\n\
         assert rows[0] == want, rows[0]",
    );
    let endless = BinaryValue::Time(Time { days: 1_000_000_000, ..Time::default() });
    check(
        executed(&[column(ColumnType::TIME, 63, NONE)], &[&[endless]]),
        "assert rows[0] == ('24000000000:00:00',), rows[0]",
    );
}

#[test]
fn a_malformed_row_raises() {
    let good = executed(&[column(ColumnType::LONG, 63, NONE)], &[&[BinaryValue::Int(1)]]);
    assert_eq!(good.packets.get(3), Some(&b"\0\0\x01\0\0\0"[..]));
    let script = "def read_query_result(proxy, inj): list(inj.resultset.rows)\n";
    for payload in [&b"\0\0\x01"[..], b"\x01\0\x01\0\0\0", b"\0"] {
        let mut injection =
            executed(&[column(ColumnType::LONG, 63, NONE)], &[&[BinaryValue::Null]]);
        injection.packets = with_row(&injection, payload).into();
        assert_eq!(Connection::new(script).result(injection), Verdict::Failed, "{payload:?}");
        assert!(logged(log::Level::Error).contains("row 0 of the result is malformed"));
    }
}

/// A connection whose client waits for binary rows.
fn executing(script: &str) -> Connection {
    let connection = Connection::new(script);
    connection.change(|session| session.command = Some(Command::STMT_EXECUTE.0));
    connection
}

#[test]
fn fields_and_rows_go_back_unchanged() {
    let script = "def read_query_result(proxy, inj):\n\
        \x20   r = inj.resultset\n\
        \x20   proxy.response = {'type': 0, 'resultset': {'fields': r.fields, 'rows': r.rows}}\n\
        \x20   return proxy.PROXY_SEND_RESULT\n";
    for (columns, cells) in [all_kinds(), impossible()] {
        let nulls = vec![BinaryValue::Null; cells.len()];
        let injection = executed(&columns, &[&cells, &nulls]);
        let sent: Vec<_> = injection.packets.iter().map(<[u8]>::to_vec).collect();
        let Verdict::SendResult(reply) = executing(script).result(injection) else {
            panic!("{}", logged(log::Level::Error))
        };
        assert_eq!(reply.packets(), sent);
    }
}

/// What `read_query` answers, with `fields` and `rows` as given.
fn answer(fields: &str, rows: &str) -> Verdict {
    let script = format!(
        "import datetime, decimal\ndef read_query(proxy, packet):\n\
         \x20   proxy.response = {{'type': 0, 'resultset': {{'fields': {fields}, 'rows': {rows}}}}}\n\
         \x20   return proxy.PROXY_SEND_RESULT\n"
    );
    executing(&script).call(Hook::ReadQuery)
}

/// The one cell of an answer with a column of this type.
fn cell(reply: &Reply, column_type: ColumnType) -> String {
    let types = [ValueType::new(column_type)];
    let mut cells = BinaryRow::parse(&reply.packets()[3], &types).expect("a row");
    format!("{:?}", cells.next().expect("a cell").expect("well-formed"))
}

#[test]
fn cells_take_the_type_of_their_column() {
    for (column_type, value, wanted) in [
        (ColumnType::LONG, "-5", "Int(-5)"),
        (ColumnType::LONG, "'7'", "Int(7)"),
        (ColumnType::TINY, "True", "Int(1)"),
        (ColumnType::LONGLONG, "decimal.Decimal(9)", "Int(9)"),
        (ColumnType::DOUBLE, "3", "Double(3.0)"),
        (ColumnType::DOUBLE, "1e22", "Double(1e22)"),
        (ColumnType::FLOAT, "0.1", "Float(0.1)"),
        (ColumnType::VAR_STRING, "12", "Bytes([49, 50])"),
        (ColumnType::NEWDECIMAL, "1.5", "Bytes([49, 46, 53])"),
        (
            ColumnType::DATE,
            "datetime.date(2024, 1, 2)",
            "Date(Date { year: 2024, month: 1, day: 2 })",
        ),
        (
            ColumnType::TIME,
            "datetime.time(0, 0, 1)",
            "Time(Time { negative: false, days: 0, hours: 0, minutes: 0, seconds: 1, micros: 0 })",
        ),
        (
            ColumnType::TIME,
            "datetime.timedelta(microseconds=-1)",
            "Time(Time { negative: true, days: 0, hours: 0, minutes: 0, seconds: 0, micros: 1 })",
        ),
        (ColumnType::DATETIME, "None", "Null"),
    ] {
        match answer(&format!("[('c', {})]", column_type.0), &format!("[[{value}]]")) {
            Verdict::SendResult(reply) => assert_eq!(cell(&reply, column_type), wanted, "{value}"),
            other => panic!("{value}: {other:?}: {}", logged(log::Level::Error)),
        }
    }
}

#[test]
fn a_cell_that_its_column_cannot_hold_is_a_script_error() {
    for (column_type, value) in [
        (ColumnType::TINY, "128"),
        (ColumnType::LONG, "2**31"),
        (ColumnType::LONGLONG, "2**64"),
        (ColumnType::LONG, "1.5"),
        (ColumnType::LONG, "'one'"),
        (ColumnType::DOUBLE, "'much'"),
        (ColumnType::DATE, "'today'"),
        (ColumnType::DATE, "datetime.timedelta(1)"),
        (ColumnType::TIME, "datetime.date(2024, 1, 2)"),
        (ColumnType(200), "1"),
    ] {
        let outcome = answer(&format!("[('c', {})]", column_type.0), &format!("[[{value}]]"));
        assert_eq!(outcome, Verdict::Failed, "{column_type:?} {value}");
        let log = logged(log::Level::Error);
        assert!(log.contains("ValueError: row 0: "), "{value}: {log}");
    }
}

#[test]
fn other_answers_are_the_same_in_both_protocols() {
    let script = "def read_query(proxy, packet):\n    proxy.response.type = 0\n    return 2\n";
    let Verdict::SendResult(reply) = executing(script).call(Hook::ReadQuery) else {
        panic!("an OK")
    };
    assert_eq!(reply.packets(), [b"\0\0\0\x02\0\0\0"]);
}
