//! A login on a pooled connection, packet by packet: who gets it, in which state, and who is refused.

use testkit::client::RawClient;
use testkit::proto::caps;
use testkit::{Host, Login, MariaDb};

use super::support::*;
use crate::support::*;

const ACCESS_DENIED: u16 = 1045;

const HANDSHAKE_ERROR: u16 = 1043;

fn wrong_password() -> Login {
    Login::new("u", "wrong")
}

/// Logs in where the server asks again; the ids are checked. The text of a refusal is the error.
fn login_over_pooled(host: &Host, login: &Login) -> (RawClient, Result<(), String>) {
    let (mut client, _) = send_login(host, login);
    let verdict = client.finish_login(login, 2);
    (client, verdict.map(|_| ()).map_err(|error| error.to_string()))
}

#[test]
fn the_same_user_again() {
    let pooling = Pooling::before(db());
    let mut first = pooling.host.login(&MariaDb::user().database("test"));
    let id = server_id(&mut first);
    first.query("SET @left = 'behind'").unwrap().ok();
    first.query("CREATE TEMPORARY TABLE test.left_by_the_last_client (a INT)").unwrap().ok();
    first.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut again, verdict) = login_over_pooled(&pooling.host, &MariaDb::user());
    assert_eq!(verdict, Ok(()));
    pooling.wait_for(&[(1, "")]);
    assert_eq!(server_id(&mut again), id, "the same server connection");
    assert_eq!(again.query("SELECT @left, DATABASE()").unwrap().text(), [["NULL", "NULL"]]);
    assert_eq!(again.query("SELECT * FROM test.left_by_the_last_client").unwrap().err().code, 1146);
    assert_in_step(&mut again);
    again.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut refused, verdict) = login_over_pooled(&pooling.host, &wrong_password());
    assert!(verdict.unwrap_err().starts_with(&ACCESS_DENIED.to_string()));
    refused.expect_closed();
    pooling.wait_for(&[(0, "")]);
    let mut fresh = pooling.host.client();
    assert_ne!(server_id(&mut fresh), id, "a connection that refused a login is not used again");
    assert_in_step(&mut fresh);
}

fn without_change_user() -> Pooling {
    let builder = Host::builder().backend(db()).option("pyproxy-pool-no-change-user", "true");
    Pooling::start(builder, POOL)
}

#[test]
fn the_same_user_again_without_change_user() {
    if MariaDb::lacks("a login in one round that the pool could compare") {
        return;
    }
    let pooling = without_change_user();
    let mut first = pooling.host.client();
    let id = server_id(&mut first);
    first.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut again, _) = send_login(&pooling.host, &MariaDb::user());
    let ok = again.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (2, Some(0)));
    assert_eq!(server_id(&mut again), id);
    assert_in_step(&mut again);
    again.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut refused, _) = send_login(&pooling.host, &wrong_password());
    // The client does not care for the refusal.
    let _ = refused.send_packet(0, b"\x03CREATE TABLE test.refused_by_the_pool (a INT)");
    let error = refused.expect_err();
    assert_eq!((error.code, error.message.as_str()), (ACCESS_DENIED, "(proxy-pool) login failed"));
    assert!(refused.read_to_close().is_empty());
    let tables = MariaDb::shared().query("SHOW TABLES IN test LIKE 'refused_by_the_pool'").text();
    assert!(tables.is_empty(), "the query of a refused client was executed: {tables:?}");
    pooling.wait_for(&[(0, "u:1")]);
    let mut third = pooling.host.client();
    assert_eq!(server_id(&mut third), id, "a wrong password does not cost the pool a connection");
}

/// A login that was proved in a second round says nothing about who sends the same first round again.
#[test]
fn a_login_with_a_switch_cannot_be_replayed() {
    let pooling = without_change_user();
    let unusual = MariaDb::user().method("client_ed25519").auth_data(&[]);
    pooling.host.login(&unusual).quit();
    pooling.wait_for(&[(0, "u:1")]);
    for login in [&unusual, &MariaDb::user().auth_data(&[])] {
        let (mut client, _) = send_login(&pooling.host, login);
        assert_eq!(assert_err_and_close(&mut client, 2).code, ACCESS_DENIED);
    }
}

const TWO: &str = "SELECT 1; SELECT 2";

#[test]
fn other_capabilities() {
    let pooling = Pooling::before(db());
    let plain = MariaDb::user().without(caps::MULTI_STATEMENTS);
    let mut client = pooling.host.login(&plain);
    assert_eq!(client.query(TWO).unwrap().err().code, 1064);
    client.quit();
    pooling.wait_for(&[(0, "u:1")]);
    // However they take turns, each kind has one connection, and gets its own dialect.
    for turn in 0..8 {
        if turn % 4 < 2 {
            let mut client = pooling.host.login(&MariaDb::user());
            assert_eq!(client.query(TWO).unwrap().outcomes.len(), 2);
            assert_in_step(&mut client);
            client.quit();
        } else {
            let mut client = pooling.host.login(&plain);
            assert_eq!(client.query(TWO).unwrap().err().code, 1064);
            client.quit();
        }
        pooling.wait_for(&[(0, "u:2")]);
    }
}

#[test]
fn other_capabilities_and_a_wrong_password() {
    let pooling = Pooling::before(db());
    pooling.host.login(&MariaDb::user().without(caps::MULTI_STATEMENTS)).quit();
    pooling.wait_for(&[(0, "u:1")]);
    let (mut refused, verdict) = login_over_pooled(&pooling.host, &wrong_password());
    assert!(verdict.unwrap_err().starts_with(&ACCESS_DENIED.to_string()));
    refused.expect_closed();
    pooling.wait_for(&[(0, "u:1")]);
}

#[test]
fn other_capabilities_without_change_user() {
    let pooling = without_change_user();
    pooling.host.login(&MariaDb::user().without(caps::MULTI_STATEMENTS)).quit();
    pooling.wait_for(&[(0, "u:1")]);
    let mut client = pooling.host.client();
    assert_eq!(client.query(TWO).unwrap().outcomes.len(), 2);
    pooling.wait_for(&[(1, "u:1")]);
}

#[test]
fn auth_data_of_250_bytes() {
    let server = numbered_server("a");
    let pooling = Pooling::before(server.address());
    for length in [250, 251, 255] {
        pooling.host.client().quit();
        pooling.wait_for(&[(0, "u:1")]);
        let login = Login::new("u", "").auth_data(&vec![7; length]);
        let (mut client, _) = send_login(&pooling.host, &login);
        assert_eq!(assert_err_and_close(&mut client, 2).code, HANDSHAKE_ERROR);
    }
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0", "and the connection is not lost");
    let changes = server.seen()[0].packets.iter().filter(|p| p.payload.len() > 249).count();
    assert_eq!(changes, 0);
}
