//! `inj` and its result.

use std::sync::Arc;

use std::time::Instant;

use super::*;
use engine::Query;
use wire::Capabilities;
use wire::packet::{frame, packets};
use wire::reply::StatusFlags;
use wire::result::{
    ColumnDefinition, ColumnFlags, ColumnType, KeptPackets, ResultSetEncoder, Summary,
};

/// A kept result set of `SELECT 1`.
pub fn select(columns: &[ColumnDefinition<'_>], rows: &[&[Option<&[u8]>]]) -> Injection {
    let query = Query::new(4, b"\x03SELECT 1".to_vec(), true, Instant::now()).expect("not empty");
    let mut injection = Injection::new(query, Capabilities::empty());
    let kept = Arc::make_mut(&mut injection.packets);
    let sink = |payload: &[u8]| {
        let mut framed = Vec::new();
        frame(payload, 1, &mut framed);
        for part in packets(&framed) {
            kept.push(part.expect("framed by us").1);
        }
    };
    let mut encoder =
        ResultSetEncoder::begin(columns, Capabilities::empty(), StatusFlags::AUTOCOMMIT, sink);
    for row in rows {
        encoder.text_row(row.iter().copied());
    }
    encoder.finish(StatusFlags::AUTOCOMMIT | StatusFlags::NO_INDEX_USED, 3);
    injection.summary = Summary {
        row_count: u64::try_from(rows.len()).expect("few"),
        status: StatusFlags::AUTOCOMMIT | StatusFlags::NO_INDEX_USED,
        warnings: 3,
        bytes: 99,
        query_status: Some(0),
        has_resultset: true,
        ..Summary::default()
    };
    injection
}

/// The packets of a result of one column, with another first row.
pub fn with_row(injection: &Injection, row: &[u8]) -> KeptPackets {
    let packets = injection.packets.iter().enumerate();
    packets.map(|(n, payload)| if n == 3 { row } else { payload }).collect()
}

/// A kept OK.
pub fn ok() -> Slot<Injection> {
    let query = Query::new(4, b"\x03SET x".to_vec(), true, Instant::now()).expect("not empty");
    let mut injection = Injection::new(query, Capabilities::empty());
    Arc::make_mut(&mut injection.packets).push(b"\0\x02\x05\x01\0\0\0");
    injection.summary = Summary {
        affected_rows: Some(2),
        insert_id: Some(5),
        status: StatusFlags::IN_TRANS,
        query_status: Some(0),
        ..Summary::default()
    };
    Slot::new(injection)
}

/// Runs statements in `read_query_result`; an assertion in them fails the test.
fn check(injection: Injection, statements: &str) {
    let body = statements.replace('\n', "\n    ");
    let script = format!(
        "kept = []\ndef read_query_result(proxy, inj):\n    r = inj.resultset\n    {body}\n"
    );
    let mut connection = Connection::new(&script);
    let outcome = connection.result(injection);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

fn column(name: &'static str, column_type: ColumnType, charset: u16) -> ColumnDefinition<'static> {
    ColumnDefinition { charset, ..ColumnDefinition::named(name.as_bytes(), column_type) }
}

#[test]
fn the_injection_itself() {
    let mut injection = select(&[column("a", ColumnType::LONG, 63)], &[]);
    injection.first_packet_at = Some(Instant::now());
    check(
        injection,
        "assert inj.id == 4 and inj.query == b'\\x03SELECT 1'\n\
        assert isinstance(inj.query_time, int) and inj.query_time >= 0 and inj.response_time is None\n\
        assert inj.resultset is r and repr(inj) == '<pyproxy.Injection 4>'",
    );
}

#[test]
fn counters_and_flags_of_a_result_set() {
    check(
        select(&[column("a", ColumnType::LONG, 63)], &[&[Some(b"1")]]),
        "assert (r.row_count, r.bytes, r.warning_count, r.query_status) == (1, 99, 3, 0)\n\
         assert r.affected_rows is None and r.insert_id is None\n\
         f = r.flags\n\
         assert (f.in_trans, f.auto_commit, f.no_good_index_used, f.no_index_used) == (False, True, False, True)\n\
         assert r.raw == b'\\x01' and f == r.flags and hash(f) == hash(r.flags)",
    );
}

#[test]
fn an_ok_has_counters_but_no_rows() {
    let injection = ok().take().expect("there");
    check(
        injection,
        "assert (r.affected_rows, r.insert_id, r.row_count) == (2, 5, 0)\n\
        assert r.fields is None and r.rows is None and r.flags.in_trans\n\
        assert r.raw == b'\\0\\x02\\x05\\x01\\0\\0\\0'",
    );
}

#[test]
fn a_result_that_was_not_kept_has_counters_only() {
    let mut injection = select(&[column("a", ColumnType::LONG, 63)], &[&[Some(b"1")]]);
    injection.packets = Arc::default();
    check(
        injection,
        "assert r.fields is None and r.rows is None and r.raw is None and r.row_count == 1",
    );
}

#[test]
fn fields_show_the_definition() {
    let definition = ColumnDefinition {
        database: b"d",
        table: b"t",
        org_table: b"ot",
        org_name: b"on",
        length: 11,
        flags: ColumnFlags::from_bits_retain(0x4203),
        decimals: 2,
        ..column("n", ColumnType::LONG, 63)
    };
    check(
        select(&[definition, column("", ColumnType::BLOB, 45)], &[]),
        "f = r.fields[0]\n\
         assert (f.name, f.org_name, f.table, f.org_table, f.database) == ('n', 'on', 't', 'ot', 'd')\n\
         assert (f.type, f.charset, f.length, f.flags, f.decimals) == (3, 63, 11, 0x4203, 2)\n\
         assert len(r.fields) == 2 and r.fields[-1].name == '' and r.fields[1].org_name == ''\n\
         assert r.fields is r.fields and f in {f: 1} and f != r.fields[1]\n\
         assert repr(f) == '<pyproxy.Field \"n\" type=3>', repr(f)",
    );
}

#[test]
fn cells_are_decoded_by_column() {
    let columns = [
        column("number", ColumnType::LONG, 63),
        column("text", ColumnType::VAR_STRING, 45),
        column("binary", ColumnType::VAR_STRING, 63),
        column("latin", ColumnType::STRING, 8),
        column("bit", ColumnType::BIT, 63),
        column("day", ColumnType::DATETIME, 63),
        column("null", ColumnType::BLOB, 63),
    ];
    let row: &[Option<&[u8]>] = &[
        Some(b"-5"),
        Some("żółw".as_bytes()),
        Some(b"\0\xff"),
        Some(b"\xe9\x80"),
        Some(b"\x01"),
        Some(b"2024-01-02 03:04:05"),
        None,
    ];
    check(
        select(&columns, &[row]),
        "want = ('-5', 'żółw', b'\\0\\xff', 'é€', b'\\x01', '2024-01-02 03:04:05', None)\n\
         assert list(r.rows) == [want], list(r.rows)",
    );
}

#[test]
fn rows_are_a_sequence() {
    let rows: [&[Option<&[u8]>]; 3] = [&[Some(b"a")], &[Some(b"b")], &[Some(b"c")]];
    check(
        select(&[column("t", ColumnType::VAR_STRING, 45)], &rows),
        "rows = r.rows\n\
         assert len(rows) == 3 and rows[0] == ('a',) and rows[-1] == ('c',)\n\
         assert rows[1:] == [('b',), ('c',)] and rows[::-2] == [('c',), ('a',)] and rows[5:] == []\n\
         assert list(rows) == list(rows) == list(r.rows) == [('a',), ('b',), ('c',)]\n\
         a, b = iter(rows), iter(rows)\n\
         next(a); assert next(a) == ('b',) and next(b) == ('a',)\n\
         for wrong in (3, -4, 2**70, 'x'):\n\
         \x20   try: rows[wrong]\n\
         \x20   except (IndexError, TypeError): pass\n\
         \x20   else: raise AssertionError(wrong)",
    );
}

#[test]
fn a_malformed_row_raises() {
    let mut injection = select(&[column("t", ColumnType::VAR_STRING, 45)], &[&[Some(b"a")]]);
    for payload in [&b"\x05ab"[..], b"\x01a\x01b", b"\x01a\xfb"] {
        injection.packets = with_row(&injection, payload).into();
        let mut connection =
            Connection::new("def read_query_result(proxy, inj): list(inj.resultset.rows)\n");
        let slot = Slot::new(injection);
        let outcome = said(connection.binding.ask(&Ask::Result(slot.clone()), b""));
        assert_eq!(outcome, Verdict::Failed, "{payload:?}");
        assert!(logged(log::Level::Error).contains("row 0 of the result is malformed"));
        injection = slot.take().expect("there");
    }
}

#[test]
fn fields_and_rows_go_back_unchanged() {
    let columns = [column("a", ColumnType::VAR_STRING, 8), column("b", ColumnType::BLOB, 63)];
    let row: &[Option<&[u8]>] = &[Some(b"caf\xe9\x81"), Some(b"\0\xff")];
    let injection = select(&columns, &[row, &[None, None]]);
    let sent: Vec<_> = injection.packets.iter().map(<[u8]>::to_vec).collect();
    let script = "def read_query_result(proxy, inj):\n\
        \x20   r = inj.resultset\n\
        \x20   proxy.response = {'type': 0, 'server_status': 0x22, 'warnings': 3,\n\
        \x20                     'resultset': {'fields': r.fields, 'rows': r.rows}}\n\
        \x20   return proxy.PROXY_SEND_RESULT\n";
    let mut connection = Connection::new(script);
    let Verdict::SendResult(reply) = connection.result(injection) else {
        panic!("{}", logged(log::Level::Error))
    };
    // Ours has the same status in both EOF packets.
    assert_eq!(reply.packets()[..3], sent[..3]);
    assert_eq!(reply.packets()[4..], sent[4..]);
}

#[test]
fn a_result_cannot_be_used_after_its_hook() {
    let script = "kept = []\n\
        def read_query_result(proxy, inj):\n\
        \x20   r = inj.resultset\n\
        \x20   it = iter(r.rows); next(it)\n\
        \x20   done = iter(r.rows); list(done)\n\
        \x20   kept.extend([inj, r, r.rows, it, done, r.fields])\n\
        def gone(f):\n\
        \x20   try: f()\n\
        \x20   except ReferenceError: return\n\
        \x20   raise AssertionError(f)\n\
        def read_query(proxy, packet):\n\
        \x20   inj, r, rows, it, done, fields = kept\n\
        \x20   for f in (lambda: inj.id, lambda: inj.resultset, lambda: r.fields, lambda: r.rows, lambda: r.row_count,\n\
        \x20             lambda: rows[0], lambda: len(rows), lambda: iter(rows), lambda: next(it), lambda: next(done)): gone(f)\n\
        \x20   assert fields[0].name == 't', 'a field is a value'\n\
        \x20   assert repr(inj) == '<pyproxy.Injection (gone)>' and 'gone' in repr(r)\n";
    let mut connection = Connection::new(script);
    let rows: [&[Option<&[u8]>]; 2] = [&[Some(b"a")], &[Some(b"b")]];
    let injection = select(&[column("t", ColumnType::VAR_STRING, 45)], &rows);
    assert_eq!(connection.result(injection), Verdict::Proceed, "{}", logged(log::Level::Error));
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn rows_are_dicts() {
    let columns = [
        column("a", ColumnType::LONG, 63),
        column("b", ColumnType::VAR_STRING, 45),
        column("a", ColumnType::VAR_STRING, 45),
    ];
    check(
        select(&columns, &[&[Some(b"1"), None, Some(b"x")], &[Some(b"2"), Some(b"y"), None]]),
        "assert r.columns == ('a', 'b', 'a')\n\
         dicts = r.rows.dicts()\n\
         assert len(r.rows) == dicts.__length_hint__() == 2\n\
         assert list(dicts) == [{'a': 'x', 'b': None}, {'a': None, 'b': 'y'}]\n\
         assert list(r.rows.typed().dicts())[1]['b'] == 'y'",
    );
    check(ok().take().expect("an OK"), "assert r.columns is None");
}

#[test]
fn rows_of_text_have_values() {
    let of = |column_type| column("a", column_type, 63);
    let unsigned = ColumnDefinition { flags: ColumnFlags::UNSIGNED, ..of(ColumnType::LONGLONG) };
    for (column, text, want) in [
        (of(ColumnType::TINY), "-1", "-1"),
        (of(ColumnType::YEAR), "2026", "2026"),
        (of(ColumnType::INT24), "7", "7"),
        (unsigned, "18446744073709551615", "2**64 - 1"),
        (of(ColumnType::FLOAT), "1.1", "1.1"),
        (of(ColumnType::DOUBLE), "1e22", "1e22"),
        (of(ColumnType::NEWDECIMAL), "1.50", "D('1.50')"),
        (of(ColumnType::DATE), "2026-01-02", "d.date(2026, 1, 2)"),
        (of(ColumnType::DATE), "0000-00-00", "'0000-00-00'"),
        (
            of(ColumnType::DATETIME),
            "2026-01-02 03:04:05.5",
            "d.datetime(2026, 1, 2, 3, 4, 5, 500000)",
        ),
        (of(ColumnType::TIMESTAMP), "2026-01-02 03:04:05", "d.datetime(2026, 1, 2, 3, 4, 5)"),
        (of(ColumnType::TIME), "-25:00:01", "-d.timedelta(hours=25, seconds=1)"),
        (of(ColumnType::VAR_STRING), "1", "b'1'"),
        (of(ColumnType::BIT), "1", "b'1'"),
        (column("a", ColumnType::VAR_STRING, 45), "1", "'1'"),
        (of(ColumnType::LONG), "x", "'x'"),
        (of(ColumnType::NEWDECIMAL), "x", "'x'"),
    ] {
        check(
            select(&[column], &[&[Some(text.as_bytes())], &[None]]),
            &format!(
                "import datetime as d\n\
                 from decimal import Decimal as D\n\
                 (value,), (null,) = rows = r.rows.typed()\n\
                 assert repr(value) == repr({want}) and null is None, value\n\
                 assert rows[0] == (value,) and len(rows) == 2 and rows.typed()[0] == (value,)\n\
                 assert isinstance(r.rows[0][0], (str, bytes)), 'the plain rows stay'"
            ),
        );
    }
}
