//! What a token stands for.

use std::borrow::Cow;

use super::{Charset, Kind, Rules, Token};
use crate::bytes::{byte_at, part};

/// What a token stands for, in the bytes of the connection's character set: a string without quotes and escapes, a name without
/// quotes, the bytes of a hex or bit literal. Of everything else it is the token's text.
///
/// A variable's value is its name with the `@` or `@@`, but without quotes.
#[must_use]
pub fn value(token: Token, sql: &[u8], rules: Rules) -> Cow<'_, [u8]> {
    let raw = token.raw(sql);
    match token.kind {
        Kind::String => text(raw, 0, rules),
        Kind::NationalString => text(raw, 1, rules),
        Kind::QuotedName => name(raw, 0, rules.charset),
        Kind::DollarString => Cow::Borrowed(dollar(raw)),
        Kind::Hex => Cow::Owned(number(digits(raw), 4)),
        Kind::Bits => Cow::Owned(number(digits(raw), 1)),
        Kind::UserVariable => variable(raw, 1, rules),
        Kind::SystemVariable => variable(raw, 2, rules),
        _ => Cow::Borrowed(raw),
    }
}

fn variable(raw: &[u8], mark: usize, rules: Rules) -> Cow<'_, [u8]> {
    let name = match byte_at(raw, mark) {
        Some(b'`') => name(raw, mark, rules.charset),
        Some(b'"') if rules.ansi_quotes => name(raw, mark, rules.charset),
        Some(b'\'' | b'"') => text(raw, mark, rules),
        _ => return Cow::Borrowed(raw),
    };
    Cow::Owned([part(raw, 0..mark), &name].concat())
}

/// What is in the quotes that begin at `quote`.
fn inside(raw: &[u8], quote: usize) -> &[u8] {
    part(raw, quote + 1..raw.len().saturating_sub(1))
}

fn name(raw: &[u8], quote: usize, charset: Charset) -> Cow<'_, [u8]> {
    let mark = byte_at(raw, quote).unwrap_or_default();
    unescaped(inside(raw, quote), mark, None, charset)
}

fn text(raw: &[u8], quote: usize, rules: Rules) -> Cow<'_, [u8]> {
    let mark = byte_at(raw, quote).unwrap_or_default();
    let escape = (!rules.no_backslash_escapes).then_some(b'\\');
    unescaped(inside(raw, quote), mark, escape, rules.charset)
}

/// The text with each doubled quote as one, and with what escapes stand for.
fn unescaped(text: &[u8], quote: u8, escape: Option<u8>, charset: Charset) -> Cow<'_, [u8]> {
    if !text.iter().any(|&byte| byte == quote || Some(byte) == escape) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = byte_at(text, at) {
        if let Some(length) = charset.multi_byte(text, at) {
            out.extend_from_slice(part(text, at..at + length));
            at += length;
            continue;
        }
        match byte_at(text, at + 1) {
            Some(next) if Some(byte) == escape => {
                push_escaped(&mut out, next);
                at += 2;
            }
            Some(_) if byte == quote => {
                out.push(quote);
                at += 2;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// What a backslash and this byte stand for.
/// Source: <https://dev.mysql.com/doc/refman/8.4/en/string-literals.html>.
fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'0' => out.push(0),
        b'b' => out.push(8),
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'Z' => out.push(26),
        // For LIKE, which needs the backslash.
        b'%' | b'_' => out.extend_from_slice(&[b'\\', byte]),
        _ => out.push(byte),
    }
}

/// The digits of `0x41`, `x'41'`, `0b1`, `b'1'`.
fn digits(raw: &[u8]) -> &[u8] {
    if byte_at(raw, 1) == Some(b'\'') { inside(raw, 1) } else { part(raw, 2..raw.len()) }
}

/// The bytes that digits of so many bits stand for, with zeros in front.
fn number(digits: &[u8], bits: usize) -> Vec<u8> {
    let per_byte = 8 / bits;
    let mut out = vec![0; digits.len().div_ceil(per_byte)];
    for (byte, digits) in out.iter_mut().rev().zip(digits.rchunks(per_byte)) {
        *byte = digits.iter().fold(0, |byte, digit| byte << bits | digit_value(*digit));
    }
    out
}

const fn digit_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// What is between the two tags.
fn dollar(raw: &[u8]) -> &[u8] {
    let tag = raw.iter().skip(1).position(|&byte| byte == b'$').map_or(0, |length| length + 2);
    part(raw, tag..raw.len().saturating_sub(tag))
}
