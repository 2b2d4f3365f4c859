//! The server's RSA key, with which clients encrypt a password where there is no TLS.
//!
//! The key is fixed because making one takes long; it is in this repository for everybody to read
//! and protects nothing.

use std::sync::OnceLock;

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;

const TEST_KEY: &str = include_str!("test_key.pem");

fn key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::from_pkcs1_pem(TEST_KEY).expect("a key in PEM form"))
}

/// The public part, as the server sends it and as a client's file has it.
pub fn public_key_pem() -> String {
    key().to_public_key().to_public_key_pem(LineEnding::LF).expect("the key has a PEM form")
}

/// Tells whether `encrypted` is the password and its NUL, XORed with the scramble and encrypted
/// for this key (OAEP with SHA-1).
pub(super) fn hides(encrypted: &[u8], password: &[u8], scramble: &[u8; 20]) -> bool {
    let Ok(mut text) = key().decrypt(Oaep::new::<Sha1>(), encrypted) else { return false };
    for (byte, mask) in text.iter_mut().zip(scramble.iter().cycle()) {
        *byte ^= mask;
    }
    text.strip_suffix(&[0]) == Some(password)
}

/// The password as a client sends it: with its NUL, XORed with the scramble, encrypted for the server's public key.
///
/// # Panics
/// If `public_key` is no key in PEM form.
pub fn encrypted(password: &str, scramble: &[u8], public_key: &str) -> Vec<u8> {
    let text = [password.as_bytes(), &[0]].concat();
    let masked: Vec<u8> =
        text.iter().zip(scramble.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let public = RsaPublicKey::from_public_key_pem(public_key).expect("a public key in PEM form");
    public
        .encrypt(&mut rsa::rand_core::OsRng, Oaep::new::<Sha1>(), &masked)
        .expect("a short text can be encrypted")
}
