//! Scenarios 27 to 36: the connection pool.

use testkit::client::{COM_QUERY, RawClient};
use testkit::proto::{caps, ok_err, resultset, scramble};
use testkit::server::relay::Passed;
use testkit::{Greeting, Host, Login, MariaDb, RawServer, Relay, ServerConn};

use crate::pooling::support::*;
use crate::support::*;

const ACCESS_DENIED: u16 = 1045;
const HANDSHAKE_ERROR: u16 = 1043;

fn wrong_password() -> Login {
    Login::new("u", "wrong")
}

/// Logs in by hand where a switch request is expected: checks the ids 2 and 4.
fn login_over_pooled(host: &Host, login: &Login) -> (RawClient, testkit::Packet) {
    let (mut client, _) = send_login(host, login);
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (2, Some(0xfe)), "MariaDB asks again");
    let (_, data) = testkit::client::handshake::parse_switch(&switch.payload).unwrap();
    client.send_packet(3, &scramble::native(login.password_text(), &data)).unwrap();
    let verdict = client.read_packet().unwrap();
    assert_eq!(verdict.id, 4);
    (client, verdict)
}

#[test]
fn s27_the_same_user_again() {
    let pooling = Pooling::before(db());
    let mut first = pooling.host.login(&MariaDb::user().database("test"));
    let id = server_id(&mut first);
    first.query("SET @left = 'behind'").unwrap().ok();
    first.query("CREATE TEMPORARY TABLE test.s27_left (a INT)").unwrap().ok();
    first.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut again, verdict) = login_over_pooled(&pooling.host, &MariaDb::user());
    assert_eq!(verdict.kind(), Some(0));
    pooling.wait_for(&[(1, "")]);
    assert_eq!(server_id(&mut again), id, "the same server connection");
    assert_eq!(again.query("SELECT @left, DATABASE()").unwrap().text(), [["NULL", "NULL"]]);
    assert_eq!(again.query("SELECT * FROM test.s27_left").unwrap().err().code, 1146);
    assert_in_step(&mut again);
    again.quit();
    pooling.wait_for(&[(0, "u:1")]);

    let (mut refused, verdict) = login_over_pooled(&pooling.host, &wrong_password());
    assert_eq!(ok_err::parse_err(&verdict.payload).unwrap().code, ACCESS_DENIED);
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
fn s28_the_same_user_again_without_change_user() {
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
    let _ = refused.send_packet(0, b"\x03CREATE TABLE test.s28_must_not_exist (a INT)");
    let error = refused.expect_err();
    assert_eq!((error.code, error.message.as_str()), (ACCESS_DENIED, "(proxy-pool) login failed"));
    assert!(refused.read_to_close().is_empty());
    let tables = MariaDb::shared().query("SHOW TABLES IN test LIKE 's28%'").text();
    assert!(tables.is_empty(), "the query of a refused client was executed: {tables:?}");
    pooling.wait_for(&[(0, "u:1")]);
    let mut third = pooling.host.client();
    assert_eq!(server_id(&mut third), id, "a wrong password does not cost the pool a connection");
}

/// A login that was proved in a second round says nothing about who sends the same first round again.
#[test]
fn s28_a_login_with_a_switch_cannot_be_replayed() {
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
fn s29_other_capabilities() {
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
fn s29_other_capabilities_and_a_wrong_password() {
    let pooling = Pooling::before(db());
    pooling.host.login(&MariaDb::user().without(caps::MULTI_STATEMENTS)).quit();
    pooling.wait_for(&[(0, "u:1")]);
    let (mut refused, verdict) = login_over_pooled(&pooling.host, &wrong_password());
    assert_eq!(ok_err::parse_err(&verdict.payload).unwrap().code, ACCESS_DENIED);
    refused.expect_closed();
    pooling.wait_for(&[(0, "u:1")]);
}

#[test]
fn s29_other_capabilities_without_change_user() {
    let pooling = without_change_user();
    pooling.host.login(&MariaDb::user().without(caps::MULTI_STATEMENTS)).quit();
    pooling.wait_for(&[(0, "u:1")]);
    let mut client = pooling.host.client();
    assert_eq!(client.query(TWO).unwrap().outcomes.len(), 2);
    pooling.wait_for(&[(1, "u:1")]);
}

#[test]
fn s30_auth_data_of_250_bytes() {
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

/// Clients go where the observer says; `swap n` in a query sets `backend_ndx`.
const SWAP: &str = r#"
target = 0


def observe(proxy, text):
    global target
    target = int(text)


def connect_server(proxy):
    proxy.connection.backend_ndx = target


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    if b"swap" in packet:
        proxy.connection.backend_ndx = int(packet.split()[-1])


def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;

#[test]
fn s31_never_on_another_user_s_connection() {
    let (first, second) = (numbered_server("first"), numbered_server("second"));
    let builder = Host::builder().backend(first.address()).backend(second.address());
    let pooling = Pooling::start(builder, SWAP);
    let login = |user| pooling.host.login(&Login::new(user, "x"));
    pooling.observe("1");
    login("carol").quit();
    pooling.wait_for(&[(0, ""), (0, "carol:1")]);

    pooling.observe("0");
    let mut bob = login("bob");
    assert_eq!(bob.query("swap 1").unwrap().value(), "first0");
    assert_eq!(bob.query("bob's").unwrap().value(), "first0");
    assert!(pooling.host.log().contains("no idle connection of backend 1 fits this client"));
    pooling.wait_for(&[(1, ""), (0, "carol:1")]);

    // Carol herself gets it, and so does nobody else afterwards.
    let mut carol = login("carol");
    assert_eq!(carol.query("swap 1").unwrap().value(), "second0");
    pooling.wait_for(&[(1, "carol:1"), (1, "")]);
    carol.quit();
    pooling.wait_for(&[(1, "carol:1"), (0, "carol:1")]);
    assert_eq!(bob.query("swap 1").unwrap().value(), "first0");
    let seen = second.seen();
    assert_eq!((seen.len(), queries(&seen[0])), (1, vec!["swap 1".to_owned()]));
}

fn change_user_payload(user: &str) -> Vec<u8> {
    format!("{user}\0\0\0\x2d\0mysql_native_password\0").into_bytes()
}

#[test]
fn s32_pooled_under_the_new_name() {
    let server = numbered_server("a");
    let pooling = Pooling::before(server.address());
    let mut client = pooling.host.client();
    let ok = client.simple(COM_CHANGE_USER, &change_user_payload("root")).unwrap();
    assert_eq!((ok.id, ok.kind()), (1, Some(0)));
    assert_eq!(client.query("SELECT 1").unwrap().value(), "a0");
    client.quit();
    pooling.wait_for(&[(0, "root:1")]);
}

#[test]
fn s32_pooled_under_the_new_name_after_a_switch() {
    let pooling = Pooling::before(db());
    let mut client = pooling.host.client();
    client.send_command(COM_CHANGE_USER, &change_user_payload("root")).unwrap();
    let switch = client.read_packet().unwrap();
    assert_eq!((switch.id, switch.kind()), (1, Some(0xfe)));
    client.send_packet(2, b"").unwrap();
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (3, Some(0)));
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "root@127.0.0.1");
    client.quit();
    pooling.wait_for(&[(0, "root:1")]);
}

#[test]
fn s33_the_server_closes_an_idle_connection() {
    for last_word in [false, true] {
        let server = RawServer::start(move |conn| {
            conn.accept_login(&Greeting::default())?;
            if conn.number() > 0 {
                return serve_pooled(conn, |_| resultset::one_cell("v", "fresh"));
            }
            // The first command gets its answer; a word later the server is gone.
            conn.read()?;
            conn.write_all(1, &resultset::one_cell("v", "first"))?;
            std::thread::sleep(std::time::Duration::from_millis(300));
            if last_word {
                conn.err(0, 4031, "HY000", "The client was disconnected by the server")?;
            }
            Ok(())
        });
        let pooling = Pooling::before(server.address());
        let mut client = pooling.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "first");
        client.quit();
        server.wait_all_ended();
        pooling.wait_for(&[(0, "")]);
        let mut client = pooling.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "fresh");
    }
}

/// Nobody looked at the pool between the server's end and the next client.
#[test]
fn s33_a_dead_connection_is_noticed_when_it_is_taken() {
    let relay = Relay::start(db());
    let pooling = Pooling::before(relay.address());
    for number in 1..=3 {
        let mut client = pooling.host.client();
        assert_in_step(&mut client);
        assert_eq!(relay.passed().len(), number, "each one is new");
        client.quit();
        pooling.wait_for(&[(0, "u:1")]);
        relay.cut_now();
        relay.wait_until(|all: &[Passed]| all.iter().all(|one| one.proxy_ended));
    }
}

#[test]
fn s34_aborted_in_the_middle_of_a_result() {
    let server = RawServer::start(|conn: &mut ServerConn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        let whole = resultset::one_cell("v", "slow");
        let mut id = conn.write_all(1, &whole[..3])?;
        // Rows until the proxy hangs up.
        loop {
            id = conn.write(id, &resultset::row(&[Some(&[b'x'; 10_000])]))?;
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
    let pooling = Pooling::before(server.address());
    for _ in 0..3 {
        let mut client = pooling.host.client();
        client.send_command(COM_QUERY, b"SELECT slow").unwrap();
        client.read_packet().unwrap();
        client.abort();
        server.wait_all_ended();
        pooling.wait_for(&[(0, "")]);
    }
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn s35_idle_connection_of_a_backend_that_is_down() {
    let (first, second) = (numbered_server("first"), numbered_server("second"));
    let script = format!(
        r#"{POOL}

def observe(proxy, text):
    proxy.globals.backends[0].state = proxy.BACKEND_STATE_DOWN
"#
    );
    // The script takes a pooled connection of the first backend, whatever the state of that is.
    let builder = Host::builder().backend(first.address()).backend(second.address());
    let pooling = Pooling::start(builder, &script);
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1"), (0, "")]);
    for _ in 0..100 {
        pooling.observe("down");
        let mut client = pooling.host.client();
        assert!(client.query("SELECT 1").unwrap().value().starts_with("second"));
        pooling.wait_for_clients(&[0, 1]);
        client.abort();
    }
    pooling.wait_for_clients(&[0, 0]);
    assert_eq!(pooling.report()[0].users, "u:1", "the connection went back to its own pool");
    assert_eq!(first.seen().len(), 1);
}

#[test]
fn s36_pooled_connection_and_an_answer() {
    let server = numbered_server("a");
    let script = r#"
closed = False


def observe(proxy, text):
    global closed
    closed = text == "close"


def connect_server(proxy):
    if proxy.globals.backends[0].pool.users[""].cur_idle_connections:
        proxy.connection.backend_ndx = 0
        if closed:
            assert proxy.connection.server is not None
            proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "closed today"}
            return proxy.PROXY_SEND_RESULT
        return proxy.PROXY_IGNORE_RESULT


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT


def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;
    let pooling = Pooling::start(Host::builder().backend(server.address()), script);
    pooling.host.client().quit();
    pooling.wait_for(&[(0, "u:1")]);
    pooling.observe("close");
    for _ in 0..3 {
        let mut client = pooling.host.connect();
        assert_eq!(assert_err_and_close(&mut client, 0).message, "closed today");
        pooling.wait_for(&[(0, "u:1")]);
    }
    pooling.observe("open");
    assert_eq!(pooling.host.client().query("SELECT 1").unwrap().value(), "a0");
}
