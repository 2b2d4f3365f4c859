//! Every answer to a command and to its results, and their wrong use (`docs/scripting.md#hooks`).

use testkit::client::answer::{Answer, Outcome};
use testkit::proto::ok_err::parse_ok;
use testkit::{Host, Relay};

use super::remote::{QUEUE, Remote, answering};
use crate::support::*;

/// Lines of the log at level warning that contain `text`.
fn warnings(host: &Host, text: &str) -> usize {
    host.log().lines().filter(|line| line.contains("(warning)") && line.contains(text)).count()
}

/// Commands that reached the server on the first recorded connection.
fn commands(relay: &Relay, count: usize) -> Vec<String> {
    let text = |payload: &[u8]| String::from_utf8_lossy(&payload[1..]).into_owned();
    let all = relay
        .wait_until(|all| all[0].to_server.iter().filter(|packet| packet.id == 0).count() >= count);
    let sent = all[0].to_server.iter().filter(|packet| packet.id == 0);
    sent.map(|packet| text(&packet.payload)).collect()
}

#[test]
fn wrong_use_of_the_queue() {
    let mut remote = Remote::start();
    let mut client = remote.host.client();
    remote.plan("read_query", "proxy.queries.append(1, b'\\x03SELECT 1', True)");
    assert_in_step(&mut client);
    assert_eq!(warnings(&remote.host, "did not return PROXY_SEND_QUERY"), 1);
    remote.plan("read_query", "return proxy.PROXY_SEND_QUERY");
    assert_in_step(&mut client);
    assert_eq!(warnings(&remote.host, "queued nothing"), 1);
    assert_eq!(remote.host.criticals(), Vec::<String>::new());
}

#[test]
fn read_query_result_is_called_only_for_queued_queries() {
    let mut remote = Remote::start();
    remote.plan("read_query_result", "raise RuntimeError('called')");
    assert_in_step(&mut remote.host.client());
    remote.plan("read_query", QUEUE);
    let answer = remote.host.client().query("SELECT 1").unwrap();
    assert_script_error(answer.err(), "read_query_result");
}

#[test]
fn a_streamed_result_cannot_be_changed() {
    let mut remote = Remote::start();
    remote.plan("read_query", "proxy.queries.append(7, argument)\nreturn proxy.PROXY_SEND_QUERY");
    for decision in ["PROXY_SEND_RESULT", "PROXY_IGNORE_RESULT"] {
        let before = warnings(&remote.host, "resultset_is_needed");
        remote.plan(
            "read_query_result",
            &format!("proxy.response.type = 0\nreturn proxy.{decision}"),
        );
        assert_in_step(&mut remote.host.client());
        assert_eq!(warnings(&remote.host, "resultset_is_needed"), before + 1, "{decision}");
    }
    assert_eq!(remote.host.criticals(), Vec::<String>::new());
}

#[test]
fn one_result_reaches_the_client_and_the_first_that_is_not_ignored_wins() {
    let mut remote = Remote::start();
    remote.plan(
        "read_query",
        "if argument[0] != proxy.COM_QUERY: return None\n\
         for number in range(5):\n    \
             proxy.queries.append(number, f'\\x03SELECT {number}', True)\n\
         return proxy.PROXY_SEND_QUERY",
    );
    for first in 0..4 {
        let before = warnings(&remote.host, "is dropped");
        remote.plan(
            "read_query_result",
            &format!("if argument.id < {first}: return proxy.PROXY_IGNORE_RESULT"),
        );
        let mut client = remote.host.client();
        assert_eq!(client.query("x").unwrap().value(), first.to_string());
        // The further ones are done with when the next command is answered.
        client.simple(14, b"").unwrap();
        assert_eq!(warnings(&remote.host, "is dropped"), before + 4 - first, "{first}");
    }
}

#[test]
fn many_before_and_after() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .script(
            r#"
            import traceback

            seen = []

            def read_query(proxy, packet):
                if packet != b"\x03SELECT 'client'":
                    return None
                seen.clear()
                proxy.queries.append(0, packet, True)
                for number in range(1, 301):
                    proxy.queries.prepend(-number, f"\x03SELECT {-number}", True)
                    proxy.queries.append(number, f"\x03SELECT {number}", True)
                assert len(proxy.queries) == 601
                return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                seen.append(inj.id)
                text = "client" if inj.id == 0 else str(inj.id)
                assert list(inj.resultset.rows) == [(text,)], (inj.id, inj.query)
                if inj.id == 300:
                    print("in order", seen == list(range(-300, 301)))
                if inj.id:
                    return proxy.PROXY_IGNORE_RESULT
            "#,
        )
        .start();
    let mut client = host.client();
    for _ in 0..2 {
        assert_eq!(client.query("SELECT 'client'").unwrap().value(), "client");
        assert_in_step(&mut client);
    }
    assert_eq!(host.stop().stdout, "in order True\n".repeat(2));
    assert_eq!(commands(&relay, 1204).len(), 1204);
}

#[test]
fn appended_from_read_query_result() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .script(
            r#"
            def read_query(proxy, packet):
                if b"count" in packet:
                    proxy.queries.append(1, b"\x03SELECT 1", True)
                    return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                value = int(inj.resultset.rows[0][0])
                if value < 40:
                    proxy.queries.append(value, f"\x03SELECT {value} + 1", True)
                    return proxy.PROXY_IGNORE_RESULT
            "#,
        )
        .start();
    let mut client = host.client();
    assert_eq!(client.query("count").unwrap().value(), "40");
    assert_in_step(&mut client);
    assert_eq!(commands(&relay, 41)[39], "SELECT 39 + 1");
}

#[test]
fn a_result_rewritten_row_by_row() {
    let mut remote = Remote::start();
    remote.plan("read_query", QUEUE);
    remote.plan(
        "read_query_result",
        "result = argument.resultset\n\
         proxy.response = {'type': proxy.MYSQLD_PACKET_OK, 'resultset': {\n    \
             'fields': [*result.fields, ('more', proxy.MYSQL_TYPE_LONG)],\n    \
             'rows': ((*row, len(row[0])) for row in result.rows if row[1] is not None)}}\n\
         return proxy.PROXY_SEND_RESULT",
    );
    let sql = "SELECT 'a' AS x, 1 AS y UNION SELECT 'bb', NULL UNION SELECT 'ccc', 3";
    let mut client = remote.host.client();
    let answer = client.query(sql).unwrap();
    assert_eq!(answer.text(), [["a", "1", "1"], ["ccc", "3", "3"]]);
    let Outcome::Rows { columns, .. } = answer.single() else { panic!("{answer:?}") };
    assert_eq!(columns, &["x", "y", "more"]);
    // The server's own definitions are used again.
    assert_eq!(answer.packets[1].payload, direct().query(sql).unwrap().packets[1].payload);
    remote.forget();
    assert_in_step(&mut client);
}

#[test]
fn a_result_handed_back_unchanged_is_the_servers() {
    let mut remote = Remote::start();
    remote.plan("read_query", QUEUE);
    remote.plan(
        "read_query_result",
        "proxy.response = {'type': 0, 'resultset': {'fields': argument.resultset.fields, \
         'rows': argument.resultset.rows}}\nreturn proxy.PROXY_SEND_RESULT",
    );
    for sql in [
        "SELECT 1, NULL, 'ž', x'00ff', 1.50, CURRENT_DATE, '' UNION SELECT 2, 3, 4, 5, 6, 7, 8",
        "SELECT x'c328' AS broken, CONVERT('ä' USING latin1), 1e100, TRUE, b'101', POINT(1, 2)",
        "SELECT * FROM information_schema.CHARACTER_SETS WHERE FALSE",
    ] {
        let through = remote.host.client().query(sql).unwrap();
        let straight = direct().query(sql).unwrap();
        // All but the status, which is the script's to set.
        let content = |answer: &Answer| -> Vec<Vec<u8>> {
            let packets = answer.packets.iter().filter(|packet| !packet.is_eof());
            packets.map(|packet| packet.payload.clone()).collect()
        };
        assert_eq!(content(&through), content(&straight), "{sql}");
    }
}

#[test]
fn a_response_for_every_command() {
    let mut remote = Remote::start();
    remote.plan("read_query", "proxy.response.type = 0\nreturn proxy.PROXY_SEND_RESULT");
    let mut client = remote.host.client();
    for command in [2, 3, 7, 9, 13, 14, 26, 31] {
        let packet = client.simple(command, b"test").unwrap();
        assert_eq!((packet.id, packet.payload), (1, b"\0\0\0\x02\0\0\0".to_vec()), "{command}");
    }
    remote.forget();
    assert_in_step(&mut client);
}

#[test]
fn every_field_of_an_ok() {
    let mut remote = Remote::start();
    remote.plan(
        "read_query",
        "proxy.response = {'type': proxy.MYSQLD_PACKET_OK, 'affected_rows': 1 << 40, \
         'insert_id': (1 << 64) - 1, 'warnings': 9, 'server_status': 3}\n\
         return proxy.PROXY_SEND_RESULT",
    );
    let ok = parse_ok(&remote.host.client().query("x").unwrap().packets[0].payload).unwrap();
    assert_eq!((ok.affected_rows, ok.insert_id), (1 << 40, u64::MAX));
    assert_eq!((ok.warnings, ok.status), (9, 3));
}

#[test]
fn closing_after_the_result() {
    let mut remote = Remote::start();
    let close = "assert proxy.connection.connection_close is False\n\
                 proxy.connection.connection_close = True\n\
                 assert proxy.connection.connection_close is True\n";
    for (hook, body) in [
        ("read_query", close.to_owned()),
        ("read_query", format!("{close}{}", answering("40 + 2"))),
        ("read_query_result", close.to_owned()),
    ] {
        if hook == "read_query_result" {
            remote.plan("read_query", QUEUE);
        }
        remote.plan(hook, &body);
        let mut client = remote.host.client();
        assert_eq!(client.query("SELECT 40 + 2").unwrap().value(), "42", "{hook}");
        client.expect_closed();
        remote.forget();
    }
}

#[test]
fn a_command_of_several_packets_arrives_joined() {
    let mut remote = Remote::start();
    remote.plan("read_query", &answering("(type(argument), len(argument), argument[-3:])"));
    let mut client = remote.host.client();
    let long = "x".repeat(17 << 20);
    let answer = client.query(&long).unwrap();
    assert_eq!(answer.value(), format!("(<class 'bytes'>, {}, b'xxx')", (17 << 20) + 1));
}
