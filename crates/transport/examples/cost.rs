//! What streams cost: processor time per MB through each layer, and memory per idle connection.
//!
//! `cargo run --release -p transport --example cost`

use std::io::{ErrorKind, IoSlice};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use transport::tls::{TlsClientOptions, TlsServerOptions};
use transport::{Compression, Handshake, Stream, TlsClient, TlsServer};

const IDLE: usize = 1000;

fn pair() -> (Stream, Stream) {
    let (one, other) = UnixStream::pair().expect("a socket pair");
    (Stream::new(OwnedFd::from(one)), Stream::new(OwnedFd::from(other)))
}

fn start_tls(one: &mut Stream, other: &mut Stream, client: &TlsClient, server: &TlsServer) {
    one.start_tls_client(client, "backend", None).expect("a session");
    other.start_tls_server(server).expect("a session");
    loop {
        let states = [one.handshake(), other.handshake()].map(|state| state.expect("a handshake"));
        if states == [Handshake::Done; 2] {
            break;
        }
    }
    // Reads the ticket.
    assert!(one.is_quiet());
}

/// Packets of a result: short rows of numbers and words.
fn rows() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..20_000u32 {
        let row = format!(
            "\x06{:06}\x0bsome words \x08{:08x}\x04name",
            number,
            number.wrapping_mul(0x9e37_79b9)
        );
        bytes.extend([u8::try_from(row.len()).expect("a short row"), 0, 0, 1]);
        bytes.extend(row.bytes());
    }
    bytes
}

/// Milliseconds per MB, both ends together: one thread does both, and the sockets are in between.
fn transfer(one: &mut Stream, other: &mut Stream, bytes: &[u8], rounds: usize) -> f64 {
    let mut buffer = vec![0; 64 * 1024];
    let start = processor_seconds();
    for _ in 0..rounds {
        let (mut written, mut read) = (0, 0);
        while read < bytes.len() {
            if written < bytes.len() {
                let end = bytes.len().min(written + 64 * 1024);
                if let Ok(count) = one.write(&[IoSlice::new(&bytes[written..end])]) {
                    written += count;
                }
            }
            if written == bytes.len() {
                let _ = one.flush();
            }
            loop {
                match other.read(&mut buffer) {
                    Ok(count) => read += count,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        break;
                    }
                }
            }
        }
    }
    (processor_seconds() - start) * 1e9 / (rounds * bytes.len()) as f64
}

/// Microseconds per question and answer of 100 bytes each, both ends together.
fn ping(one: &mut Stream, other: &mut Stream) -> f64 {
    let mut packet = vec![96, 0, 0, 0];
    packet.extend([b'x'; 96]);
    let rounds = 50_000;
    let start = processor_seconds();
    let mut buffer = [0; 1000];
    for _ in 0..rounds {
        one.write(&[IoSlice::new(&packet)]).expect("room");
        one.flush().expect("room");
        assert_eq!(other.read(&mut buffer).expect("a question"), 100);
        other.write(&[IoSlice::new(&packet)]).expect("room");
        other.flush().expect("room");
        assert_eq!(one.read(&mut buffer).expect("an answer"), 100);
    }
    (processor_seconds() - start) * 1e6 / f64::from(rounds)
}

/// Processor time of this thread. The machine may do other things, too.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("procfs");
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).expect("a number") / 1e9
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("procfs");
    text.split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .map_or(0, |pages: usize| pages * 4096)
}

fn main() {
    let client = TlsClient::new(&TlsClientOptions::default()).expect("a configuration");
    let server = TlsServer::new(&TlsServerOptions::default()).expect("a configuration");
    let bytes = rows();
    for (name, has_tls, compression) in [
        ("plain", false, None),
        ("TLS", true, None),
        ("zlib", false, Some(Compression::Zlib)),
        ("zstd 3", false, Some(Compression::Zstd { level: 3 })),
        ("TLS, zlib", true, Some(Compression::Zlib)),
    ] {
        let (mut one, mut other) = pair();
        if has_tls {
            start_tls(&mut one, &mut other, &client, &server);
        }
        if let Some(algorithm) = compression {
            one.start_compression(algorithm);
            other.start_compression(algorithm);
        }
        let rounds = if compression.is_some() { 30 } else { 300 };
        let small = ping(&mut one, &mut other);
        let cost = transfer(&mut one, &mut other, &bytes, rounds);
        println!("{name:10} {cost:7.3} ms/MB  {small:6.2} us per question and answer");
    }
    for fresh in [true, false] {
        let count = 1000;
        let start = processor_seconds();
        let mut kept = Vec::new();
        for number in 0..count {
            let (mut one, mut other) = pair();
            let backend = if fresh { format!("{number}") } else { "0".into() };
            one.start_tls_client(&client, &backend, None).expect("a session");
            other.start_tls_server(&server).expect("a session");
            while [one.handshake(), other.handshake()].map(Result::unwrap) != [Handshake::Done; 2] {
            }
            assert!(one.is_quiet());
            kept.push((one, other));
            if kept.len() == 10 {
                kept.clear();
            }
        }
        let micros = (processor_seconds() - start) * 1e6 / f64::from(count);
        println!("handshake, both ends, {}: {micros:.0} us", if fresh { "new" } else { "resumed" });
    }
    let mut kept = Vec::new();
    for (name, has_tls, compression) in
        [("plain", false, false), ("TLS", true, false), ("TLS, zlib", true, true)]
    {
        let before = resident();
        for _ in 0..IDLE {
            let (mut one, mut other) = pair();
            if has_tls {
                start_tls(&mut one, &mut other, &client, &server);
            }
            if compression {
                one.start_compression(Compression::Zlib);
                other.start_compression(Compression::Zlib);
            }
            ping_once(&mut one, &mut other);
            kept.push((one, other));
        }
        let per_pair = (resident() - before) / IDLE;
        println!("idle {name}: {per_pair} bytes for a client's end and a server's end together");
    }
}

fn ping_once(one: &mut Stream, other: &mut Stream) {
    let mut packet = vec![0, 16, 0, 0];
    packet.extend([b'x'; 4096]);
    let mut buffer = [0; 10_000];
    one.write(&[IoSlice::new(&packet)]).expect("room");
    one.flush().expect("room");
    assert_eq!(other.read(&mut buffer).expect("bytes"), 4100);
    other.write(&[IoSlice::new(&packet)]).expect("room");
    other.flush().expect("room");
    assert_eq!(one.read(&mut buffer).expect("bytes"), 4100);
}
