//! Where quoted texts end.

use memchr::memchr2;

use super::Rules;
use crate::bytes::{byte_at, rest};

impl Rules {
    /// Where the string ends whose opening quote is at `start`; `None` if it does not.
    pub(super) fn string_end(self, sql: &[u8], start: usize) -> Option<usize> {
        let quote = byte_at(sql, start)?;
        let escape = if self.no_backslash_escapes { quote } else { b'\\' };
        self.quoted_end(sql, start, quote, escape)
    }

    /// Where the quoted name ends whose opening quote is at `start`; `None` if it does not, or has a NUL in it.
    pub(super) fn name_quote_end(self, sql: &[u8], start: usize) -> Option<usize> {
        let quote = byte_at(sql, start)?;
        self.quoted_end(sql, start, quote, 0)
    }

    /// `escape` is a backslash, or a NUL that ends the search, or the quote if there is neither.
    fn quoted_end(self, sql: &[u8], start: usize, quote: u8, escape: u8) -> Option<usize> {
        let mut at = start + 1;
        loop {
            at = self.next_mark(sql, at, quote, escape)?;
            if byte_at(sql, at) == Some(quote) {
                if byte_at(sql, at + 1) != Some(quote) {
                    return Some(at + 1);
                }
            } else if escape == 0 {
                return None;
            }
            // Behind a backslash the server steps over one byte, not over one character.
            at += 2;
        }
    }

    /// Where the next byte is that is one of these and no part of a longer character.
    fn next_mark(self, sql: &[u8], from: usize, one: u8, other: u8) -> Option<usize> {
        if self.charset.has_ambiguous_bytes() {
            let mut at = from;
            loop {
                match self.charset.multi_byte(sql, at) {
                    Some(length) => at += length,
                    None if byte_at(sql, at).is_none_or(|byte| byte == one || byte == other) => {
                        return (at < sql.len()).then_some(at);
                    }
                    None => at += 1,
                }
            }
        }
        memchr2(one, other, rest(sql, from)).map(|skipped| from + skipped)
    }
}
