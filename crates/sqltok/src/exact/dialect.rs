//! The servers, as far as they read texts differently.

use memchr::memchr2_iter;

use crate::bytes::part;

/// Which server reads.
///
/// A version is a number as in versioned comments: 80 400 is 8.4.0, 101 108 is 10.11.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// MySQL and what is derived from it, with its version.
    MySql(u32),
    /// MariaDB, with its version.
    MariaDb(u32),
    /// It is not known which, or whoever asks wants to see all that some server might run: each versioned comment is opened,
    /// whatever its number. Otherwise as MariaDB.
    #[default]
    Any,
}

/// From here on MySQL has texts in `$$`.
/// Source: `MY_LEX_IDENT_OR_DOLLAR_QUOTED_TEXT` in MySQL's `sql/sql_lex.cc`.
const DOLLAR_TEXTS: u32 = 80_100;
/// MariaDB ignores comments for these versions, for they are about features of MySQL that it does not have.
/// Source: `Lex_input_stream::lex_one_token` in MariaDB's `sql/sql_lex.cc`.
const OF_MYSQL_ONLY: std::ops::RangeInclusive<u32> = 50_700..=99_999;

impl Dialect {
    /// The server that calls itself so in its greeting, such as `8.4.0`, `10.11.8-MariaDB` or `5.5.5-10.11.8-MariaDB`.
    /// [`Dialect::Any`] if there is no version in it.
    #[must_use]
    pub fn of_server_version(text: &[u8]) -> Self {
        let is_mariadb = memchr2_iter(b'm', b'M', text)
            .any(|at| part(text, at..at + 7).eq_ignore_ascii_case(b"mariadb"));
        // What MariaDB's older versions say first, for old replicas.
        let text = text.strip_prefix(b"5.5.5-").filter(|_| is_mariadb).unwrap_or(text);
        let mut parts = text.splitn(3, |&byte| byte == b'.').map(leading_number);
        let number = || {
            let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next()??);
            Some(major * 10_000 + minor.min(99) * 100 + patch.min(99))
        };
        match { number }() {
            Some(version) if is_mariadb => Self::MariaDb(version),
            Some(version) => Self::MySql(version),
            None => Self::Any,
        }
    }

    pub(super) const fn is_mysql(self) -> bool {
        matches!(self, Self::MySql(_))
    }

    pub(super) const fn has_dollar_texts(self) -> bool {
        matches!(self, Self::MySql(version) if version >= DOLLAR_TEXTS)
    }

    /// Whether `/*M!` is more than a comment.
    pub(super) const fn has_own_comments(self) -> bool {
        !self.is_mysql()
    }

    /// Whether it runs what is in a comment for this version; `own` if that begins with `/*M!`.
    pub(super) fn runs(self, version: u32, own: bool) -> bool {
        match self {
            Self::MySql(server) => version <= server,
            Self::MariaDb(server) => {
                version <= server && (own || !OF_MYSQL_ONLY.contains(&version))
            }
            Self::Any => true,
        }
    }
}

/// The number that a text begins with, if it is of at most 4 digits.
fn leading_number(text: &[u8]) -> Option<u32> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.get(..end).filter(|digits| digits.len() <= 4)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_greeting() {
        let cases: [(&[u8], Dialect); 9] = [
            (b"8.4.0", Dialect::MySql(80_400)),
            (b"5.7.44-48-log", Dialect::MySql(50_744)),
            (b"9.7.1-commercial", Dialect::MySql(90_701)),
            (b"10.11.19-MariaDB-0+deb12u1", Dialect::MariaDb(101_119)),
            (b"5.5.5-10.11.8-MariaDB", Dialect::MariaDb(101_108)),
            (b"5.5.5-m3", Dialect::MySql(50_505)),
            (b"", Dialect::Any),
            (b"8.4", Dialect::Any),
            (b"99999999999.1.1", Dialect::Any),
        ];
        for (text, dialect) in cases {
            assert_eq!(Dialect::of_server_version(text), dialect, "{}", text.escape_ascii());
        }
    }
}
