//! What statements have in common that differ in their values only: for counting, never for permission.
//!
//! * A literal and a `?` become `?`, a sign in front of a number goes with it. So do NULL and DEFAULT in a list.
//! * A list of values becomes `?+`, in `IN (...)` also one of a single value. Of equal rows in a row one stays.
//! * Comments and hints go, blanks become one. What a server runs of versioned comments stays.
//! * Names and keywords stay as they are written: `select` and `SELECT` are two.
//!
//! No literal is ever in it, whatever it is for: a password in `IDENTIFIED BY '...'` neither.

use std::hash::Hasher;
use std::ops::Range;

use super::{Kind, Rules, Token, lex};
use crate::bytes::{byte_at, part};

/// The longest fingerprint, in bytes, without the dots behind one that is cut.
pub const MOST: usize = 1024;

/// Parentheses inside of more than so many are not looked into.
const DEEP: usize = 8;
/// Stands for what was not read.
const MORE: &[u8] = b"...";

/// Writes the fingerprint of a text in place of what is in `out`. `is_cut`: it is the beginning of a longer text.
pub fn fingerprint(sql: &[u8], rules: Rules, is_cut: bool, out: &mut Vec<u8>) {
    out.clear();
    let mut folder = Folder::new(sql, out);
    for token in lex(sql, rules) {
        let is_unread = is_cut && token.end == sql.len();
        if is_unread || !folder.add(token) {
            return folder.cut();
        }
    }
    if is_cut {
        return folder.cut();
    }
    folder.flush();
    while folder.out.pop_if(|last| matches!(last, b';' | b' ')).is_some() {}
}

/// The number of a fingerprint: the same in every process of every version.
#[must_use]
pub fn digest(fingerprint: &[u8]) -> u64 {
    #[expect(
        deprecated,
        reason = "the only hasher of the standard library whose algorithm is told: SipHash 2-4"
    )]
    let mut hasher = std::hash::SipHasher::new();
    hasher.write(fingerprint);
    hasher.finish()
}

/// A value, or what stands in parentheses, in the text that is being made.
#[derive(Debug, Clone, Copy, Default)]
struct Item {
    start: usize,
    end: usize,
    /// A comma is behind it.
    has_comma: bool,
}

/// What is known inside of one pair of parentheses.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// The last thing in a list, if nothing but a comma came behind it.
    last: Option<Item>,
    /// Where the parenthesis that opens it stands.
    start: usize,
    /// It stands behind the word IN.
    is_behind_in: bool,
    /// It begins an element of a list, or may.
    is_element: bool,
}

/// A sign that may belong to a number.
#[derive(Debug, Clone, Copy)]
struct Sign {
    /// Where it stands, with the blank in front of it.
    start: usize,
    has_blank: bool,
    /// What its list had before.
    last: Option<Item>,
    /// What is in front of it.
    before: Option<Kind>,
}

const fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Integer | Kind::Decimal | Kind::Float)
}

struct Folder<'o> {
    sql: &'o [u8],
    out: &'o mut Vec<u8>,
    /// What comes next in `out`, as it stands in the text: so that it is copied in long pieces.
    run: Range<usize>,
    levels: [Level; DEEP],
    depth: usize,
    /// The last token but comments, where it is in the text, and whether something was left out behind it.
    before: Option<Kind>,
    place: Range<usize>,
    skipped: bool,
    /// The last token, if it is a sign.
    sign: Option<Sign>,
}

impl<'o> Folder<'o> {
    fn new(sql: &'o [u8], out: &'o mut Vec<u8>) -> Self {
        Self {
            sql,
            out,
            run: 0..0,
            levels: [Level::default(); DEEP],
            depth: 0,
            before: None,
            place: 0..0,
            skipped: false,
            sign: None,
        }
    }

    /// How long the fingerprint is so far.
    fn len(&self) -> usize {
        self.out.len() + self.run.len()
    }

    fn flush(&mut self) {
        let end = self.run.end;
        let run = std::mem::replace(&mut self.run, end..end);
        self.out.extend_from_slice(part(self.sql, run));
    }

    /// Adds a token; `false`: there is no room for it, or it is none.
    fn add(&mut self, token: Token) -> bool {
        if token.kind.is_comment() || token.kind.is_error() {
            self.skipped = true;
            return token.kind.is_comment();
        }
        let is_value = self.is_value(token);
        let (start, length) = (self.len(), if is_value { 1 } else { token.end - token.start });
        if start + length >= MOST {
            return false;
        }
        let sign = self.sign.take();
        let has_blank = match sign {
            Some(sign) if is_number(token.kind) => self.take_sign(&sign),
            _ => self.is_apart(token),
        };
        if is_value {
            self.flush();
            self.out.extend_from_slice(if has_blank { b" ?" } else { b"?" });
            self.run = token.end..token.end;
            self.item(self.len() - length, self.begins_element());
        } else {
            self.copy(token, has_blank);
            match token.kind {
                Kind::OpenParen => self.open(self.len() - length),
                Kind::CloseParen => self.close(),
                Kind::Comma => self.with_level(|level| {
                    level.last = level.last.filter(|item| !item.has_comma);
                    level.last.iter_mut().for_each(|item| item.has_comma = true);
                }),
                Kind::Symbol if self.is_sign(token) => {
                    let last = self.levels.get(self.depth).and_then(|level| level.last);
                    self.sign = Some(Sign { start, has_blank, last, before: self.before });
                    self.with_level(|level| level.last = None);
                }
                _ => self.with_level(|level| level.last = None),
            }
        }
        // A `?` is a value like any other.
        self.before = Some(if is_value { Kind::Integer } else { token.kind });
        (self.place, self.skipped) = (token.start..token.end, false);
        true
    }

    /// A token that stays as it is.
    fn copy(&mut self, token: Token, has_blank: bool) {
        let goes_on = match token.start - self.run.end {
            0 => !has_blank,
            1 => has_blank && byte_at(self.sql, self.run.end) == Some(b' '),
            _ => false,
        };
        if goes_on {
            self.run.end = token.end;
            return;
        }
        self.flush();
        if has_blank {
            self.out.push(b' ');
        }
        self.run = token.start..token.end;
    }

    /// The number that comes takes the sign in front of it with it. Whether there is a blank.
    fn take_sign(&mut self, sign: &Sign) -> bool {
        self.flush();
        self.out.truncate(sign.start);
        self.with_level(|level| level.last = sign.last);
        self.before = sign.before;
        sign.has_blank
    }

    fn is_value(&self, token: Token) -> bool {
        match token.kind {
            Kind::String
            | Kind::NationalString
            | Kind::DollarString
            | Kind::Integer
            | Kind::Decimal
            | Kind::Float
            | Kind::Hex
            | Kind::Bits
            | Kind::Null => true,
            Kind::Symbol => token.raw(self.sql) == b"?",
            Kind::Word => {
                matches!(self.before, Some(Kind::OpenParen | Kind::Comma))
                    && [&b"NULL"[..], b"DEFAULT"]
                        .iter()
                        .any(|word| word.eq_ignore_ascii_case(token.raw(self.sql)))
            }
            _ => false,
        }
    }

    /// Whether it is a sign that belongs to a number behind it.
    fn is_sign(&self, token: Token) -> bool {
        matches!(token.raw(self.sql), b"-" | b"+")
            && matches!(
                self.before,
                Some(Kind::OpenParen | Kind::Comma | Kind::Symbol | Kind::Assign)
            )
    }

    /// Whether an element of a list begins here, or may: behind a word there may be one.
    fn begins_element(&self) -> bool {
        matches!(self.before, None | Some(Kind::OpenParen | Kind::Comma | Kind::Word))
    }

    /// Whether a blank goes in front of a token.
    fn is_apart(&self, token: Token) -> bool {
        match (self.before, token.kind) {
            (None | Some(Kind::OpenParen), _) => false,
            (_, Kind::Comma | Kind::CloseParen | Kind::Semicolon) => false,
            (Some(Kind::Comma), _) => true,
            _ => self.skipped || token.start > self.place.end,
        }
    }

    fn with_level(&mut self, change: impl FnOnce(&mut Level)) {
        if let Some(level) = self.levels.get_mut(self.depth) {
            change(level);
        }
    }

    fn open(&mut self, start: usize) {
        self.depth += 1;
        let is_behind_in = self.before == Some(Kind::Word)
            && part(self.sql, self.place.clone()).eq_ignore_ascii_case(b"IN");
        let is_element = self.begins_element();
        self.with_level(|level| *level = Level { last: None, start, is_behind_in, is_element });
    }

    fn close(&mut self) {
        let inside = self.levels.get(self.depth).copied().filter(|_| self.depth > 0);
        self.depth = self.depth.saturating_sub(1);
        let Some(Level { start, is_behind_in, is_element, .. }) = inside else { return };
        if is_behind_in {
            self.flush();
            if self.out.get(start..) == Some(b"(?)") {
                self.out.truncate(start);
                self.out.extend_from_slice(b"(?+)");
            }
        }
        self.item(start, is_element);
    }

    /// What begins at `start` ends here. If it is in a list behind its like, it is not needed.
    fn item(&mut self, start: usize, is_element: bool) {
        let last = self.levels.get(self.depth).and_then(|level| level.last);
        let last = last.filter(|last| is_element && last.has_comma);
        let folded = last.filter(|last| self.is_like(last, start));
        if let Some(last) = folded {
            let is_first = self.out.get(last.start..last.end) == Some(b"?");
            self.out.truncate(last.end);
            if is_first {
                self.out.push(b'+');
            }
        }
        let start = folded.map_or(start, |last| last.start);
        let item = Item { start, end: self.len(), has_comma: false };
        self.with_level(|level| level.last = Some(item).filter(|_| is_element));
    }

    /// Whether what begins at `start` is like the one before it in its list.
    fn is_like(&mut self, last: &Item, start: usize) -> bool {
        self.flush();
        let (one, other) = (self.out.get(last.start..last.end), self.out.get(start..));
        one == other || (one == Some(b"?+") && other == Some(b"?"))
    }

    /// The rest is not read. Where in a list or in rows that is makes no difference.
    fn cut(mut self) {
        self.flush();
        let levels = self.levels.get(..=self.depth).unwrap_or(&self.levels);
        let listed = levels.iter().find_map(|level| level.last.filter(|item| item.has_comma));
        if let Some(item) = listed {
            self.out.truncate(item.end);
        }
        self.out.extend_from_slice(MORE);
    }
}

#[cfg(test)]
mod tests;
