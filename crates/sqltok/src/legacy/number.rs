//! Numbers, always without a sign: `1`, `1.5`, `.5`, `1e3`, `1.5e-3`, `.5e3`. A trailing dot is not
//! part of one.

use super::TokenId;
use super::class::{DIGIT, run_end};
use crate::bytes::byte_at;

/// The longest number that begins at `start`: its id and where it ends. `None` if there is none.
pub fn number(sql: &[u8], start: usize) -> Option<(TokenId, usize)> {
    let whole = run_end(sql, start, DIGIT);
    let (id, mantissa) = match fraction_end(sql, whole) {
        Some(end) => (TokenId::Float, end),
        None if whole > start => (TokenId::Integer, whole),
        None => return None,
    };
    Some(exponent_end(sql, mantissa).map_or((id, mantissa), |end| (TokenId::Float, end)))
}

/// A dot and at least one digit.
fn fraction_end(sql: &[u8], dot: usize) -> Option<usize> {
    if byte_at(sql, dot) != Some(b'.') {
        return None;
    }
    some_digits_end(sql, dot + 1)
}

/// The letter, a sign or not, and at least one digit.
fn exponent_end(sql: &[u8], letter: usize) -> Option<usize> {
    if !matches!(byte_at(sql, letter), Some(b'e' | b'E')) {
        return None;
    }
    let signed = matches!(byte_at(sql, letter + 1), Some(b'+' | b'-'));
    some_digits_end(sql, letter + 1 + usize::from(signed))
}

fn some_digits_end(sql: &[u8], from: usize) -> Option<usize> {
    let end = run_end(sql, from, DIGIT);
    (end > from).then_some(end)
}
