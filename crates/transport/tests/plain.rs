//! A stream without layers.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::io::{ErrorKind, IoSlice, Read, Write};

use common::{pair, stream_and_peer, would_block};

#[test]
fn parts_are_written_in_order() {
    let (mut stream, mut peer) = stream_and_peer();
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    assert_eq!(stream.write(&parts).unwrap(), 5);
    let mut read = [0; 10];
    assert_eq!(peer.read(&mut read).unwrap(), 5);
    assert_eq!(&read[..5], b"abcde");
}

#[test]
fn many_parts_are_written_as_far_as_one_call_takes_them() {
    let (mut stream, _peer) = stream_and_peer();
    let parts = vec![IoSlice::new(b"x"); 3000];
    assert_eq!(stream.write(&parts).unwrap(), 1024);
}

#[test]
fn a_full_socket_refuses() {
    let (mut stream, _peer) = stream_and_peer();
    let bytes = [0; 100_000];
    let error = loop {
        if let Err(error) = stream.write(&[IoSlice::new(&bytes)]) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(!stream.wants_to_write(), "no layer has any of it");
}

#[test]
fn writing_to_a_closed_peer_is_an_error_and_no_signal() {
    let (mut stream, peer) = stream_and_peer();
    drop(peer);
    let error = stream.write(&[IoSlice::new(b"a"), IoSlice::new(b"b")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn what_was_handed_back_comes_first() {
    let (mut stream, mut peer) = stream_and_peer();
    peer.write_all(b"efg").unwrap();
    stream.unread(b"cd");
    stream.unread(b"ab");
    assert!(stream.has_buffered());
    assert!(!stream.is_quiet());
    let mut read = [0; 10];
    assert_eq!(stream.read(&mut read[..3]).unwrap(), 3);
    assert_eq!(stream.read(&mut read[3..]).unwrap(), 1);
    assert_eq!(stream.read(&mut read[4..]).unwrap(), 3);
    assert_eq!(&read[..7], b"abcdefg");
    assert!(would_block(stream.read(&mut read)));
}

#[test]
fn a_read_that_leaves_room_took_all() {
    let (mut stream, mut peer) = stream_and_peer();
    let mut read = [0; 4];
    peer.write_all(b"abc").unwrap();
    assert_eq!(stream.read(&mut read).unwrap(), 3);
    assert!(stream.has_read_all());
    peer.write_all(b"defg").unwrap();
    assert_eq!(stream.read(&mut read).unwrap(), 4);
    assert!(!stream.has_read_all(), "there may be more");
    // What is handed back says nothing about the socket.
    peer.write_all(b"ij").unwrap();
    stream.unread(b"h");
    assert_eq!(stream.read(&mut read).unwrap(), 1);
    assert!(!stream.has_read_all());
    assert_eq!(stream.read(&mut read).unwrap(), 2);
    assert!(stream.has_read_all());
    drop(peer);
    assert_eq!(stream.read(&mut read).unwrap(), 0);
    assert!(!stream.has_read_all(), "the end stays");
}

#[test]
fn an_idle_stream_is_quiet_until_something_comes() {
    let (mut stream, mut peer) = stream_and_peer();
    assert!(stream.is_quiet());
    peer.write_all(b"x").unwrap();
    assert!(!stream.is_quiet());
    stream.read(&mut [0]).unwrap();
    assert!(stream.is_quiet());
    drop(peer);
    assert!(!stream.is_quiet());
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_stream_can_move_to_another_thread() {
    let (mut one, mut other) = pair();
    std::thread::spawn(move || common::write_all(&mut one, b"moved")).join().unwrap();
    assert_eq!(common::read_available(&mut other), b"moved");
}
