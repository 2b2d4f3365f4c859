//! Many clients at a time park, take and swap: each is served as itself only, and the counters end at zero.

use std::thread;

use testkit::client::RawClient;
use testkit::proto::{ok_err, resultset};
use testkit::{Greeting, Host, Login, RawServer};

use super::support::*;

const WORKERS: usize = 8;
const SESSIONS: usize = 40;

const SCRIPT: &str = r#"
def connect_server(proxy):
    for backend in proxy.globals.backends:
        if backend.pool.users[""].cur_idle_connections:
            proxy.connection.backend_ndx = backend.ndx
            return proxy.PROXY_IGNORE_RESULT


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    if b"raise" in packet:
        raise RuntimeError("planned")
    if b"to" in packet:
        proxy.connection.backend_ndx = int(packet.split()[-1])
    else:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    server, client = proxy.connection.server, proxy.connection.client
    assert server.username == client.username, (server.username, client.username)
    if b"park" in inj.query:
        proxy.connection.backend_ndx = -1


def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"#;

/// Answers every query with the name of the user that the connection is logged in as at the time.
fn server_that_knows_its_user() -> RawServer {
    let name = |bytes: &[u8]| {
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    };
    RawServer::start(move |conn| {
        let login = conn.accept_login(&Greeting::default())?;
        // The name follows 32 bytes of fixed length (HandshakeResponse41).
        let mut user = name(&login.payload[32..]);
        loop {
            let command = conn.read()?;
            if command.payload.first() == Some(&COM_CHANGE_USER) {
                user = name(&command.payload[1..]);
                conn.write(1, &ok_err::plain_ok())?;
            } else {
                conn.write_all(1, &resultset::one_cell("user", &user))?;
            }
        }
    })
}

/// One client's life; which, is decided by its number.
fn session(address: std::net::SocketAddr, number: usize) {
    let user = ["ann", "bob", "carol"][number % 3];
    let mut client = RawClient::login(address, &Login::new(user, "x")).expect("a login");
    for query in ["SELECT", "to 0", "raise", "to 1", "park", "SELECT", "to 0", "to 1", "SELECT"] {
        let answer = client.query(query).expect("an answer");
        // An ERR: nothing was attached, or the script raised.
        if !answer.packets[0].is_err() {
            assert_eq!(answer.value(), user, "{query} of session {number}");
        }
    }
    match number % 4 {
        0 => client.abort(),
        1 => drop(client),
        _ => client.quit(),
    }
}

fn everybody_at_once(threads: u32) {
    let servers = [server_that_knows_its_user(), server_that_knows_its_user()];
    let builder = Host::builder().backend(servers[0].address()).backend(servers[1].address());
    let pooling = Pooling::start(builder.event_threads(threads), SCRIPT);
    let address = pooling.host.address();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            scope.spawn(move || {
                (0..SESSIONS).for_each(|number| session(address, worker + number * WORKERS));
            });
        }
    });
    pooling.wait_for_clients(&[0, 0]);
    assert!(!pooling.host.log().contains("AssertionError"));
    let connections: usize = servers.iter().map(|server| server.seen().len()).sum();
    let logins = WORKERS * SESSIONS;
    assert!(connections < logins / 2, "{connections} server connections for {logins} logins");
}

#[test]
fn everybody_is_served_as_himself_with_one_event_thread() {
    everybody_at_once(1);
}

#[test]
fn everybody_is_served_as_himself_with_four_event_threads() {
    everybody_at_once(4);
}
