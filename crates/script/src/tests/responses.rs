//! `proxy.response`, encoded.

use std::sync::Arc;

use super::*;
use engine::Reply;
use wire::Capabilities;
use wire::connect::Login;
use wire::result::{ColumnDefinition, TextRow};

/// A connection whose hooks run `statements` and answer from `proxy.response`.
pub(super) fn answering(statements: &str) -> Connection {
    let body = statements.replace('\n', "\n    ");
    let function = |head: &str| {
        format!(
            "def {head}:\n    r = proxy.response\n    {body}\n    return proxy.PROXY_SEND_RESULT\n"
        )
    };
    let heads =
        ["read_query(proxy, packet)", "connect_server(proxy)", "read_query_result(proxy, inj)"];
    Connection::new(&format!("import datetime, decimal\n{}", heads.map(function).concat()))
}

fn reply(connection: &mut Connection) -> Reply {
    match connection.call(Hook::ReadQuery) {
        Verdict::SendResult(reply) => reply,
        other => panic!("{other:?}: {}", logged(log::Level::Error)),
    }
}

fn packets(statements: &str) -> Vec<Vec<u8>> {
    reply(&mut answering(statements)).packets().to_vec()
}

/// The rows of a result set with fields `a`, `b`, ... of the given types.
fn rows(types: &str, rows: &str) -> Vec<Vec<Option<Vec<u8>>>> {
    let statements = format!(
        "r.type = 0\nnames = 'abcdefgh'\nr.resultset = {{'fields': list(zip(names, {types})), 'rows': {rows}}}"
    );
    let packets = packets(&statements);
    let columns = usize::from(packets[0][0]);
    let rows = &packets[columns + 2..packets.len() - 1];
    let cells =
        |row: &Vec<u8>| TextRow::new(row).map(|cell| cell.unwrap().map(<[u8]>::to_vec)).collect();
    rows.iter().map(cells).collect()
}

fn one_cell(value: &str) -> Option<Vec<u8>> {
    rows("[254]", &format!("[[{value}]]"))[0][0].clone()
}

#[test]
fn ok_with_defaults_and_with_values() {
    assert_eq!(packets("r.type = 0"), [b"\0\0\0\x02\0\0\0"]);
    assert_eq!(
        packets(
            "proxy.response = dict(type=0, affected_rows=300, insert_id=5, warnings=2, server_status=3)"
        ),
        [b"\0\xfc\x2c\x01\x05\x03\0\x02\0"]
    );
    assert_eq!(packets("r.type = 0; r.affected_rows = None"), [b"\0\0\0\x02\0\0\0"]);
}

#[test]
fn err_with_defaults_and_with_values() {
    let default = b"\xff\x51\x04#07000(pyproxy) proxy.response.errmsg is None".to_vec();
    assert_eq!(packets("r.type = proxy.MYSQLD_PACKET_ERR"), [default]);
    assert_eq!(
        packets(
            "proxy.response = {'type': 255, 'errmsg': 'd\u{e9}ni', 'errcode': 1045, 'sqlstate': b'28000'}"
        ),
        [b"\xff\x15\x04#28000d\xc3\xa9ni"]
    );
}

#[test]
fn an_error_number_may_be_zero_and_text() {
    assert_eq!(packets("r.type = 255; r.errcode = 0; r.errmsg = 'no'"), [b"\xff\0\0#07000no"]);
    assert_eq!(
        packets("r.type = 255; r.errcode = '1064'; r.errmsg = 'no'"),
        [b"\xff\x28\x04#07000no"]
    );
}

#[test]
fn members_of_the_result_set_are_keys_and_attributes() {
    let by_key = packets("r.type = 0; r.resultset = {'fields': [('a', 254)], 'rows': [['x']]}");
    for statements in [
        "r.resultset = {}; r.resultset.fields = [('a', 254)]; r.resultset.rows = [['x']]; r.type = 0",
        "proxy.response = {'type': 0, 'resultset': {'rows': [['x']]}}\n\
         r.resultset['fields'] = [('a', 254)]\n\
         assert r.resultset.fields == [('a', 254)] == r.resultset['fields'] == r.resultset.get('fields')\n\
         assert list(r.resultset) == ['rows', 'fields'] and len(r.resultset) == 2 and 'rows' in r.resultset\n\
         assert r.resultset == {'rows': [['x']], 'fields': [('a', 254)]}",
        "mine = {'fields': [('a', 254)]}; r.resultset = mine; r.type = 0\n\
         assert r.resultset.rows is None\n\
         mine['rows'] = [['x']]; r.resultset = r.resultset; del r.resultset['fields']\n\
         r.resultset.update(fields=[('a', 254)])",
    ] {
        assert_eq!(packets(statements), by_key, "{statements}");
    }
}

#[test]
fn an_err_before_the_handshake_has_no_state() {
    let mut connection = answering("r.type = 255; r.errmsg = 'no'");
    let Verdict::SendResult(reply) = connection.call(Hook::ConnectServer) else { panic!("an ERR") };
    assert_eq!(reply.packets(), [b"\xff\x51\x04no"]);
}

#[test]
fn raw_is_one_packet_or_several() {
    assert_eq!(packets("r.type = 250; r.packets = b'ab'"), [b"ab"]);
    assert_eq!(packets("r.type = 250; r.packets = 'ab'"), [b"ab"]);
    assert_eq!(
        packets("r.type = 250; r.packets = [b'a', bytearray(b'b'), 'c']"),
        [b"a", b"b", b"c"]
    );
    assert_eq!(packets("r.type = 250; r.packets = (p for p in (b'a', b'b'))"), [b"a", b"b"]);
}

#[test]
fn a_result_set_in_both_forms() {
    let statements = "r.type = 0\nr.warnings = 3\n\
        r.resultset = {'fields': [('n', proxy.MYSQL_TYPE_LONG), ('t', proxy.MYSQL_TYPE_VAR_STRING)], 'rows': ([1, None],)}";
    let classic = packets(statements);
    assert_eq!(classic.len(), 6);
    assert_eq!(classic[0], [2]);
    let number = ColumnDefinition::parse(&classic[1], Capabilities::empty()).unwrap();
    assert_eq!((number.name, number.column_type.0, number.charset), (&b"n"[..], 3, 63));
    let text = ColumnDefinition::parse(&classic[2], Capabilities::empty()).unwrap();
    assert_eq!((text.name, text.column_type.0, text.charset), (&b"t"[..], 253, 45));
    assert_eq!(classic[3], b"\xfe\0\0\x02\0");
    assert_eq!(classic[4], b"\x011\xfb");
    assert_eq!(classic[5], b"\xfe\x03\0\x02\0");

    let mut connection = answering(statements);
    connection.change(|session| {
        let login = Login::parse(LOGIN_WITHOUT_EOF).expect("a login");
        assert!(login.capabilities.contains(Capabilities::DEPRECATE_EOF));
        session.client.login = Some(Arc::new(login));
    });
    let modern = reply(&mut connection);
    assert_eq!(modern.packets().len(), 5);
    assert_eq!(modern.packets()[4], b"\xfe\0\0\x02\0\x03\0");
}

/// PROTOCOL_41, SECURE_CONNECTION, DEPRECATE_EOF; user `u`, no password.
const LOGIN_WITHOUT_EOF: &[u8] =
    b"\x00\x82\x00\x01\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0u\0\0";

/// The character sets of columns of these fields with these rows.
fn charsets(fields: &str, rows: &str) -> Vec<u16> {
    let statements = format!("r.type = 0\nr.resultset = {{'fields': {fields}, 'rows': {rows}}}");
    let packets = packets(&statements);
    let definitions = &packets[1..=usize::from(packets[0][0])];
    let charset = |packet: &Vec<u8>| {
        let column = ColumnDefinition::parse(packet, Capabilities::empty()).unwrap();
        let is_binary = column.flags.contains(wire::result::ColumnFlags::BINARY);
        assert_eq!(is_binary, column.charset == 63);
        column.charset
    };
    definitions.iter().map(charset).collect()
}

#[test]
fn cells_decide_about_the_character_set_where_a_field_names_none() {
    for column_type in [249, 250, 251, 252, 15, 253, 254] {
        let fields = format!("[('c', {column_type})]");
        assert_eq!(charsets(&fields, "[['text'], [None], [5]]"), [45], "{column_type}");
        assert_eq!(charsets(&fields, "[['text'], [b'bytes']]"), [63], "{column_type}");
        assert_eq!(charsets(&fields, "[[bytearray(b'bytes')]]"), [63], "{column_type}");
    }
    assert_eq!(charsets("[('b', 252), ('s', 254)]", "[[None, 5]]"), [63, 45]);
    // Numbers, dates and what is no text at all.
    for column_type in [3, 246, 12, 16, 255, 242] {
        let fields = format!("[('c', {column_type})]");
        assert_eq!(charsets(&fields, "[['1'], [b'1']]"), [63], "{column_type}");
    }
    assert_eq!(charsets("[('j', 245)]", "[[b'{}']]"), [45]);
}

#[test]
fn a_character_set_that_a_field_names_holds() {
    for cell in ["'text'", "b'bytes'"] {
        let rows = format!("[[{cell}, {cell}]]");
        let fields = "[{'name': 'b', 'type': 252, 'charset': 63, 'flags': 128}, \
                      {'name': 's', 'type': 254, 'charset': 33}]";
        assert_eq!(charsets(fields, &rows), [63, 33]);
    }
}

#[test]
fn every_kind_of_cell() {
    for (value, text) in [
        ("'é'", "é"),
        ("b'ab'", "ab"),
        ("bytearray(b'ab')", "ab"),
        ("memoryview(b'ab')", "ab"),
        ("True", "1"),
        ("False", "0"),
        ("-5", "-5"),
        ("2**64 - 1", "18446744073709551615"),
        ("-10**30", "-1000000000000000000000000000000"),
        ("1.5", "1.5"),
        ("0.1", "0.1"),
        ("1e22", "1e+22"),
        ("decimal.Decimal('1.50')", "1.50"),
        ("decimal.Decimal('1E+3')", "1000"),
        ("datetime.datetime(2024, 1, 2, 3, 4, 5)", "2024-01-02 03:04:05"),
        ("datetime.datetime(2024, 1, 2, 3, 4, 5, 60)", "2024-01-02 03:04:05.000060"),
        ("datetime.date(99, 1, 2)", "0099-01-02"),
        ("datetime.time(3, 4, 5, 500000)", "03:04:05.500000"),
        ("datetime.timedelta(hours=100, seconds=1)", "100:00:01"),
        ("datetime.timedelta(seconds=-1)", "-00:00:01"),
        ("datetime.timedelta(days=-1, microseconds=1)", "-23:59:59.999999"),
        ("datetime.timedelta(microseconds=-1)", "-00:00:00.000001"),
        ("type('T', (), {'__str__': lambda s: 'as text'})()", "as text"),
        ("'a\\0b'", "a\0b"),
    ] {
        assert_eq!(one_cell(value), Some(text.as_bytes().to_vec()), "{value}");
    }
    assert_eq!(one_cell("None"), None);
    assert_eq!(one_cell("b'\\xff'.decode('utf-8', 'surrogateescape')"), Some(b"\xff".to_vec()));
    let long = one_cell("'x' * 300").expect("not NULL");
    assert_eq!(long, vec![b'x'; 300]);
}

#[test]
fn rows_may_be_any_iterable_of_sequences() {
    let want = [[Some(b"1".to_vec()), Some(b"2".to_vec())], [Some(b"3".to_vec()), None]];
    for source in [
        "[[1, 2], (3, None)]",
        "((n, n + 1 if n < 3 else None) for n in (1, 3))",
        "[iter([1, 2]), (c for c in (3, None))]",
        "{(1, 2): 0, (3, None): 0}.keys()",
    ] {
        assert_eq!(rows("[3, 3]", source), want, "{source}");
    }
    assert_eq!(rows("[3]", "[]"), Vec::<Vec<_>>::new());
}

#[test]
fn a_field_may_be_a_mapping() {
    let packets = packets(
        "r.type = 0\nr.resultset = {'rows': [], 'fields': [dict(name='n', type=3, table='t', org_table='o', database='d', \
         org_name='m', charset=8, length=7, flags=1, decimals=2), {'name': b'only'}, ['l', 252]]}",
    );
    let field = ColumnDefinition::parse(&packets[1], Capabilities::empty()).unwrap();
    assert_eq!((field.name, field.org_name, field.table), (&b"n"[..], &b"m"[..], &b"t"[..]));
    assert_eq!((field.org_table, field.database, field.charset), (&b"o"[..], &b"d"[..], 8));
    assert_eq!((field.length, field.flags.bits(), field.decimals), (7, 1, 2));
    let plain = ColumnDefinition::parse(&packets[2], Capabilities::empty()).unwrap();
    assert_eq!((plain.name, plain.column_type.0), (&b"only"[..], 254));
    assert_eq!(ColumnDefinition::parse(&packets[3], Capabilities::empty()).unwrap().charset, 63);
}

#[test]
fn cells_are_encoded_in_the_charset_of_their_column() {
    let packets = packets(
        "r.type = 0\nr.resultset = {'fields': [{'name': 'a', 'type': 253, 'charset': 8}], 'rows': [['\u{e9}\u{20ac}']]}",
    );
    assert_eq!(packets[3], b"\x02\xe9\x80");
}

#[test]
fn what_cannot_be_encoded_is_a_script_error() {
    for statements in [
        "pass",
        "r.type = None",
        "r.type = '0'",
        "r.type = 7",
        "r.type = 2**70",
        "r.type = 0; r.affected_rows = -1",
        "r.type = 0; r.insert_id = 2**64",
        "r.type = 0; r.affected_rows = '1'",
        "r.type = 0; r.server_status = 2**16",
        "r.type = 0; r.server_status = 8",
        "r.type = 0; r.warnings = 70000",
        "r.type = 0; r.resultset = 5",
        "r.type = 0; r.resultset = [1]",
        "r.type = 0; r.resultset = {}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)]}",
        "r.type = 0; r.resultset = {'rows': []}",
        "r.type = 0; r.resultset = {'fields': [], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': 'ab', 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [5], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a',)], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a', 3, 4)], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [(1, 3)], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a', 256)], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a', 'b')], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [{'type': 3}], 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)] * 70000, 'rows': []}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': 5}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': 'ab'}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': ['a']}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': [1]}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': [{'a': 1}]}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': [[]]}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': [[1, 2]]}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': (1 / 0 for _ in [1])}",
        "r.type = 0; r.resultset = {'fields': [('a', 3)], 'rows': ([1 // n] for n in (1, 0))}",
        "r.type = 0; r.resultset = {'fields': [('a', 5)], 'rows': [[float('nan')]]}",
        "r.type = 0; r.resultset = {'fields': [('a', 5)], 'rows': [[decimal.Decimal('inf')]]}",
        "r.type = 0; r.resultset = {'fields': [{'name': 'a', 'charset': 8}], 'rows': [['\u{6771}']]}",
        "r.type = 255; r.errmsg = 5",
        "r.type = 255; r.errcode = 'many'",
        "r.type = 255; r.errcode = '70000'",
        "r.type = 255; r.errcode = 65536",
        "r.type = 255; r.errcode = -1",
        "r.type = 255; r.sqlstate = '2800'",
        "r.type = 255; r.sqlstate = '280000'",
        "r.type = 255; r.sqlstate = 28000",
        "r.type = 250",
        "r.type = 250; r.packets = []",
        "r.type = 250; r.packets = 5",
        "r.type = 250; r.packets = [b'a', 5]",
    ] {
        let mut connection = answering(statements);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed, "{statements}");
        let log = logged(log::Level::Error);
        assert!(log.contains("read_query returned PROXY_SEND_RESULT, but"), "{statements}: {log}");
    }
}

#[test]
fn a_generator_that_raises_shows_its_place() {
    let mut connection = answering(
        "def gen():\n    yield [1]\n    raise LookupError('half way')\n\
        r.type = 0\nr.resultset = {'fields': [('a', 3)], 'rows': gen()}",
    );
    assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed);
    let log = logged(log::Level::Error);
    assert!(log.contains("LookupError: half way") && log.contains("in gen"), "{log}");
}

#[test]
fn the_response_is_emptied_before_read_query_and_only_then() {
    let script = "def read_query(proxy, packet):\n\
        \x20   assert proxy.response.type is None and proxy.response.resultset is None\n\
        \x20   proxy.response = {'type': 0, 'insert_id': 9}\n\
        def read_query_result(proxy, inj):\n\
        \x20   assert proxy.response.insert_id == 9\n\
        \x20   proxy.response.custom = 1\n\
        \x20   assert proxy.response.custom == 1 and 'custom' in dir(proxy.response)\n\
        \x20   del proxy.response.custom\n\
        \x20   assert not hasattr(proxy.response, 'custom')\n\
        \x20   assert repr(proxy.response) == \"<pyproxy.Response {'type': 0, 'insert_id': 9}>\"\n";
    let mut connection = Connection::new(script);
    for hook in [Hook::ReadQuery, Hook::ReadQueryResult, Hook::ReadQuery] {
        assert_eq!(connection.call(hook), Verdict::Proceed, "{}", logged(log::Level::Error));
    }
}

#[test]
fn only_mappings_can_be_assigned() {
    let script = "def read_query(proxy, packet):\n\
        \x20   for value in (5, 'text', [1], {1: 2}):\n\
        \x20       try: proxy.response = value\n\
        \x20       except TypeError: pass\n\
        \x20       else: raise AssertionError(value)\n\
        \x20   proxy.response = {'type': 0}\n\
        \x20   proxy.response = proxy.response\n\
        \x20   assert proxy.response.type == 0\n\
        \x20   proxy.response = None\n\
        \x20   assert proxy.response.type is None\n";
    let outcome = Connection::new(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}
