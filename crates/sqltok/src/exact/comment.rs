//! Comments: those of lines, of blocks, and those whose content some servers run.

use memchr::{memchr2, memmem};

use super::{Kind, Rules};
use crate::bytes::{byte_at, part, rest};

/// Where the line comment ends whose text begins at `from`: at the end of the line, or at a NUL, where servers stop reading.
pub fn line_end(sql: &[u8], from: usize) -> usize {
    memchr2(b'\n', 0, rest(sql, from)).map_or(sql.len(), |length| from + length)
}

/// Whether the `--` at `start` begins a comment: a blank, a control character or the end of the text has to follow.
pub fn is_line(sql: &[u8], start: usize, rules: Rules) -> bool {
    let is_mark = |byte| rules.charset.is_blank(byte) || u8::is_ascii_control(&byte);
    byte_at(sql, start + 1) == Some(b'-')
        && (byte_at(sql, start + 2).is_none_or(is_mark) || is_dropped(sql, start + 2, rules))
}

/// Whether servers drop what follows before they read: blanks and semicolons at the end of a text.
pub fn is_dropped(sql: &[u8], from: usize, rules: Rules) -> bool {
    rest(sql, from).iter().all(|&byte| byte == b';' || rules.charset.is_blank(byte))
}

/// The comment whose `/*` is at `start`, and where it ends; only its mark if its content is run.
///
/// `is_hint_place`: the word before it is one that a hint can follow.
pub fn block(sql: &[u8], start: usize, rules: Rules, is_hint_place: bool) -> (Kind, usize) {
    let unterminated = (Kind::Unterminated, sql.len());
    match part(sql, start + 2..start + 4) {
        [b'!', ..] => versioned(sql, start + 3, false, rules),
        [b'M', b'!'] if rules.dialect.has_own_comments() => versioned(sql, start + 4, true, rules),
        [b'+', ..] => {
            let end = if is_hint_place && rules.dialect.is_mysql() {
                hint_end(sql, start + 3, rules)
            } else {
                closing_end(sql, start + 2)
            };
            end.map_or(unterminated, |end| (Kind::Hint, end))
        }
        _ => closing_end(sql, start + 2).map_or(unterminated, |end| (Kind::Comment, end)),
    }
}

/// Behind the next `*/`.
fn closing_end(sql: &[u8], from: usize) -> Option<usize> {
    memmem::find(rest(sql, from), b"*/").map(|length| from + length + 2)
}

/// Behind the `*/` that is in no quotes. MySQL reads quoted names in hints.
fn hint_end(sql: &[u8], mut at: usize, rules: Rules) -> Option<usize> {
    loop {
        match byte_at(sql, at)? {
            b'*' if byte_at(sql, at + 1) == Some(b'/') => return Some(at + 2),
            b'\'' | b'"' | b'`' => at = rules.name_quote_end(sql, at)?,
            _ => at += rules.charset.multi_byte(sql, at).unwrap_or(1),
        }
    }
}

/// A versioned comment, from behind its mark.
fn versioned(sql: &[u8], from: usize, own: bool, rules: Rules) -> (Kind, usize) {
    let digits = part(sql, from..from + 6);
    let count = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let is_blank_at = |at| byte_at(sql, at).is_some_and(|byte| rules.charset.is_blank(byte));
    let count = match count {
        0..=4 => return (Kind::OpenVersion, from),
        // To MySQL, a sixth digit belongs to the version only if a blank follows.
        6 if rules.dialect.is_mysql() && !is_blank_at(from + 6) => 5,
        count => count,
    };
    let digits = digits.iter().take(count);
    let version = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    if rules.dialect.runs(version, own) {
        return (Kind::OpenVersion, from + count);
    }
    match skipped_end(sql, from) {
        Some(end) => (Kind::SkippedVersion, end),
        None => (Kind::Unterminated, sql.len()),
    }
}

/// Behind the `*/` of a versioned comment that is not run: it can have plain ones inside.
fn skipped_end(sql: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'*', b'/', rest(sql, at))?;
        match part(sql, at..at + 2) {
            b"*/" => return Some(at + 2),
            b"/*" => at = closing_end(sql, at + 2)?,
            _ => at += 1,
        }
    }
}
