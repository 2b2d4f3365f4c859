//! Values that hooks return: `pyproxy.Ok`, `.Error`, `.Rows`, `.Raw`, `.Send`, and results.

use std::sync::Arc;

use super::*;
use engine::Reply;
use pyo3::types::{PyModule, PyModuleMethods};
use wire::Capabilities;
use wire::result::{ColumnDefinition, ColumnFlags, ColumnType, TextRow};

const LOGIN_HOOKS: [Hook; 4] =
    [Hook::ConnectServer, Hook::ReadHandshake, Hook::ReadAuth, Hook::ReadAuthResult];

/// A script that returns `value` from all its hooks, with the names of `pyproxy` at hand.
fn returning(value: &str) -> Connection {
    let heads = [
        "connect_server(proxy)",
        "read_handshake(proxy)",
        "read_auth(proxy)",
        "read_auth_result(proxy, auth)",
        "read_query(proxy, packet)",
        "read_query_result(proxy, inj)",
        "disconnect_client(proxy)",
    ];
    let hooks = heads.map(|head| format!("def {head}:\n    return {value}\n")).concat();
    let script = load(&format!("import datetime, decimal\n{hooks}"));
    python(|py| {
        let pyproxy = PyModule::new(py, "pyproxy").unwrap();
        crate::add_to(&pyproxy, 0x0805).unwrap();
        script.module.bind(py).add("pyproxy", pyproxy).unwrap();
    });
    Connection::of(script)
}

fn reply_of(verdict: &Verdict) -> Reply {
    match verdict {
        Verdict::SendResult(reply) => reply.clone(),
        other => panic!("{other:?}: {}", logged(log::Level::Error)),
    }
}

fn packets(value: &str) -> Vec<Vec<u8>> {
    reply_of(&returning(value).call(Hook::ReadQuery)).packets().to_vec()
}

/// Type, flags and digits of the only column, and its cells.
fn column(columns: &str, cells: &str) -> (ColumnType, ColumnFlags, u8, Vec<Option<Vec<u8>>>) {
    let packets = packets(&format!("pyproxy.Rows({columns}, [[cell] for cell in {cells}])"));
    let found = ColumnDefinition::parse(&packets[1], Capabilities::empty()).expect("a column");
    let cells = packets[3..packets.len() - 1].iter();
    let cell = |row: &Vec<u8>| TextRow::new(row).next().unwrap().unwrap().map(<[u8]>::to_vec);
    (found.column_type, found.flags, found.decimals, cells.map(cell).collect())
}

/// The line of the log for a hook that may not return this.
fn failure(value: &str, hook: Hook) -> String {
    assert_eq!(returning(value).call(hook), Verdict::Failed, "{hook:?} returning {value}");
    logged(log::Level::Error)
}

/// A kept result of one row.
fn kept() -> Injection {
    let column = ColumnDefinition::named(b"a", ColumnType::VAR_STRING);
    results::select(&[column], &[&[Some(b"x")]])
}

fn logged_in(connection: &Connection, charset: u8) {
    connection.change(|session| session.client.login = Some(login(charset)));
}

#[test]
fn an_ok_is_one() {
    assert_eq!(packets("pyproxy.Ok()"), [b"\0\0\0\x02\0\0\0"]);
    assert_eq!(
        packets("pyproxy.Ok(300, 5, warnings=2, status=3, info='x')"),
        [b"\0\xfc\x2c\x01\x05\x03\0\x02\0x"]
    );
}

#[test]
fn an_error_is_one_also_in_a_login() {
    let plain = b"\xff\x51\x04#HY000no".to_vec();
    assert_eq!(packets("pyproxy.Error('no')"), [plain]);
    for hook in LOGIN_HOOKS {
        let verdict = returning("pyproxy.Error('no', code=1226, sqlstate='42000')").call(hook);
        let want: &[u8] = match hook {
            Hook::ConnectServer | Hook::ReadHandshake => b"\xff\xca\x04no",
            _ => b"\xff\xca\x04#42000no",
        };
        assert_eq!(reply_of(&verdict).packets(), [want], "{hook:?}");
    }
}

#[test]
fn raw_packets_are_sent_as_they_are() {
    assert_eq!(packets("pyproxy.Raw(b'\\0\\0\\0\\2\\0\\0\\0')"), [b"\0\0\0\x02\0\0\0"]);
    assert_eq!(packets("pyproxy.Raw(b'%d' % n for n in (1, 2))"), [b"1", b"2"]);
}

#[test]
fn a_column_may_be_named_in_four_ways() {
    for columns in
        ["['a']", "[b'a']", "[('a', 253)]", "[{'name': 'a', 'type': 253}]", "(n for n in ['a'])"]
    {
        let packets = packets(&format!("pyproxy.Rows({columns}, [['x']])"));
        let found = ColumnDefinition::parse(&packets[1], Capabilities::empty()).expect("a column");
        assert_eq!((found.name, found.column_type), (&b"a"[..], ColumnType::VAR_STRING));
        assert_eq!((found.charset, packets[3].as_slice()), (45, &b"\x01x"[..]), "{columns}");
    }
}

#[test]
fn the_type_of_a_column_is_found_in_its_cells() {
    use ColumnType as T;
    let date = "datetime.date(2026, 1, 2)";
    let moment = "datetime.datetime(2026, 1, 2, 3, 4, 5)";
    for (cells, want, decimals) in [
        ("[]", T::VAR_STRING, 0),
        ("[None]", T::VAR_STRING, 0),
        ("[None, 1, True]", T::LONGLONG, 0),
        ("[1, 2.5]", T::DOUBLE, 31),
        ("[decimal.Decimal('1.50'), 2]", T::NEWDECIMAL, 2),
        ("[decimal.Decimal('1.50'), 2.0]", T::DOUBLE, 31),
        ("[2**63, -1]", T::NEWDECIMAL, 0),
        ("[2**64]", T::NEWDECIMAL, 0),
        ("['a', None]", T::VAR_STRING, 0),
        ("['a', 1]", T::VAR_STRING, 0),
        ("[b'a', 'a', 1]", T::BLOB, 0),
        ("[object]", T::VAR_STRING, 0),
        (&format!("[{date}]"), T::DATE, 0),
        (&format!("[{moment}]"), T::DATETIME, 0),
        (&format!("[{moment}, datetime.datetime.max]"), T::DATETIME, 6),
        (&format!("[{date}, {moment}]"), T::VAR_STRING, 0),
        ("[datetime.timedelta(1), datetime.time(1)]", T::TIME, 0),
        ("[datetime.timedelta(1), 1]", T::VAR_STRING, 0),
    ] {
        let (found, flags, digits, _) = column("['a']", cells);
        assert_eq!((found, digits), (want, decimals), "{cells}");
        assert!(!flags.contains(ColumnFlags::UNSIGNED), "{cells}");
    }
    let (found, flags, _, cells) = column("['a']", "[2**63, 1]");
    assert_eq!((found, flags.contains(ColumnFlags::UNSIGNED)), (T::LONGLONG, true));
    assert_eq!(cells, [Some(b"9223372036854775808".to_vec()), Some(b"1".to_vec())]);
}

#[test]
fn named_types_stay_beside_types_that_are_found() {
    let packets = packets("pyproxy.Rows([('a', 254), 'b'], [('x', 1), (b'y', 2)])");
    let of = |n: usize| ColumnDefinition::parse(&packets[n], Capabilities::empty()).unwrap();
    assert_eq!((of(1).column_type, of(1).charset), (ColumnType::STRING, 63));
    assert_eq!(of(2).column_type, ColumnType::LONGLONG);
    assert_eq!(packets[4..6], [b"\x01x\x011", b"\x01y\x012"]);
}

#[test]
fn rows_for_an_execution_are_binary() {
    let mut connection = returning("pyproxy.Rows(['a', 'b'], [[7, 'x'], [None, 'y']])");
    connection.change(|session| session.command = Some(0x17));
    let reply = reply_of(&connection.query(b"\x17\x01\0\0\0\0\x01\0\0\0"));
    assert_eq!(reply.packets()[4], b"\0\0\x07\0\0\0\0\0\0\0\x01x");
    assert_eq!(reply.packets()[5], b"\0\x04\x01y");
}

#[test]
fn what_is_sent_instead_is_a_packet_or_sql() {
    for (what, want) in [
        ("'SELECT 2'", &b"\x03SELECT 2"[..]),
        ("'\\n  SELECT 2'", b"\x03\n  SELECT 2"),
        ("' SELECT 2'", b"\x03 SELECT 2"),
        ("'\u{e9}'", b"\x03\xe9"),
        ("'\\x03SELECT \u{e9}'", b"\x03SELECT \xc3\xa9"),
        ("b'\\x03SELECT 2'", b"\x03SELECT 2"),
        ("bytearray(b'\\x0e')", b"\x0e"),
        ("'\\n'", b"\n"),
    ] {
        let mut connection = returning(&format!("pyproxy.Send({what})"));
        logged_in(&connection, 8);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Forward(want.to_vec()), "{what}");
    }
}

#[test]
fn text_that_is_queued_is_sql_as_well() {
    let script = "def read_query(proxy, packet):\n\
                  \x20   proxy.queries.append(1, 'SELECT \u{e9}')\n\
                  \x20   proxy.queries.prepend(2, '\\x03SELECT \u{e9}')\n\
                  \x20   return proxy.PROXY_SEND_QUERY\n";
    let mut connection = Connection::new(script);
    logged_in(&connection, 8);
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::SendQuery);
    connection.change(|session| {
        let packets: Vec<_> = session.queries.iter().map(|query| &*query.packet).collect();
        assert_eq!(packets, [&b"\x03SELECT \xc3\xa9"[..], b"\x03SELECT \xe9"]);
    });
}

#[test]
fn sql_in_place_of_a_prepared_statement_is_an_error() {
    for command in [0x16, 0x17, 0x1c] {
        let mut connection = returning("pyproxy.Send('SELECT 2')");
        connection.change(|session| session.command = Some(command));
        assert_eq!(connection.query(&[command]), Verdict::Failed);
        let log = logged(log::Level::Error);
        assert!(log.contains("text is a COM_QUERY, whose answer is none to"), "{log}");
    }
}

#[test]
fn the_result_as_it_came_is_passed_on() {
    for value in ["inj", "inj.resultset", "None"] {
        let mut connection = returning(value);
        assert_eq!(connection.result(kept()), Verdict::Proceed, "{value}");
    }
    let kept = kept();
    let want: Vec<_> = kept.packets.from(0).map(<[u8]>::to_vec).collect();
    let verdict = returning("inj.resultsets[0]").result(kept);
    assert_eq!(reply_of(&verdict).packets(), want);
}

#[test]
fn another_result_is_none_of_this_query() {
    let script = "kept = []\n\
                  def read_query_result(proxy, inj):\n\
                  \x20   kept.append(inj)\n\
                  \x20   return kept[0]\n";
    let mut connection = Connection::new(script);
    assert_eq!(connection.result(kept()), Verdict::Proceed);
    assert_eq!(connection.result(kept()), Verdict::Failed);
    let log = logged(log::Level::Error);
    assert!(log.contains("returned <pyproxy.Injection (gone)>, which it may not return"), "{log}");
}

#[test]
fn what_a_hook_may_not_return_is_named() {
    let values = ["pyproxy.Ok()", "pyproxy.Rows(['a'], [])", "pyproxy.Raw(b'a')"];
    for hook in LOGIN_HOOKS.into_iter().chain([Hook::DisconnectClient]) {
        for value in values.into_iter().chain(["pyproxy.Send('a')"]) {
            let log = failure(value, hook);
            let name = &value[..value.find('(').unwrap()];
            let want = format!("{} returned {name}(", hook.name());
            assert!(log.contains(&want) && log.contains("which it may not return"), "{log}");
        }
    }
    let log = failure("pyproxy.Error('a')", Hook::DisconnectClient);
    assert!(log.contains("disconnect_client returned pyproxy.Error('a', "), "{log}");
    let log = failure("pyproxy.Send('SELECT 1')", Hook::ReadQueryResult);
    assert!(log.contains("read_query_result returned pyproxy.Send('SELECT 1'), which"), "{log}");
}

#[test]
fn what_is_wrong_is_named_where_it_is_made() {
    for (value, error) in [
        ("pyproxy.Ok('1')", "TypeError: affected_rows must be an int, not str"),
        ("pyproxy.Ok(insert_id=2**64)", "ValueError: insert_id is out of range"),
        ("pyproxy.Ok(warnings=-1)", "ValueError: warnings is out of range"),
        ("pyproxy.Ok(status=8)", "ValueError: status announces another result"),
        ("pyproxy.Ok(info=5)", "TypeError: info must be str or a bytes-like object, not int"),
        ("pyproxy.Ok(rows=1)", "unexpected keyword argument 'rows'"),
        ("pyproxy.Error()", "missing 1 required positional argument: 'message'"),
        ("pyproxy.Error(5)", "TypeError: message must be str or a bytes-like object, not int"),
        ("pyproxy.Error('a', code='b')", "TypeError: code must be an int, not str"),
        ("pyproxy.Error('a', code=0)", "ValueError: code is 0"),
        ("pyproxy.Error('a', sqlstate='4200')", "ValueError: sqlstate must have 5 characters"),
        ("pyproxy.Rows('ab', [])", "TypeError: columns must be a sequence of columns, not str"),
        ("pyproxy.Rows({'a': 1}, [])", "columns must be a sequence of columns, not dict"),
        ("pyproxy.Rows([], [])", "ValueError: fields is empty"),
        ("pyproxy.Rows([5], [])", "TypeError: a field is a name, (name, type), a mapping"),
        ("pyproxy.Rows([('a', 3, 4)], [])", "TypeError: a field is a name, (name, type), a"),
        ("pyproxy.Rows([{'name': 'a', 'typ': 3}], [])", "unknown key \"typ\" (did you mean type?)"),
        ("pyproxy.Rows(['a'], 'ab')", "TypeError: rows must be an iterable of rows, not str"),
        ("pyproxy.Rows(['a'], 5)", "TypeError: rows must be an iterable of rows, not int"),
        ("pyproxy.Raw(5)", "TypeError: packets must be a payload or an iterable of payloads"),
        ("pyproxy.Send(5)", "TypeError: what must be str or a bytes-like object, not int"),
        ("pyproxy.Send('')", "ValueError: what is empty"),
    ] {
        let log = failure(value, Hook::ReadQuery);
        assert!(log.contains("read_query failed") && log.contains(error), "{value}: {log}");
    }
}

#[test]
fn what_cannot_be_sent_is_named_with_what_was_returned() {
    for (value, error) in [
        ("pyproxy.Rows(['a', 'b'], [[1, 2], [3]])", "row 1 has only 1 cells, the result set has 2"),
        ("pyproxy.Rows(['a'], [[1, 2]])", "row 0 has more cells"),
        ("pyproxy.Rows(['a'], ['x'])", "row 0 must be a sequence of cells, not str"),
        ("pyproxy.Rows(['a'], ([1 // n] for n in (1, 0)))", "ZeroDivisionError"),
        ("pyproxy.Rows(['a'], [[float('nan')]])", "NaN has no form in MySQL"),
        ("pyproxy.Rows([('a', 3)], [['x']])", "row 0: \"x\" is no number, as column \"a\" has"),
        ("pyproxy.Rows(['a'], iter(lambda: ['x' * 100], None))", "larger than pyproxy-max-kept"),
        ("pyproxy.Raw([])", "packets is empty"),
        ("pyproxy.Raw([5])", "a member of packets must be str or a bytes-like object, not int"),
        ("pyproxy.Raw(iter(lambda: b'x' * 100, None))", "larger than pyproxy-max-kept-bytes"),
        ("pyproxy.Send(b'SELECT 1')", "packet begins with 0x53, which is no command"),
    ] {
        let log = failure(value, Hook::ReadQuery);
        let name = &value[..value.find('(').unwrap()];
        assert!(log.contains(&format!("read_query returned {name}, ")), "{value}: {log}");
        assert!(log.contains("cannot be encoded") && log.contains(error), "{value}: {log}");
    }
    let mut injection = kept();
    injection.query.resultset_is_needed = false;
    injection.packets = Arc::default();
    let mut connection = Connection::new(
        "kept = []\n\
         def read_query_result(proxy, inj):\n\
         \x20   kept.append(inj.resultset)\n\
         \x20   return kept[0]\n",
    );
    let first = Slot::new(injection);
    assert_eq!(connection.ask(&Ask::Result(first), b""), Verdict::Proceed);
    assert_eq!(connection.result(kept()), Verdict::Failed);
    let log = logged(log::Level::Error);
    assert!(log.contains("returned a result, which cannot be encoded") && log.contains("not kept"));
}

#[test]
fn they_are_values() {
    let checks = "[\n\
        pyproxy.Ok(1) == pyproxy.Ok(affected_rows=1) != pyproxy.Ok(2),\n\
        pyproxy.Error('a') == pyproxy.Error(b'a', 1105, 'HY000') != pyproxy.Error('b'),\n\
        pyproxy.Rows(['a'], [[1]]) == pyproxy.Rows(('a',), [[1]]) != pyproxy.Rows(['a'], [[2]]),\n\
        pyproxy.Raw([b'a']) == pyproxy.Raw([b'a']) != pyproxy.Raw([b'b']),\n\
        pyproxy.Send('a') == pyproxy.Send('a') != pyproxy.Send('b'),\n\
        pyproxy.Send(bytearray(b'\\x0e')) == pyproxy.Send(b'\\x0e'),\n\
        pyproxy.Ok() != 0 and pyproxy.Error('a') != 'a' and pyproxy.Rows(['a'], []) != None,\n\
        len({pyproxy.Ok(), pyproxy.Ok(), pyproxy.Error('a'), pyproxy.Error('a'), pyproxy.Send('a')}) == 3,\n\
        repr(pyproxy.Ok()) == 'pyproxy.Ok()',\n\
        repr(pyproxy.Ok(1, status=2, info='x')) == \"pyproxy.Ok(affected_rows=1, status=2, info='x')\",\n\
        repr(pyproxy.Error('a')) == \"pyproxy.Error('a', code=1105, sqlstate='HY000')\",\n\
        repr(pyproxy.Rows(['a'], [[1]])) == \"pyproxy.Rows(('a',), [[1]])\",\n\
        repr(pyproxy.Raw(b'a')) == \"pyproxy.Raw(b'a')\",\n\
        repr(pyproxy.Send('a')) == \"pyproxy.Send('a')\",\n\
        pyproxy.Ok(status=2).status == 2 and pyproxy.Ok().status is None and pyproxy.Ok(info=b'\\xff').info == '\\udcff',\n\
        (pyproxy.Ok(1, 2, 3).affected_rows, pyproxy.Ok(1, 2, 3).insert_id, pyproxy.Ok(1, 2, 3).warnings) == (1, 2, 3),\n\
        (pyproxy.Error('a').message, pyproxy.Error('a').code, pyproxy.Error('a').sqlstate) == ('a', 1105, 'HY000'),\n\
        (pyproxy.Rows(['a'], [1]).columns, pyproxy.Rows(['a'], [1]).rows) == (('a',), [1]),\n\
        (pyproxy.Raw(b'a').packets, pyproxy.Send('a').what) == (b'a', 'a'),\n\
        not any(hasattr(kind, '__hash__') and kind.__hash__ for kind in (pyproxy.Rows, pyproxy.Raw)),\n\
        pyproxy.Error.__match_args__ == ('message', 'code', 'sqlstate'),\n\
    ]";
    let log = failure(checks, Hook::ReadQuery);
    assert!(!log.contains("False") && log.matches("True").count() >= 21, "{log}");
    let read_only = "[setattr(pyproxy.Error('a'), 'message', 'b')]";
    assert!(failure(read_only, Hook::ReadQuery).contains("AttributeError"));
}
