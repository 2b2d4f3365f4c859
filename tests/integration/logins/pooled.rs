//! Pooled connections and every method: the connection becomes the client's, or is not used again.

use testkit::server::auth::Method;
use testkit::{Host, LoginServer, MariaDb};

use super::clients::{ALL, Client, Place, Wish};
use super::{assert_refused, install_ed25519, with_old_password};
use crate::pooling::support::*;
use crate::support::*;

/// What a client logs in with, and the clients that can.
const METHODS: [(&str, &[Client]); 7] = [
    ("native", &ALL),
    ("sha2", &ALL),
    ("sha2_full", &ALL),
    ("sha256", &[Client::CommandLine, Client::PyMySql]),
    ("clear", &ALL),
    ("dialog", &[Client::CommandLine, Client::PyMySql]),
    ("parsec", &[Client::Rust]),
];

/// Clients whose logins speak the same dialect, so that a connection of one fits the next.
#[test]
fn one_connection_for_all_methods() {
    for client in ALL {
        for greets_with in [Method::Native, Method::CachingSha2] {
            let server = LoginServer::start(greets_with);
            let pooling = Pooling::before(server.address());
            let place = Place::from(pooling.host.address());
            let mine = METHODS.iter().filter(|(_, clients)| clients.contains(&client));
            for (user, _) in mine.clone().chain(mine.rev()) {
                let came = Wish::new(user).come_true(client, &place);
                assert_eq!(came.as_deref(), Ok(*user), "{client:?}, {greets_with:?}");
                pooling.wait_for(&[(0, &format!("{user}:1"))]);
            }
            assert_eq!(server.seen().len(), 1, "{client:?}: connections of the server");
        }
    }
}

#[test]
fn a_wrong_password_ends_the_pooled_connection() {
    let server = LoginServer::start(Method::CachingSha2);
    let pooling = Pooling::before(server.address());
    let place = Place::from(pooling.host.address());
    for (user, clients) in METHODS {
        for client in clients {
            let came = Wish::new("native").come_true(*client, &place);
            assert_eq!(came.as_deref(), Ok("native"), "{client:?}");
            pooling.wait_for(&[(0, "native:1")]);
            assert_refused(*client, &Wish::new(user).password("wrong"), &place);
            pooling.wait_for(&[(0, "")]);
        }
    }
}

#[test]
fn without_change_user_only_who_proves_the_same_again() {
    let server = LoginServer::start(Method::CachingSha2);
    let builder = Host::builder().backend(server.address());
    let pooling = Pooling::start(builder.option("pyproxy-pool-no-change-user", "true"), POOL);
    let place = Place::from(pooling.host.address());
    let client = Client::PyMySql;
    // The first login took rounds, so its login packet alone is no proof of the password.
    let came = Wish::new("sha2_full").come_true(client, &place);
    assert_eq!(came.as_deref(), Ok("sha2_full"));
    pooling.wait_for(&[(0, "sha2_full:1")]);
    assert_refused(client, &Wish::new("sha2_full"), &place);
    assert_refused(client, &Wish::new("sha2_full").password("wrong"), &place);
    pooling.wait_for(&[(0, "sha2_full:1")]);
}

#[test]
fn at_a_real_server() {
    install_ed25519();
    for account in [
        "pooled_ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
        "pooled_native@'%' IDENTIFIED BY 'secret'",
        &format!("pooled_old@'%' {}", with_old_password()),
    ] {
        MariaDb::shared().query(&format!("CREATE OR REPLACE USER {account}")).ok();
    }
    for (client, users) in [
        (Client::CommandLine, ["pooled_ed", "pooled_native", "pooled_old"].as_slice()),
        (Client::PyMySql, &["pooled_ed", "pooled_native"]),
        // Not ed25519: this client cuts a zero byte off the end of the server's random bytes, and so fails at one of 256
        // such logins, also without a proxy.
        (Client::Rust, &["pooled_native", "pooled_old"]),
    ] {
        let pooling = Pooling::before(db());
        let place = Place::from(pooling.host.address());
        for user in users.iter().chain(users.iter().rev()) {
            let came = Wish::new(user).come_true(client, &place);
            assert_eq!(came, Ok(format!("{user}@%")), "{client:?}");
            pooling.wait_for(&[(0, &format!("{user}:1"))]);
        }
    }
}
