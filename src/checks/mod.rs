//! Active checks of backends (`pyproxy-check-interval`): whether each greets, and, with `pyproxy-check-user`, whether it lets that user in
//! and can be written to.
//!
//! A thread of its own says when, and notes what came of it. Each check is a thread for as long as it takes, so that a server or a name service
//! that does not answer holds up no other check. None of them takes the host's mutex or Python's lock.
//!
//! ```text
//! checker.rs ─► schedule.rs: when
//!     │  ▲
//!     ▼  └── Report
//! check.rs ─► conversation.rs: packets in time
//!     └─────► login.rs
//! ```

mod check;
mod checker;
mod conversation;
mod login;
mod schedule;

use std::fmt;
use std::path::Path;
use std::time::Duration;

pub use self::checker::Running;
use crate::private_file::{self, Unusable};

/// What is checked, and when.
#[derive(Debug, Clone)]
pub struct Checks {
    /// How far it is between two checks of a backend.
    pub interval: Duration,
    /// Who logs in; `None`: nobody does.
    pub account: Option<Account>,
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The password; empty: none.
    pub password: Password,
}

/// A password. It shows itself nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Why a file has no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It cannot be used.
    #[error(transparent)]
    File(#[from] Unusable),
    /// Servers take none like it.
    #[error("expected a password in one line, of 1 to 255 bytes")]
    Content,
}

impl Password {
    /// The one in this file: its line, without what ends it.
    pub fn read(path: &Path) -> Result<Self, PasswordError> {
        let bytes = private_file::read(path)?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_one = (1..=255).contains(&line.len()) && !line.iter().any(|b| b"\0\r\n".contains(b));
        is_one.then(|| Self(line.to_vec())).ok_or(PasswordError::Content)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn password(content: &[u8], mode: u32) -> Result<Password, String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), content).expect("it is written");
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(file.path(), mode).expect("a mode");
        Password::read(file.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_a_password() {
        for content in ["a b ", "a b \n", "a b \r\n"] {
            assert_eq!(password(content.as_bytes(), 0o600), Ok(Password(b"a b ".to_vec())));
        }
        for wrong in [&b""[..], b"\n", b"a\nb", b"a\0", &[b'x'; 256]] {
            let error = password(wrong, 0o600).expect_err("none");
            assert!(error.starts_with("expected a password"), "{error}");
        }
        let error = password(b"secret", 0o640).expect_err("not only its owner's");
        assert_eq!(error, "others may read or write this file: chmod 600");
        assert_eq!(format!("{:?}", password(b"secret", 0o600)), "Ok(Password(..))");
    }
}
