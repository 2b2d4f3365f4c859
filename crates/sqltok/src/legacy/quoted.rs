//! Quoted texts: `'string'`, `"string"` and `` `identifier` ``.
//!
//! No escape is resolved, except that a doubled quote stands for one. Three rules of the original
//! surprise: a backslash escapes in backticks too; a backslash in front of LF or of the end of the
//! query is lost; and the opening quote, directly followed by a *different* quote, does not close
//! (`'a'"b"` is not yet closed).

use std::borrow::Cow;

use memchr::memchr2;

use super::class::is_quote;
use crate::bytes::{byte_at, part, rest};

/// The text whose opening quote is at `start`, and where scanning goes on. Without a closing quote
/// the text reaches to the end of the query.
pub fn quoted(sql: &[u8], start: usize, quote: u8) -> (Cow<'_, [u8]>, usize) {
    // The text is `kept` and then the query from `from` on; a text without lost bytes needs no copy.
    let mut kept = Vec::new();
    let mut from = start + 1;
    let mut at = from;
    let (to, end) = loop {
        let Some(skipped) = next_mark(rest(sql, at), quote) else {
            break (sql.len(), sql.len());
        };
        at += skipped;
        let next = byte_at(sql, at + 1);
        if byte_at(sql, at) == Some(quote) {
            match next {
                Some(second) if second == quote => {
                    kept.extend_from_slice(part(sql, from..at + 1));
                    from = at + 2;
                }
                Some(second) if is_quote(second) => {}
                _ => break (at, at + 1),
            }
        } else if matches!(next, None | Some(b'\n')) {
            kept.extend_from_slice(part(sql, from..at));
            from = at + 1;
        }
        at += 2;
    };
    let last = part(sql, from..to);
    if kept.is_empty() {
        return (Cow::Borrowed(last), end);
    }
    kept.extend_from_slice(last);
    (Cow::Owned(kept), end)
}

/// Bytes that are looked at one by one before the search begins.
const NEAR: usize = 8;

/// Where the first quote or backslash is. Escapes come in clusters, and starting a search for a byte
/// that is near costs more than it saves.
fn next_mark(text: &[u8], quote: u8) -> Option<usize> {
    let (near, far) = text.split_at_checked(NEAR).unwrap_or((text, &[]));
    let found = near.iter().position(|&byte| byte == quote || byte == b'\\');
    found.or_else(|| memchr2(quote, b'\\', far).map(|skipped| near.len() + skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_near_and_far() {
        for length in 0..4 * NEAR {
            let plain = "x".repeat(length);
            for sql in
                [format!("'{plain}'y"), format!("'{plain}"), format!("'\\'{plain}\\\\{plain}'y")]
            {
                let (text, end) = quoted(sql.as_bytes(), 0, b'\'');
                let inside = sql.strip_prefix('\'').expect("a quote");
                let inside = inside.strip_suffix("'y").unwrap_or(inside);
                assert_eq!(text, inside.as_bytes(), "{sql}");
                assert_eq!(end, sql.trim_end_matches('y').len(), "{sql}");
            }
        }
    }
}
