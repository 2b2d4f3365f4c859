//! Classes of bytes. A query has no character set: a letter is an
//! ASCII letter, and a no-break space is no blank.

use crate::bytes::rest;

/// Class of a byte that may stand between tokens: blank, tab, LF, VT, FF, CR.
pub const BLANK: u8 = 1;
/// Class of a digit.
pub const DIGIT: u8 = 2;
/// Class of what a segment of a name has at least one of: letter, `_`, `@`.
pub const LETTER: u8 = 4;
/// What a segment of a name goes on with.
pub const WORD: u8 = LETTER | DIGIT;

/// The class of each byte. Scanning is mostly the search for the end of a run, and one load per byte
/// is faster than comparisons.
static CLASSES: [u8; 256] = classes();

#[allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "evaluated by the compiler only"
)]
const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        classes[byte as usize] = match byte {
            b' ' | b'\t'..=b'\r' => BLANK,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' => LETTER,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

/// Whether a byte is of one of these classes.
pub fn is(byte: u8, classes: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|class| class & classes != 0)
}

/// What opens, and closes, a quoted text.
pub const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`')
}

/// Where the run of bytes of these classes ends that begins at `from`: `from` itself if it is empty.
pub fn run_end(sql: &[u8], from: usize, classes: u8) -> usize {
    let run = rest(sql, from);
    from + run.iter().position(|&byte| !is(byte, classes)).unwrap_or(run.len())
}
