//! Passwords of `caching_sha2_password` and `sha256_password`. The RSA part: a password that has to be sent readable, when one side
//! has TLS and the other has not.
//!
//! On a plain connection the client asks for the server's public key and sends the password, with its NUL, xor the nonce
//! of the greeting, encrypted with RSA-OAEP and SHA-1. What is here never sees the password itself, but that xor.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>

use openssl::error::ErrorStack;
use openssl::pkey::{Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sha::sha256;

/// Bits of a key that is made here: what servers make.
const BITS: u32 = 2048;

/// What OAEP with SHA-1 needs of the key's length: RFC 8017, 7.1.1.
const OAEP_OVERHEAD: usize = 42;

/// Why a password could not be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The server's public key is none.
    #[error("the server's public key is not an RSA key in PEM form")]
    Key,
    /// The password does not fit in what the key can encrypt.
    #[error("the password has {length} bytes, but the server's public key can encrypt {most}")]
    TooLong {
        /// Bytes of the password.
        length: usize,
        /// Bytes that would fit.
        most: usize,
    },
    /// What was received is not encrypted with our key.
    #[error("the encrypted password cannot be decrypted with our key")]
    Encrypted,
    /// OpenSSL cannot.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

/// Whether both are the same. Takes as long wherever they differ; how long they are is no secret.
pub fn is_same_secret(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one, other)
}

/// Bytes of OpenSSL's generator for a challenge of our own; `None` if it has none.
pub fn random() -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    openssl::rand::rand_bytes(&mut bytes).ok()?;
    Some(bytes)
}

/// What a client that knows the password answers to the challenge of `caching_sha2_password`.
pub fn caching_sha2_answer(nonce: &[u8], password: &[u8]) -> [u8; 32] {
    let mut answer = sha256(password);
    let known = sha256(&[&sha256(&answer)[..], nonce].concat());
    answer.iter_mut().zip(known).for_each(|(byte, other)| *byte ^= other);
    answer
}

/// Our key pair, in place of the server's.
pub struct PasswordKey {
    key: Rsa<Private>,
    public_pem: Vec<u8>,
}

impl PasswordKey {
    /// Makes a key pair. Takes a tenth of a second.
    ///
    /// # Errors
    ///
    /// If OpenSSL cannot.
    pub fn generate() -> Result<Self, PasswordError> {
        let key = Rsa::generate(BITS)?;
        let public_pem = key.public_key_to_pem()?;
        Ok(Self { key, public_pem })
    }

    /// The public key as clients are sent it.
    pub fn public_pem(&self) -> &[u8] {
        &self.public_pem
    }

    /// What a client encrypted with our public key.
    ///
    /// # Errors
    ///
    /// [`PasswordError::Encrypted`], whatever is wrong with it.
    pub fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, PasswordError> {
        let mut plain = vec![0; usize::try_from(self.key.size()).unwrap_or_default()];
        let length = self
            .key
            .private_decrypt(encrypted, &mut plain, Padding::PKCS1_OAEP)
            .map_err(|_| PasswordError::Encrypted)?;
        plain.truncate(length);
        Ok(plain)
    }
}

impl std::fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordKey").finish_non_exhaustive()
    }
}

/// Encrypts a password that has its NUL and the nonce over it with the public key that a server sent.
///
/// # Errors
///
/// If the key is none, or the password is too long for it.
pub fn encrypt(obfuscated: &[u8], public_pem: &[u8]) -> Result<Vec<u8>, PasswordError> {
    let key = public_key(public_pem)?;
    let size = usize::try_from(key.size()).unwrap_or_default();
    let most = size.saturating_sub(OAEP_OVERHEAD);
    if obfuscated.len() > most {
        return Err(PasswordError::TooLong { length: obfuscated.len(), most });
    }
    let mut encrypted = vec![0; size];
    let length = key.public_encrypt(obfuscated, &mut encrypted, Padding::PKCS1_OAEP)?;
    encrypted.truncate(length);
    Ok(encrypted)
}

fn public_key(pem: &[u8]) -> Result<Rsa<Public>, PasswordError> {
    Rsa::public_key_from_pem(pem)
        .or_else(|_| Rsa::public_key_from_pem_pkcs1(pem))
        .map_err(|_| PasswordError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hashlib from MySQL's description.
    #[test]
    fn the_answer_of_caching_sha2() {
        let answer = caching_sha2_answer(b"abcdefghijklmnopqrst", b"secret");
        let hex: String = answer.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "c76e2898612a4cf042c77fa8c4702c4c64c0c2c557c53c4d75595aaa6abae809");
    }

    #[test]
    fn a_password_survives_the_way() {
        let key = PasswordKey::generate().unwrap();
        for length in [0, 1, 19, 20, 21, 40, 100, 214] {
            let password = vec![b'p'; length];
            let encrypted = encrypt(&password, key.public_pem()).unwrap();
            assert_eq!(encrypted.len(), 256);
            assert_eq!(key.decrypt(&encrypted).unwrap(), password);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let key = PasswordKey::generate().unwrap();
        let result = encrypt(&[b'p'; 215], key.public_pem());
        assert!(matches!(result, Err(PasswordError::TooLong { length: 215, most: 214 })));
    }

    #[test]
    fn what_is_broken_is_refused() {
        let key = PasswordKey::generate().unwrap();
        let other = PasswordKey::generate().unwrap();
        let encrypted = encrypt(b"secret", other.public_pem()).unwrap();
        for bytes in [&encrypted[..], &encrypted[..255], b"", b"x"] {
            assert!(matches!(key.decrypt(bytes), Err(PasswordError::Encrypted)));
        }
        assert!(matches!(encrypt(b"x", b"no key"), Err(PasswordError::Key)));
    }

    #[test]
    fn the_public_key_is_what_servers_send() {
        let key = PasswordKey::generate().unwrap();
        assert!(key.public_pem().starts_with(b"-----BEGIN PUBLIC KEY-----\n"));
    }
}
