//! What is verified: of servers, of clients, of the proxy.

use testkit::{Host, Issued, MariaDb};

use super::support::*;

/// Backend modes that verify, with the mode of clients beside them.
const VERIFYING: [(&str, &str); 4] = [
    ("mirror", ""),
    ("mirror", "verify-identity"),
    ("off", "verify-ca"),
    ("off", "verify-identity"),
];

#[test]
fn a_server_of_the_right_ca() {
    for (tls, backend) in VERIFYING {
        let host = proxy()
            .option("pyproxy-tls", tls)
            .option("pyproxy-backend-tls", backend)
            .option("log-level", "message")
            .ca("pyproxy-backend-tls-ca", ca())
            .start();
        let sides = sides(host.address(), &["--ssl"]).unwrap();
        assert!(sides.server, "{tls}, {backend}");
        assert!(!host.log().contains("are not verified"), "{tls}, {backend}");
    }
}

#[test]
fn a_server_of_another_ca() {
    let other = Issued::ca("another ca");
    for (tls, backend) in VERIFYING {
        let host = proxy()
            .option("pyproxy-tls", tls)
            .option("pyproxy-backend-tls", backend)
            .ca("pyproxy-backend-tls-ca", &other)
            .start();
        let text = "TLS with the server failed: certificate verify failed";
        assert_fails(sides(host.address(), &["--ssl"]), text);
    }
}

#[test]
fn a_server_with_the_name_of_another() {
    let ca = Issued::ca("ca of names");
    let elsewhere = ca.issue("db", Some("elsewhere.example"));
    let server = MariaDb::start_with_tls(&elsewhere, &ca);
    for (backend, is_right) in [("verify-ca", true), ("verify-identity", false)] {
        let host = Host::builder()
            .backend(server.address())
            .option("pyproxy-backend-tls", backend)
            .ca("pyproxy-backend-tls-ca", &ca)
            .start();
        let sides = sides(host.address(), &["--ssl"]);
        if is_right {
            assert_eq!(sides, Ok(BOTH));
        } else {
            assert_fails(sides, "TLS with the server failed: certificate verify failed");
        }
    }
}

#[test]
fn the_name_that_counts_is_the_configured_one() {
    let ca = Issued::ca("ca of localhost");
    let server = MariaDb::start_with_tls(&ca.issue("db", Some("localhost")), &ca);
    let port = server.address().port();
    for (name, is_right) in [("localhost", true), ("127.0.0.1", false)] {
        let host = Host::builder()
            .option("pyproxy-backend-addresses", format!("{name}:{port}"))
            .option("pyproxy-backend-tls", "verify-identity")
            .ca("pyproxy-backend-tls-ca", &ca)
            .start();
        let sides = sides(host.address(), &["--ssl"]);
        assert_eq!(sides.is_ok(), is_right, "{name}: {sides:?}");
    }
}

#[test]
fn clients_verify_the_proxy() {
    let certificate = ca().issue("proxy", Some("127.0.0.1"));
    let host = proxy().certificate(FOR_CLIENTS, &certificate).start();
    let other = Issued::ca("another ca");
    for (ca, is_right) in [(ca(), true), (&other, false)] {
        let file = naming("--ssl-ca", ca.certificate());
        let sides = sides(host.address(), &[&file, "--ssl-verify-server-cert"]);
        let versions = pymysql(host.address(), &["--ca", &ca.certificate().display().to_string()]);
        if is_right {
            assert_eq!(sides, Ok(BOTH));
            assert_eq!(versions, Ok("TLSv1.3 TLSv1.3".to_owned()));
        } else {
            assert_fails(sides, "TLS/SSL error");
            assert_fails(versions, "CERTIFICATE_VERIFY_FAILED");
        }
    }
}

#[test]
fn certificates_of_clients() {
    let theirs = Issued::ca("ca of clients");
    let (known, unknown) = (theirs.issue("bob", None), ca().issue("eve", None));
    let arguments = |issued: &Issued| {
        [naming("--ssl-cert", issued.certificate()), naming("--ssl-key", issued.key())]
    };
    for (required, without) in [(false, Ok(BOTH)), (true, Err(()))] {
        let host = proxy()
            .ca("pyproxy-tls-ca", &theirs)
            .option("pyproxy-tls-client-certificates", if required { "required" } else { "" })
            .start();
        let [certificate, key] = arguments(&known);
        assert_eq!(sides(host.address(), &["--ssl", &certificate, &key]), Ok(BOTH));
        let [certificate, key] = arguments(&unknown);
        assert!(sides(host.address(), &["--ssl", &certificate, &key]).is_err());
        assert_eq!(sides(host.address(), &["--ssl"]).map_err(|_| ()), without);
    }
}
