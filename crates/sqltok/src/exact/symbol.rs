//! Operators and punctuation.

use super::{Kind, Rules};
use crate::bytes::{byte_at, part};

/// The operator or punctuation mark at `start` and where it ends; `None` if there is none.
pub fn symbol(sql: &[u8], start: usize, rules: Rules) -> Option<(Kind, usize)> {
    let first = byte_at(sql, start)?;
    let (kind, length) = match first {
        b',' => (Kind::Comma, 1),
        b';' => (Kind::Semicolon, 1),
        b'(' => (Kind::OpenParen, 1),
        b')' => (Kind::CloseParen, 1),
        b':' if byte_at(sql, start + 1) == Some(b'=') => (Kind::Assign, 2),
        b'&' | b'|' if byte_at(sql, start + 1) == Some(first) => (Kind::Symbol, 2),
        b'<' | b'>' | b'=' | b'!' => (Kind::Symbol, comparison(sql, start, rules)?),
        b'-' if rules.dialect.is_mysql() => match part(sql, start + 1..start + 3) {
            b">>" => (Kind::Symbol, 3),
            [b'>', ..] => (Kind::Symbol, 2),
            _ => (Kind::Symbol, 1),
        },
        b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'?' | b':' | b'{'
        | b'}' | b'[' | b']' => (Kind::Symbol, 1),
        _ => return None,
    };
    Some((kind, start + length))
}

/// How many bytes a comparison has; `None` if there is none.
fn comparison(sql: &[u8], start: usize, rules: Rules) -> Option<usize> {
    let text = part(sql, start..start + 3);
    let length = match text {
        b"<=>" => 3,
        [b'<', b'=' | b'>' | b'<', ..] | [b'>', b'=' | b'>', ..] | [b'!', b'=', ..] => 2,
        _ => 1,
    };
    // MySQL takes as many of these bytes as there can be, and then looks what they are.
    let taken = match text {
        [b'<', b'<' | b'>' | b'=' | b'!', b'>' | b'=' | b'!'] => 3,
        [_, b'<' | b'>' | b'=' | b'!', ..] => 2,
        _ => 1,
    };
    (taken == length || !rules.dialect.is_mysql()).then_some(length)
}
