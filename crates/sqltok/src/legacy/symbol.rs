//! Operators and punctuation, longest spelling first: `<=>` is `<=` and `>`. What has no token, such
//! as `%`, `?` or a byte above 0x7f, is unknown, one byte at a time.

use super::TokenId;

/// The token that starts with `first`, and its length in bytes, if `second` follows.
pub const fn symbol(first: u8, second: Option<u8>) -> (TokenId, usize) {
    match (first, second) {
        (b'<', Some(b'=')) => (TokenId::Le, 2),
        (b'>', Some(b'=')) => (TokenId::Ge, 2),
        (b'<', Some(b'>')) | (b'!', Some(b'=')) => (TokenId::Ne, 2),
        (b':', Some(b'=')) => (TokenId::Assign, 2),
        (b'&', Some(b'&')) => (TokenId::LogicalAnd, 2),
        (b'|', Some(b'|')) => (TokenId::LogicalOr, 2),
        _ => (single(first), 1),
    }
}

/// The token of a symbol of one byte.
const fn single(byte: u8) -> TokenId {
    match byte {
        b',' => TokenId::Comma,
        b'.' => TokenId::Dot,
        b'<' => TokenId::Lt,
        b'>' => TokenId::Gt,
        b'=' => TokenId::Eq,
        b'(' => TokenId::OBrace,
        b')' => TokenId::CBrace,
        b';' => TokenId::Semicolon,
        b'*' => TokenId::Star,
        b'+' => TokenId::Plus,
        b'-' => TokenId::Minus,
        b'/' => TokenId::Div,
        b'&' => TokenId::BitwiseAnd,
        b'|' => TokenId::BitwiseOr,
        b'^' => TokenId::BitwiseXor,
        _ => TokenId::Unknown,
    }
}
