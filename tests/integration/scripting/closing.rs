//! `connection_close`: the answer is complete, then the connection closes.

use testkit::{Host, MariaDb};

use crate::support::*;

#[test]
fn connection_close_in_read_query() {
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
fn connection_close_in_read_auth() {
    if MariaDb::lacks("a login in one round") {
        return;
    }
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
fn connection_close_with_load_data() {
    MariaDb::shared().query("CREATE TABLE test.closing (a INT)").ok();
    let host = Host::with_script(
        r#"
        def read_query(proxy, packet):
            proxy.connection.connection_close = b"LOAD" in packet
        "#,
    );
    let mut client = host.client();
    client.query("LOAD DATA LOCAL INFILE 'f' INTO TABLE test.closing").unwrap();
    client.send_packet(2, b"1\n2\n").unwrap();
    client.send_packet(3, b"").unwrap();
    assert_eq!(client.read_answer(4).unwrap().ok().affected_rows, 2);
    client.expect_closed();
}
