//! Bare names and keywords, and the names of variables.

use memchr::memmem;

use super::Rules;
use crate::bytes::{byte_at, part, rest};

impl Rules {
    /// Where a name ends that goes on at `at`.
    pub(super) fn name_end(self, sql: &[u8], mut at: usize) -> usize {
        // Nearly all of them are ASCII to their ends, where a byte is a character in every character set.
        at = plain_end(sql, at);
        if byte_at(sql, at).is_none_or(|byte| byte.is_ascii()) {
            return at;
        }
        while let Some(length) = self.charset.name_char(sql, at, false, self.dialect) {
            at += length;
        }
        at
    }

    /// Where the word ends that begins at `at`, or `None` if there is none.
    pub(super) fn word_end(self, sql: &[u8], at: usize) -> Option<usize> {
        if byte_at(sql, at).is_some_and(is_plain) {
            return Some(self.name_end(sql, at));
        }
        let first = self.charset.name_char(sql, at, true, self.dialect)?;
        Some(self.name_end(sql, at + first))
    }

    /// Whether a name can go on with the byte at `at`.
    pub(super) fn is_name_at(self, sql: &[u8], at: usize) -> bool {
        byte_at(sql, at).is_some_and(|byte| self.charset.is_name(byte))
    }

    /// Where the name behind `@@` ends, which is read byte by byte.
    pub(super) fn variable_end(self, sql: &[u8], from: usize) -> usize {
        let name = rest(sql, from);
        from + name.iter().position(|&byte| !self.charset.is_name(byte)).unwrap_or(name.len())
    }

    /// Where the name behind `@` ends, which is also the host of an account.
    pub(super) fn host_end(self, sql: &[u8], from: usize) -> usize {
        let name = rest(sql, from);
        let is_part = |&byte: &u8| {
            byte.is_ascii_alphanumeric() || b"._$".contains(&byte) || self.charset.is_letter(byte)
        };
        from + name.iter().position(|byte| !is_part(byte)).unwrap_or(name.len())
    }
}

/// The characters of names in all character sets.
static PLAIN: [bool; 256] = plain();

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "in a constant, where a place that is none would not compile"
)]
const fn plain() -> [bool; 256] {
    let mut found = [false; 256];
    let mut byte = 0;
    while byte < found.len() {
        found[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$');
        byte += 1;
    }
    found
}

fn is_plain(byte: u8) -> bool {
    PLAIN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Where the run of such characters ends that goes on at `at`.
#[inline]
pub fn plain_end(sql: &[u8], mut at: usize) -> usize {
    while byte_at(sql, at).is_some_and(is_plain) {
        at += 1;
    }
    at
}

/// What a dollar sign begins in newer versions of MySQL.
pub enum Dollar {
    /// A word as any other.
    Word,
    /// A text that ends here.
    Text(usize),
    /// A text without an end.
    Open,
}

/// What the dollar sign at `start` begins: `$tag$ ... $tag$`, where the tag can be empty.
pub fn dollar(sql: &[u8], start: usize, rules: Rules) -> Dollar {
    let mut at = start + 1;
    while byte_at(sql, at) != Some(b'$') {
        match rules.charset.name_char(sql, at, false, rules.dialect) {
            Some(length) => at += length,
            None => return Dollar::Word,
        }
    }
    let tag = part(sql, start..at + 1);
    match memmem::find(rest(sql, at + 1), tag) {
        Some(length) => Dollar::Text(at + 1 + length + tag.len()),
        None => Dollar::Open,
    }
}
