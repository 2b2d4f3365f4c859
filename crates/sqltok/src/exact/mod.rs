//! A lexer that reads SQL as the server does.
//!
//! What a text means depends on more than the text, see [`Rules`]: which server reads it, two bits of its `sql_mode`, and the
//! character set of the connection. With these given, the tokens are those of the server: what it executes of versioned
//! comments is in them, what it skips is a comment, and where it gives up, they end with an error token. Nothing behind that is run by
//! the server, so nothing behind it is guessed at.
//!
//! A token is a kind and a place, 24 bytes, and borrows nothing; [`value`] decodes it on demand. The time is linear in the length of the text.
//!
//! ```
//! use sqltok::exact::{Kind, Rules, lex, value};
//!
//! let sql = b"SELECT 'it''s' /*!50000 , x'4142' */ # why";
//! let rules = Rules::default();
//! let tokens: Vec<_> = lex(sql, rules).filter(|token| !token.kind.is_comment()).collect();
//! assert_eq!(tokens[1].kind, Kind::String);
//! assert_eq!(value(tokens[1], sql, rules).as_ref(), b"it's");
//! assert_eq!(value(tokens[3], sql, rules).as_ref(), b"AB");
//! ```
//!
//! # Limits
//!
//! * It knows no grammar. Adjacent strings are two tokens, `_utf8` before a string is a word, an account `a@b` is a word and a
//!   user variable, and keywords are words.
//! * A server forgets at the `;` between two statements that a versioned comment is open, but not at the `;` inside of a stored
//!   program. The lexer never does: tokens that the server would not run, because it stops at the `*/`, can follow.
//! * `1.5e` without an exponent is an error token. Servers drop it and go on with the next character.
//! * MariaDB's `sql_mode` MSSQL, in which `[a]` is a name, and the character set swe7 are not known.

mod charset;
mod comment;
mod dialect;
mod fingerprint;
mod kind;
mod lexer;
mod literal;
mod number;
mod quoted;
mod rules;
mod shape;
mod symbol;
mod token;
mod word;

pub use charset::Charset;
pub use dialect::Dialect;
pub use fingerprint::{MOST as MAX_FINGERPRINT, digest, fingerprint};
pub use kind::Kind;
pub use lexer::{Lexer, lex};
pub use literal::value;
pub use rules::Rules;
pub use shape::shape;
pub use token::Token;
