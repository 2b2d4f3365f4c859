//! TLS: certificates that are taken and refused, files, sessions that go on.

#![allow(clippy::unwrap_used, reason = "test code: a failure is a failed test")]

mod common;

use common::configs::{client, only, server, verifying, with_certificate};
use common::{handshakes, pair, read_available, start_tls, tls_pair, write_all};
use testkit::certificates::{Issued, Wanted};
use transport::tls::{
    ClientCertificates, Policy, TlsClientOptions, TlsServerOptions, TlsVersion, Verification,
};
use transport::{TlsClient, TlsServer};

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
