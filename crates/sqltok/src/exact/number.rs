//! Numbers, and names that begin with a digit.

use super::{Kind, Rules};
use crate::bytes::{byte_at, rest};

/// Where the run of bytes ends that `is_part` is true for.
fn run_end(sql: &[u8], from: usize, is_part: impl Fn(&u8) -> bool) -> usize {
    let run = rest(sql, from);
    from + run.iter().position(|byte| !is_part(byte)).unwrap_or(run.len())
}

fn digits_end(sql: &[u8], from: usize) -> usize {
    run_end(sql, from, u8::is_ascii_digit)
}

/// The number or name whose first digit is at `start`, and where it ends.
pub fn number_or_name(sql: &[u8], start: usize, rules: Rules) -> (Kind, usize) {
    // Only with small letters.
    let base = match rest(sql, start) {
        [b'0', b'x', ..] => Some((Kind::Hex, run_end(sql, start + 2, u8::is_ascii_hexdigit))),
        [b'0', b'b', ..] => {
            Some((Kind::Bits, run_end(sql, start + 2, |byte| b"01".contains(byte))))
        }
        _ => None,
    };
    if let Some((kind, end)) = base {
        if end > start + 2 && !rules.is_name_at(sql, end) {
            return (kind, end);
        }
        return (Kind::Word, rules.name_end(sql, end));
    }
    let end = digits_end(sql, start);
    if !rules.is_name_at(sql, end) {
        let is_range = byte_at(sql, end + 1) == Some(b'.') && !rules.dialect.is_mysql();
        if byte_at(sql, end) != Some(b'.') || is_range {
            return (Kind::Integer, end);
        }
        return fraction(sql, end + 1);
    }
    if matches!(byte_at(sql, end), Some(b'e' | b'E'))
        && let Some(end) = exponent_end(sql, end + 1)
    {
        return (Kind::Float, end);
    }
    // MySQL steps over the first byte behind the digits, whatever it begins.
    let from = if rules.dialect.is_mysql() { end + 1 } else { end };
    (Kind::Word, rules.name_end(sql, from))
}

/// What is left of a number from behind its point.
pub fn fraction(sql: &[u8], from: usize) -> (Kind, usize) {
    let end = digits_end(sql, from);
    if !matches!(byte_at(sql, end), Some(b'e' | b'E')) {
        return (Kind::Decimal, end);
    }
    match exponent_end(sql, end + 1) {
        Some(end) => (Kind::Float, end),
        None => (Kind::Invalid, sql.len()),
    }
}

/// Where the exponent ends that is expected at `at`, or `None` if there is none.
fn exponent_end(sql: &[u8], at: usize) -> Option<usize> {
    let from = if matches!(byte_at(sql, at), Some(b'+' | b'-')) { at + 1 } else { at };
    let end = digits_end(sql, from);
    (end > from).then_some(end)
}

/// Where the hex or bit literal ends that has its quote at `quote`, or `None` if it is none.
pub fn quoted_digits_end(sql: &[u8], quote: usize, kind: Kind) -> Option<usize> {
    let from = quote + 1;
    let end = match kind {
        Kind::Hex => run_end(sql, from, u8::is_ascii_hexdigit),
        _ => run_end(sql, from, |byte| b"01".contains(byte)),
    };
    let is_whole = kind != Kind::Hex || (end - from) & 1 == 0;
    (byte_at(sql, end) == Some(b'\'') && is_whole).then_some(end + 1)
}
