//! Idle connections: whose they are, those that die, and those that must not be used.

use std::sync::Arc;

use testkit::client::COM_QUERY;
use testkit::proto::resultset;
use testkit::server::relay::Passed;
use testkit::wait::Gate;
use testkit::{Greeting, Host, Login, RawServer, Relay, ServerConn};

use super::support::*;
use crate::support::*;

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
fn never_on_another_user_s_connection() {
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
fn pooled_under_the_new_name() {
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
fn pooled_under_the_new_name_after_a_switch() {
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
fn the_server_closes_an_idle_connection() {
    for last_word in [false, true] {
        let gate = Arc::new(Gate::default());
        let parked = Arc::clone(&gate);
        let server = RawServer::start(move |conn| {
            conn.accept_login(&Greeting::default())?;
            if conn.number() > 0 {
                return serve_pooled(conn, |_| resultset::one_cell("v", "fresh"));
            }
            // The first command gets its answer; once the connection is idle, the server is gone.
            conn.read()?;
            conn.write_all(1, &resultset::one_cell("v", "first"))?;
            parked.wait();
            if last_word {
                conn.err(0, 4031, "HY000", "The client was disconnected by the server")?;
            }
            Ok(())
        });
        let pooling = Pooling::before(server.address());
        let mut client = pooling.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "first");
        client.quit();
        pooling.wait_for(&[(0, "u:1")]);
        gate.open();
        server.wait_all_ended();
        pooling.wait_for(&[(0, "")]);
        let mut client = pooling.host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "fresh");
    }
}

/// Nobody looked at the pool between the server's end and the next client.
#[test]
fn a_dead_connection_is_noticed_when_it_is_taken() {
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
fn aborted_in_the_middle_of_a_result() {
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
fn idle_connection_of_a_backend_that_is_down() {
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
fn pooled_connection_and_an_answer() {
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
