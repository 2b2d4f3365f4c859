//! Each side by itself: `pyproxy-tls` and `pyproxy-backend-tls`.

use testkit::Host;

use super::support::*;
use crate::support::*;

#[test]
fn every_mode_of_one_side_with_every_mode_of_the_other() {
    for (tls, offered) in [("off", false), ("optional", true), ("required", true)] {
        for (backend, server) in [("off", false), ("required", true)] {
            let host =
                proxy().option("pyproxy-tls", tls).option("pyproxy-backend-tls", backend).start();
            let name = format!("{tls}, {backend}");
            let wants = sides(host.address(), &["--ssl"]);
            assert_eq!(wants, Ok(Sides { client: offered, server }), "{name}");
            let does_not = sides(host.address(), &["--skip-ssl"]);
            match tls {
                "required" => assert_fails(does_not, "ERROR 3159"),
                _ => assert_eq!(does_not, Ok(Sides { client: false, server }), "{name}"),
            }
        }
    }
}

#[test]
fn a_server_without_tls_behind_clients_with_it() {
    let host = Host::builder().backend(db()).option("pyproxy-tls", "required").start();
    let expected = Sides { client: true, server: false };
    assert_eq!(sides(host.address(), &["--ssl"]), Ok(expected));
    assert_eq!(pymysql(host.address(), &[]), Ok("TLSv1.3 none".to_owned()));
}

#[test]
fn a_server_that_has_to_have_tls_and_has_not() {
    let host = Host::builder()
        .backend(db())
        .option("pyproxy-tls", "off")
        .option("pyproxy-backend-tls", "required")
        .start();
    assert_fails(sides(host.address(), &[]), "the server does not offer TLS");
}

#[test]
fn versions_and_ciphers_hold_for_both_sides() {
    let host = proxy().option("pyproxy-tls-versions", "TLSv1.2").start();
    assert_eq!(pymysql(host.address(), &[]), Ok("TLSv1.2 TLSv1.2".to_owned()));
    let cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
    let host = proxy()
        .option("pyproxy-tls-versions", "TLSv1.2")
        .option("pyproxy-tls-ciphers", cipher)
        .start();
    let sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
    let said = command_line(host.address(), &["--ssl", "--execute", sql]);
    assert_eq!(said, Ok(format!("Ssl_cipher\t{cipher}")));
}
