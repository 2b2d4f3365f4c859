//! The scanner: which rule applies at a position. In the base state the longest match wins; the
//! rules themselves are in the modules named after what they match.
//!
//! Source of the rules: what the tokenizer of mysql-proxy 0.8.5 answers, recorded in
//! `tests/legacy/data/tokenizer-cases.jsonl`.

use std::borrow::Cow;
use std::iter::FusedIterator;

use super::class::{BLANK, WORD, run_end};
use super::comment::{self, Comment};
use super::{Token, TokenId, name, number, quoted, symbol};
use crate::bytes::{byte_at, part};

/// Splits a query into tokens. Any bytes are a query; none is an error.
///
/// ```
/// use sqltok::legacy::{TokenId, tokenize};
///
/// let tokens: Vec<_> = tokenize(b"SELECT `a``b` FROM t -- why").collect();
/// assert_eq!(tokens[0].id, TokenId::SqlSelect);
/// assert_eq!(tokens[1].id, TokenId::Literal);
/// assert_eq!(tokens[1].text.as_ref(), b"a`b");
/// assert_eq!(tokens[1].span, 7..13);
/// assert_eq!(tokens[4].text.as_ref(), b"why");
/// ```
pub fn tokenize(sql: &[u8]) -> Tokenizer<'_> {
    Tokenizer { sql, at: 0, name: Name::Done }
}

/// The tokens of a query, found one by one. Made by [`tokenize`].
#[derive(Debug, Clone)]
pub struct Tokenizer<'s> {
    sql: &'s [u8],
    /// Where scanning goes on.
    at: usize,
    name: Name,
}

/// What is left of a name of several segments: these are not scanned like the start of a token, for
/// `a.1e5` ends with the segment `1e5` and not with a number.
#[derive(Debug, Clone, Copy)]
enum Name {
    /// Nothing.
    Done,
    /// A dot, then the segment.
    Dot(Segment),
    /// The segment.
    Segment(Segment),
}

/// A segment of a name that was looked at but not yet handed out.
#[derive(Debug, Clone, Copy)]
struct Segment {
    end: usize,
    /// How many segments the name may still have behind this one.
    left: u8,
}

impl<'s> Tokenizer<'s> {
    /// Hands out the bytes up to `end` as a token with this text.
    fn take(&mut self, id: TokenId, text: Cow<'s, [u8]>, end: usize) -> Token<'s> {
        let span = self.at..end;
        self.at = end;
        Token { id, text, span }
    }

    /// Hands out the bytes up to `end` as they are.
    fn take_plain(&mut self, id: TokenId, end: usize) -> Token<'s> {
        let text = part(self.sql, self.at..end);
        self.take(id, Cow::Borrowed(text), end)
    }

    fn take_comment(&mut self, comment: Comment) -> Token<'s> {
        let text = part(self.sql, comment.text);
        self.take(comment.id, Cow::Borrowed(text), comment.end)
    }

    fn take_quoted(&mut self, id: TokenId, quote: u8) -> Token<'s> {
        let (text, end) = quoted::quoted(self.sql, self.at, quote);
        self.take(id, text, end)
    }

    fn take_symbol(&mut self, first: u8) -> Token<'s> {
        let (id, length) = symbol::symbol(first, byte_at(self.sql, self.at + 1));
        self.take_plain(id, self.at + length)
    }

    fn take_segment(&mut self, segment: Segment) -> Token<'s> {
        let Segment { end, left } = segment;
        let called = name::is_called(self.sql, end);
        if let Some(left) = left.checked_sub(1)
            && let Some(end) = name::next_segment_end(self.sql, end)
        {
            self.name = Name::Dot(Segment { end, left });
        }
        let id = name::segment_id(part(self.sql, self.at..end), called);
        self.take_plain(id, end)
    }

    fn take_name(&mut self, end: usize) -> Token<'s> {
        self.take_segment(Segment { end, left: name::MAX_SEGMENTS - 1 })
    }

    /// Where a number begins: that number, or a name if that is longer. At equal length a number wins
    /// over a name, and loses if the name goes on or is called: `1e5`, but `1e5.a` and `1e5(`.
    fn take_number_or_name(&mut self, number: TokenId, number_end: usize) -> Token<'s> {
        let sql = self.sql;
        match name::segment_end(sql, self.at) {
            Some(end)
                if end > number_end
                    || end == number_end
                        && (name::is_called(sql, end)
                            || name::next_segment_end(sql, end).is_some()) =>
            {
                self.take_name(end)
            }
            _ => self.take_plain(number, number_end),
        }
    }

    /// The token at the current position in the base state, behind blanks.
    fn take_base(&mut self, first: u8) -> Token<'s> {
        let sql = self.sql;
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'@' => self.take_name(run_end(sql, self.at, WORD)),
            b'0'..=b'9' | b'.' => match number::number(sql, self.at) {
                Some((id, end)) => self.take_number_or_name(id, end),
                None => self.take_symbol(first),
            },
            b'\'' | b'"' => self.take_quoted(TokenId::String, first),
            b'`' => self.take_quoted(TokenId::Literal, first),
            b'/' => match comment::block(sql, self.at) {
                Some(comment) => self.take_comment(comment),
                None => self.take_symbol(first),
            },
            b'-' => match comment::line(sql, self.at) {
                Some(comment) => self.take_comment(comment),
                None => self.take_symbol(first),
            },
            _ => self.take_symbol(first),
        }
    }
}

impl<'s> Iterator for Tokenizer<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        match std::mem::replace(&mut self.name, Name::Done) {
            Name::Done => {}
            Name::Dot(segment) => {
                self.name = Name::Segment(segment);
                return Some(self.take_plain(TokenId::Dot, self.at + 1));
            }
            Name::Segment(segment) => return Some(self.take_segment(segment)),
        }
        self.at = run_end(self.sql, self.at, BLANK);
        let first = byte_at(self.sql, self.at)?;
        Some(self.take_base(first))
    }

    /// A token takes at least one byte.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.sql.len().saturating_sub(self.at)))
    }
}

impl FusedIterator for Tokenizer<'_> {}
