//! `proxy.response` that is right, odd, or cannot be encoded.

use testkit::client::{COM_INIT_DB, COM_PING};
use testkit::proto::bytes::put_lenenc_bytes;
use testkit::{Host, MariaDb};

use crate::support::*;

const COM_STMT_PREPARE: u8 = 0x16;

#[test]
fn ok_to_everything() {
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
fn responses_that_cannot_be_encoded() {
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
fn short_sqlstate() {
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
fn exact_bytes() {
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
fn long_message() {
    let host =
        answering("{'type': ERR, 'errmsg': 'x' * 600, 'errcode': 1234, 'sqlstate': '42000'}");
    let mut client = host.client();
    let answer = client.query("broken").unwrap();
    assert_eq!(answer.err().message, "x".repeat(600));
    assert_in_step(&mut client);
}
