//! How many clients there may be and how long they may take; PROXY headers; hostile peers.

mod clients;
mod full_backends;
mod haproxy;
mod hostile;
mod proxy_headers;
mod time_outs;

use std::io;

use testkit::{Host, Login, MariaDb, RawClient, eventually, wait::PATIENCE};

/// Answers `SELECT 'client'` with the client's address, `SELECT 'stats'` with what is counted.
const TELLING: &str = r#"
from pyproxy import chassis


def rows(proxy, rows):
    fields = [("name", proxy.MYSQL_TYPE_STRING), ("value", proxy.MYSQL_TYPE_STRING)]
    proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": rows}}
    return proxy.PROXY_SEND_RESULT


def read_query(proxy, packet):
    if b"'client'" in packet:
        client = proxy.connection.client
        return rows(proxy, [(client.src.name, client.dst.name)])
    if b"'stats'" in packet:
        return rows(proxy, [(name, str(n)) for name, n in chassis.get_stats().items()])
"#;

/// What the host has counted under this name. Needs [`TELLING`].
fn counted(client: &mut RawClient, name: &str) -> u64 {
    let rows = client.query("SELECT 'stats'").unwrap().text();
    let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name}"));
    row[1].parse().unwrap()
}

/// A client that left has made room: the test user is served again.
fn assert_place_is_free(host: &Host) {
    let served =
        eventually(PATIENCE, || RawClient::login(host.address(), &MariaDb::user()).is_ok());
    assert!(served, "nobody gets the place that is free");
}

/// Connects and says this first.
fn saying(host: &Host, bytes: &[u8]) -> RawClient {
    let mut client = host.connect();
    client.send_bytes(bytes).expect("sent");
    client
}

/// Reads the handshake and logs in.
fn log_in(mut client: RawClient, login: &Login) -> io::Result<RawClient> {
    let handshake = client.read_handshake()?;
    let next_id = client.send_packet(1, &login.payload(&handshake))?;
    client.finish_login(login, next_id)?;
    Ok(client)
}

/// The same for the test user behind a PROXY header.
fn log_in_behind(host: &Host, header: &[u8]) -> io::Result<RawClient> {
    log_in(saying(host, header), &MariaDb::user())
}

/// A header of version 1.
fn from(address: &str) -> Vec<u8> {
    format!("PROXY TCP4 {address} 198.51.100.1 40000 3306\r\n").into_bytes()
}
