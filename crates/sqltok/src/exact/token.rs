//! One token of a text.

use super::Kind;
use crate::bytes::part;

/// A kind and a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
}

impl Token {
    /// Its bytes in the text, with quotes and marks.
    #[must_use]
    pub fn raw(self, sql: &[u8]) -> &[u8] {
        part(sql, self.start..self.end)
    }
}
