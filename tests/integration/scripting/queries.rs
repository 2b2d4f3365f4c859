//! Scripts that send other queries than the client did: `proxy.queries`.

use mysql::Conn;
use mysql::prelude::Queryable;
use testkit::server::relay::Passed;
use testkit::{Host, Relay};

use crate::support::*;

#[test]
fn rewrites_a_query() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUERY and b"old_table" in packet:
                proxy.queries.append(1, packet.replace(b"old_table", b"dual"))
                return proxy.PROXY_SEND_QUERY
        "#,
    );
    let mut conn = Conn::new(host.url().as_str()).unwrap();
    assert_eq!(conn.query_first("SELECT 5 FROM old_table").unwrap(), Some(5));
}

#[test]
fn injects_before_and_after() {
    let relay = Relay::start(db());
    let host = Host::builder()
        .backend(relay.address())
        .script(
            r#"
            BEFORE, CLIENT, AFTER = range(3)

            def read_query(proxy, packet):
                if packet.startswith(b"\x03SELECT 'client'"):
                    proxy.queries.append(CLIENT, packet, {"resultset_is_needed": True})
                    proxy.queries.append(AFTER, "\x03SELECT 'after'", True)
                    proxy.queries.prepend(BEFORE, bytearray(b"\x03SELECT 'before'"),
                                          resultset_is_needed=True)
                    assert len(proxy.queries) == proxy.queries.len() == 3
                    return proxy.PROXY_SEND_QUERY

            def read_query_result(proxy, inj):
                if inj.id != CLIENT:
                    return proxy.PROXY_IGNORE_RESULT
            "#,
        )
        .start();
    let mut client = host.client();
    for _ in 0..3 {
        assert_eq!(client.query("SELECT 'client'").unwrap().value(), "client");
    }
    // The last one runs after the client has its answer.
    let commands = |all: &[Passed]| all[0].to_server.iter().filter(|packet| packet.id == 0).count();
    let passed = relay.wait_until(|all| commands(all) == 9);
    let commands = passed[0].to_server.iter().filter(|packet| packet.id == 0);
    let texts: Vec<_> =
        commands.map(|packet| String::from_utf8_lossy(&packet.payload[1..]).into_owned()).collect();
    let once = ["SELECT 'before'", "SELECT 'client'", "SELECT 'after'"];
    assert_eq!(texts, once.repeat(3));
    assert_eq!(host.criticals(), Vec::<String>::new());
}

#[test]
fn resets_the_queue() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.queries.append(1, b"\x03SELECT 'wrong'")
            proxy.queries.reset()
            assert len(proxy.queries) == 0
            proxy.queries.append(2, b"\x03SELECT 'right'")
            return proxy.PROXY_SEND_QUERY
        "#,
    );
    assert_eq!(host.client().query("SELECT 1").unwrap().value(), "right");
}
