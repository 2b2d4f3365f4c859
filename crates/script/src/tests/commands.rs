//! `proxy.command`; what the library makes of its text is tested with the library.

use std::sync::Arc;

use super::*;
use pyo3::prelude::*;
use wire::Capabilities;
use wire::reply::PrepareOk;
use wire::statement::Statements;

/// Runs statements in `read_query`, with the command as `c`; an assertion in them fails the test.
fn check(prepare: impl FnOnce(&mut Session), packet: &[u8], statements: &str) -> Connection {
    let body = statements.replace('\n', "\n    ");
    let script = format!(
        "import datetime\nkept = []\n\
         def read_query(proxy, packet):\n    c = proxy.command\n    {body}\n\
         def read_query_result(proxy, inj):\n    kept.append(proxy.command.sql)\n"
    );
    let mut connection = Connection::new(&script);
    connection.change(|session| {
        session.command = packet.first().copied();
        prepare(session);
    });
    let verdict = connection.query(packet);
    assert_ne!(verdict, Verdict::Failed, "{}", logged(log::Level::Error));
    connection
}

fn with_charset(charset: u8) -> impl FnOnce(&mut Session) {
    move |session| {
        session.client.login = Some(login(charset));
    }
}

/// The statement 1 was prepared, of so many parameters, and `packet` executes it.
fn executing(params: u16, ahead: &[&[u8]], packet: &[u8]) -> impl FnOnce(&mut Session) {
    let mut statements = Statements::default();
    let ok = PrepareOk { statement_id: 1, columns: 0, params, warnings: 0 };
    statements.prepared(b"SELECT caf\xe9", &ok.encode(), Capabilities::empty());
    for piece in ahead {
        statements.command(piece);
    }
    let execution = statements.command(packet).map(Arc::new);
    move |session| {
        with_charset(8)(session);
        session.execution = execution;
    }
}

#[test]
fn a_query_has_a_text() {
    check(
        |_| {},
        b"\x03SELECT 1",
        "assert (c.type, c.name, c.sql) == (3, 'COM_QUERY', 'SELECT 1')\n\
         assert c.params is None and c.statement_id is None and dict(c.attributes) == {}\n\
         assert repr(c) == \"<pyproxy.Command COM_QUERY 'SELECT 1'>\", repr(c)\n\
         assert proxy.command is c",
    );
}

#[test]
fn a_text_is_in_the_character_set_of_the_login() {
    for (charset, packet, want) in [
        (8, &b"\x03SELECT '\xe9'"[..], "SELECT '\u{e9}'"),
        (45, b"\x03SELECT '\xc3\xa9'", "SELECT '\u{e9}'"),
        (45, b"\x16SELECT '\xe9'", "SELECT '\\udce9'"),
    ] {
        check(with_charset(charset), packet, &format!("assert c.sql == \"{want}\", c.sql"));
    }
}

#[test]
fn other_commands_have_no_text() {
    for packet in [&b"\x0e"[..], b"\x02db", b"\x19\x01\0\0\0", b"\x17\x01\0\0\0\0\x01\0\0\0"] {
        check(
            |_| {},
            packet,
            "assert c.sql is c.params is c.tokens is c.fingerprint is c.tables is None",
        );
    }
    check(|_| {}, b"\xf0", "assert repr(c) == '<pyproxy.Command 0xf0>' and c.name is None");
}

#[test]
fn commands_on_a_statement_have_its_number() {
    for command in [0x17, 0x18, 0x19, 0x1a, 0x1c, 0xfa] {
        check(|_| {}, &[command, 7, 0, 0, 0, 0, 0], "assert c.statement_id == 7");
    }
    check(|_| {}, b"\x19\x07", "assert c.statement_id is None");
}

#[test]
fn an_execution_has_text_and_values() {
    let packet = b"\x17\xff\xff\xff\xff\0\x01\0\0\0\x00\x01\
                   \x08\0\x05\0\xfd\0\xfc\0\x0a\0\xf6\0\
                   \xfb\xff\xff\xff\xff\xff\xff\xff\
                   \0\0\0\0\0\0\xf8\x3f\
                   \x01\xe9\
                   \x01\xe9\
                   \x04\xea\x07\x01\x02\
                   \x031.5";
    check(
        executing(6, &[], packet),
        packet,
        "assert c.params == (-5, 1.5, 'é', b'\\xe9', datetime.date(2026, 1, 2), '1.5'), c.params\n\
         assert (c.sql, c.statement_id) == ('SELECT café', 1)\n\
         assert c.params is c.params",
    );
}

#[test]
fn nulls_and_values_that_were_sent_ahead() {
    let packet = b"\x17\x01\0\0\0\0\x01\0\0\0\x01\x01\x08\0\xfc\0\xfd\0";
    let ahead =
        [&b"\x18\x01\0\0\0\x01\0ab"[..], b"\x18\x01\0\0\0\x01\0c", b"\x18\x01\0\0\0\x02\0\xe9"];
    check(executing(3, &ahead, packet), packet, "assert c.params == (None, b'abc', 'é'), c.params");
}

#[test]
fn what_cannot_be_read_has_no_values() {
    let packet = b"\x17\x01\0\0\0\0\x01\0\0\0\x00\x01\x08\0";
    check(executing(1, &[], packet), packet, "assert c.params is None and c.sql == 'SELECT café'");
}

#[test]
fn it_is_a_value_that_can_be_kept() {
    let mut connection = check(|_| {}, b"\x03SELECT 1", "kept.append(c)");
    connection.change(|session| session.command = Some(3));
    connection.query(b"\x03SELECT 2");
    let script = Arc::clone(&connection.script);
    drop(connection);
    python(|py| {
        let kept = script.module.bind(py).getattr("kept").unwrap();
        let texts: Vec<String> = kept
            .try_iter()
            .unwrap()
            .map(|command| command.unwrap().getattr("sql").unwrap().extract().unwrap())
            .collect();
        assert_eq!(texts, ["SELECT 1", "SELECT 2"]);
    });
}

#[test]
fn it_is_the_same_command_when_results_come() {
    let mut connection = check(|_| {}, b"\x03SELECT 1", "return proxy.PROXY_SEND_QUERY");
    assert_eq!(connection.ask(&Ask::Result(results::ok()), b""), Verdict::Proceed);
    let script = Arc::clone(&connection.script);
    python(|py| {
        let kept = script.module.bind(py).getattr("kept").unwrap();
        assert_eq!(kept.extract::<Vec<String>>().unwrap(), ["SELECT 1"]);
    });
}

/// What `read_query_result` sees of a command of this length, and what is seen behind that.
fn seen_later(len: usize) -> [Option<usize>; 2] {
    let packet = [b"\x03".to_vec(), vec![b'x'; len]].concat();
    let mut connection = check(|_| {}, &packet, "return proxy.PROXY_SEND_QUERY");
    for _ in 0..2 {
        assert_eq!(connection.ask(&Ask::Result(results::ok()), b""), Verdict::Proceed);
    }
    let script = Arc::clone(&connection.script);
    python(|py| {
        let kept = script.module.bind(py).getattr("kept").unwrap();
        let texts: Vec<Option<String>> = kept.extract().unwrap();
        [texts[0].as_ref().map(String::len), texts[1].as_ref().map(String::len)]
    })
}

#[test]
fn a_long_text_is_not_kept_behind_its_hooks() {
    assert_eq!(seen_later(1000), [Some(1000), Some(1000)]);
    assert_eq!(seen_later(1 << 16), [Some(1 << 16), None]);
}

#[test]
fn a_hook_that_is_not_asked_about_commands_sees_the_command_byte() {
    let script = "def read_query_result(proxy, inj):\n\
                  \x20   c = proxy.command\n\
                  \x20   assert (c.type, c.sql, c.statement_id) == (3, None, None)\n";
    let mut connection = Connection::new(script);
    connection.change(|session| session.command = Some(3));
    let verdict = connection.ask(&Ask::Result(results::ok()), b"");
    assert_eq!(verdict, Verdict::Proceed, "{}", logged(log::Level::Error));
}
