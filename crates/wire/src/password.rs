//! The arithmetic of mysql_native_password: SHA-1 and XOR.
//!
//! Source:
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html>.
//! The server stores SHA1(SHA1(password)); the client proves that it knows SHA1(password). The
//! client of an account without a password sends an empty answer, which is none of this.

use sha1::{Digest, Sha1};

/// A SHA-1 sum, and everything that is made of one.
pub type Hash = [u8; 20];

/// Length of the challenge without its NUL, in bytes.
const CHALLENGE_LEN: usize = 20;

/// SHA-1 of `bytes`: of a password what the client proves to know, of that what the server stores.
pub fn hash(bytes: &[u8]) -> Hash {
    Sha1::digest(bytes).into()
}

/// The answer to `challenge` of a client whose password has the hash `hashed`.
///
/// `challenge` is the scramble of a handshake or of an authentication switch: 20 bytes, or 21 of
/// which the last one, a NUL, does not count. `None` for any other length.
pub fn scramble(challenge: &[u8], hashed: &Hash) -> Option<Hash> {
    mask(challenge, &hash(hashed)).map(|mask| xor(hashed, &mask))
}

/// The password's hash out of the client's answer and what the server stores, `double_hashed`.
///
/// It is the right one only if [`check`] says so. `None` for a challenge of another length than 20
/// or 21.
pub fn unscramble(challenge: &[u8], response: &Hash, double_hashed: &Hash) -> Option<Hash> {
    mask(challenge, double_hashed).map(|mask| xor(response, &mask))
}

/// Whether the client's answer was made with the password the server stores as `double_hashed`.
/// `false` also for a challenge of another length than 20 or 21.
pub fn check(challenge: &[u8], response: &Hash, double_hashed: &Hash) -> bool {
    unscramble(challenge, response, double_hashed)
        .is_some_and(|hashed| hash(&hashed) == *double_hashed)
}

/// SHA1(challenge + double_hashed), which hides the hash on its way.
fn mask(challenge: &[u8], double_hashed: &Hash) -> Option<Hash> {
    let (challenge, end) = challenge.split_at_checked(CHALLENGE_LEN)?;
    let sum = Sha1::new_with_prefix(challenge).chain_update(double_hashed);
    (end.len() <= 1).then(|| sum.finalize().into())
}

fn xor(left: &Hash, right: &Hash) -> Hash {
    let mut out = *left;
    for (byte, mask) in out.iter_mut().zip(right) {
        *byte ^= mask;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &[u8] = b"01234567890123456789";
    /// SHA1("pw")
    const HASHED: Hash =
        *b"\x1a\x91\xd6\x2f\x7c\xa6\x73\x99\x62\x5a\x43\x68\xa6\xab\x5d\x4a\x3b\xaa\x60\x73";
    /// SHA1(SHA1("pw"))
    const STORED: Hash =
        *b"\xd8\x21\x80\x9f\x68\x1a\x40\xa6\xe3\x79\xb5\x0d\x04\x63\xef\xae\x20\xbd\xd1\x22";
    const ANSWER: Hash =
        *b"\x9b\xf5\xa4\xe0\xc4\x40\x18\x2f\xc8\xfb\x2d\x90\xad\x2a\x09\x5b\x7a\x09\x45\xf3";

    #[test]
    fn golden() {
        assert_eq!(hash(b"pw"), HASHED);
        assert_eq!(hash(&HASHED), STORED);
        assert_eq!(scramble(CHALLENGE, &HASHED), Some(ANSWER));
        assert_eq!(unscramble(CHALLENGE, &ANSWER, &STORED), Some(HASHED));
        assert!(check(CHALLENGE, &ANSWER, &STORED));
    }

    #[test]
    fn the_nul_of_the_challenge_does_not_count() {
        let with_nul = [CHALLENGE, b"\0"].concat();
        assert_eq!(scramble(&with_nul, &HASHED), Some(ANSWER));
        assert_eq!(unscramble(&with_nul, &ANSWER, &STORED), Some(HASHED));
        assert!(check(&with_nul, &ANSWER, &STORED));
    }

    #[test]
    fn other_lengths_are_refused() {
        for len in (0..40).filter(|len| ![20, 21].contains(len)) {
            let challenge = vec![b'0'; len];
            assert_eq!(scramble(&challenge, &HASHED), None, "{len}");
            assert_eq!(unscramble(&challenge, &ANSWER, &STORED), None, "{len}");
            assert!(!check(&challenge, &ANSWER, &STORED), "{len}");
        }
    }

    #[test]
    fn another_password_is_wrong() {
        let other = scramble(CHALLENGE, &hash(b"pW")).unwrap();
        assert!(!check(CHALLENGE, &other, &STORED));
        assert!(!check(b"01234567890123456780", &ANSWER, &STORED));
    }
}
