//! A token as it is kept: what it is and where in the query.

use std::borrow::Cow;

use sqltok::legacy::{self, TokenId};

/// An id and a place, 12 bytes. The query is kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// What it is.
    pub id: TokenId,
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Place {
    /// The bytes of the query it was made from.
    pub fn raw(self, sql: &[u8]) -> &[u8] {
        let end = usize::try_from(self.end).ok();
        let range = usize::try_from(self.start).ok().zip(end);
        range.and_then(|(start, end)| sql.get(start..end)).unwrap_or_default()
    }

    /// Its text, without quotes and comment marks.
    pub fn text(self, sql: &[u8]) -> Cow<'_, [u8]> {
        let raw = self.raw(sql);
        match self.id {
            TokenId::String | TokenId::Comment | TokenId::CommentMysql => unwrapped(raw),
            TokenId::Literal if raw.starts_with(b"`") => unwrapped(raw),
            _ => Cow::Borrowed(raw),
        }
    }
}

/// The text of a token in quotes or marks: alone it is scanned as it was in the query, for what it ends with is part
/// of it.
fn unwrapped(raw: &[u8]) -> Cow<'_, [u8]> {
    legacy::tokenize(raw).next().map(|token| token.text).unwrap_or_default()
}
