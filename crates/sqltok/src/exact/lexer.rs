//! The scanner: which rule applies at a position. The rules themselves are in the modules named after what they match.
//!
//! Source: `lex_one_token` in `sql/sql_lex.cc` of MySQL 9 and MariaDB 11, whose states are named here where one of ours stands for one.

use std::iter::FusedIterator;
use std::ops::Range;

use super::word::{Dollar, dollar, plain_end};
use super::{Kind, Rules, Token, comment, number, symbol};
use crate::bytes::{byte_at, part};

/// Words that a hint can follow: of 6 or 7 letters.
const HINTED: [&[u8]; 5] = [b"SELECT", b"INSERT", b"REPLACE", b"UPDATE", b"DELETE"];

/// Splits a text into tokens as a server with these rules does.
#[must_use]
pub const fn lex(sql: &[u8], rules: Rules) -> Lexer<'_> {
    Lexer {
        sql,
        rules,
        at: 0,
        next: Next::Start,
        is_open: false,
        last_word: 0..0,
        is_behind_semicolon: false,
    }
}

/// The tokens of a text, found one by one. Made by [`lex`].
#[derive(Debug, Clone)]
pub struct Lexer<'s> {
    sql: &'s [u8],
    rules: Rules,
    /// Where scanning goes on.
    at: usize,
    next: Next,
    /// A versioned comment is open.
    is_open: bool,
    /// The last token if it is a word that no dot is at, else nothing.
    last_word: Range<usize>,
    /// The last token but comments was a semicolon.
    is_behind_semicolon: bool,
}

/// What the token before says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing.
    Start,
    /// It is a dot, even if a digit follows: `MY_LEX_IDENT_SEP`.
    Dot,
    /// It is a name, even if it looks like a number: `MY_LEX_IDENT_START`.
    Name,
    /// There is none.
    End,
}

impl Lexer<'_> {
    /// The token at the current position, which is behind blanks, and where it ends.
    fn scan(&mut self, first: u8) -> (Kind, usize) {
        let (sql, rules, start) = (self.sql, self.rules, self.at);
        match first {
            b'x' | b'X' if self.is_quote_next() => self.digits(Kind::Hex),
            b'b' | b'B' if self.is_quote_next() => self.digits(Kind::Bits),
            b'n' | b'N' if self.is_quote_next() => {
                self.ended(Kind::NationalString, rules.string_end(sql, start + 1))
            }
            b'0'..=b'9' => {
                let (kind, end) = number::number_or_name(sql, start, rules);
                if kind == Kind::Word { self.name(end) } else { (kind, end) }
            }
            b'$' if rules.dialect.has_dollar_texts() => match dollar(sql, start, rules) {
                Dollar::Word => self.word(),
                Dollar::Text(end) => (Kind::DollarString, end),
                Dollar::Open => (Kind::Unterminated, sql.len()),
            },
            b'\'' => self.ended(Kind::String, rules.string_end(sql, start)),
            b'"' if !rules.ansi_quotes => self.ended(Kind::String, rules.string_end(sql, start)),
            b'"' | b'`' => self.ended(Kind::QuotedName, rules.name_quote_end(sql, start)),
            b'.' if byte_at(sql, start + 1).is_some_and(|byte| byte.is_ascii_digit()) => {
                number::fraction(sql, start + 1)
            }
            b'.' if byte_at(sql, start + 1) == Some(b'.') && !rules.dialect.is_mysql() => {
                (Kind::Symbol, start + 2)
            }
            b'.' => self.dot(),
            b'@' => self.variable(),
            b'#' => (Kind::Comment, comment::line_end(sql, start + 1)),
            b'-' if comment::is_line(sql, start, rules) => {
                (Kind::Comment, comment::line_end(sql, start + 2))
            }
            b'/' if byte_at(sql, start + 1) == Some(b'*') => self.block(),
            b'*' if self.is_open && byte_at(sql, start + 1) == Some(b'/') => {
                self.is_open = false;
                (Kind::CloseVersion, start + 2)
            }
            b'\\' if byte_at(sql, start + 1) == Some(b'N') && !rules.dialect.is_mysql() => {
                (Kind::Null, start + 2)
            }
            _ if rules.charset.is_name(first) => self.word(),
            _ => symbol::symbol(sql, start, rules).unwrap_or((Kind::Invalid, sql.len())),
        }
    }

    fn is_quote_next(&self) -> bool {
        byte_at(self.sql, self.at + 1) == Some(b'\'')
    }

    fn ended(&self, kind: Kind, end: Option<usize>) -> (Kind, usize) {
        end.map_or((Kind::Unterminated, self.sql.len()), |end| (kind, end))
    }

    fn digits(&self, kind: Kind) -> (Kind, usize) {
        let end = number::quoted_digits_end(self.sql, self.at + 1, kind);
        end.map_or((Kind::Invalid, self.sql.len()), |end| (kind, end))
    }

    fn word(&mut self) -> (Kind, usize) {
        match self.rules.word_end(self.sql, self.at) {
            Some(end) => self.name(end),
            None => (Kind::Invalid, self.sql.len()),
        }
    }

    /// A name that ends at `end`: behind a dot that follows directly there is another.
    fn name(&mut self, end: usize) -> (Kind, usize) {
        if byte_at(self.sql, end) == Some(b'.') && self.rules.is_name_at(self.sql, end + 1) {
            self.next = Next::Dot;
        }
        (Kind::Word, end)
    }

    fn dot(&mut self) -> (Kind, usize) {
        let end = self.at + 1;
        if self.rules.is_name_at(self.sql, end) {
            self.next = Next::Name;
        }
        (Kind::Dot, end)
    }

    fn variable(&mut self) -> (Kind, usize) {
        let (sql, rules, from) = (self.sql, self.rules, self.at + 1);
        match byte_at(sql, from) {
            Some(b'@') => self.system_variable(from + 1),
            Some(b'\'') => self.ended(Kind::UserVariable, rules.string_end(sql, from)),
            Some(b'"') if !rules.ansi_quotes => {
                self.ended(Kind::UserVariable, rules.string_end(sql, from))
            }
            Some(b'`' | b'"') => self.ended(Kind::UserVariable, rules.name_quote_end(sql, from)),
            _ => (Kind::UserVariable, rules.host_end(sql, from)),
        }
    }

    fn system_variable(&mut self, from: usize) -> (Kind, usize) {
        if byte_at(self.sql, from) == Some(b'`') {
            let end = self.rules.name_quote_end(self.sql, from);
            return self.ended(Kind::SystemVariable, end);
        }
        let end = self.rules.variable_end(self.sql, from);
        if end == from {
            return (Kind::Invalid, self.sql.len());
        }
        if byte_at(self.sql, end) == Some(b'.') {
            self.next = Next::Dot;
        }
        (Kind::SystemVariable, end)
    }

    fn block(&mut self) -> (Kind, usize) {
        let found = comment::block(self.sql, self.at, self.rules, self.is_hint_place());
        // In an open versioned comment another one is only a mark: the first `*/` closes both.
        self.is_open |= found.0 == Kind::OpenVersion;
        found
    }

    /// Whether the NUL at the current position is the end to servers: they take it for one if it is the last byte, and behind a
    /// semicolon, where whatever follows is not looked at.
    fn is_end(&self) -> bool {
        self.is_behind_semicolon || comment::is_dropped(self.sql, self.at + 1, self.rules)
    }

    /// Whether the last token is a word that a hint can follow.
    fn is_hint_place(&self) -> bool {
        let word = part(self.sql, self.last_word.clone());
        HINTED.iter().any(|hinted| hinted.eq_ignore_ascii_case(word))
    }

    #[inline]
    fn take(&mut self, kind: Kind, end: usize) -> Token {
        let token = Token { kind, start: self.at, end };
        let is_whole = kind == Kind::Word && self.next != Next::Dot;
        self.last_word = if is_whole { token.start..end } else { 0..0 };
        if kind.is_error() {
            self.next = Next::End;
        }
        if !kind.is_comment() {
            self.is_behind_semicolon = kind == Kind::Semicolon;
        }
        self.at = end;
        token
    }

    /// What is nearly all of nearly all texts: a name or keyword of ASCII, a comma, a parenthesis.
    #[inline]
    fn simple(&mut self, first: u8) -> Option<(Kind, usize)> {
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = plain_end(self.sql, self.at + 1);
                match byte_at(self.sql, end) {
                    Some(b'\'' | 0x80..) => None,
                    Some(b'.') => Some(self.name(end)),
                    _ => Some((Kind::Word, end)),
                }
            }
            b',' => Some((Kind::Comma, self.at + 1)),
            b'(' => Some((Kind::OpenParen, self.at + 1)),
            b')' => Some((Kind::CloseParen, self.at + 1)),
            _ => None,
        }
    }

    /// The token that the one before made certain; `None` if there is none.
    fn expected(&mut self) -> Option<Token> {
        match std::mem::replace(&mut self.next, Next::Start) {
            Next::Dot => {
                let (kind, end) = self.dot();
                Some(self.take(kind, end))
            }
            Next::Name => {
                let end = self.rules.name_end(self.sql, self.at);
                let found =
                    if end > self.at { self.name(end) } else { (Kind::Invalid, self.sql.len()) };
                let token = self.take(found.0, found.1);
                self.last_word = 0..0;
                Some(token)
            }
            over @ (Next::Start | Next::End) => {
                self.next = over;
                None
            }
        }
    }

    fn finish(&mut self) -> Option<Token> {
        self.at = self.sql.len();
        if self.is_open && self.next != Next::End {
            return Some(self.take(Kind::Unterminated, self.at));
        }
        self.next = Next::End;
        None
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        if self.next != Next::Start {
            return self.expected();
        }
        while let Some(first) = byte_at(self.sql, self.at) {
            if self.rules.charset.is_blank(first) {
                self.at += 1;
                continue;
            }
            if let Some((kind, end)) = self.simple(first) {
                return Some(self.take(kind, end));
            }
            if first == 0 && self.is_end() {
                break;
            }
            let (kind, end) = self.scan(first);
            return Some(self.take(kind, end));
        }
        self.finish()
    }
}

impl FusedIterator for Lexer<'_> {}
