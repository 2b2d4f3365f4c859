//! `mysql_native_password`: SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password))).

use sha1::{Digest, Sha1};

/// The answer to a 20-byte scramble; empty for an empty password.
pub fn native(password: &str, scramble: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha1::digest(password.as_bytes());
    let twice = Sha1::digest(once);
    let mask = Sha1::new().chain_update(scramble).chain_update(twice).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}
