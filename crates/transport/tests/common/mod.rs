//! Two streams, a wire between them that passes as many bytes as a test wants, and certificates.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod configs;

use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use transport::{Handshake, Stream, TlsClient, TlsServer};

/// Two connected streams.
pub fn pair() -> (Stream, Stream) {
    let (one, other) = UnixStream::pair().unwrap();
    (Stream::new(OwnedFd::from(one)), Stream::new(OwnedFd::from(other)))
}

/// A stream, and the raw other end.
pub fn stream_and_peer() -> (Stream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    other.set_nonblocking(true).unwrap();
    (Stream::new(OwnedFd::from(one)), other)
}

/// What lies between two streams, and passes bytes only when asked.
pub struct Wire {
    left: UnixStream,
    right: UnixStream,
    /// What has left one end and does not fit into the other yet: to the right, and to the left.
    held: [RefCell<Vec<u8>>; 2],
}

/// Two streams with a [`Wire`] between them.
pub fn wired() -> (Stream, Wire, Stream) {
    let (one, left) = stream_and_peer();
    let (other, right) = stream_and_peer();
    (one, Wire { left, right, held: Default::default() }, other)
}

impl Wire {
    /// Passes up to `most` bytes in each direction, and tells how many there were.
    pub fn pass(&self, most: usize) -> usize {
        let [to_right, to_left] = self.pass_each(most);
        to_right + to_left
    }

    /// As [`pass`](Self::pass), and tells the number for each direction: to the right, and to the left.
    pub fn pass_each(&self, most: usize) -> [usize; 2] {
        let [to_right, to_left] = &self.held;
        [
            pass(&self.left, &self.right, to_right, most),
            pass(&self.right, &self.left, to_left, most),
        ]
    }
}

impl Wire {
    /// Does both handshakes, `most` bytes at a time.
    pub fn handshakes(&self, one: &mut Stream, other: &mut Stream, most: usize) {
        loop {
            let states = [one.handshake().unwrap(), other.handshake().unwrap()];
            if states == [Handshake::Done; 2] {
                return;
            }
            self.pass(most);
        }
    }

    /// Puts a wrong byte into what the right stream reads next.
    pub fn damage_right(&self) {
        let mut byte = [0];
        (&self.left).read_exact(&mut byte).unwrap();
        (&self.right).write_all(&[!byte[0]]).unwrap();
    }
}

fn pass(mut from: &UnixStream, mut to: &UnixStream, held: &RefCell<Vec<u8>>, most: usize) -> usize {
    let done = |result: io::Result<usize>| {
        result.unwrap_or_else(|error| {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            0
        })
    };
    let mut held = held.borrow_mut();
    if held.is_empty() {
        held.resize(most, 0);
        let count = done(from.read(&mut held));
        held.truncate(count);
    }
    let count = done(to.write(&held));
    held.drain(..count);
    count
}

/// Starts TLS on both, and does the handshakes.
pub fn start_tls(
    (client, to): (&mut Stream, &TlsClient),
    (server, with): (&mut Stream, &TlsServer),
    name: Option<&str>,
) -> (io::Result<()>, io::Result<()>) {
    client.start_tls_client(to, "backend", name).unwrap();
    server.start_tls_server(with).unwrap();
    handshakes(client, server)
}

/// Goes on with both handshakes until each is done or has failed.
pub fn handshakes(one: &mut Stream, other: &mut Stream) -> (io::Result<()>, io::Result<()>) {
    let mut results = (None, None);
    while results.0.is_none() || results.1.is_none() {
        step(one, &mut results.0);
        step(other, &mut results.1);
    }
    (results.0.unwrap(), results.1.unwrap())
}

fn step(stream: &mut Stream, result: &mut Option<io::Result<()>>) {
    if result.is_none() {
        *result = match stream.handshake() {
            Ok(Handshake::Done) => Some(Ok(())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        };
    }
}

/// Two streams with TLS.
pub fn tls_pair(client: &TlsClient, server: &TlsServer) -> (Stream, Stream) {
    let (mut one, mut other) = pair();
    let (first, second) = start_tls((&mut one, client), (&mut other, server), None);
    first.unwrap();
    second.unwrap();
    (one, other)
}

/// Writes all, without anything being read.
pub fn write_all(stream: &mut Stream, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[stream.write(&[IoSlice::new(rest)]).unwrap()..];
    }
    stream.flush().unwrap();
}

/// Reads what there is.
pub fn read_available(stream: &mut Stream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return all,
            Ok(count) => all.extend(&buffer[..count]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                assert!(!stream.has_buffered(), "it would be asked again, and again");
                return all;
            }
        }
    }
}

/// Whether the stream has nothing to read now.
pub fn would_block(result: io::Result<usize>) -> bool {
    result.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A packet: header and payload.
pub fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len().to_le_bytes();
    let mut bytes = vec![length[0], length[1], length[2], sequence];
    bytes.extend(payload);
    bytes
}

/// Bytes that cannot be compressed, the same each time.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}
