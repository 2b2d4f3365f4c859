//! What decides, besides the text, how a server reads it.

use super::{Charset, Dialect};

/// How the server reads. Other bits of `sql_mode` do not change where tokens are: PIPES_AS_CONCAT gives `||` another meaning, and
/// IGNORE_SPACE makes words reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    /// Which server it is.
    pub dialect: Dialect,
    /// The connection's `character_set_client`.
    pub charset: Charset,
    /// `sql_mode` has ANSI_QUOTES: a text in double quotes is a name.
    pub ansi_quotes: bool,
    /// `sql_mode` has NO_BACKSLASH_ESCAPES: in a string a backslash is a backslash.
    pub no_backslash_escapes: bool,
}
