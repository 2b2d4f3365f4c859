//! Accounts that prove more than one thing (MySQL's multi-factor authentication).

use testkit::client::RawClient;
use testkit::proto::{caps, scramble};
use testkit::server::auth::{self, Method, PASSWORD};
use testkit::{Host, Login, LoginServer};

use crate::support::*;

const FULL_AUTHENTICATION: &[u8] = &[1, 4];
const FAST_SUCCESS: &[u8] = &[1, 3];

/// Logs in up to the request for the next factor, and returns that factor's scramble.
fn first_factor(host: &Host) -> (RawClient, Vec<u8>) {
    let login = Login::new("factors_sha2", PASSWORD).with(caps::MULTI_FACTOR);
    let (mut client, _) = send_login(host, &login);
    let next = client.read_packet().unwrap();
    assert_eq!(next.id, 2);
    let request = next.payload.strip_prefix(b"\x02caching_sha2_password\0".as_slice());
    let scramble = request.unwrap_or_else(|| panic!("{next:?}")).strip_suffix(b"\0").unwrap();
    let scramble = scramble.to_vec();
    (client, scramble)
}

fn assert_logged_in(client: &mut RawClient) {
    assert_eq!(client.query("SELECT CURRENT_USER()").unwrap().value(), "factors_sha2");
}

#[test]
fn second_factor_on_the_full_and_on_the_fast_path() {
    let server = LoginServer::start(Method::Native);
    let host = Host::plain(server.address());
    for known in [false, true] {
        let (mut client, nonce) = first_factor(&host);
        let proof = scramble::caching_sha2(PASSWORD.as_bytes(), &nonce);
        client.send_packet(3, &proof).unwrap();
        if known {
            expect_packet(&mut client, 4, FAST_SUCCESS);
            assert_eq!(client.read_packet().unwrap().kind(), Some(0));
        } else {
            expect_packet(&mut client, 4, FULL_AUTHENTICATION);
            let encrypted = auth::encrypted(PASSWORD, &nonce, &auth::public_key_pem());
            client.send_packet(5, &encrypted).unwrap();
            assert_eq!(client.read_packet().unwrap().kind(), Some(0));
        }
        assert_logged_in(&mut client);
    }
}

#[test]
fn a_wrong_second_factor_is_refused() {
    let server = LoginServer::start(Method::Native);
    let host = Host::plain(server.address());
    let (mut client, _) = first_factor(&host);
    client.send_packet(3, &[7; 32]).unwrap();
    expect_packet(&mut client, 4, FULL_AUTHENTICATION);
    client.send_packet(5, &[7; 256]).unwrap();
    assert_eq!(assert_err_and_close(&mut client, 6).code, 1045);
}

#[test]
fn a_client_that_knows_of_no_factors_is_refused() {
    let server = LoginServer::start(Method::Native);
    let host = Host::plain(server.address());
    let (mut client, _) = send_login(&host, &Login::new("factors_sha2", PASSWORD));
    assert_eq!(assert_err_and_close(&mut client, 2).code, 1045);
}
