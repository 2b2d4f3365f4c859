//! Prepared statements packet by packet, and servers that answer a PREPARE oddly.

use testkit::proto::{ok_err, resultset};
use testkit::{Greeting, Host, Packet, RawClient, RawServer};

use crate::support::*;

/// One command by hand and the packets that must answer it: `count`, or all of a result set.
fn exchange(client: &mut RawClient, payload: &[u8], count: usize) -> Vec<Packet> {
    client.send_packet(0, payload).unwrap();
    (0..count).map(|_| client.read_packet().unwrap()).collect()
}

/// Prepare, long data, execute, reset, execute again, a cursor, close: with a statement id.
fn statement_session(client: &mut RawClient) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut prepare =
        exchange(client, b"\x16SELECT ?, 'b' UNION SELECT 'c', 'd' UNION SELECT 'e', 'f'", 6);
    let id = prepare[0].payload[1..5].to_vec();
    // MariaDB numbers the statements of all connections in one sequence.
    prepare[0].payload[1..5].fill(0);
    all.extend(prepare);
    let with_id = |command: u8, rest: &[u8]| [&[command], id.as_slice(), rest].concat();
    let execute = with_id(0x17, b"\0\x01\0\0\0\0\x01\xfd\x00");
    let with_cursor = with_id(0x17, b"\x01\x01\0\0\0\0\x01\xfd\x00");
    let value = |execute: &[u8]| [execute, b"\x03abc"].concat();
    client.send_packet(0, &with_id(0x18, b"\0\0long ")).unwrap();
    client.send_packet(0, &with_id(0x18, b"\0\0data")).unwrap();
    all.extend(exchange(client, &execute, 8));
    all.extend(exchange(client, &with_id(0x1a, b""), 1));
    all.extend(exchange(client, &value(&execute), 8));
    all.extend(exchange(client, &value(&with_cursor), 4));
    all.extend(exchange(client, &with_id(0x1c, b"\x02\0\0\0"), 3));
    all.extend(exchange(client, &with_id(0x1c, b"\x05\0\0\0"), 2));
    client.send_packet(0, &with_id(0x19, b"")).unwrap();
    all.extend(exchange(client, b"\x03SELECT 'after'", 5));
    all.into_iter().map(|packet| packet.payload).collect()
}

#[test]
fn prepared_statement_by_hand() {
    let host = Host::plain(db());
    let mut client = host.client();
    assert_eq!(statement_session(&mut client), statement_session(&mut direct()));
    assert_in_step(&mut client);
}

/// PREPARE is answered with these packets; the client gets an ERR, a close, or just them.
fn assert_odd_prepare(payloads: Vec<Vec<u8>>) {
    let sent = payloads.clone();
    let server = RawServer::start(move |conn| {
        conn.accept_login(&Greeting::default())?;
        conn.serve(|command| match command[0] {
            0x16 => sent.clone(),
            _ => resultset::one_cell("v", "next"),
        })
    });
    let mut host = Host::plain(server.address());
    let mut client = host.client();
    client.send_command(0x16, b"SELECT 1").unwrap();
    let first = client.read_packet();
    match first {
        Ok(packet) if packet.is_err() => {}
        Ok(packet) => {
            assert_eq!(packet.payload, payloads[0], "forwarded as it is");
            for payload in &payloads[1..] {
                assert_eq!(&client.read_packet().unwrap().payload, payload);
            }
            assert_eq!(client.query("SELECT 1").unwrap().value(), "next");
        }
        Err(error) => panic!("closed or silent: {error}"),
    }
    assert!(host.is_alive());
    let mut other = host.client();
    assert_eq!(other.query("SELECT 1").unwrap().value(), "next");
}

fn prepare_ok(columns: u8) -> Vec<u8> {
    vec![0, 1, 0, 0, 0, columns, 0, 0, 0, 0, 0, 0]
}

#[test]
fn prepare_ok_of_13_bytes() {
    assert_odd_prepare(vec![[prepare_ok(0), vec![1]].concat()]);
}

#[test]
fn prepare_with_empty_catalog() {
    let mut column = resultset::column("a");
    column.splice(..4, [0]);
    assert_odd_prepare(vec![prepare_ok(1), column, ok_err::eof(2)]);
}

#[test]
fn prepare_with_unknown_first_byte() {
    assert_odd_prepare(vec![vec![5, 1, 2, 3]]);
}
