//! Logins packet by packet: let in, refused, and requests that are no login.

use testkit::proto::caps;
use testkit::{Host, Login, MariaDb, Relay};

use crate::support::*;

#[test]
fn login_query_quit() {
    let relay = Relay::start(db());
    let host = Host::builder().backend(relay.address()).with_counters().start();
    let (mut client, _) = send_login(&host, &MariaDb::user());
    let ok = client.read_packet().unwrap();
    assert_eq!((ok.id, ok.kind()), (2, Some(0)));
    let answer = client.query("SELECT 1").unwrap();
    let ids: Vec<u8> = answer.packets.iter().map(|packet| packet.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    assert_eq!(host.connected_clients(), [1]);
    client.quit();
    let passed = relay.wait_until(|all| all[0].proxy_ended);
    assert_eq!(passed[0].to_server.last().unwrap().payload, [1], "COM_QUIT reaches the server");
    host.wait_for_clients(&[0]);
}

#[test]
fn wrong_password() {
    let host = Host::plain(db());
    let (mut client, _) = send_login(&host, &Login::new("u", "wrong"));
    let error = assert_err_and_close(&mut client, 2);
    assert_eq!(error.code, 1045);
    assert_eq!(error.sqlstate.as_deref(), Some("28000"));
}

fn assert_login_refused(host: &Host, payload: &[u8]) {
    let mut client = host.connect();
    client.read_handshake().unwrap();
    client.send_packet(1, payload).unwrap();
    assert_err_and_close(&mut client, 2);
}

#[test]
fn tls_request() {
    let mut host = Host::plain(db());
    let mut request = Vec::new();
    request.extend_from_slice(&(caps::CLIENT_DEFAULT | caps::SSL).to_le_bytes());
    request.extend_from_slice(&[0, 0, 0, 1, 45]);
    request.extend_from_slice(&[0; 23]);
    assert_eq!(request.len(), 32);
    assert_login_refused(&host, &request);
    host.assert_serves();
}

#[test]
fn login_from_before_4_1() {
    let mut host = Host::plain(db());
    assert_login_refused(&host, b"\x05\x00\xff\xff\xffu\0AAAAAAAA\0");
    host.assert_serves();
}

#[test]
fn cut_off_login() {
    let mut host = Host::plain(db());
    let mut client = host.connect();
    let whole = MariaDb::user().payload(&client.read_handshake().unwrap());
    drop(client);
    for length in [0, 1, 4, 31, 33, 36] {
        assert_login_refused(&host, &whole[..length]);
    }
    host.assert_serves();
}
