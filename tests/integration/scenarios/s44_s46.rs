//! Scenarios 44 to 46: answers of a script that are wrong, closing, injected commands that are no
//! queries.

use testkit::client::{COM_INIT_DB, COM_PING};
use testkit::proto::bytes::put_lenenc_bytes;
use testkit::{Host, MariaDb, Relay};

use crate::support::*;

const COM_STMT_PREPARE: u8 = 0x16;

#[test]
fn s44_ok_to_everything() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            print("database", proxy.connection.server.default_db, flush=True)
            if b"through" not in packet:
                proxy.response.type = proxy.MYSQLD_PACKET_OK
                return proxy.PROXY_SEND_RESULT
        "#,
    );
    let mut client = host.login(&MariaDb::user().database("test"));
    for _ in 0..3 {
        client.query("SELECT 1").unwrap().ok();
        for (command, argument) in
            [(COM_STMT_PREPARE, "SELECT ?"), (COM_INIT_DB, "mysql"), (COM_PING, "")]
        {
            let packet = client.simple(command, argument.as_bytes()).unwrap();
            assert_eq!((packet.id, packet.kind()), (1, Some(0)), "command {command}");
        }
    }
    // The server never heard of the COM_INIT_DB.
    assert_eq!(client.query("SELECT DATABASE() /* through */").unwrap().value(), "test");
    let output = host.stop().stdout;
    assert!(output.lines().all(|line| line == "database test"), "{output}");
}

/// A script that answers "broken" with this response; nothing is sent to a server.
fn answering(response: &str) -> Host {
    Host::with_script(&format!(
        r#"
def read_query(proxy, packet):
    if b"broken" not in packet:
        return None
    OK, ERR, RAW = proxy.MYSQLD_PACKET_OK, proxy.MYSQLD_PACKET_ERR, proxy.MYSQLD_PACKET_RAW
    field = ("a", proxy.MYSQL_TYPE_STRING)
    proxy.response = {response}
    return proxy.PROXY_SEND_RESULT
"#
    ))
}

#[test]
fn s44_responses_that_cannot_be_encoded() {
    let responses = [
        "{}",
        "{'type': 77}",
        "{'type': 'OK'}",
        "{'type': OK, 'resultset': {'rows': [[1]]}}",
        "{'type': OK, 'resultset': {'fields': [], 'rows': []}}",
        "{'type': OK, 'resultset': {'fields': [3], 'rows': []}}",
        "{'type': OK, 'resultset': {'fields': [field], 'rows': [['a'], ['a', 'b']]}}",
        "{'type': OK, 'resultset': {'fields': [field, field], 'rows': [['a']]}}",
        "{'type': OK, 'resultset': {'fields': [field], 'rows': 5}}",
        "{'type': OK, 'affected_rows': 'many'}",
        "{'type': RAW}",
        "{'type': RAW, 'packets': []}",
        "{'type': RAW, 'packets': [5]}",
    ];
    for response in responses {
        let host = answering(response);
        let mut client = host.client();
        let answer = client.query("broken").unwrap_or_else(|error| panic!("{response}: {error}"));
        assert_script_error(answer.err(), "read_query");
        assert_in_step(&mut client);
    }
}

#[test]
fn s44_short_sqlstate() {
    let host = answering("{'type': ERR, 'errmsg': 'text', 'sqlstate': '4'}");
    let mut client = host.client();
    let answer = client.query("broken").unwrap();
    // Refused or padded, but never followed by bytes that the script did not write.
    let error = answer.err();
    assert!(
        error.message == "text" || error.message == "pyproxy: read_query failed, see the proxy log",
        "{error:?}"
    );
    assert_in_step(&mut client);
}

#[test]
fn s44_exact_bytes() {
    let cells = r"[b'a\x00b', 'ä\x00', None, '']";
    let host = answering(&format!(
        "{{'type': OK, 'resultset': {{'fields': [field] * 4, 'rows': [{cells}]}}}}"
    ));
    let mut client = host.client();
    let answer = client.query("broken").unwrap();
    let mut row = Vec::new();
    put_lenenc_bytes(&mut row, b"a\0b");
    put_lenenc_bytes(&mut row, "ä\0".as_bytes());
    row.push(0xfb);
    put_lenenc_bytes(&mut row, b"");
    assert_eq!(answer.packets[6].payload, row);
    assert_in_step(&mut client);
}

#[test]
fn s44_long_message() {
    let host =
        answering("{'type': ERR, 'errmsg': 'x' * 600, 'errcode': 1234, 'sqlstate': '42000'}");
    let mut client = host.client();
    let answer = client.query("broken").unwrap();
    assert_eq!(answer.err().message, "x".repeat(600));
    assert_in_step(&mut client);
}

#[test]
fn s45_connection_close_in_read_query() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.connection.connection_close = True
        "#,
    );
    let mut client = host.client();
    assert_eq!(client.query("SELECT 'complete'").unwrap().value(), "complete");
    client.expect_closed();
}

#[test]
fn s45_connection_close_in_read_auth() {
    let host = Host::with_script(
        r#"
        def read_auth(proxy):
            proxy.connection.connection_close = True
        "#,
    );
    let (mut client, _) = send_login(&host, &MariaDb::user());
    assert_eq!(client.read_packet().unwrap().kind(), Some(0), "the login is answered");
    // The flag is looked at after a result: closing before or after the first one is right.
    if client.send_command(3, b"SELECT 'complete'").is_ok() {
        let rest = client.read_to_close();
        let complete = rest.windows(8).any(|bytes| bytes == b"complete");
        assert!(rest.is_empty() || complete, "\"{}\"", rest.escape_ascii());
    }
}

#[test]
fn s45_connection_close_with_load_data() {
    MariaDb::shared().query("CREATE TABLE test.s45 (a INT)").ok();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.connection.connection_close = b"LOAD" in packet
        "#,
    );
    let mut client = host.client();
    client.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.s45").unwrap();
    client.send_packet(2, b"1\n2\n").unwrap();
    client.send_packet(3, b"").unwrap();
    assert_eq!(client.read_answer(4).unwrap().ok().affected_rows, 2);
    client.expect_closed();
}

/// A script that queues `packet` and then a query, for the command "inject".
fn injecting(packet: &str) -> Host {
    Host::with_script(&format!(
        r#"
def read_query(proxy, packet):
    if b"inject" in packet:
        proxy.queries.append(1, {packet}, resultset_is_needed=True)
        proxy.queries.append(2, b"\x03SELECT DATABASE()", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    if b"which" in packet:
        connection = proxy.connection
        print("client", connection.client.default_db, flush=True)
        print("server", connection.server.default_db, flush=True)

def read_query_result(proxy, inj):
    if inj.id == 1:
        return proxy.PROXY_IGNORE_RESULT
"#
    ))
}

#[test]
fn s46_injected_statement_close() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .script(
            r#"
            def read_query(proxy, packet):
                if b"inject" in packet:
                    proxy.queries.append(1, b"\x19\x01\x00\x00\x00", resultset_is_needed=True)
                    proxy.queries.append(2, b"\x03SELECT 'after'", resultset_is_needed=True)
                    return proxy.PROXY_SEND_QUERY
            "#,
        )
        .start();
    let mut client = host.client();
    for _ in 0..2 {
        assert_eq!(client.query("inject").unwrap().value(), "after");
        assert_in_step(&mut client);
    }
    let sent = &relay.passed()[0].to_server;
    assert!(sent.iter().any(|packet| packet.payload == b"\x19\x01\0\0\0"), "{sent:?}");
}

#[test]
fn s46_injected_quit() {
    let mut host = injecting(r#"b"\x01""#);
    let mut client = host.client();
    client.send_command(3, b"inject").unwrap();
    // The server hangs up: an ERR or nothing, then closed; silence would time out here.
    let rest = client.read_to_close();
    assert!(rest.is_empty() || rest[4] == 0xff, "\"{}\"", rest.escape_ascii());
    host.assert_serves();
}

#[test]
fn s46_injected_init_db() {
    let host = injecting(r#"b"\x02mysql""#);
    let mut client = host.login(&MariaDb::user().database("test"));
    assert_eq!(client.query("inject").unwrap().value(), "mysql");
    client.query("SELECT 'which'").unwrap();
    host.wait_for_stdout("client test\nserver mysql\n");
}

#[test]
fn s46_injected_empty_packet() {
    let host = injecting(r#"b"""#);
    let mut client = host.client();
    assert_query_fails(&mut client, "inject", "read_query");
    assert_in_step(&mut client);
}
