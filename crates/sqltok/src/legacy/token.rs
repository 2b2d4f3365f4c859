//! One token of a query.

use std::borrow::Cow;
use std::ops::Range;

use super::TokenId;

/// A piece of a query with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'s> {
    /// What it is.
    pub id: TokenId,
    /// Its text in the spelling of the query, without outer quotes and comment marks. Borrowed from
    /// the query unless a doubled quote or a lost backslash makes a difference.
    pub text: Cow<'s, [u8]>,
    /// The bytes of the query that it was made from, with quotes and marks, and with the LF that
    /// ends a line comment. Spans are in order, do not overlap, and only blanks lie between them:
    /// a query is rebuilt from spans, not from texts.
    pub span: Range<usize>,
}
