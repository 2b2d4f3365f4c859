//! COM_CHANGE_USER in mid-session to accounts with each method.

use mysql::prelude::Queryable;
use mysql::{ChangeUserOpts, Conn, OptsBuilder};
use testkit::server::auth::{Method, PASSWORD};
use testkit::{Host, LoginServer, MariaDb};

use super::{install_ed25519, with_old_password};
use crate::support::*;

/// Queues every command, as scripts do that look at results.
const QUEUEING: &str = "
    def read_query(proxy, packet):
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    ";

/// Repeats what failed, if it is with ed25519: this client cuts a zero byte off the end of the server's random bytes, and so
/// fails at one of 256 logins.
fn patiently<T, E>(user: &str, mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut result = attempt();
    for _ in 0..if user == "changed_ed" { 3 } else { 0 } {
        result = result.or_else(|_| attempt());
    }
    result
}

fn connect(host: &Host, user: &str) -> Conn {
    let options = OptsBuilder::new()
        .ip_or_hostname(Some("127.0.0.1"))
        .tcp_port(host.address().port())
        .prefer_socket(false)
        .user(Some(user))
        .pass(Some(PASSWORD))
        .secure_auth(false)
        .enable_cleartext_plugin(true);
    patiently(user, || Conn::new(options.clone())).unwrap()
}

fn become_somebody(conn: &mut Conn, user: &str, password: &str) -> Result<String, mysql::Error> {
    let options = ChangeUserOpts::new();
    conn.change_user(options.with_user(Some(user.into())).with_pass(Some(password.into())))?;
    Ok(conn.query_first("SELECT CURRENT_USER()")?.unwrap_or_default())
}

/// Becomes each of the users in turn, with this text as `CURRENT_USER()`, and is refused with a wrong password.
fn assert_becomes(host: &Host, users: &[(&str, String)]) {
    let mut conn = connect(host, users[0].0);
    for (user, expected) in users.iter().chain(users.iter().rev()) {
        let who = patiently(user, || {
            become_somebody(&mut conn, user, PASSWORD).inspect_err(|_| {
                // A refusal ends the connection.
                conn = connect(host, users[0].0);
            })
        });
        assert_eq!(who.map_err(|error| error.to_string()).as_ref(), Ok(expected));
    }
    for (user, _) in users {
        let mut conn = connect(host, user);
        let error = become_somebody(&mut conn, user, "wrong").unwrap_err();
        assert!(error.to_string().contains("1045"), "{user}: {error}");
    }
}

#[test]
fn between_the_methods_of_a_mysql_server() {
    let users = ["native", "sha2", "sha2_full", "clear", "parsec"].map(|user| (user, user.into()));
    for greets_with in [Method::Native, Method::CachingSha2] {
        let server = LoginServer::start(greets_with);
        let backend = || Host::builder().backend(server.address());
        for host in [backend().start(), backend().script(QUEUEING).start()] {
            assert_becomes(&host, &users);
        }
    }
}

#[test]
fn between_the_methods_of_mariadb() {
    install_ed25519();
    for account in [
        "changed_ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')",
        "changed_native@'%' IDENTIFIED BY 'secret'",
        &format!("changed_old@'%' {}", with_old_password()),
    ] {
        MariaDb::shared().query(&format!("CREATE OR REPLACE USER {account}")).ok();
    }
    let users =
        ["changed_native", "changed_ed", "changed_old"].map(|user| (user, format!("{user}@%")));
    for host in [Host::plain(db()), Host::with_script(QUEUEING)] {
        assert_becomes(&host, &users);
    }
}
