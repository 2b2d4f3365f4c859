//! A script that parks or changes the server connection of a command, when there is none to have.

use testkit::Host;

use crate::support::*;

#[test]
fn parks_in_read_query_and_forwards() {
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            if b"park" in packet:
                proxy.connection.backend_ndx = -1
        "#,
    );
    let mut client = host.client();
    assert_in_step(&mut client);
    for sql in ["SELECT 'park'", "SELECT 'without a server'"] {
        let answer = client.query(sql).unwrap();
        assert_eq!(answer.err().code, ER_UNKNOWN_ERROR);
        assert_eq!(answer.packets[0].id, 1);
    }
}

#[test]
fn backend_without_idle_connection() {
    let other = server_saying("other");
    let host = Host::builder()
        .backend(db())
        .backend(other.address())
        .script(
            r#"
            def read_query(proxy, packet):
                if b"move" in packet:
                    before = proxy.connection.backend_ndx
                    proxy.connection.backend_ndx = 1
                    print("index", before, proxy.connection.backend_ndx)
            "#,
        )
        .start();
    let mut client = host.client();
    assert_eq!(client.query("SELECT 'move'").unwrap().value(), "move");
    host.wait_for_stdout("index 0 0");
    let warned = host.log().lines().any(|line| line.contains("(warning)"));
    assert!(warned, "no warning in the log:\n{}", host.log());
    assert!(other.seen().is_empty());
}
