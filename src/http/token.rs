//! The token of `pyproxy-http-token-file`, which a change over HTTP needs.

use std::fmt;
use std::path::Path;

use hyper::header::{AUTHORIZATION, HeaderMap};
use transport::password::is_same_secret;

use crate::private_file::{self, Unusable};

/// The shortest, in bytes.
const LEAST: usize = 16;

/// A token. It shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Why a file has no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be used.
    #[error(transparent)]
    File(#[from] Unusable),
    /// What is in it cannot be used.
    #[error("expected a token of {LEAST} or more visible ASCII characters, and nothing else")]
    Content,
}

impl Token {
    /// The one in this file. White space around it does not count.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let bytes = private_file::read(path)?;
        let bytes = bytes.trim_ascii();
        let is_token = bytes.len() >= LEAST && bytes.iter().all(u8::is_ascii_graphic);
        let text = str::from_utf8(bytes).ok().filter(|_| is_token);
        text.map(|text| Self(text.to_owned())).ok_or(TokenError::Content)
    }

    /// Whether a request has it: `Authorization: Bearer ...`. Takes as long for one that is wrong everywhere as for one that is
    /// wrong in its last character.
    pub fn is_in(&self, head: &HeaderMap) -> bool {
        let given =
            head.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        given.is_some_and(|given| is_same_secret(given.trim_ascii(), self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use hyper::header::HeaderValue;

    use super::*;

    fn token(content: &str, mode: u32) -> Result<Token, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), content).expect("it is written");
        std::fs::set_permissions(file.path(), Permissions::from_mode(mode)).expect("a mode");
        Token::read(file.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_a_token() {
        assert_eq!(token(" 0123456789abcdef\n", 0o600), Ok(Token("0123456789abcdef".to_owned())));
        assert!(token("0123456789abcdef", 0o400).is_ok());
        for short in ["", "0123456789abcde", "0123456789 abcdefgh", "0123456789abcd\u{e4}\u{f6}"] {
            let error = token(short, 0o600).expect_err("no token");
            assert!(error.starts_with("expected a token of 16 or more"), "{error}");
        }
        for mode in [0o640, 0o604, 0o620, 0o666] {
            let error = token("0123456789abcdef", mode).expect_err("not only its owner's");
            assert_eq!(error, "others may read or write this file: chmod 600");
        }
        assert!(Token::read(Path::new("/no/such/token")).is_err());
    }

    #[test]
    fn who_has_it() {
        let token = token("0123456789abcdef", 0o600).expect("a token");
        let has = |value: &str| {
            let mut head = HeaderMap::new();
            head.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
            token.is_in(&head)
        };
        assert!(has("Bearer 0123456789abcdef"));
        for other in [
            "",
            "Bearer ",
            "Bearer 0123456789abcdeX",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
        ] {
            assert!(!has(other), "{other}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
