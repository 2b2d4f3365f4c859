//! Traffic of scripted clients through the host, with one and with four event threads.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use common::{Host, is_bundled, query, read_packet, scripted_server, write_packet};

fn parallel_clients(event_threads: &str) {
    let backend = scripted_server(300);
    let mut host = Host::start(Some(backend), &[&format!("--event-threads={event_threads}")]);
    thread::scope(|scope| {
        for number in 0..16 {
            let host = &host;
            scope.spawn(move || {
                let mut client = host.login();
                for round in 0..20 {
                    let text = format!("select {number} {round} {}", "x".repeat(500));
                    let rows = query(&mut client, &text);
                    assert_eq!(rows.len(), 300);
                    assert!(rows.iter().all(|row| row == text.as_bytes()));
                }
                write_packet(&mut client, 0, b"\x01");
                assert_eq!(read_packet(&mut client), None, "closed after COM_QUIT");
            });
        }
    });
    assert_eq!(host.stop().code(), Some(0), "{}", host.log());
    let trace = host.trace_names();
    assert_eq!(trace.iter().filter(|name| *name == "init").count(), 16);
    assert_eq!(trace.iter().filter(|name| *name == "cleanup").count(), 16);
}

#[test]
fn parallel_clients_with_one_event_thread() {
    parallel_clients("1");
}

#[test]
fn parallel_clients_with_four_event_threads() {
    parallel_clients("4");
}

#[test]
fn a_command_of_many_megabytes_and_its_answer() {
    let backend = scripted_server(1);
    let host = Host::start(Some(backend), &[]);
    let mut client = host.login();
    let text = "y".repeat(12_000_000);
    assert_eq!(query(&mut client, &text), [text.as_bytes()]);
}

#[test]
fn stopping_in_the_middle_of_traffic_is_clean() {
    let backend = scripted_server(2000);
    let mut host = Host::start(Some(backend), &["--event-threads=4"]);
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let mut client = host.login();
            write_packet(&mut client, 0, b"\x03select");
            client
        })
        .collect();
    assert_eq!(host.stop().code(), Some(0), "{}", host.log());
    drop(clients);
    let trace = host.trace_names();
    assert_eq!(trace.iter().filter(|name| *name == "cleanup").count(), 20);
}

#[test]
fn a_client_that_leaves_is_cleaned_up() {
    let backend = scripted_server(1);
    let host = Host::start(Some(backend), &[]);
    drop(host.login());
    host.wait_for_trace("cleanup");
}

#[test]
fn a_wrong_packet_number_in_a_command_closes_the_connection() {
    let backend = scripted_server(1);
    let host = Host::start(Some(backend), &[]);
    let mut client = host.login();
    assert_eq!(query(&mut client, "select 1").len(), 1);
    // The first packet of a command may carry any number; the second of a long one may not.
    write_packet(&mut client, 7, &vec![3; 0xff_ffff]);
    write_packet(&mut client, 9, b"rest");
    if is_bundled() {
        assert_eq!(read_packet(&mut client), None);
        host.wait_for_trace("cleanup");
        assert!(host.log().contains("received packet-id 9, but expected 8"), "{}", host.log());
    }
}

#[test]
fn a_refused_backend_closes_the_connection() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host = Host::start(Some(gone), &[]);
    let mut client = host.connect();
    assert_eq!(read_packet(&mut client), None);
    host.wait_for_trace("cleanup");
}

#[test]
fn a_connect_that_hangs_times_out_after_two_seconds() {
    // A listener whose backlog is full does not answer.
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: a plain system call on an open descriptor.
    unsafe { libc::listen(std::os::fd::AsRawFd::as_raw_fd(&full), 0) };
    let address = full.local_addr().unwrap();
    let mut fillers = Vec::new();
    while let Ok(filler) =
        std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200))
    {
        fillers.push(filler);
    }
    let host = Host::start(Some(address), &[]);
    let start = Instant::now();
    let mut client = host.connect();
    assert_eq!(read_packet(&mut client), None);
    let waited = start.elapsed();
    assert!((1.8..4.0).contains(&waited.as_secs_f64()), "{waited:?}");
}
