//! `caching_sha2_password`: a hash for a server that remembers the user, else the password itself.

use std::io;

use super::exchange::Exchange;
use super::rsa_key::{hides, public_key_pem};
use crate::proto::scramble;

/// The server knows the password; its OK follows.
pub(crate) const FAST_SUCCESS: &[u8] = &[1, 3];
/// The server needs the password itself.
pub(crate) const FULL_AUTHENTICATION: &[u8] = &[1, 4];
/// A client that does not have the server's key asks for it.
pub(crate) const KEY_WANTED: &[u8] = &[2];

/// Tells whether the client has the password; `known`: the server remembers it.
pub(super) fn proves(
    exchange: &mut Exchange<'_>,
    first: &[u8],
    password: &[u8],
    nonce: &[u8; 20],
    known: bool,
) -> io::Result<bool> {
    // A user without password; a single NUL is how some clients say it.
    if matches!(first, [] | [0]) {
        return Ok(password.is_empty());
    }
    if known && first == scramble::caching_sha2(password, nonce) {
        exchange.tell(FAST_SUCCESS)?;
        return Ok(true);
    }
    let answer = exchange.ask(FULL_AUTHENTICATION)?;
    if exchange.is_secure() {
        return Ok(answer.strip_suffix(&[0]) == Some(password));
    }
    if answer != KEY_WANTED {
        return Ok(hides(&answer, password, nonce));
    }
    let encrypted = exchange.ask(&[b"\x01", public_key_pem().as_bytes()].concat())?;
    Ok(hides(&encrypted, password, nonce))
}
