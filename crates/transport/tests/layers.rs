//! All layers together: whatever the layers and wherever bytes are cut, what is written is what is read.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::io::{ErrorKind, IoSlice};
use std::sync::LazyLock;

use common::{noise, packet, wired};
use proptest::prelude::*;
use transport::tls::{Policy, TlsClientOptions, TlsServerOptions, TlsVersion};
use transport::{Compression, Stream, TlsClient, TlsServer};

static SERVER: LazyLock<TlsServer> =
    LazyLock::new(|| TlsServer::new(&TlsServerOptions::default()).unwrap());

fn client(version: TlsVersion) -> TlsClient {
    let policy = Policy { max_version: Some(version), ..Policy::default() };
    TlsClient::new(&TlsClientOptions { policy, ..TlsClientOptions::default() }).unwrap()
}

static CLIENTS: LazyLock<[TlsClient; 2]> =
    LazyLock::new(|| [client(TlsVersion::V1_2), client(TlsVersion::V1_3)]);

/// More than any case needs: what is not read by then never is.
const MAX_ROUNDS: usize = 20_000;

/// One direction: what is to be written, how far that is, and what came out.
struct Direction {
    bytes: Vec<u8>,
    written: usize,
    read: Vec<u8>,
    /// Something came since the reader took all: as a poll tells it that tells of each arrival once.
    is_readable: bool,
}

impl Direction {
    fn new(sizes: &[usize]) -> Self {
        let make = |(index, size): (usize, &usize)| {
            let payload =
                if index % 2 == 0 { noise(*size) } else { b"text ".repeat(*size / 5 + 1) };
            packet(0, &payload)
        };
        let bytes = sizes.iter().enumerate().flat_map(make).collect();
        Self { bytes, written: 0, read: Vec::new(), is_readable: true }
    }

    fn step(&mut self, from: &mut Stream, to: &mut Stream, cut: usize) {
        let rest = &self.bytes[self.written..];
        let (one, other) = rest.split_at(rest.len().min(cut));
        let other = &other[..other.len().min(cut * 3)];
        match from.write(&[IoSlice::new(one), IoSlice::new(other)]) {
            Ok(count) => self.written += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        if let Err(error) = from.flush() {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            assert!(from.wants_to_write());
        }
        if !self.is_readable {
            return;
        }
        let mut buffer = vec![0; cut];
        match to.read(&mut buffer) {
            Ok(count) => {
                self.read.extend(&buffer[..count]);
                self.is_readable = !to.has_read_all();
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert!(!to.has_buffered());
                self.is_readable = false;
            }
        }
    }

    fn is_done(&self) -> bool {
        self.read.len() == self.bytes.len()
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![8 => 0..200usize, 4 => 10_000..20_000usize, 1 => 60_000..140_000usize];
    proptest::collection::vec(size, 0..12)
}

fn compression() -> impl Strategy<Value = Option<Compression>> {
    prop_oneof![
        Just(None),
        Just(Some(Compression::Zlib)),
        (1..10u8).prop_map(|level| Some(Compression::Zstd { level })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn bytes_pass_all_layers_unchanged(
        tls in proptest::option::of(0..2usize),
        compression in compression(),
        to_server in sizes(),
        to_client in sizes(),
        cuts in proptest::collection::vec(prop_oneof![1..10usize, 1000..100_000usize], 1..20),
    ) {
        let (mut client, wire, mut server) = wired();
        let mut cuts = cuts.iter().copied().cycle();
        let mut cut = || cuts.next().unwrap();
        if let Some(version) = tls {
            client.start_tls_client(&CLIENTS[version], "backend", None).unwrap();
            server.start_tls_server(&SERVER).unwrap();
            wire.handshakes(&mut client, &mut server, cut());
        }
        if let Some(algorithm) = compression {
            client.start_compression(algorithm);
            server.start_compression(algorithm);
        }
        let mut there = Direction::new(&to_server);
        let mut back = Direction::new(&to_client);
        // Small steps for a while, so that all cuts happen, and then large ones.
        for round in 0.. {
            let cut = if round < 300 { cut() } else { 50_000 };
            there.step(&mut client, &mut server, cut);
            back.step(&mut server, &mut client, cut);
            let [to_server, to_client] = wire.pass_each(cut);
            there.is_readable |= to_server > 0;
            back.is_readable |= to_client > 0;
            if there.is_done() && back.is_done() {
                break;
            }
            prop_assert!(round < MAX_ROUNDS, "the reader was told to stop before it had all");
        }
        prop_assert!(there.read == there.bytes);
        prop_assert!(back.read == back.bytes);
        prop_assert!(server.is_quiet());
        // A ticket may still lie on the wire.
        while wire.pass(1000) > 0 {}
        prop_assert!(client.is_quiet());
    }
}
