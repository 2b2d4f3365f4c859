//! Random clients and a script that does everything, until the end and with a SIGTERM in the middle: each connection
//! is cleaned up once, counters and descriptors are exact.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use testkit::client::{COM_QUERY, COM_QUIT};
use testkit::wait::PATIENCE;
use testkit::{Host, MariaDb, RawClient, Relay, eventually};

use crate::support::*;

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
        .option("pyproxy-drain-timeout", if until_the_end { "0" } else { "" })
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
        let under_way = eventually(PATIENCE, || done.load(Ordering::SeqCst) >= 100);
        assert!(under_way, "{done:?} clients came to their end");
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
fn chaos_with_one_event_thread() {
    chaos(1, true);
}

#[test]
fn chaos_with_four_event_threads() {
    chaos(4, true);
}

#[test]
fn sigterm_in_the_middle() {
    chaos(1, false);
}

#[test]
fn sigterm_in_the_middle_with_four_event_threads() {
    chaos(4, false);
}
