//! `proxy.queries`.

use super::*;

/// Runs statements in `read_query` and gives the queue: id, packet, needed.
fn queued(statements: &str) -> Vec<(i64, Vec<u8>, bool)> {
    let script = format!(
        "def read_query(proxy, packet):\n    q = proxy.queries\n    {statements}\n    return 1\n"
    );
    let mut connection = Connection::new(&script);
    assert_eq!(connection.query(b"\x03x"), Verdict::SendQuery, "{}", logged(log::Level::Error));
    let mut queue = Vec::new();
    connection.change(|session| {
        let queries = session.queries.drain(..);
        queue = queries.map(|q| (q.id, q.packet, q.resultset_is_needed)).collect();
    });
    queue
}

#[test]
fn every_form_of_the_third_argument() {
    for (argument, needed) in [
        ("", false),
        (", None", false),
        (", True", true),
        (", 1", true),
        (", 0", false),
        (", resultset_is_needed=True", true),
        (", {'resultset_is_needed': True}", true),
        (", {'resultset_is_needed': False}", false),
        (", {'other': 1}", false),
        (", {}", false),
        (", resultset_is_needed={'resultset_is_needed': True}", true),
    ] {
        let queue = queued(&format!("q.append(5, b'\\x03a'{argument})"));
        assert_eq!(queue, [(5, b"\x03a".to_vec(), needed)], "{argument}");
    }
}

#[test]
fn packets_may_be_text_or_bytes_like() {
    let packets = [
        "b'\\x03\\xc3\\xa9'",
        "'\\x03é'",
        "bytearray(b'\\x03\\xc3\\xa9')",
        "memoryview(b'\\x03\\xc3\\xa9')",
        "b'\\x03\\xc3\\xa9'.decode('utf-8', 'surrogateescape')",
    ];
    for packet in packets {
        let queue = queued(&format!("q.append(id=1, packet={packet})"));
        assert_eq!(queue[0].1, "\x03é".as_bytes(), "{packet}");
    }
    assert_eq!(
        queued("q.append(1, b'\\x03\\0\\xff'.decode('utf-8', 'surrogateescape'))")[0].1,
        b"\x03\0\xff"
    );
}

#[test]
fn order_length_iteration_and_reset() {
    let queue = queued(
        "q.append(1, '\\x03a'); q.append(2, '\\x03b'); q.prepend(0, '\\x03c', True); assert q.len() == len(q) == 3; \
                        assert list(q) == [(0, b'\\x03c', True), (1, b'\\x03a', False), (2, b'\\x03b', False)], list(q)",
    );
    assert_eq!(queue.iter().map(|query| query.0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(queued("q.append(1, '\\x03a'); q.reset(); assert not q and len(q) == 0"), []);
}

#[test]
fn wrong_arguments_raise_and_queue_nothing() {
    for (call, error) in [
        ("q.append()", "TypeError"),
        ("q.append(1)", "TypeError"),
        ("q.append('1', b'a')", "TypeError"),
        ("q.append(1.5, b'a')", "TypeError"),
        ("q.append(1, 5)", "TypeError"),
        ("q.append(1, None)", "TypeError"),
        ("q.append(1, [3, 4])", "TypeError"),
        ("q.append(1, b'')", "ValueError"),
        ("q.append(1, b'a', 'yes')", "TypeError"),
        ("q.append(1, b'a', {'resultset_is_needed': 'yes'})", "TypeError"),
        ("q.append(1, b'a', unknown=1)", "TypeError"),
        ("q.append(2**64, b'a')", "OverflowError"),
    ] {
        let script = format!(
            "def read_query(proxy, packet):\n    q = proxy.queries\n    try:\n        {call}\n    except {error}:\n        \
             assert len(q) == 0\n        return 1\n"
        );
        let outcome = Connection::new(&script).query(b"\x03x");
        assert_eq!(outcome, Verdict::SendQuery, "{call}: {}", logged(log::Level::Error));
    }
}

#[test]
fn a_packet_without_a_command_is_refused() {
    for (packet, error) in [
        (
            "b'SELECT 1'",
            "begins with 0x53, which is no command of the protocol: SQL in bytes needs the byte b\"\\x03\"",
        ),
        ("'\x7f'.encode()", "begins with 0x7f"),
        ("b'\\x99'", "begins with 0x99, which is no command of the protocol\n"),
    ] {
        for method in ["append", "prepend"] {
            let script =
                format!("def read_query(proxy, packet): proxy.queries.{method}(1, {packet})\n");
            let mut connection = Connection::new(&script);
            assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed);
            let log = logged(log::Level::Error);
            assert!(log.contains(error), "{log}");
        }
    }
}

#[test]
fn a_login_may_begin_with_any_byte() {
    let script =
        "def read_auth(proxy):\n    proxy.queries.append(1, b'\\x85\\xa6')\n    return 1\n";
    assert_eq!(Connection::new(script).call(Hook::ReadAuth), Verdict::SendQuery);
}

#[test]
fn an_unknown_command_of_the_client_may_be_queued() {
    let script =
        "def read_query(proxy, packet):\n    proxy.queries.append(1, packet)\n    return 1\n";
    let mut connection = Connection::new(script);
    connection.change(|session| session.command = Some(0xf0));
    assert_eq!(connection.query(b"\xf0"), Verdict::SendQuery);
    assert_eq!(connection.query(b"\xf1"), Verdict::Failed);
}
