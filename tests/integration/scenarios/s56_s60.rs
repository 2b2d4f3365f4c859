//! Scenarios 56 to 60: binlog streams, pipelined commands, servers that break, slow peers, chaos.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use testkit::client::{COM_PING, COM_QUERY, COM_QUIT};
use testkit::proto::packet::frame;
use testkit::proto::{ok_err, resultset};
use testkit::wait::Gate;
use testkit::{Host, MariaDb, RawClient, RawServer, Relay, ServerConn};

use crate::support::*;

const COM_BINLOG_DUMP: u8 = 0x12;
const COM_BINLOG_DUMP_GTID: u8 = 0x1e;

#[test]
fn s56_binlog_events_come_as_they_are_sent() {
    for command in [COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID] {
        let gate = Arc::new(Gate::default());
        let go_on = Arc::clone(&gate);
        let (host, _server) = host_before(move |conn| {
            conn.read()?;
            conn.write(1, b"\0first event")?;
            go_on.wait();
            conn.write(2, b"\0second event")?;
            conn.write(3, &ok_err::eof(0))?;
            conn.serve(|_| vec![ok_err::plain_ok()])
        });
        let mut client = host.client();
        client.send_command(command, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
        expect_packet(&mut client, 1, b"\0first event");
        gate.open();
        expect_packet(&mut client, 2, b"\0second event");
        expect_packet(&mut client, 3, &ok_err::eof(0));
        let pong = client.simple(COM_PING, b"").unwrap();
        assert_eq!((pong.id, pong.kind()), (1, Some(0)));
    }
}

#[test]
fn s56_binlog_refused() {
    let refusal = ok_err::err(1236, "HY000", "no such log");
    let sent = refusal.clone();
    let (host, _server) = host_before(move |conn| {
        conn.read()?;
        conn.write(1, &sent)?;
        conn.serve(|_| vec![ok_err::plain_ok()])
    });
    let mut client = host.client();
    client.send_command(COM_BINLOG_DUMP, b"\x04\0\0\0\0\0\x01\0\0\0log.1").unwrap();
    expect_packet(&mut client, 1, &refusal);
    let pong = client.simple(COM_PING, b"").unwrap();
    assert_eq!((pong.id, pong.kind()), (1, Some(0)));
}

#[test]
fn s57_two_commands_in_one_segment() {
    let host = Host::plain(db());
    let mut client = host.client();
    for _ in 0..20 {
        let both = [frame(0, b"\x03SELECT 'one'"), frame(0, b"\x03SELECT 'two'")].concat();
        client.send_bytes(&both).unwrap();
        assert_eq!(client.read_answer(1).unwrap().value(), "one");
        assert_eq!(client.read_answer(1).unwrap().value(), "two");
    }
}

#[test]
fn s57_command_with_a_wrong_id() {
    let mut host = Host::plain(db());
    let mut client = host.client();
    client.send_packet(9, b"\x03SELECT 1").unwrap();
    let rest = client.read_to_close();
    // An ERR is allowed, an executed query is not.
    assert!(rest.is_empty() || rest[4] == 0xff, "\"{}\"", rest.escape_ascii());
    host.assert_serves();
}

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
fn s58_server_closes_while_idle() {
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
fn s58_server_dies_in_the_middle_of_a_result() {
    let whole = framed(1, &resultset::one_cell("v", "never complete"));
    for length in [1, 4, 5, 20, whole.len() - 3, whole.len() - 9] {
        assert_broken_answer(whole[..length].to_vec(), true);
    }
}

#[test]
fn s58_err_in_column_definitions() {
    let err = ok_err::err(1317, "70100", "Query execution was interrupted");
    assert_broken_answer(framed(1, &[vec![2], resultset::column("a"), err]), false);
}

#[test]
fn s58_wrong_id_in_a_result() {
    let payloads = resultset::one_cell("v", "x");
    let mut bytes = framed(1, &payloads[..2]);
    bytes.extend(framed(9, &payloads[2..]));
    assert_broken_answer(bytes, false);
}

#[test]
fn s58_two_ok_packets() {
    assert_broken_answer(framed(1, &[ok_err::plain_ok(), ok_err::plain_ok()]), false);
}

#[test]
fn s58_empty_packet_as_an_answer() {
    assert_broken_answer(framed(1, &[vec![]]), false);
}

#[test]
fn s59_slow_reader_does_not_fill_the_memory() {
    let host = Host::plain(db());
    let mut client = host.client();
    assert_in_step(&mut client);
    let before = host.rss_peak_kib();
    let rows = "SELECT REPEAT('x', 1000) FROM test.seq_1_to_100000";
    client.send_command(COM_QUERY, rows.as_bytes()).unwrap();
    sleep(Duration::from_secs(2));
    let answer = client.read_answer(1).unwrap();
    assert_eq!(answer.text().len(), 100_000);
    assert_in_step(&mut client);
    let grown = host.rss_peak_kib() - before;
    assert!(grown < 50_000, "the host grew by {grown} KiB for a result of 100 MB");
}

fn impatient(script: Option<&str>) -> Host {
    let builder =
        Host::builder().backend(db()).option("pyproxy-read-timeout", "0.6").with_counters();
    match script {
        Some(source) => builder.script(source).start(),
        None => builder.start(),
    }
}

#[test]
fn s59_silent_and_idle_clients_are_closed() {
    let host = impatient(None);
    let start = Instant::now();
    let mut silent = host.connect();
    silent.read_handshake().unwrap();
    let mut idle = host.client();
    silent.read_to_close();
    idle.read_to_close();
    assert!(start.elapsed() >= Duration::from_millis(400), "the time-out is 0.6 s");
    host.wait_for_clients(&[0]);
}

#[test]
fn s59_slow_query() {
    let host = impatient(None);
    let mut client = host.client();
    client.send_command(COM_QUERY, b"SELECT SLEEP(5)").unwrap();
    let packet = client.read_packet().unwrap();
    assert!(packet.is_err() && packet.id == 1, "{packet:?}");
    client.expect_closed();
    host.wait_for_clients(&[0]);
}

const CHAOS: &str = r#"
def note(word, proxy):
    print(word, proxy.connection.client.src.name, flush=True)

def connect_server(proxy):
    note("open", proxy)

def read_query(proxy, packet):
    if b"raise" in packet:
        raise RuntimeError("chaos")
    if b"park" in packet:
        note("park", proxy)
        proxy.connection.backend_ndx = -1
    if b"swap" in packet:
        proxy.connection.backend_ndx = 1
    if b"inject" in packet:
        proxy.queries.append(1, b"\x03SELECT 'injected'", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def disconnect_client(proxy):
    note("close", proxy)
"#;

/// What one chaotic client does; errors of a broken connection are part of it.
fn chaotic_client(host_address: std::net::SocketAddr, choice: u64) -> io::Result<()> {
    let mut client = RawClient::connect(host_address)?;
    if choice.is_multiple_of(8) {
        return Ok(());
    }
    client.read_handshake()?;
    if choice % 8 == 1 {
        client.abort();
        return Ok(());
    }
    drop(client);
    let mut client = RawClient::login(host_address, &MariaDb::user())?;
    let words = ["raise", "park", "swap", "inject", "plain"];
    for step in 0..choice % 4 {
        let word = words[usize::try_from((choice / 8 + step) % 5).expect("below 5")];
        client.query(&format!("SELECT '{word}'"))?;
    }
    match choice % 3 {
        0 => client.send_command(COM_QUIT, b"").map(|_| ()),
        1 => client.send_command(COM_QUERY, b"SELECT REPEAT('x', 1000000)").map(|_| ()),
        _ => {
            client.abort();
            Ok(())
        }
    }
}

/// A fixed sequence that looks random (Knuth's MMIX generator).
fn choices() -> impl Iterator<Item = u64> {
    let next = |value: &u64| {
        Some(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    std::iter::successors(Some(60), next).map(|value| value >> 33)
}

fn chaos(threads: u32, until_the_end: bool) {
    let second = Relay::start(db());
    let host = Host::builder()
        .backend(db())
        .backend(second.address())
        .event_threads(threads)
        .script(CHAOS)
        .with_counters()
        .start();
    drop(host.client());
    let base = host.idle_fds();
    let queue = Arc::new(Mutex::new(choices().take(200).collect::<Vec<_>>()));
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (queue, done, address) = (Arc::clone(&queue), Arc::clone(&done), host.address());
            thread::spawn(move || {
                while let Some(choice) = { queue.lock().unwrap().pop() } {
                    // Broken connections are what this test makes.
                    let _ = chaotic_client(address, choice);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    if until_the_end {
        for worker in workers {
            worker.join().unwrap();
        }
        host.wait_for_clients(&[0, 0]);
        // Parked connections may stay open in the pool: one per client that parked, at most.
        let parked = host.stdout().lines().filter(|line| line.starts_with("park")).count();
        host.wait_for_fds(base + parked);
        assert_closed_once(&host.stop().stdout);
    } else {
        while done.load(Ordering::SeqCst) < 100 {
            sleep(Duration::from_millis(5));
        }
        let ended = host.stop();
        queue.lock().unwrap().clear();
        for worker in workers {
            worker.join().unwrap();
        }
        assert_closed_once(&ended.stdout);
    }
}

/// Every connection that was opened was cleaned up exactly once. A port may be used several times.
fn assert_closed_once(stdout: &str) {
    let mut open = std::collections::HashMap::<&str, i32>::new();
    for line in stdout.lines() {
        match line.split_once(' ') {
            Some(("open", client)) => *open.entry(client).or_default() += 1,
            Some(("close", client)) => *open.entry(client).or_default() -= 1,
            Some(("park", _)) => {}
            _ => panic!("unexpected output: {line}"),
        }
    }
    let uneven: Vec<_> = open.iter().filter(|(_, count)| **count != 0).collect();
    assert!(open.len() > 50 && uneven.is_empty(), "{} clients, uneven: {uneven:?}", open.len());
}

#[test]
fn s60_chaos_with_one_event_thread() {
    chaos(1, true);
}

#[test]
fn s60_chaos_with_four_event_threads() {
    chaos(4, true);
}

#[test]
fn s60_sigterm_in_the_middle() {
    chaos(1, false);
}

#[test]
fn s60_sigterm_in_the_middle_with_four_event_threads() {
    chaos(4, false);
}

#[test]
fn s60_a_backend_that_dies_under_load() {
    let server = RawServer::start(|conn| {
        conn.accept_login(&testkit::Greeting::default())?;
        conn.read()?;
        Ok(())
    });
    let host = Host::builder().backend(server.address()).with_counters().start();
    for _ in 0..20 {
        assert_err_or_close(&mut host.client(), "SELECT 1");
    }
    host.wait_for_clients(&[0]);
}
