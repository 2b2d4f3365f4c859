//! Names: one to three segments joined by dots, such as `` `db.table.column` `` without the quotes.

use super::TokenId;
use super::class::{DIGIT, LETTER, WORD, is, run_end};
use super::keyword;
use crate::bytes::byte_at;

/// Segments of one name at most; what follows is scanned anew.
pub const MAX_SEGMENTS: u8 = 3;

/// Where the segment that begins at `start` ends: any number of digits, a letter, then letters and
/// digits. `None` if there is no segment.
pub fn segment_end(sql: &[u8], start: usize) -> Option<usize> {
    let letter = run_end(sql, start, DIGIT);
    let found = byte_at(sql, letter).is_some_and(|byte| is(byte, LETTER));
    found.then(|| run_end(sql, letter, WORD))
}

/// Where the segment ends that follows the dot at `dot`. `None` if there is no dot or no segment.
pub fn next_segment_end(sql: &[u8], dot: usize) -> Option<usize> {
    if byte_at(sql, dot) != Some(b'.') {
        return None;
    }
    segment_end(sql, dot + 1)
}

/// Whether a name is called as a function: the brace follows directly, not even a blank between.
pub fn is_called(sql: &[u8], name_end: usize) -> bool {
    byte_at(sql, name_end) == Some(b'(')
}

/// The id of a segment that is followed by a brace or not.
pub fn segment_id(segment: &[u8], called: bool) -> TokenId {
    if called {
        return TokenId::Function;
    }
    keyword::find(segment).unwrap_or(TokenId::Literal)
}
