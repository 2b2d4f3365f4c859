//! Servers that close, die in an answer or answer with nonsense: an ERR or a close, never silence, never a wrong answer.

use std::io;
use std::time::Duration;

use testkit::client::COM_QUERY;
use testkit::host::counters::{STATE_DOWN, STATE_UP};
use testkit::proto::packet::frame;
use testkit::proto::{ok_err, resultset};
use testkit::{Greeting, Host, RawClient, RawServer, ServerConn};

use crate::support::*;

/// After a server that broke, a command gets an ERR, a close, or both; never silence (the read
/// times out), never a result.
fn assert_err_or_close(client: &mut RawClient, sql: &str) {
    // The send may hit a connection that is closed already.
    let _ = client.send_command(COM_QUERY, sql.as_bytes());
    match client.read_packet() {
        Ok(packet) => assert!(packet.is_err(), "ERR or close expected, got {packet:?}"),
        Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "silence"),
    }
}

#[test]
fn server_closes_while_idle() {
    for last_word in [false, true] {
        let (mut host, server) = host_before(move |conn| {
            conn.read()?;
            conn.write_all(1, &resultset::one_cell("v", "served"))?;
            if last_word {
                conn.err(0, 4031, "HY000", "The client was disconnected by the server")?;
            }
            Ok(())
        });
        let mut client = host.client();
        assert_eq!(client.query("SELECT 1").unwrap().value(), "served");
        server.wait_all_ended();
        assert_err_or_close(&mut client, "SELECT 2");
        assert!(host.is_alive());
        assert_eq!(host.client().query("SELECT 1").unwrap().value(), "served");
    }
}

/// The server answers a query with these bytes and closes or stays; what the client gets must be a
/// prefix of them, an ERR, or a close, and a second query must not be answered by left-overs.
fn assert_broken_answer(bytes: Vec<u8>, closes: bool) {
    let (mut host, _server) = host_before(move |conn: &mut ServerConn| {
        conn.read()?;
        conn.write_bytes(&bytes)?;
        if closes {
            return Ok(());
        }
        conn.serve(|_| resultset::one_cell("v", "second"))
    });
    let mut client = host.client();
    client.set_patience(Duration::from_secs(10));
    client.send_command(COM_QUERY, b"SELECT 1").unwrap();
    match client.read_answer(1) {
        // The answer was repaired by an ERR, or was complete: then the next one must be right.
        Ok(_) => {
            if let Ok(answer) = client.query("SELECT 2")
                && !answer.packets[0].is_err()
            {
                assert_eq!(answer.value(), "second");
            }
        }
        Err(error) => assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "silence"),
    }
    assert!(host.is_alive());
}

fn framed(first_id: u8, payloads: &[Vec<u8>]) -> Vec<u8> {
    payloads.iter().zip(first_id..).flat_map(|(payload, id)| frame(id, payload)).collect()
}

#[test]
fn server_dies_in_the_middle_of_a_result() {
    let whole = framed(1, &resultset::one_cell("v", "never complete"));
    for length in [1, 4, 5, 20, whole.len() - 3, whole.len() - 9] {
        assert_broken_answer(whole[..length].to_vec(), true);
    }
}

#[test]
fn err_in_column_definitions() {
    let err = ok_err::err(1317, "70100", "Query execution was interrupted");
    assert_broken_answer(framed(1, &[vec![2], resultset::column("a"), err]), false);
}

#[test]
fn wrong_id_in_a_result() {
    let payloads = resultset::one_cell("v", "x");
    let mut bytes = framed(1, &payloads[..2]);
    bytes.extend(framed(9, &payloads[2..]));
    assert_broken_answer(bytes, false);
}

#[test]
fn two_ok_packets() {
    assert_broken_answer(framed(1, &[ok_err::plain_ok(), ok_err::plain_ok()]), false);
}

#[test]
fn empty_packet_as_an_answer() {
    assert_broken_answer(framed(1, &[vec![]]), false);
}

#[test]
fn a_backend_that_dies_under_load() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&Greeting::default())?;
        conn.read()?;
        Ok(())
    });
    let host = Host::builder().backend(server.address()).with_counters().start();
    for _ in 0..20 {
        assert_err_or_close(&mut host.client(), "SELECT 1");
    }
    host.wait_for_clients(&[0]);
}

#[test]
fn a_backend_that_closes_without_a_greeting_is_down() {
    let greeting = frame(0, &Greeting::default().payload());
    for length in [0, 3, 30] {
        let part = greeting[..length].to_vec();
        let broken = RawServer::start(move |conn| conn.write_bytes(&part));
        let host = Host::builder().backend(broken.address()).backend(db()).with_counters().start();
        if testkit::artifacts::event_loop() == "chassis" {
            // mysql-proxy ends the connection by itself.
            assert_err_and_close(&mut host.connect(), 0);
        }
        assert_in_step(&mut host.client());
        let states: Vec<_> = host.counters().iter().map(|backend| backend.state).collect();
        assert_eq!(states, [STATE_DOWN, STATE_UP], "{length} bytes");
        host.wait_for_log("is not reachable (it closed the connection without a greeting)");
        host.wait_for_clients(&[0, 0]);
    }
}

#[test]
fn nobody_greets_and_all_close() {
    let broken = RawServer::start(|_| Ok(()));
    let host = Host::builder().backend(broken.address()).with_counters().start();
    let error = assert_err_and_close(&mut host.connect(), 0);
    let expected = match testkit::artifacts::event_loop().as_str() {
        "chassis" => "pyproxy: the server closed the connection",
        _ => "(proxy) all backends are down",
    };
    assert_eq!((error.message.as_str(), error.sqlstate), (expected, None));
    host.wait_for_clients(&[0]);
}

/// What it says is for the client, and it is there.
#[test]
fn a_backend_that_greets_with_an_err_is_not_down() {
    let full = RawServer::start(|conn| {
        let err = [&b"\xff\x10\x04"[..], b"Too many connections"].concat();
        conn.write_all(0, &[err]).map(drop)
    });
    let host = Host::builder().backend(full.address()).backend(db()).with_counters().start();
    for _ in 0..2 {
        let error = assert_err_and_close(&mut host.connect(), 0);
        assert_eq!((error.code, error.message.as_str()), (1040, "Too many connections"));
        host.wait_for_clients(&[0, 0]);
    }
    assert_eq!(host.counters()[0].state, STATE_UP);
}
