//! Unix sockets on either side.
//!
//! A client sends its password in clear over what it takes for secure, a unix socket; a server expects it so. Where the
//! two sides of the proxy differ, the methods that care are refused.

use std::path::{Path, PathBuf};

use testkit::server::auth::Method;
use testkit::wait::PATIENCE;
use testkit::{Host, LoginServer, MariaDb, eventually};

use super::assert_password_counts;
use super::clients::{ALL, Client, Place, Wish};

/// A server and a proxy, each on TCP or on a unix socket.
struct Way {
    server: LoginServer,
    host: Host,
    /// Where the server is without the proxy.
    direct: Place,
    /// Where the proxy is.
    proxied: Place,
    _folder: tempfile::TempDir,
}

impl Way {
    fn new(to_proxy_by_socket: bool, to_server_by_socket: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, direct, backend) = if to_server_by_socket {
            let path = folder.path().join("server.sock");
            let server = LoginServer::start_unix(&path, Method::CachingSha2);
            let backend = path.display().to_string();
            (server, Place::Unix(path), backend)
        } else {
            let server = LoginServer::start(Method::CachingSha2);
            let address = server.address();
            (server, address.into(), address.to_string())
        };
        let socket = to_proxy_by_socket.then(|| folder.path().join("proxy.sock"));
        let (host, proxied) = proxy(&backend, socket);
        Self { server, host, direct, proxied, _folder: folder }
    }
}

/// A proxy in front of `backend` that listens on `socket`, or on TCP.
fn proxy(backend: &str, socket: Option<PathBuf>) -> (Host, Place) {
    let builder = Host::builder().option("pyproxy-backend-addresses", backend);
    let Some(socket) = socket else {
        let host = builder.start();
        let place = host.address().into();
        return (host, place);
    };
    let host = builder
        .option("pyproxy-address", socket.display())
        // Said, so that the start does not wait for a TCP port.
        .option("no-pyproxy", "false")
        .start();
    wait_for(&socket);
    (host, Place::Unix(socket))
}

fn wait_for(socket: &Path) {
    let listens = || std::os::unix::net::UnixStream::connect(socket).is_ok();
    assert!(eventually(PATIENCE, listens), "nobody listens on {}", socket.display());
}

/// The methods that send the password, and the clients that send it in clear over a unix socket. MariaDB's C library
/// does so in `caching_sha2_password` only.
const SENDING_THE_PASSWORD: [(&str, &[Client]); 2] =
    [("sha2_full", &ALL), ("sha256", &[Client::PyMySql])];

#[test]
fn on_both_sides() {
    let way = Way::new(true, true);
    for (user, clients) in SENDING_THE_PASSWORD {
        for client in clients {
            assert_password_counts(*client, user, std::slice::from_ref(&way.proxied));
        }
    }
    let seen = way.server.seen();
    let in_clear =
        seen.iter().filter(|seen| seen.packets.iter().any(|packet| packet.payload == b"secret\0"));
    assert_eq!(in_clear.count(), 4, "logins with the right password in clear");
}

#[test]
fn methods_that_do_not_care_on_all_ways() {
    for (to_proxy, to_server) in [(false, true), (true, false), (true, true)] {
        let way = Way::new(to_proxy, to_server);
        for client in ALL {
            assert_password_counts(client, "native", std::slice::from_ref(&way.proxied));
        }
        assert_password_counts(Client::Rust, "parsec", std::slice::from_ref(&way.proxied));
        assert_password_counts(Client::PyMySql, "dialog", std::slice::from_ref(&way.proxied));
    }
}

#[test]
fn the_fast_path_does_not_care() {
    for (to_proxy, to_server) in [(false, true), (true, false)] {
        let way = Way::new(to_proxy, to_server);
        // The server remembers whom it let in, wherever that was.
        for place in [&way.direct, &way.proxied] {
            let came = Wish::new("sha2").come_true(Client::PyMySql, place);
            assert_eq!(came.as_deref(), Ok("sha2"), "at {place}");
        }
    }
}

#[test]
fn full_authentication_is_refused_where_one_side_is_secure() {
    for (to_proxy, to_server) in [(false, true), (true, false)] {
        let mut way = Way::new(to_proxy, to_server);
        for (user, clients) in SENDING_THE_PASSWORD {
            for client in clients {
                let refused = Wish::new(user).come_true(*client, &way.proxied);
                let error = refused.expect_err("one side encrypts, the other one does not");
                assert!(!error.contains("1105"), "the server refuses, not the proxy: {error}");
            }
        }
        assert!(way.host.is_alive());
    }
}

#[test]
fn unix_socket_method_sees_the_proxy() {
    // A server of its own: the account of the operating system's user may be root's.
    let server = MariaDb::start();
    let os_user = os_user();
    for account in [&format!("{os_user}@'localhost'"), "nobody_here@'%'"] {
        let sql = format!("CREATE OR REPLACE USER {account} IDENTIFIED VIA unix_socket");
        server.query(&sql).ok();
    }
    let (_tcp, over_tcp) = proxy(&server.address().to_string(), None);
    let (_unix, over_socket) = proxy(&server.socket().display().to_string(), None);
    for client in ALL {
        // Whoever comes over TCP is the operating system's user of the proxy to the server.
        let came = Wish::new(&os_user).come_true(client, &over_socket);
        assert_eq!(came, Ok(format!("{os_user}@localhost")), "{client:?}");
        for place in [&over_tcp, &over_socket] {
            let error = Wish::new("nobody_here").come_true(client, place).unwrap_err();
            assert!(error.contains("1698") || error.contains("1045"), "{client:?}: {error}");
        }
    }
}

/// The name of the user who runs the tests, and so the proxy.
fn os_user() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
