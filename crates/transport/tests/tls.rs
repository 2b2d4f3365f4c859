//! TLS: handshakes, data, ends.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::io::{ErrorKind, IoSlice, Read, Write};

use common::configs::{client, only, server};
use common::{
    handshakes, packet, pair, read_available, stream_and_peer, tls_pair, wired, would_block,
    write_all,
};
use transport::Handshake;
use transport::tls::{TlsClientOptions, TlsServerOptions, TlsVersion};

#[test]
fn both_sides_know_what_was_negotiated() {
    for (version, text) in [(TlsVersion::V1_2, "TLSv1.2"), (TlsVersion::V1_3, "TLSv1.3")] {
        let to = client(&TlsClientOptions { policy: only(version), ..TlsClientOptions::default() });
        let (mut one, mut other) = tls_pair(&to, &server(&TlsServerOptions::default()));
        for info in [one.tls().unwrap(), other.tls().unwrap()] {
            assert_eq!(info.version, text);
            assert!(info.cipher.contains("AES") || info.cipher.contains("CHACHA"), "{info:?}");
            assert!(!info.is_resumed);
        }
        let subject = one.tls().unwrap().peer_subject.as_deref();
        assert_eq!(subject, Some("/CN=pyproxy self-signed"));
        assert_eq!(other.tls().unwrap().peer_subject, None);
        write_all(&mut one, b"to the server");
        write_all(&mut other, b"to the client");
        assert_eq!(read_available(&mut one), b"to the client");
        assert_eq!(read_available(&mut other), b"to the server");
    }
}

#[test]
fn a_hello_that_came_with_the_request_is_not_lost() {
    let (mut one, mut other) = pair();
    write_all(&mut one, b"SSLRequest");
    one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).unwrap();
    assert_eq!(one.handshake().unwrap(), Handshake::WantsRead);
    // One read gets both.
    let mut bytes = [0; 10_000];
    let count = other.read(&mut bytes).unwrap();
    let (request, hello) = bytes[..count].split_at(10);
    assert_eq!(request, b"SSLRequest");
    assert!(!hello.is_empty());
    other.unread(hello);
    other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    assert!(other.has_buffered());
    let (first, second) = handshakes(&mut one, &mut other);
    first.unwrap();
    second.unwrap();
}

#[test]
fn data_may_come_with_the_end_of_the_handshake() {
    let (mut one, mut other) = pair();
    one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).unwrap();
    other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    assert_eq!(one.handshake().unwrap(), Handshake::WantsRead);
    assert_eq!(other.handshake().unwrap(), Handshake::WantsRead);
    assert_eq!(one.handshake().unwrap(), Handshake::Done);
    write_all(&mut one, b"login");
    assert_eq!(other.handshake().unwrap(), Handshake::Done);
    assert!(other.has_buffered(), "the descriptor has nothing more");
    assert!(!other.is_quiet());
    assert_eq!(read_available(&mut other), b"login");
    assert!(other.is_quiet());
}

#[test]
fn threads_share_configurations_and_hand_streams_on() {
    let (to, with) = (client(&TlsClientOptions::default()), server(&TlsServerOptions::default()));
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (to, with, sender) = (to.clone(), with.clone(), sender.clone());
            scope.spawn(move || {
                for _ in 0..25 {
                    let (mut one, other) = tls_pair(&to, &with);
                    write_all(&mut one, b"from one thread");
                    sender.send((one, other)).unwrap();
                }
            });
        }
        drop(sender);
        let mut count = 0;
        for (mut one, mut other) in receiver {
            assert!(one.is_quiet());
            write_all(&mut other, b"from another");
            assert_eq!(read_available(&mut other), b"from one thread");
            assert_eq!(read_available(&mut one), b"from another");
            count += 1;
        }
        assert_eq!(count, 100);
    });
}

#[test]
fn bytes_may_come_one_by_one() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let (mut one, wire, mut other) = wired();
        let to = client(&TlsClientOptions { policy: only(version), ..TlsClientOptions::default() });
        one.start_tls_client(&to, "backend", None).unwrap();
        other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
        wire.handshakes(&mut one, &mut other, 1);
        write_all(&mut one, b"a query");
        let mut read = Vec::new();
        while read.len() < 7 {
            wire.pass(1);
            read.extend(read_available(&mut other));
        }
        assert_eq!(read, b"a query");
    }
}

#[test]
fn a_full_socket_is_waited_for_in_the_handshake() {
    let (mut one, mut peer) = stream_and_peer();
    // The socket is filled before TLS starts.
    while one.write(&[IoSlice::new(&[0; 10_000])]).is_ok() {}
    one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).unwrap();
    assert_eq!(one.handshake().unwrap(), Handshake::WantsWrite);
    assert!(one.wants_to_write());
    let mut bytes = [0; 10_000];
    while one.handshake().unwrap() == Handshake::WantsWrite {
        let _ = peer.read(&mut bytes).unwrap();
    }
    assert!(!one.wants_to_write());
}

#[test]
fn a_reader_that_stops_stops_the_writer() {
    let to = client(&TlsClientOptions::default());
    let (mut one, mut other) = tls_pair(&to, &server(&TlsServerOptions::default()));
    let bytes = common::noise(100_000);
    let mut written = 0;
    while let Ok(count) = one.write(&[IoSlice::new(&bytes[written % 1000..])]) {
        written += count;
        assert!(written < 10_000_000, "it is not bounded");
    }
    assert!(one.wants_to_write());
    let mut read = 0;
    loop {
        read += read_available(&mut other).len();
        if one.flush().is_ok() {
            break;
        }
    }
    read += read_available(&mut other).len();
    assert_eq!(read, written);
}

#[test]
fn a_read_took_all_if_neither_the_socket_nor_openssl_has_more() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let to = client(&TlsClientOptions { policy: only(version), ..TlsClientOptions::default() });
        let (mut one, wire, mut other) = wired();
        one.start_tls_client(&to, "backend", None).unwrap();
        other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
        wire.handshakes(&mut one, &mut other, 10_000);
        let mut read = [0; 10];
        write_all(&mut one, b"a query");
        let [record, _] = wire.pass_each(10_000);
        assert_eq!(other.read(&mut read).unwrap(), 7);
        assert!(other.has_read_all());

        // OpenSSL has the rest.
        write_all(&mut one, b"a longer query");
        wire.pass(10_000);
        assert_eq!(other.read(&mut read).unwrap(), 10);
        assert!(!other.has_read_all());
        // It may be that another came meanwhile: this read did not ask the socket.
        assert_eq!(other.read(&mut read).unwrap(), 4);
        assert!(!other.has_read_all());

        // With a whole record comes the beginning of another, which is of no use yet.
        write_all(&mut one, b"a query");
        write_all(&mut one, b"another");
        wire.pass(record + 6);
        assert_eq!(other.read(&mut read).unwrap(), 7);
        assert!(other.has_read_all());
        wire.pass(10_000);
        assert_eq!(other.read(&mut read).unwrap(), 7);
        assert_eq!(&read[..7], b"another");
        assert!(other.has_read_all());

        // What a look found is not asked of the socket.
        write_all(&mut one, b"a query");
        wire.pass(10_000);
        assert!(!other.is_quiet());
        assert_eq!(other.read(&mut read).unwrap(), 7);
    }
}

#[test]
fn a_session_ticket_is_no_data_and_hides_none() {
    let (mut one, wire, mut other) = wired();
    let version = only(TlsVersion::V1_3);
    let to = client(&TlsClientOptions { policy: version, ..TlsClientOptions::default() });
    one.start_tls_client(&to, "backend", None).unwrap();
    other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    // The ticket goes out at the end of the server's handshake, and lies on the wire.
    wire.handshakes(&mut one, &mut other, 10_000);
    write_all(&mut other, b"a greeting");
    assert!(wire.pass(10_000) > 100, "no ticket was sent");
    let mut read = [0; 100];
    assert_eq!(one.read(&mut read).unwrap(), 10);
    assert!(one.has_read_all());
}

#[test]
fn an_end_behind_data_is_still_to_be_read() {
    let (to, with) = (client(&TlsClientOptions::default()), server(&TlsServerOptions::default()));
    let (mut one, mut other) = tls_pair(&to, &with);
    write_all(&mut one, b"bye");
    one.shutdown();
    let mut read = [0; 10];
    assert_eq!(other.read(&mut read).unwrap(), 3);
    assert!(!other.has_read_all(), "nothing more will come that would tell of it");
    assert_eq!(other.read(&mut read).unwrap(), 0);
    assert!(!other.has_read_all());
}

#[test]
fn a_damaged_record_behind_data_is_still_to_be_read() {
    let (mut one, wire, mut other) = wired();
    one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).unwrap();
    other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    wire.handshakes(&mut one, &mut other, 1000);
    write_all(&mut one, b"a query");
    let [record, _] = wire.pass_each(10_000);
    write_all(&mut one, b"another");
    wire.pass(record - 1);
    wire.damage_right();
    assert_eq!(other.read(&mut [0; 10]).unwrap(), 7);
    assert!(!other.has_read_all(), "nothing more has to come to tell of it");
    assert_eq!(other.read(&mut [0; 10]).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn ends_with_and_without_a_notice_are_the_same() {
    let (to, with) = (client(&TlsClientOptions::default()), server(&TlsServerOptions::default()));
    for has_notice in [true, false] {
        let (mut one, mut other) = tls_pair(&to, &with);
        // A socket that is closed with something unread is reset.
        assert!(one.is_quiet());
        write_all(&mut one, b"bye");
        if has_notice {
            one.shutdown();
        } else {
            drop(one);
        }
        assert!(!other.is_quiet());
        let mut read = [0; 10];
        assert_eq!(other.read(&mut read).unwrap(), 3);
        assert_eq!(other.read(&mut read).unwrap(), 0);
        assert_eq!(other.read(&mut read).unwrap(), 0);
    }
}

#[test]
fn what_is_no_tls_is_told_in_one_line() {
    let (mut stream, mut peer) = stream_and_peer();
    stream.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    peer.write_all(&packet(2, b"a login without TLS")).unwrap();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert_eq!(error.to_string(), "TLS: wrong version number");
}

#[test]
fn a_peer_that_closes_in_the_handshake_is_told_as_that() {
    let (mut stream, mut peer) = stream_and_peer();
    stream.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).unwrap();
    assert_eq!(stream.handshake().unwrap(), Handshake::WantsRead);
    assert!(peer.read(&mut [0; 10_000]).unwrap() > 100);
    drop(peer);
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
}

#[test]
fn a_damaged_record_is_an_error() {
    let to = client(&TlsClientOptions::default());
    let (mut one, wire, mut other) = wired();
    one.start_tls_client(&to, "backend", None).unwrap();
    other.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    wire.handshakes(&mut one, &mut other, 1000);
    write_all(&mut one, b"a query");
    wire.pass(8);
    assert!(would_block(other.read(&mut [0; 10])));
    wire.damage_right();
    wire.pass(1000);
    let error = other.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("bad record mac"), "{error}");
}

#[test]
fn tls_starts_once() {
    let (mut one, _other) =
        tls_pair(&client(&TlsClientOptions::default()), &server(&TlsServerOptions::default()));
    assert!(one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).is_err());
}

#[test]
fn a_failed_handshake_does_not_wait_until_the_peer_was_told() {
    let (mut stream, mut peer) = stream_and_peer();
    while stream.write(&[IoSlice::new(&[0; 10_000])]).is_ok() {}
    stream.start_tls_server(&server(&TlsServerOptions::default())).unwrap();
    peer.write_all(&packet(2, b"a login without TLS")).unwrap();
    assert_eq!(stream.handshake().unwrap_err().kind(), ErrorKind::InvalidData);
}
