//! Logins that a script takes to a backend in `read_auth`, whoever greeted the client.

use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder};
use testkit::host::counters::STATE_DOWN;
use testkit::mariadb::{PASSWORD, USER};
use testkit::server::auth::Method;
use testkit::{Host, Login, LoginServer, MariaDb, RawClient, RawServer, ServerConn};

use super::clients::{ALL, Client, Place, Wish};
use super::{assert_refused, install_ed25519};
use crate::support::*;

/// Where logins go: by the name of the database if it ends in a number, by the attribute `backend`, or by the user. `GREETS`
/// is replaced.
const BY_ALL: &str = r#"
USERS = {"only_first": 0, "only_second": 1, "nowhere": 9}

def connect_server(proxy):
    if GREETS:
        return proxy.PROXY_GREET

def read_auth(proxy):
    client = proxy.connection.client
    if "backend" in client.attributes:
        proxy.connection.backend_ndx = int(client.attributes["backend"])
    elif client.default_db[-1:].isdigit():
        proxy.connection.backend_ndx = int(client.default_db[-1])
    elif client.username in USERS:
        proxy.connection.backend_ndx = USERS[client.username]
"#;

/// Everybody is for the second backend.
const ALL_TO_SECOND: &str = "
def connect_server(proxy):
    if GREETS:
        return proxy.PROXY_GREET

def read_auth(proxy):
    proxy.connection.backend_ndx = 1
";

/// The script for clients that are greeted by a server, or by the proxy.
fn with_greeting(script: &str, by_proxy: bool) -> String {
    script.replace("GREETS", if by_proxy { "True" } else { "False" })
}

/// Two real servers, each with a database and a user that the other has not.
fn servers() -> [&'static MariaDb; 2] {
    let servers = [MariaDb::shared(), &MariaDb::shared_with_tls().0];
    for (ndx, server) in servers.iter().enumerate() {
        let user = ["only_first", "only_second"][ndx];
        server.query(&format!("CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{PASSWORD}'")).ok();
        server.query(&format!("CREATE DATABASE IF NOT EXISTS shard_{ndx}")).ok();
        server.query(&format!("GRANT SELECT ON shard_{ndx}.* TO {user}")).ok();
    }
    servers
}

/// The port of the server, as it says itself.
fn port(client: &mut RawClient) -> u16 {
    client.query("SELECT @@port").unwrap().value().parse().unwrap()
}

#[test]
fn by_user_database_and_attribute() {
    let servers = servers();
    let ports = servers.map(|server| server.address().port());
    for by_proxy in [false, true] {
        let host = Host::builder()
            .backend(servers[0].address())
            .backend(servers[1].address())
            .script(&with_greeting(BY_ALL, by_proxy))
            .with_counters()
            .start();
        let user = || Login::new(USER, PASSWORD);
        for (login, ndx) in [
            (Login::new("only_first", PASSWORD), 0),
            (Login::new("only_second", PASSWORD), 1),
            (user().database("shard_0"), 0),
            (user().database("shard_1"), 1),
            (user().attribute("backend", "1"), 1),
            (user().attribute("backend", "0"), 0),
            (user().attribute("backend", "1").database("test"), 1),
        ] {
            let mut client = host.login(&login);
            assert_eq!(port(&mut client), ports[ndx], "{login:?}");
            assert_in_step(&mut client);
            let mut counts = [0, 0];
            counts[ndx] = 1;
            host.wait_for_clients(&counts);
            client.quit();
            host.wait_for_clients(&[0, 0]);
        }
        // The server knows what the client told.
        let login = user().attribute("backend", "1").database("shard_1");
        let mut client = host.login(&login);
        assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "shard_1");
        // A user of the other server only.
        let error = RawClient::login(
            host.address(),
            &Login::new("only_first", PASSWORD).attribute("backend", "1"),
        );
        assert!(error.unwrap_err().to_string().contains("1045"));
        host.wait_for_clients(&[0, 1]);
    }
}

#[test]
fn every_method_with_every_client() {
    let users: [(&str, &[Client]); 6] = [
        ("native", &ALL),
        ("sha2", &ALL),
        ("sha2_full", &ALL),
        ("clear", &ALL),
        ("dialog", &[Client::CommandLine, Client::PyMySql]),
        ("parsec", &[Client::Rust]),
    ];
    for by_proxy in [false, true] {
        for greets_with in [Method::Native, Method::CachingSha2] {
            let other = Method::Native;
            let servers = [LoginServer::start(greets_with), LoginServer::start(other)];
            let host = Host::builder()
                .backend(servers[0].address())
                .backend(servers[1].address())
                .script(&with_greeting(ALL_TO_SECOND, by_proxy))
                .start();
            let place = Place::from(host.address());
            for (user, clients) in users {
                for client in clients {
                    let came = Wish::new(user).come_true(*client, &place);
                    assert_eq!(
                        came.as_deref(),
                        Ok(user),
                        "{client:?}, {greets_with:?}, {by_proxy}"
                    );
                    assert_refused(*client, &Wish::new(user).password("wrong"), &place);
                }
            }
            let logins = |server: &LoginServer| {
                server.seen().iter().filter(|seen| !seen.packets.is_empty()).count()
            };
            assert_eq!(logins(&servers[0]), 0, "nobody logged in to the first server");
            if by_proxy {
                assert_eq!(servers[0].seen().len(), 1, "it was asked for its greeting once");
            }
        }
    }
}

#[test]
fn ed25519_of_mariadb() {
    install_ed25519();
    let server = MariaDb::shared();
    server
        .query(
            "CREATE USER IF NOT EXISTS chosen_ed IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
        )
        .ok();
    for by_proxy in [false, true] {
        let first = LoginServer::start(Method::CachingSha2);
        let host = Host::builder()
            .backend(first.address())
            .backend(server.address())
            .script(&with_greeting(ALL_TO_SECOND, by_proxy))
            .start();
        let place = Place::from(host.address());
        for client in [Client::CommandLine, Client::PyMySql] {
            let came = Wish::new("chosen_ed").come_true(client, &place);
            assert_eq!(came.as_deref(), Ok("chosen_ed@%"), "{client:?}");
            assert_refused(client, &Wish::new("chosen_ed").password("wrong"), &place);
        }
    }
}

/// The challenge that counts is that of the server that the client is at.
#[test]
fn change_user_behind_it() {
    let servers = servers();
    for by_proxy in [false, true] {
        let host = Host::builder()
            .backend(servers[0].address())
            .backend(servers[1].address())
            .script(&with_greeting(ALL_TO_SECOND, by_proxy))
            .start();
        let options = OptsBuilder::new()
            .ip_or_hostname(Some("127.0.0.1"))
            .tcp_port(host.address().port())
            .prefer_socket(false)
            .user(Some("only_second"))
            .pass(Some(PASSWORD));
        let mut conn = Conn::new(options).unwrap();
        for user in [USER, "only_second"] {
            let to = mysql::ChangeUserOpts::new();
            conn.change_user(to.with_user(Some(user.into())).with_pass(Some(PASSWORD.into())))
                .unwrap();
            let who: Option<String> =
                conn.query_first("SELECT SUBSTRING_INDEX(USER(), '@', 1)").unwrap();
            assert_eq!(who.as_deref(), Some(user));
        }
    }
}

/// Nobody else gets the login, and the client is told why.
#[test]
fn a_backend_that_is_down_or_not_there() {
    let first = LoginServer::start(Method::Native);
    let broken = RawServer::start(|_| Ok(()));
    for by_proxy in [false, true] {
        for (second, is_reached) in [(refusing(), false), (broken.address(), true)] {
            if is_reached && testkit::artifacts::event_loop() == "chassis" {
                // mysql-proxy ends the connection by itself.
                continue;
            }
            let host = Host::builder()
                .backend(first.address())
                .backend(second)
                .script(&with_greeting(BY_ALL, by_proxy))
                .with_counters()
                .option("log-level", "message")
                .start();
            for (login, text) in [
                (Login::new("only_second", "x"), format!("backend 1 ({second}) is down")),
                (Login::new("nowhere", "x"), "there is no backend 9".to_owned()),
            ] {
                let (mut client, _) = send_login(&host, &login);
                let error = assert_err_and_close(&mut client, 2);
                assert_eq!((error.code, error.sqlstate.as_deref()), (1105, Some("HY000")));
                assert_eq!(error.message, format!("pyproxy: {text}"));
                host.wait_for_log(&format!("read_auth chose where the login goes, but {text}"));
            }
            assert_eq!(host.counters()[1].state, STATE_DOWN);
            host.wait_for_clients(&[0, 0]);
            assert!(first.seen().iter().all(|seen| seen.packets.is_empty()));
        }
    }
}

/// Its time is part of the login's.
#[test]
fn a_backend_that_does_not_greet() {
    let (first, mute) =
        (LoginServer::start(Method::Native), RawServer::start(ServerConn::read_to_close));
    let host = Host::builder()
        .backend(first.address())
        .backend(mute.address())
        .script(&with_greeting(ALL_TO_SECOND, false))
        .option("pyproxy-connect-timeout", "0.4")
        .option("pyproxy-read-timeout", "0.4")
        .start();
    let (mut client, _) = send_login(&host, &Login::new("native", "x"));
    client.set_patience(Duration::from_secs(10));
    let error = assert_err_and_close(&mut client, 2);
    assert!(error.message.ends_with("is down"), "{error:?}");
}

#[test]
fn who_is_greeted_by_the_proxy_takes_no_server_unless_it_logs_in() {
    let servers = [LoginServer::start(Method::Native), LoginServer::start(Method::CachingSha2)];
    let host = Host::builder()
        .backend(servers[0].address())
        .backend(servers[1].address())
        .script(
            r#"
            def connect_server(proxy):
                return proxy.PROXY_GREET

            def read_auth(proxy):
                assert proxy.connection.server is None and proxy.connection.backend_ndx == -1
                if proxy.connection.client.username != "native":
                    proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "not you"}
                    return proxy.PROXY_SEND_RESULT
            "#,
        )
        .option("pyproxy-server-version", "8.0.99-pyproxy")
        .with_counters()
        .start();
    for _ in 0..3 {
        let (mut client, greeting) = send_login(&host, &Login::new("somebody", "x"));
        assert_eq!((greeting.version.as_str(), greeting.thread_id), ("8.0.99-pyproxy", 0));
        assert_eq!(assert_err_and_close(&mut client, 2).message, "not you");
    }
    let greetings = servers.each_ref().map(|server| server.seen().len());
    assert_eq!(greetings, [1, 1], "each was asked once");
    // The others go to the one with the fewest clients.
    let login = Login::new("native", testkit::server::auth::PASSWORD);
    let clients = [host.login(&login), host.login(&login), host.login(&login)];
    host.wait_for_clients(&[2, 1]);
    drop(clients);
    host.wait_for_clients(&[0, 0]);
}

#[test]
fn greetings_differ_from_client_to_client() {
    let host = Host::builder().backend(db()).script(&with_greeting(ALL_TO_SECOND, true)).start();
    let challenge = || host.connect().read_handshake().unwrap().scramble;
    assert_ne!(challenge(), challenge());
}

#[test]
fn all_backends_are_down() {
    let host = Host::builder()
        .backend(refusing())
        .backend(refusing())
        .script(&with_greeting(ALL_TO_SECOND, true))
        .start();
    let error = assert_err_and_close(&mut host.connect(), 0);
    assert_eq!(error.message, "(proxy) all backends are down");
}

/// Parks what a client leaves, and lets logins go to the second backend.
const POOL_OF_SECOND: &str = r#"
def connect_server(proxy):
    if GREETS:
        return proxy.PROXY_GREET

def read_auth(proxy):
    proxy.connection.backend_ndx = 1

def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;

#[test]
fn an_idle_connection_of_the_user_is_used_again() {
    let servers = servers();
    for by_proxy in [false, true] {
        let host = Host::builder()
            .backend(servers[0].address())
            .backend(servers[1].address())
            .script(&with_greeting(POOL_OF_SECOND, by_proxy))
            .with_counters()
            .start();
        let id_of = |user: &str, password: &str| {
            let mut client = RawClient::login(host.address(), &Login::new(user, password)).ok()?;
            let id = client.query("SELECT CONNECTION_ID()").unwrap().value();
            client.quit();
            host.wait_for_clients(&[0, 0]);
            Some(id)
        };
        let mine = id_of(USER, PASSWORD);
        assert!(mine.is_some());
        assert_ne!(id_of("only_second", PASSWORD), mine, "it is logged in as another user");
        assert_eq!(id_of(USER, PASSWORD), mine);
        assert_eq!(id_of(USER, "wrong"), None, "the password counts");
    }
}
