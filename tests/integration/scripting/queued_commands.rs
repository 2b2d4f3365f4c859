//! Queued commands that are no queries.

use testkit::{Host, MariaDb, Relay};

use crate::support::*;

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
fn injected_statement_close() {
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
fn injected_quit() {
    let mut host = injecting(r#"b"\x01""#);
    let mut client = host.client();
    client.send_command(3, b"inject").unwrap();
    // The server hangs up: an ERR or nothing, then closed; silence would time out here.
    let rest = client.read_to_close();
    assert!(rest.is_empty() || rest[4] == 0xff, "\"{}\"", rest.escape_ascii());
    host.assert_serves();
}

#[test]
fn injected_init_db() {
    let host = injecting(r#"b"\x02mysql""#);
    let mut client = host.login(&MariaDb::user().database("test"));
    assert_eq!(client.query("inject").unwrap().value(), "mysql");
    client.query("SELECT 'which'").unwrap();
    host.wait_for_stdout("client test\nserver mysql\n");
}

#[test]
fn injected_empty_packet() {
    let host = injecting(r#"b"""#);
    let mut client = host.client();
    assert_query_fails(&mut client, "inject", "read_query");
    assert_in_step(&mut client);
}
