//! TLS: handshakes, certificates, sessions that go on, ends.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use std::io::{ErrorKind, IoSlice, Read, Write};

use common::certificates::{Issued, Wanted};
use common::{
    handshakes, packet, pair, read_available, start_tls, stream_and_peer, tls_pair, wired,
    would_block, write_all,
};
use transport::tls::{
    ClientCertificates, Policy, TlsClientOptions, TlsServerOptions, TlsVersion, Verification,
};
use transport::{Handshake, TlsClient, TlsServer};

fn server(options: &TlsServerOptions) -> TlsServer {
    TlsServer::new(options).unwrap()
}

fn client(options: &TlsClientOptions) -> TlsClient {
    TlsClient::new(options).unwrap()
}

fn with_certificate(issued: &Issued) -> TlsServerOptions {
    TlsServerOptions {
        certificate: Some(issued.certificate()),
        key: Some(issued.key()),
        ..TlsServerOptions::default()
    }
}

fn verifying(ca: &Issued, verification: Verification) -> TlsClientOptions {
    TlsClientOptions { verification, ca: Some(ca.certificate()), ..TlsClientOptions::default() }
}

fn only(version: TlsVersion) -> Policy {
    Policy { min_version: Some(version), max_version: Some(version), ..Policy::default() }
}

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
fn sessions_go_on_with_the_same_backend_only() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let ca = Issued::ca("CA");
        let to = client(&TlsClientOptions {
            policy: only(version),
            ..verifying(&ca, Verification::CaAndName)
        });
        let with = server(&with_certificate(&ca.issue("server", Some("db.example"))));
        let connect = |backend: &str| {
            let (mut one, mut other) = pair();
            one.start_tls_client(&to, backend, Some("db.example")).unwrap();
            other.start_tls_server(&with).unwrap();
            let (first, second) = handshakes(&mut one, &mut other);
            first.unwrap();
            second.unwrap();
            // With TLS 1.3 the ticket comes behind the handshake. It is no data.
            assert!(one.is_quiet());
            let info = one.tls().unwrap().clone();
            assert_eq!(info.is_resumed, other.tls().unwrap().is_resumed);
            assert_eq!(info.peer_subject.as_deref(), Some("/C=SE/CN=server"));
            info.is_resumed
        };
        assert!(!connect("a"));
        assert!(connect("a"));
        assert!(connect("a"));
        assert!(!connect("b"));
        assert!(connect("b"));
    }
}

#[test]
fn a_resumed_client_is_still_known_by_its_certificate() {
    let ca = Issued::ca("CA");
    let mine = ca.issue("somebody", None);
    let to = client(&TlsClientOptions {
        certificate: Some(mine.certificate()),
        key: Some(mine.key()),
        ..TlsClientOptions::default()
    });
    let with = server(&TlsServerOptions {
        ca: Some(ca.certificate()),
        client_certificates: ClientCertificates::Required,
        ..TlsServerOptions::default()
    });
    for is_resumed in [false, true] {
        let (mut one, other) = tls_pair(&to, &with);
        assert!(one.is_quiet());
        let info = other.tls().unwrap();
        assert_eq!(info.peer_subject.as_deref(), Some("/C=SE/CN=somebody"));
        assert_eq!(info.is_resumed, is_resumed);
    }
}

#[test]
fn client_certificates_are_verified() {
    let (ca, other_ca) = (Issued::ca("CA"), Issued::ca("another CA"));
    let asking = |client_certificates| {
        server(&TlsServerOptions {
            ca: Some(ca.certificate()),
            client_certificates,
            ..TlsServerOptions::default()
        })
    };
    let having = |issued: Option<&Issued>| {
        client(&TlsClientOptions {
            certificate: issued.map(Issued::certificate),
            key: issued.map(Issued::key),
            ..TlsClientOptions::default()
        })
    };
    let (good, bad) = (ca.issue("good", None), other_ca.issue("bad", None));
    let cases = [
        (ClientCertificates::Optional, None, None),
        (ClientCertificates::Optional, Some(&good), None),
        (
            ClientCertificates::Optional,
            Some(&bad),
            Some("certificate verify failed: unable to get"),
        ),
        (ClientCertificates::Required, None, Some("peer did not return a certificate")),
        (ClientCertificates::Required, Some(&good), None),
        (
            ClientCertificates::Required,
            Some(&bad),
            Some("certificate verify failed: unable to get"),
        ),
    ];
    for (asked, has, expected) in cases {
        let (mut one, mut other) = pair();
        let (_, result) = start_tls((&mut one, &having(has)), (&mut other, &asking(asked)), None);
        match expected {
            None => result.unwrap(),
            Some(text) => {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(text), "{error}");
            }
        }
    }
}

#[test]
fn servers_are_verified_as_configured() {
    let (ca, other_ca) = (Issued::ca("CA"), Issued::ca("another CA"));
    let by_name = server(&with_certificate(&ca.issue("server", Some("db.example"))));
    let by_address = server(&with_certificate(&ca.issue("server", Some("192.0.2.7"))));
    let self_made = server(&TlsServerOptions::default());
    let cases = [
        (&ca, Verification::None, &self_made, None, ""),
        (&ca, Verification::Ca, &by_name, None, ""),
        (&ca, Verification::Ca, &by_name, Some("wrong.example"), ""),
        (&ca, Verification::CaAndName, &by_name, Some("db.example"), ""),
        (&ca, Verification::CaAndName, &by_address, Some("192.0.2.7"), ""),
        (&ca, Verification::CaAndName, &by_name, Some("wrong.example"), "hostname mismatch"),
        (&ca, Verification::CaAndName, &by_address, Some("192.0.2.8"), "IP address mismatch"),
        (&ca, Verification::Ca, &self_made, None, "self-signed certificate"),
        (&other_ca, Verification::Ca, &by_name, None, "unable to get local issuer certificate"),
    ];
    for (ca, verification, with, name, expected) in cases {
        let to = client(&verifying(ca, verification));
        let (mut one, mut other) = pair();
        let (result, its) = start_tls((&mut one, &to), (&mut other, with), name);
        if expected.is_empty() {
            result.unwrap();
            its.unwrap();
        } else {
            let error = result.unwrap_err().to_string();
            assert_eq!(error, format!("certificate verify failed: {expected}"));
            // The server is told: in the handshake of TLS 1.3 it is done before.
            let told = its.and_then(|()| other.read(&mut [0]).map(drop));
            assert!(told.unwrap_err().to_string().contains("alert"));
        }
    }
}

#[test]
fn a_name_to_be_verified_must_be_there() {
    let to = client(&verifying(&Issued::ca("CA"), Verification::CaAndName));
    let (mut one, _other) = pair();
    let error = one.start_tls_client(&to, "backend", None).unwrap_err();
    assert_eq!(error.to_string(), "the server's name has to be verified, but it has none");
}

#[test]
fn a_reload_changes_new_connections_only() {
    let ca = Issued::ca("CA");
    let files = ca.issue("old", None);
    let options = with_certificate(&files);
    let old = server(&options);
    let to = client(&TlsClientOptions::default());
    let (mut one, mut other) = tls_pair(&to, &old);
    files.replace_with(&ca.issue("new", None));
    let new = old.renewed(&options).unwrap();
    assert_ne!(new.fingerprint(), old.fingerprint());
    drop(old);
    write_all(&mut one, b"goes on");
    assert_eq!(read_available(&mut other), b"goes on");
    let (later, _) = tls_pair(&to, &new);
    assert_eq!(one.tls().unwrap().peer_subject.as_deref(), Some("/C=SE/CN=old"));
    assert_eq!(later.tls().unwrap().peer_subject.as_deref(), Some("/C=SE/CN=new"));
}

#[test]
fn a_self_made_certificate_stays_the_same_when_renewed() {
    let options = TlsServerOptions::default();
    let made = server(&options);
    assert!(made.is_self_made());
    assert_eq!(made.fingerprint().len(), 95);
    assert_eq!(made.renewed(&options).unwrap().fingerprint(), made.fingerprint());
    assert_ne!(server(&options).fingerprint(), made.fingerprint());
    let files = Issued::ca("CA");
    assert!(!made.renewed(&with_certificate(&files)).unwrap().is_self_made());
}

#[test]
fn old_certificates_are_taken() {
    for (rsa_bits, version, digest) in [
        (2048, 1, openssl::hash::MessageDigest::sha256()),
        (1024, 3, openssl::hash::MessageDigest::sha256()),
        (1024, 1, openssl::hash::MessageDigest::sha1()),
    ] {
        let ca = Wanted { version, rsa_bits: Some(rsa_bits), digest, ..Wanted::default() }.make();
        let issued = Wanted {
            version,
            rsa_bits: Some(rsa_bits),
            issuer: Some(&ca),
            digest,
            ..Wanted::default()
        }
        .make();
        let with = server(&with_certificate(&issued));
        assert_eq!(with.lowered_security_level().is_some(), rsa_bits < 2048);
        let to = client(&TlsClientOptions::default());
        assert_eq!(to.lowered_security_level(), None);
        tls_pair(&to, &with);
        let to = client(&TlsClientOptions {
            policy: only(TlsVersion::V1_2),
            ..TlsClientOptions::default()
        });
        tls_pair(&to, &with);
    }
}

#[test]
fn wrong_files_stop_the_start_with_one_line() {
    let issued = Issued::ca("CA");
    let other = Issued::ca("CA");
    let expired = Wanted { valid: (1_000, 1_000_000_000), ..Wanted::default() }.make();
    let later = Wanted { valid: (3_900_000_000, 4_000_000_000), ..Wanted::default() }.make();
    let encrypted = Issued::ca("CA");
    let pem = encrypted
        .private_key()
        .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
        .unwrap();
    std::fs::write(encrypted.key(), pem).unwrap();
    let missing = TlsServerOptions {
        certificate: Some("/nonexistent/certificate.pem".into()),
        ..with_certificate(&issued)
    };
    let mixed = TlsServerOptions { key: Some(other.key()), ..with_certificate(&issued) };
    let swapped = TlsServerOptions { certificate: Some(issued.key()), ..with_certificate(&issued) };
    let half = TlsServerOptions { key: None, ..with_certificate(&issued) };
    let no_ca = TlsServerOptions {
        client_certificates: ClientCertificates::Required,
        ..TlsServerOptions::default()
    };
    let turned_round = TlsServerOptions {
        policy: Policy {
            min_version: Some(TlsVersion::V1_3),
            max_version: Some(TlsVersion::V1_2),
            ..Policy::default()
        },
        ..TlsServerOptions::default()
    };
    let bad_ciphers = TlsServerOptions {
        policy: Policy { ciphers: Some("NO-SUCH".into()), ..Policy::default() },
        ..TlsServerOptions::default()
    };
    for (options, expected) in [
        (missing, "cannot read /nonexistent/certificate.pem: No such file or directory"),
        (with_certificate(&expired), "expired on Sep  9 01:46:40 2001 GMT"),
        (with_certificate(&later), "is not valid before Aug"),
        (mixed, "does not belong to the certificate in"),
        (swapped, "is not a certificate in PEM form"),
        (with_certificate(&encrypted), "is not a private key without password in PEM form"),
        (half, "a certificate needs its key"),
        (turned_round, "the lowest version of TLS is above the highest"),
        (no_ca, "client certificates are required, but there is no CA"),
        (bad_ciphers, "ciphers \"NO-SUCH\": no cipher match"),
    ] {
        let error = TlsServer::new(&options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let error = TlsClient::new(&TlsClientOptions {
        verification: Verification::Ca,
        ..TlsClientOptions::default()
    });
    assert!(error.unwrap_err().to_string().contains("no CA"));
}

#[test]
fn tls_starts_once() {
    let (mut one, _other) =
        tls_pair(&client(&TlsClientOptions::default()), &server(&TlsServerOptions::default()));
    assert!(one.start_tls_client(&client(&TlsClientOptions::default()), "backend", None).is_err());
}
