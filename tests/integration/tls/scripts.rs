//! Scripts on sessions with TLS: what they see, and that everything is as it is without.

use testkit::Issued;
use testkit::host::builder::Builder;
use testkit::mariadb::{DATABASE, PASSWORD, USER};

use super::support::*;

/// Every command goes through the queue, and every result is kept.
const QUEUE_EVERYTHING: &str = r#"
    def read_query(proxy, packet):
        proxy.queries.append(1, packet.replace(b"rewritten", b"changed"), resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    "#;

/// The tests of PyMySQL: blobs of 20 MiB, LOAD DATA LOCAL, threads, errors, all over TLS.
fn suite(builder: Builder, expect_rewriting: bool) {
    let certificate = ca().issue("proxy", Some("127.0.0.1"));
    let host = builder.certificate(FOR_CLIENTS, &certificate).event_threads(4).start();
    let mut command = python_client("pymysql_suite.py");
    command.args(["127.0.0.1", &host.address().port().to_string(), USER, PASSWORD, DATABASE]);
    command.arg("--ca").arg(ca().certificate());
    command.args(expect_rewriting.then_some("--rewriting"));
    let said = said(command).unwrap_or_else(|error| panic!("{error}"));
    let passed = said.lines().last().and_then(|line| line.strip_prefix("passed "));
    assert!(passed.is_some_and(|number| number.parse().is_ok_and(|number: u32| number >= 10)));
}

#[test]
fn no_script() {
    suite(proxy(), false);
}

#[test]
fn an_empty_hook() {
    suite(proxy().script("def read_query(proxy, packet): pass"), false);
}

#[test]
fn everything_queued() {
    suite(proxy().script(QUEUE_EVERYTHING), true);
}

#[test]
fn clients_with_tls_before_a_server_without() {
    let builder = proxy().option("pyproxy-tls", "required").script(QUEUE_EVERYTHING);
    suite(builder, true);
}

#[test]
fn what_was_agreed_on() {
    let clients = Issued::ca("ca of clients");
    let bob = clients.issue("bob", None);
    let host = proxy()
        .ca("pyproxy-tls-ca", &clients)
        .script(
            r#"
            def read_auth(proxy):
                print("in", proxy.connection.client.tls, proxy.connection.server.tls)

            def read_query(proxy, packet):
                if b"tell" in packet:
                    client, server = proxy.connection.client.tls, proxy.connection.server.tls
                    print(client and (client.version, client.peer_subject), server and server.version)
                    print(client and client.cipher == server.cipher, flush=True)
            "#,
        )
        .start();
    let arguments = ["--execute", "SELECT 'tell'"];
    command_line(host.address(), &[&["--skip-ssl"], &arguments[..]].concat()).unwrap();
    let certificate = naming("--ssl-cert", bob.certificate());
    let key = naming("--ssl-key", bob.key());
    command_line(host.address(), &[&["--ssl", &certificate, &key], &arguments[..]].concat())
        .unwrap();
    let said = host.stdout();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..3], ["in None None", "None None", "None"]);
    assert!(lines[3].starts_with("in <pyproxy.Tls TLSv1.3 "), "{said}");
    assert!(lines[3].ends_with(" None"), "the server's comes behind read_auth: {said}");
    assert_eq!(lines[4..], ["('TLSv1.3', '/C=SE/CN=bob') TLSv1.3", "True"]);
}

#[test]
fn a_pooled_connection_goes_to_a_client_with_tls_again() {
    let host = proxy()
        .script(
            r#"
            def connect_server(proxy):
                if proxy.globals.backends[0].pool.users[""].cur_idle_connections:
                    proxy.connection.backend_ndx = 0
                    return proxy.PROXY_IGNORE_RESULT

            def read_query(proxy, packet):
                if packet[0] == proxy.COM_QUIT:
                    proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
                    return proxy.PROXY_SEND_RESULT

            def disconnect_client(proxy):
                proxy.connection.backend_ndx = -1
            "#,
        )
        .start();
    let who = || {
        let arguments = ["--ssl", "--execute", "SELECT CONNECTION_ID()"];
        command_line(host.address(), &arguments).unwrap()
    };
    let first = who();
    assert_eq!(who(), first, "the connection is used again");
    assert_eq!(sides(host.address(), &["--ssl"]), Ok(BOTH));
    assert_eq!(sides(host.address(), &["--skip-ssl"]), Ok(NEITHER), "and not for another kind");
}
