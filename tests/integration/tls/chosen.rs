//! TLS and compression of a login that goes to another server than the one that greeted the client.

use testkit::mariadb::{PASSWORD, USER};
use testkit::{Host, Issued, Login, MariaDb, RawClient};

use super::support::*;
use crate::support::*;

/// Who is told that by the proxy, or by the first server, is for the second one.
fn to_second(by_proxy: bool) -> &'static str {
    if by_proxy {
        "
        def connect_server(proxy):
            return proxy.PROXY_GREET

        def read_auth(proxy):
            proxy.connection.backend_ndx = 1
        "
    } else {
        "
        def read_auth(proxy):
            proxy.connection.backend_ndx = 1
        "
    }
}

#[test]
fn both_sides_as_their_servers_have_it() {
    let ca = Issued::ca("ca of the second");
    let second = MariaDb::start_with_tls(&ca.issue("db", Some("127.0.0.1")), &ca);
    let port = second.address().port().to_string();
    for by_proxy in [false, true] {
        let host = proxy().backend(second.address()).script(to_second(by_proxy)).start();
        for (arguments, expected) in
            [(&["--ssl"][..], BOTH), (&["--skip-ssl"], NEITHER), (&["--ssl", "--compress"], BOTH)]
        {
            assert_eq!(sides(host.address(), arguments), Ok(expected), "{by_proxy}");
            let which = [arguments, &["--execute", "SELECT @@port"]].concat();
            assert_eq!(command_line(host.address(), &which).as_deref(), Ok(port.as_str()));
        }
        let compressed = ["--compress", "--execute", "SHOW STATUS LIKE 'Compression'"];
        assert_eq!(command_line(host.address(), &compressed).as_deref(), Ok("Compression\tON"));
        assert!(pymysql(host.address(), &[]).is_ok());
    }
}

#[test]
fn the_proxy_offers_what_every_backend_has() {
    let host = proxy().backend(db()).script(to_second(true)).start();
    let offers_tls = |host: &Host| {
        let greeting = host.connect().read_handshake().unwrap();
        greeting.capabilities & testkit::proto::caps::SSL != 0
    };
    assert!(!offers_tls(&host), "the second one has no TLS");
    assert_eq!(sides(host.address(), &["--skip-ssl"]), Ok(NEITHER));
    let host = proxy().script(to_second(true)).start();
    assert!(offers_tls(&host));
    // A server that greets shows its own.
    let host = proxy().backend(db()).script(to_second(false)).start();
    assert!(offers_tls(&host));
    assert_fails(sides(host.address(), &["--ssl"]), "pyproxy: the server does not offer TLS (SSL)");
    assert_eq!(sides(host.address(), &["--skip-ssl"]), Ok(NEITHER));
}

#[test]
fn each_side_by_itself() {
    for (backend, by_proxy) in
        [("off", true), ("off", false), ("required", true), ("required", false)]
    {
        // The first has no TLS: its greeting does not matter.
        let host = Host::builder()
            .backend(db())
            .backend(secure().address())
            .option("pyproxy-tls", "optional")
            .option("pyproxy-backend-tls", backend)
            .script(to_second(by_proxy))
            .start();
        for (arguments, client) in [(["--ssl"], true), (["--skip-ssl"], false)] {
            let expected = Ok(Sides { client, server: backend == "required" });
            assert_eq!(sides(host.address(), &arguments), expected, "{backend}, {by_proxy}");
        }
    }
}

#[test]
fn a_server_that_is_not_the_right_one_gets_no_login() {
    let ca = Issued::ca("ca of somebody else");
    let second = MariaDb::start_with_tls(&ca.issue("db", Some("127.0.0.1")), &ca);
    let host = proxy()
        .backend(second.address())
        .ca("pyproxy-backend-tls-ca", super::support::ca())
        .option("pyproxy-tls", "optional")
        .option("pyproxy-backend-tls", "verify-identity")
        .script(to_second(true))
        .start();
    let error = RawClient::login(host.address(), &Login::new(USER, PASSWORD)).unwrap_err();
    assert!(error.to_string().contains("certificate verify failed"), "{error}");
}
