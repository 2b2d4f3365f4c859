//! Each method over TCP, directly and through the proxy.

use testkit::server::Seen;
use testkit::server::auth::{Method, public_key_pem};
use testkit::{Host, LoginServer, MariaDb};

use super::clients::{ALL, Client, Place, Wish};
use super::{assert_password_counts, assert_refused, install_ed25519, with_old_password};
use crate::support::*;

/// What these clients do at servers that greet with a method that is not the account's.
fn switched_to(user: &str, clients: &[Client]) {
    for greets_with in [Method::Native, Method::CachingSha2] {
        greeted_with(greets_with, user, clients);
    }
}

fn greeted_with(method: Method, user: &str, clients: &[Client]) {
    let server = LoginServer::start(method);
    let host = Host::plain(server.address());
    let places = [server.address().into(), host.address().into()];
    for client in clients {
        assert_password_counts(*client, user, &places);
    }
}

#[test]
fn native() {
    switched_to("native", &ALL);
}

#[test]
fn caching_sha2_full_and_then_fast() {
    // The account is remembered from the first login on, and the clients' first login is the proxy's.
    for client in ALL {
        for greets_with in [Method::Native, Method::CachingSha2] {
            let server = LoginServer::start(greets_with);
            let host = Host::plain(server.address());
            let place = Place::from(host.address());
            for round in ["full", "fast"] {
                let came = Wish::new("sha2").come_true(client, &place);
                assert_eq!(came.as_deref(), Ok("sha2"), "{client:?}, {round}");
            }
            assert_refused(client, &Wish::new("sha2").password("wrong"), &place);
            // The password is what comes encrypted after the login.
            let sent_password =
                |seen: &Seen| seen.packets.iter().any(|one| one.id > 1 && one.payload.len() == 256);
            let seen = server.seen();
            let full: Vec<bool> = seen.iter().map(sent_password).collect();
            assert_eq!(full, [true, false, true], "{client:?}, {seen:?}");
        }
    }
}

#[test]
fn caching_sha2_full() {
    switched_to("sha2_full", &ALL);
}

#[test]
fn sha256() {
    let clients = [Client::CommandLine, Client::PyMySql];
    switched_to("sha256", &clients);
    greeted_with(Method::Sha256, "sha256", &clients);
}

#[test]
fn with_the_public_key_at_hand() {
    let server = LoginServer::start(Method::CachingSha2);
    let host = Host::plain(server.address());
    let file = host.file("key.pem");
    std::fs::write(&file, public_key_pem()).unwrap();
    for (client, user) in
        [(Client::PyMySql, "sha2_full"), (Client::PyMySql, "sha256"), (Client::Rust, "sha2_full")]
    {
        let place = host.address().into();
        let came = Wish::new(user).key(&file).come_true(client, &place);
        assert_eq!(came.as_deref(), Ok(user), "{client:?}");
        assert_refused(client, &Wish::new(user).key(&file).password("wrong"), &place);
    }
    let asked_for_key = |seen: &Seen| {
        seen.packets.iter().any(|packet| matches!(packet.payload[..], [1] | [2]) && packet.id != 0)
    };
    assert!(!server.seen().iter().any(asked_for_key), "{:?}", server.seen());
}

#[test]
fn clear_password() {
    switched_to("clear", &ALL);
}

#[test]
fn dialog_of_three_questions() {
    switched_to("dialog", &[Client::CommandLine, Client::PyMySql]);
}

#[test]
fn parsec() {
    switched_to("parsec", &[Client::Rust]);
}

/// An account of the shared MariaDB; returns the places where it is.
fn places_with(account: &str) -> (Host, [Place; 2]) {
    MariaDb::shared().query(&format!("CREATE OR REPLACE USER {account}")).ok();
    let host = Host::plain(db());
    let places = [db().into(), host.address().into()];
    (host, places)
}

fn assert_password_counts_at_mariadb(client: Client, user: &str, places: &[Place]) {
    for place in places {
        let came = Wish::new(user).come_true(client, place);
        assert_eq!(came, Ok(format!("{user}@%")), "{client:?} at {place}");
        assert_refused(client, &Wish::new(user).password("wrong"), place);
    }
}

#[test]
fn ed25519() {
    install_ed25519();
    let (_host, places) =
        places_with("real_ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')");
    // The Rust client cuts a zero byte off the end of the server's random bytes: it fails at one of 256 such logins.
    for client in [Client::CommandLine, Client::PyMySql] {
        assert_password_counts_at_mariadb(client, "real_ed", &places);
    }
}

#[test]
fn old_password() {
    let (_host, places) = places_with(&format!("real_old@'%' {}", with_old_password()));
    for client in [Client::CommandLine, Client::Rust] {
        assert_password_counts_at_mariadb(client, "real_old", &places);
    }
}
