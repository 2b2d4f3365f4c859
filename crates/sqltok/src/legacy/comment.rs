//! Comments: `/* block */`, versioned `/*! block */`, and lines behind `--`.
//!
//! As in the original: blocks do not nest, an unterminated one reaches to the end of the query, the
//! content of a versioned one is not scanned, and `#` starts no comment.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::TokenId;
use crate::bytes::{byte_at, part, rest};

/// A comment found in a query.
pub struct Comment {
    /// Plain or versioned.
    pub id: TokenId,
    /// Where its text is, without the marks.
    pub text: Range<usize>,
    /// Where scanning goes on.
    pub end: usize,
}

/// The comment whose `/*` is at `start`, or `None` if there is no such mark.
pub fn block(sql: &[u8], start: usize) -> Option<Comment> {
    if byte_at(sql, start + 1) != Some(b'*') {
        return None;
    }
    let (id, from) = match byte_at(sql, start + 2) {
        Some(b'!') => (TokenId::CommentMysql, start + 3),
        _ => (TokenId::Comment, start + 2),
    };
    let body = rest(sql, from);
    let closing = |&slash: &usize| part(body, 0..slash).ends_with(b"*");
    let Some(slash) = memchr_iter(b'/', body).find(closing) else {
        return Some(Comment { id, text: from..sql.len(), end: sql.len() });
    };
    // All asterisks in front of the closing slash belong to the mark.
    let text = part(body, 0..slash).iter().rposition(|&byte| byte != b'*');
    let length = text.map_or(0, |last| last + 1);
    Some(Comment { id, text: from..from + length, end: from + slash + 1 })
}

/// The comment whose `--` is at `start`, or `None` if there is no such mark: a blank, a tab or the
/// end of the line has to follow, and the end of the query is not the end of a line.
///
/// A CR in front of the LF belongs to the text, unless it would be all of it.
pub fn line(sql: &[u8], start: usize) -> Option<Comment> {
    let mark = start + 2;
    let (text, end) = match part(sql, start + 1..start + 5) {
        [b'-', b'\n', ..] => (mark..mark, mark + 1),
        [b'-', b'\r', b'\n', ..] => (mark..mark, mark + 2),
        [b'-', b' ' | b'\t', b'\r', b'\n'] => (mark + 1..mark + 1, mark + 3),
        [b'-', b' ' | b'\t', ..] => {
            let from = mark + 1;
            match memchr(b'\n', rest(sql, from)) {
                Some(length) => (from..from + length, from + length + 1),
                None => (from..sql.len(), sql.len()),
            }
        }
        _ => return None,
    };
    Some(Comment { id: TokenId::Comment, text, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Observed at the original, but missing in its recorded cases.
    #[test]
    fn a_lone_cr_is_no_text_of_a_line() {
        let found = |sql: &[u8]| line(sql, 0).map(|comment| (comment.text, comment.end));
        assert_eq!(found(b"-- \r\nx"), Some((3..3, 5)));
        assert_eq!(found(b"--\t\r\n"), Some((3..3, 5)));
        assert_eq!(found(b"-- \r\r\nx"), Some((3..5, 6)));
        assert_eq!(found(b"-- a\r\nx"), Some((3..5, 6)));
        assert_eq!(found(b"-- \rx"), Some((3..5, 5)));
        assert_eq!(found(b"-- \r"), Some((3..4, 4)));
    }
}
