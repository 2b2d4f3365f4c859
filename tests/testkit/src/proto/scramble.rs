//! What clients make of a password and a scramble.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// `mysql_native_password`: SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password))), empty for an
/// empty password.
pub fn native(password: &str, scramble: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha1::digest(password.as_bytes());
    let twice = Sha1::digest(once);
    let mask = Sha1::new().chain_update(scramble).chain_update(twice).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

/// `caching_sha2_password`: SHA256(password) XOR SHA256(SHA256(SHA256(password)) + scramble), empty for
/// an empty password.
pub fn caching_sha2(password: &[u8], scramble: &[u8]) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    let once = Sha256::digest(password);
    let twice = Sha256::digest(once);
    let mask = Sha256::new().chain_update(twice).chain_update(scramble).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}
