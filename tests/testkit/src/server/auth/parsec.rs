//! `parsec`: an Ed25519 signature with a key that PBKDF2 derives from the password.

use std::io;

use ed25519_dalek::{Signature, SigningKey};
use sha2::Sha512;

use super::exchange::Exchange;

const SALT: &[u8; 18] = b"eighteen salt byte";
/// The derivation has 1024 rounds, doubled this many times.
const ITERATION_FACTOR: u8 = 0;
const SCRAMBLE_LENGTH: usize = 32;
const SIGNATURE_LENGTH: usize = 64;

/// The data of the switch request: 32 bytes, without a NUL.
pub(super) fn challenge(scramble: &[u8; 20]) -> Vec<u8> {
    scramble.iter().cycle().take(SCRAMBLE_LENGTH).copied().collect()
}

/// Tells whether the client's signature over both scrambles is right. The client's first answer is
/// empty: it asks for the salt.
pub(super) fn proves(
    exchange: &mut Exchange<'_>,
    first: &[u8],
    password: &[u8],
    scramble: &[u8; 20],
) -> io::Result<bool> {
    if !first.is_empty() {
        return Ok(false);
    }
    let answer = exchange.ask(&[b"P", [ITERATION_FACTOR].as_slice(), SALT].concat())?;
    if answer.len() != SCRAMBLE_LENGTH + SIGNATURE_LENGTH {
        return Ok(false);
    }
    let (client_scramble, signature) = answer.split_at(SCRAMBLE_LENGTH);
    let message = [&challenge(scramble), client_scramble].concat();
    let Ok(signature) = Signature::from_slice(signature) else { return Ok(false) };
    Ok(key(password).verify_strict(&message, &signature).is_ok())
}

fn key(password: &[u8]) -> ed25519_dalek::VerifyingKey {
    let mut seed = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha512>(password, SALT, 1024 << ITERATION_FACTOR, &mut seed);
    SigningKey::from_bytes(&seed).verifying_key()
}
