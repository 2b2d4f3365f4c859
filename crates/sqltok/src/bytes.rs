//! Checked access to the query.

use std::ops::Range;

/// The byte at `at`, if the query is that long.
pub fn byte_at(sql: &[u8], at: usize) -> Option<u8> {
    sql.get(at).copied()
}

/// A part of the query; what lies behind its end is left out.
pub fn part(sql: &[u8], range: Range<usize>) -> &[u8] {
    sql.get(range.start..range.end.min(sql.len())).unwrap_or_default()
}

/// The rest of the query.
pub fn rest(sql: &[u8], from: usize) -> &[u8] {
    sql.get(from..).unwrap_or_default()
}
