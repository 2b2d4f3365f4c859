//! Logins: of real clients with every method, directly and through the proxy, and packet by packet.
//!
//! | module | what |
//! |---|---|
//! | [`methods`] | each method over TCP, with the right and a wrong password |
//! | [`sockets`] | unix sockets on either side: what a method takes for secure |
//! | [`pooled`] | a pooled connection becomes a client's that logs in with each method |
//! | [`change_user`] | COM_CHANGE_USER to each method |
//! | [`chosen`] | logins that a script takes to another backend than the one that greeted |
//! | [`factors`] | more than one proof |
//! | [`refused`] | what cannot be followed |
//! | [`clients`] | the clients |
//! | [`rust_client`] | databases, passwords and attributes, with the Rust client |
//! | [`greetings`] | the server's greeting, odd ones included |
//! | [`packets`] | what is let in and refused, packet by packet |
//! | [`rounds`] | methods with more rounds, packet by packet |
//!
//! MariaDB's own methods are asked of a real server; the others of `testkit::LoginServer`, which checks the passwords
//! as a MySQL server does.

mod change_user;
mod chosen;
mod clients;
mod factors;
mod greetings;
mod methods;
mod packets;
mod pooled;
mod quoted;
mod refused;
mod rounds;
mod rust_client;
mod sockets;

use clients::{Client, Place, Wish};
use testkit::MariaDb;

/// Asserts that a client gets in as `user` and that a wrong password is refused, at each place.
fn assert_password_counts(client: Client, user: &str, places: &[Place]) {
    for place in places {
        let came = Wish::new(user).come_true(client, place);
        assert_eq!(came.as_deref(), Ok(user), "{client:?} as {user} at {place}");
        assert_refused(client, &Wish::new(user).password("wrong"), place);
    }
}

/// Asserts that the server refuses a login.
fn assert_refused(client: Client, wish: &Wish<'_>, place: &Place) {
    let error = wish.come_true(client, place).expect_err("a refusal");
    assert!(error.contains("1045"), "{client:?}, {wish:?} at {place}: {error}");
}

/// Makes sure of MariaDB's ed25519.
fn install_ed25519() {
    let sql = "INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519'";
    MariaDb::shared().query(sql).ok();
}

/// Lets the server take passwords of before 4.1, and returns how an account has one.
fn with_old_password() -> String {
    MariaDb::shared().query("SET GLOBAL secure_auth = 0").ok();
    let hash = MariaDb::shared().query("SELECT OLD_PASSWORD('secret')").value();
    format!("IDENTIFIED VIA mysql_old_password USING '{hash}'")
}
