//! Logins of real clients: with and without database, refused, with every kind of password.

use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder};
use testkit::mariadb::{DATABASE, PASSWORD, USER};
use testkit::{Host, Login, MariaDb};

use crate::support::*;

fn options(host: &Host) -> OptsBuilder {
    OptsBuilder::new()
        .ip_or_hostname(Some("127.0.0.1"))
        .tcp_port(host.address().port())
        .prefer_socket(false)
        .user(Some(USER))
        .pass(Some(PASSWORD))
}

#[test]
fn without_database() {
    let host = Host::plain(db());
    let mut conn = Conn::new(options(&host)).unwrap();
    let name: Option<Option<String>> = conn.query_first("SELECT DATABASE()").unwrap();
    assert_eq!(name, Some(None));
}

#[test]
fn with_database() {
    let host = Host::plain(db());
    let mut conn = Conn::new(options(&host).db_name(Some(DATABASE))).unwrap();
    let name: Option<String> = conn.query_first("SELECT DATABASE()").unwrap();
    assert_eq!(name.as_deref(), Some(DATABASE));
}

#[test]
fn with_unknown_database() {
    let host = Host::plain(db());
    let error = Conn::new(options(&host).db_name(Some("nowhere"))).unwrap_err();
    assert!(error.to_string().contains("1049"), "{error}");
}

#[test]
fn with_wrong_password() {
    let host = Host::plain(db());
    let error = Conn::new(options(&host).pass(Some("wrong"))).unwrap_err();
    assert!(error.to_string().contains("1045"), "{error}");
}

#[test]
fn without_password() {
    let host = Host::plain(db());
    let options = options(&host).user(Some("root")).pass(None::<&str>);
    let mut conn = Conn::new(options).unwrap();
    let user: Option<String> = conn.query_first("SELECT CURRENT_USER()").unwrap();
    assert_eq!(user.as_deref(), Some("root@127.0.0.1"));
}

#[test]
fn with_connection_attributes() {
    let mut host = Host::plain(db());
    let login = MariaDb::user().attribute("program_name", "pyproxy test").attribute("empty", "");
    let mut client = host.login(&login);
    assert_in_step(&mut client);
    client.quit();
    host.assert_serves();
}

#[test]
fn with_length_encoded_authentication_data() {
    let host = Host::plain(db());
    let login = MariaDb::user().with(testkit::proto::caps::PLUGIN_AUTH_LENENC).database("test");
    let mut client = host.login(&login);
    assert_eq!(client.query("SELECT DATABASE()").unwrap().value(), "test");
}

#[test]
fn with_the_ed25519_method() {
    let db = MariaDb::shared();
    // The password itself is not used; real clients log in with it in `logins`.
    db.query("INSTALL PLUGIN IF NOT EXISTS ed25519 SONAME 'auth_ed25519'").ok();
    db.query("CREATE OR REPLACE USER login_ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('x')").ok();
    let host = Host::plain(db.address());
    let (mut client, _) = send_login(&host, &Login::new("login_ed", "x"));
    let switch = client.read_packet().unwrap();
    let (method, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    assert_eq!((method.as_str(), data.len()), ("client_ed25519", 32));
    client.send_packet(3, &[1; 64]).unwrap();
    assert_eq!(assert_err_and_close(&mut client, 4).code, 1045);
}

#[test]
fn many_logins_one_after_the_other() {
    let host = Host::plain(db());
    let options = Opts::from(options(&host));
    for number in 0..50 {
        let mut conn = Conn::new(options.clone()).unwrap();
        assert_eq!(conn.query_first(format!("SELECT {number}")).unwrap(), Some(number));
    }
}
