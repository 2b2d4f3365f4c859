//! `backend_ndx` in every hook: what is parked, what is closed instead, what is taken.

use std::sync::Arc;

use testkit::client::{COM_QUIT, RawClient};
use testkit::proto::resultset;
use testkit::wait::Gate;
use testkit::{Greeting, Host, MariaDb, RawServer};

use super::support::*;
use crate::support::*;

fn driven(server: &RawServer) -> Pooling {
    Pooling::start(Host::builder().backend(server.address()), DRIVEN)
}

#[test]
fn without_a_server_connection_parking_is_harmless() {
    let server = numbered_server("a");
    let pooling = driven(&server);
    pooling.observe("connect_server park park");
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0");
    for _ in 0..2 {
        client.query("now park park").unwrap().err();
        pooling.wait_for(&[(0, "u:1")]);
    }
    assert_eq!(pooling.host.criticals(), Vec::<String>::new());
}

#[test]
fn in_read_handshake_it_is_a_script_error() {
    let server = numbered_server("a");
    let pooling = driven(&server);
    for action in ["park", "take0"] {
        pooling.observe(&format!("read_handshake {action}"));
        let message = assert_err_and_close(&mut pooling.host.connect(), 0).message;
        assert_eq!(message, "pyproxy: read_handshake failed, see the proxy log");
        pooling.wait_for(&[(0, "")]);
    }
    assert!(pooling.host.log().contains("the login is not complete"));
}

#[test]
fn nothing_changes_in_read_handshake_if_the_policy_is_to_forward_and_in_read_auth_by_none() {
    let server = numbered_server("a");
    let builder = Host::builder().backend(server.address());
    let pooling = Pooling::start(builder.option("pyproxy-on-script-error", "forward"), DRIVEN);
    for (number, hook) in ["read_handshake", "read_auth"].into_iter().enumerate() {
        pooling.observe(&format!("{hook} park"));
        pooling.observe("disconnect_client none");
        let mut client = pooling.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), format!("a{number}"));
        pooling.wait_for(&[(1, "")]);
        client.quit();
        pooling.wait_for(&[(0, "")]);
    }
}

#[test]
fn in_read_auth_result_once_the_server_said_ok() {
    let server = numbered_server("a");
    let pooling = driven(&server);
    pooling.observe("read_auth_result park");
    let mut client = pooling.host.client();
    pooling.wait_for(&[(0, "u:1")]);
    assert_eq!(client.query("SELECT 1").unwrap().err().code, ER_UNKNOWN_ERROR);
    assert_eq!(client.query("now take0").unwrap().value(), "a0", "its own one comes back");
    pooling.wait_for(&[(1, "")]);
}

#[test]
fn in_read_auth_result_not_before() {
    let server = RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        conn.read()?;
        conn.err(2, 1045, "28000", "Access denied")?;
        Ok(())
    });
    let pooling = driven(&server);
    pooling.observe("read_auth_result park");
    let (mut client, _) = send_login(&pooling.host, &MariaDb::user());
    assert_script_error(&assert_err_and_close(&mut client, 2), "read_auth_result");
    pooling.wait_for(&[(0, "")]);
}

#[test]
fn in_read_query_result_after_this_result() {
    let server = numbered_server("a");
    let script = r#"
def read_query(proxy, packet):
    for number in range(3):
        proxy.queries.append(number, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    proxy.connection.backend_ndx = -1
"#;
    let pooling = Pooling::start(Host::builder().backend(server.address()), script);
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0", "the result still arrives");
    pooling.wait_for(&[(0, "u:1")]);
    assert_eq!(queries(&server.seen()[0]).len(), 1, "the rest of the queue is dropped");
    assert_eq!(client.query("SELECT 1").unwrap().err().code, ER_UNKNOWN_ERROR);
}

#[test]
fn what_is_queued_runs_where_read_query_result_switched_to() {
    let (first, second) = (numbered_server("first"), numbered_server("second"));
    let script = DRIVEN.replace(
        "def read_query(proxy, packet):\n",
        "def read_query(proxy, packet):\n    if packet == b'\\x03both':\n        \
         proxy.queries.append(1, b'\\x03in result take1', True)\n        \
         proxy.queries.append(2, b'\\x03there', True)\n        \
         return proxy.PROXY_SEND_QUERY\n",
    );
    let builder = Host::builder().backend(first.address()).backend(second.address());
    let pooling = Pooling::start(builder, &script);
    pooling.observe("connect_server take1");
    pooling.host.client().quit();
    pooling.wait_for(&[(0, ""), (0, "u:1")]);
    let mut client = pooling.host.client();
    assert_eq!(client.query("both").unwrap().value(), "first0");
    second.wait_until(|seen| queries(&seen[0]) == ["there"]);
    pooling.wait_for(&[(0, "u:1"), (1, "")]);
    assert_eq!(client.query("SELECT 1").unwrap().value(), "second0");
}

#[test]
fn in_disconnect_client_an_idle_connection_is_taken_and_closed() {
    let server = numbered_server("a");
    let pooling = driven(&server);
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1")]);
    pooling.observe("disconnect_client take0");
    let mut client = pooling.host.client();
    client.query("now park").unwrap().err();
    pooling.wait_for(&[(0, "u:2")]);
    client.quit();
    pooling.wait_for(&[(0, "u:1")]);
}

/// Each of these leaves the server connection in a state that no other client may meet.
fn assert_not_parked(
    conn_behaviour: impl Fn(&mut testkit::ServerConn) -> std::io::Result<()> + Send + Sync + 'static,
    client_behaviour: impl Fn(RawClient),
) {
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        conn_behaviour(conn)
    });
    let pooling = driven(&server);
    client_behaviour(pooling.host.client());
    server.wait_all_ended();
    pooling.wait_for(&[(0, "")]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn unread_data_is_not_parked() {
    let [answered, unread] = [(); 2].map(|()| Arc::new(Gate::default()));
    let (go_on, has_come) = (Arc::clone(&answered), Arc::clone(&unread));
    let two_answers = move |conn: &mut testkit::ServerConn| {
        conn.read()?;
        conn.write_all(1, &resultset::one_cell("v", "first"))?;
        go_on.wait();
        conn.write_all(1, &resultset::one_cell("v", "second"))?;
        has_come.open();
        conn.read_to_close()
    };
    assert_not_parked(two_answers, |mut client| {
        assert_eq!(client.query("SELECT 1").unwrap().value(), "first");
        answered.open();
        unread.wait();
        client.quit();
    });
}

#[test]
fn a_file_that_is_not_complete_is_not_parked() {
    let wants_file = |conn: &mut testkit::ServerConn| {
        conn.read()?;
        conn.write(1, b"\xfbfile")?;
        conn.read_to_close()
    };
    assert_not_parked(wants_file, |mut client| {
        client.query("LOAD DATA").unwrap();
        client.send_packet(2, b"a part").unwrap();
        client.abort();
    });
}

#[test]
fn a_change_of_the_user_that_is_not_complete_is_not_parked() {
    let asks = |conn: &mut testkit::ServerConn| {
        conn.read()?;
        conn.write(1, b"\xfemysql_native_password\0abcdefghijabcdefghij\0")?;
        conn.read_to_close()
    };
    assert_not_parked(asks, |mut client| {
        let switch = client.simple(COM_CHANGE_USER, b"root\0\0\0").unwrap();
        assert_eq!(switch.kind(), Some(0xfe));
        client.abort();
    });
}

#[test]
fn a_binlog_stream_is_not_parked() {
    let streams = |conn: &mut testkit::ServerConn| {
        conn.read()?;
        let mut id = conn.write(1, b"\0event")?;
        loop {
            std::thread::sleep(std::time::Duration::from_millis(5));
            id = conn.write(id, b"\0event")?;
        }
    };
    assert_not_parked(streams, |mut client| {
        client.send_command(0x12, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
        client.read_packet().unwrap();
        client.abort();
    });
}

#[test]
fn a_connection_that_was_told_to_quit_is_not_parked() {
    let server = numbered_server("a");
    let script = "def disconnect_client(proxy):\n    proxy.connection.backend_ndx = -1\n";
    let pooling = Pooling::start(Host::builder().backend(server.address()), script);
    let mut client = pooling.host.client();
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0");
    client.send_command(COM_QUIT, b"").unwrap();
    client.expect_closed();
    server.wait_all_ended();
    pooling.wait_for(&[(0, "")]);
    // Without COM_QUIT it is parked.
    pooling.host.client().abort();
    pooling.wait_for(&[(0, "u:1")]);
}

#[test]
fn a_login_that_is_not_complete_is_not_parked() {
    let pooling = Pooling::before(db());
    let unusual = MariaDb::user().method("x").auth_data(&[]);
    let abort_in_switch = || {
        let (mut client, _) = send_login(&pooling.host, &unusual);
        assert_eq!(client.read_packet().unwrap().kind(), Some(0xfe));
        client.abort();
    };
    abort_in_switch();
    pooling.wait_for(&[(0, "")]);
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1")]);
    // Now the switch request is the answer to COM_CHANGE_USER.
    abort_in_switch();
    pooling.wait_for(&[(0, "")]);
    // A client that has not logged in leaves the pooled connection as it was.
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1")]);
    let mut greeted = pooling.host.connect();
    greeted.read_handshake().unwrap();
    pooling.wait_for(&[(1, "")]);
    greeted.abort();
    pooling.wait_for(&[(0, "u:1")]);
}

/// Logs in, changes a row in a transaction, and leaves.
fn leave_in_transaction(pooling: &Pooling, table: &str) -> String {
    MariaDb::shared().query(&format!("CREATE TABLE test.{table} (a INT) ENGINE=InnoDB")).ok();
    let mut client = pooling.host.client();
    let id = server_id(&mut client);
    client.query("BEGIN").unwrap().ok();
    client.query(&format!("INSERT INTO test.{table} VALUES (1)")).unwrap().ok();
    client.quit();
    id
}

#[test]
fn a_transaction_is_rolled_back_for_the_next_client() {
    let pooling = Pooling::before(db());
    let id = leave_in_transaction(&pooling, "pooled_transaction");
    pooling.wait_for(&[(0, "u:1")]);
    let mut next = pooling.host.client();
    assert_eq!(server_id(&mut next), id);
    assert!(next.query("SELECT * FROM test.pooled_transaction").unwrap().text().is_empty());
}

#[test]
fn a_transaction_is_not_parked_without_change_user() {
    let builder = Host::builder().backend(db()).option("pyproxy-pool-no-change-user", "true");
    let pooling = Pooling::start(builder, POOL);
    leave_in_transaction(&pooling, "unpooled_transaction");
    pooling.wait_for(&[(0, "")]);
}

/// A client that takes a connection in the command phase is not logged in again: what the last one left open is not its.
#[test]
fn a_transaction_is_not_given_to_a_logged_in_client() {
    let pooling = Pooling::start(Host::builder().backend(db()), DRIVEN);
    let mut client = pooling.host.client();
    let own = server_id(&mut client);
    client.query("now park").unwrap().err();
    let in_transaction = leave_in_transaction(&pooling, "kept_transaction");
    pooling.wait_for(&[(0, "u:2")]);
    // Let the one with the transaction be the older one.
    pooling.observe("connect_server take0 use");
    let mut rotating = pooling.host.client();
    assert_eq!(server_id(&mut rotating), own);
    rotating.quit();
    pooling.wait_for(&[(0, "u:2")]);
    client.query("now take0").unwrap();
    let taken = server_id(&mut client);
    assert_eq!(taken, own, "and not {in_transaction}");
}
