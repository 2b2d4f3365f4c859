//! `sha256_password`: the password in clear over a secure connection, else encrypted for the server's key.

use std::io;

use super::exchange::Exchange;
use super::rsa_key::{hides, public_key_pem};

/// A client that does not have the server's key asks for it.
const KEY_WANTED: &[u8] = &[1];

/// Tells whether the client has the password.
pub(super) fn proves(
    exchange: &mut Exchange<'_>,
    first: &[u8],
    password: &[u8],
    scramble: &[u8; 20],
) -> io::Result<bool> {
    if exchange.is_secure() {
        return Ok(first.strip_suffix(&[0]) == Some(password));
    }
    if first != KEY_WANTED {
        return Ok(hides(first, password, scramble));
    }
    let encrypted = exchange.ask(&[b"\x01", public_key_pem().as_bytes()].concat())?;
    Ok(hides(&encrypted, password, scramble))
}
