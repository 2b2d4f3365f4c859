//! Connections out of the pool are made their client's own before they run anything.

use testkit::wait::{PATIENCE, eventually};
use testkit::{Host, Login, MariaDb, RawClient};

use crate::support::*;

/// Parks behind each command, and takes a connection for the next; `learn:` in a query is what it learned.
const SHARING: &str = r#"
import json


def init(proxy):
    proxy.globals.track_sessions = True


def connect_server(proxy):
    pool = proxy.globals.backends[0].pool
    if pool.users[""].cur_idle_connections:
        proxy.connection.backend_ndx = 0
        return proxy.PROXY_IGNORE_RESULT


def read_auth_result(proxy, auth):
    if auth.packet[:1] == b"\0":
        proxy.connection.backend_ndx = -1


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        return
    proxy.connection.backend_ndx = 0
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    _, found, learned = inj.query.partition(b"learn:")
    if found:
        proxy.connection.client_session.learn(**json.loads(learned.decode().removesuffix("*/")))
    if b"tie" in inj.query:
        proxy.connection.server.session.tie("a test")
        print("ties:", *proxy.connection.server.session.ties)
    else:
        proxy.connection.backend_ndx = -1
"#;

fn login(charset: u8) -> Login {
    MariaDb::user().charset(charset)
}

/// The number of the connection that a client gets, and what it finds there.
fn look(client: &mut RawClient, what: &str) -> (String, String) {
    let sql = format!("SELECT CONNECTION_ID(), {what}");
    let answer = client.query(&sql).unwrap().text().remove(0);
    (answer[0].clone(), answer[1].clone())
}

#[test]
fn a_client_finds_its_session_on_a_connection_of_others() {
    let host = Host::with_script(SHARING);
    // utf8mb4_general_ci and latin1_swedish_ci
    let mut one = RawClient::login(host.address(), &login(45).database("test")).unwrap();
    let mut two = RawClient::login(host.address(), &login(8).database("mysql")).unwrap();
    let set = r#"SET sql_mode = 'ANSI' /* learn:{"settings": {"SQL_MODE": "'ANSI'"}}*/"#;
    one.query(set).unwrap().ok();
    one.query("SET @mine = 1").unwrap().ok();
    let everything = "CONCAT_WS(' ', @@collation_connection, @@character_set_results, DATABASE(), \
                      @@sql_mode LIKE '%ANSI%', IFNULL(@mine, 'none'), LAST_INSERT_ID())";
    let (first, found) = look(&mut two, everything);
    assert_eq!(found, "latin1_swedish_ci latin1 mysql 0 none 0");
    let learned = format!(r#"{everything} /* learn:{{"insert_id": 77}}*/"#);
    look(&mut two, &learned);
    let (second, found) = look(&mut one, everything);
    assert_eq!(found, "utf8mb4_general_ci utf8mb4 test 1 none 0");
    let (third, found) = look(&mut two, everything);
    assert_eq!(found, "latin1_swedish_ci latin1 mysql 0 none 77");
    assert_eq!([&second, &third], [&first; 2], "all of it on one connection");
}

#[test]
fn what_a_session_began_with_is_set_where_the_server_lets_the_user() {
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    let mut two = RawClient::login(host.address(), &login(45)).unwrap();
    // The second one is for the server only, the third one is set by the client.
    let set = r#"SET sql_mode = '' /* learn:{"settings": {"sql_mode": "''"},
        "inherited": {"max_error_count": "7", "max_connections": "9", "SQL_MODE": "'ANSI'"}}*/"#;
    one.query(set).unwrap().ok();
    let what = "CONCAT_WS(' ', @@max_error_count, @@sql_mode)";
    let other = look(&mut two, what).1;
    assert_ne!(other, "7 ");
    assert_eq!(look(&mut one, what).1, "7 ");
    assert_eq!(look(&mut two, what).1, other);
    assert_eq!(look(&mut one, what).1, "7 ");
}

#[test]
fn a_connection_that_is_still_as_it_was_left_is_not_reset() {
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    let mut two = RawClient::login(host.address(), &login(45)).unwrap();
    one.query("SET @mine = 1").unwrap().ok();
    assert_eq!(look(&mut one, "IFNULL(@mine, 'none')").1, "1");
    assert_eq!(look(&mut two, "IFNULL(@mine, 'none')").1, "none");
    assert_eq!(look(&mut one, "IFNULL(@mine, 'none')").1, "none");
}

#[test]
fn what_is_tied_never_gets_to_others() {
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    let first = look(&mut one, "'tie'").0;
    host.wait_for_stdout("ties: a test");
    assert_eq!(look(&mut one, "'tie'").0, first, "it is attached");
    look(&mut one, "'park it'");
    let answer = one.query("SELECT 1").unwrap();
    assert_eq!(answer.err().message, "pyproxy: no server connection is attached");
    let mut two = RawClient::login(host.address(), &login(45)).unwrap();
    assert_ne!(look(&mut two, "1").0, first);
}

#[test]
fn a_transaction_is_closed_and_not_parked() {
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    for sql in ["LOCK TABLES mysql.db READ", "SET TRANSACTION READ ONLY", "BEGIN"] {
        let mut client = RawClient::login(host.address(), &login(45)).unwrap();
        let before = look(&mut client, "1").0;
        client.query(sql).unwrap().ok();
        let answer = client.query("SELECT 1").unwrap();
        assert_eq!(answer.err().code, ER_UNKNOWN_ERROR, "behind {sql}");
        let gone =
            format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {before}");
        let is_gone = || direct().query(&gone).unwrap().value() == "0";
        assert!(eventually(PATIENCE, is_gone), "behind {sql} it is still there");
    }
    assert_eq!(one.query("SELECT 1").unwrap().err().code, ER_UNKNOWN_ERROR);
}

#[test]
fn a_setting_that_the_server_refuses_is_an_error_of_the_command() {
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    let mut two = RawClient::login(host.address(), &login(45)).unwrap();
    look(&mut one, r#"1 /* learn:{"settings": {"no_such_variable": "1"}}*/"#);
    look(&mut two, "1");
    let answer = one.query("SELECT 'must not run'").unwrap();
    let error = answer.err();
    assert_eq!((error.code, error.sqlstate.as_deref()), (1193, Some("HY000")));
    assert!(error.message.contains("cannot prepare a connection to 127.0.0.1:"), "{error:?}");
    assert!(error.message.contains("Unknown system variable"), "{error:?}");
}

#[test]
fn a_role_goes_with_its_client() {
    let db = MariaDb::shared();
    db.query("CREATE OR REPLACE ROLE handed_over").ok();
    db.query(&format!("GRANT handed_over TO '{}'@'%'", MariaDb::user().user())).ok();
    let host = Host::with_script(SHARING);
    let mut one = RawClient::login(host.address(), &login(45)).unwrap();
    let mut two = RawClient::login(host.address(), &login(45)).unwrap();
    one.query(r#"SET ROLE handed_over /* learn:{"role": "handed_over"}*/"#).unwrap().ok();
    let role = "IFNULL(CURRENT_ROLE(), 'none')";
    assert_eq!(look(&mut one, role).1, "handed_over");
    let answer = two.query("SELECT 1").unwrap();
    let message = &answer.err().message;
    assert!(message.contains("no server connection"), "{message}: only one with a role is idle");
    let mut three = RawClient::login(host.address(), &login(45)).unwrap();
    assert_eq!(look(&mut three, role).1, "none");
}
