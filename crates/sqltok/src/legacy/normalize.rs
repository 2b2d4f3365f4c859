//! The normalizer: queries that differ only in their values get the same text.
//!
//! Source of the rules: what `proxy.tokenizer.normalize` of mysql-proxy 0.8.5 answers, recorded in
//! `tests/legacy/data/normalize-cases.jsonl`. They are kept as they are, for a normalized text is what logs
//! and statistics are compared by: `-5` is `- ?`, `IN (1, 2)` keeps one `?` per value, and a quoted
//! `` `commit` `` at the start counts as the word.

use std::borrow::Borrow;

use super::{Token, TokenId};

/// Bytes reserved in advance at most: a long query often is many values, of which little is left.
const MAX_RESERVED: usize = 4096;

/// The normalized text of a query's tokens: comments dropped, values replaced by `?`, identifiers in
/// backticks, everything else in upper case. A versioned comment is kept. Each piece but a function
/// name is followed by a blank.
///
/// The result is bytes, as the query is.
///
/// ```
/// use sqltok::legacy::{normalize, tokenize};
///
/// let query = b"select count(*) from t /* who */ where a = 'x' and b in (1, @v)";
/// let text = normalize(tokenize(query));
/// assert_eq!(text, b"SELECT COUNT( * ) FROM `t` WHERE `a` = ? AND `b` IN ( ? , @v ) ");
/// ```
pub fn normalize<'s, I>(tokens: I) -> Vec<u8>
where
    I: IntoIterator,
    I::Item: Borrow<Token<'s>>,
{
    let tokens = tokens.into_iter();
    // For a `Tokenizer` this is the length of the query, which the text seldom exceeds by much.
    let (_, expected) = tokens.size_hint();
    let mut out = Vec::with_capacity(expected.unwrap_or(0).min(MAX_RESERVED));
    let mut lead = Lead::First;
    for token in tokens {
        let Token { id, text, .. } = token.borrow();
        match id {
            TokenId::Comment => continue,
            TokenId::CommentMysql => push(&mut out, &[b"/*!", text, b"*/ "]),
            TokenId::String | TokenId::Integer | TokenId::Float => push(&mut out, &[b"? "]),
            TokenId::Literal if text.starts_with(b"@") => push(&mut out, &[text, b" "]),
            TokenId::Literal if !lead.is_statement_word(text) => {
                push(&mut out, &[b"`", text, b"` "]);
            }
            TokenId::Function => push_upper(&mut out, text),
            _ => {
                push_upper(&mut out, text);
                out.push(b' ');
            }
        }
        lead = lead.behind(*id, text);
    }
    out
}

/// Where the normalizer is, as far as words matter that start a statement but are no keywords.
#[derive(Clone, Copy)]
enum Lead {
    /// Nothing has been written yet.
    First,
    /// `START` and nothing else.
    Start,
    /// Anything else.
    Other,
}

impl Lead {
    /// Whether an identifier at this place is a word of the statement and no name.
    fn is_statement_word(self, word: &[u8]) -> bool {
        let words: &[&[u8]] = match self {
            Self::First => &[b"COMMIT", b"ROLLBACK", b"BEGIN", b"START"],
            Self::Start => &[b"TRANSACTION"],
            Self::Other => &[],
        };
        words.iter().any(|known| known.eq_ignore_ascii_case(word))
    }

    /// The place behind a piece that was written.
    fn behind(self, id: TokenId, text: &[u8]) -> Self {
        match self {
            Self::First if id == TokenId::Literal && text.eq_ignore_ascii_case(b"START") => {
                Self::Start
            }
            _ => Self::Other,
        }
    }
}

fn push(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

fn push_upper(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(u8::to_ascii_uppercase));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::tokenize;

    fn text(sql: &str) -> String {
        String::from_utf8(normalize(tokenize(sql.as_bytes()))).expect("a text of ASCII")
    }

    #[test]
    fn words_of_a_statement_count_at_its_start_only() {
        assert_eq!(text("start transaction"), "START TRANSACTION ");
        assert_eq!(text("/* c */ start transaction"), "START TRANSACTION ");
        assert_eq!(text("/*!1*/ start transaction"), "/*!1*/ `start` `transaction` ");
        assert_eq!(text("`start` transaction"), "START TRANSACTION ");
        assert_eq!(text("'start' transaction"), "? `transaction` ");
        assert_eq!(text("begin transaction"), "BEGIN `transaction` ");
        assert_eq!(text("transaction"), "`transaction` ");
        assert_eq!(text("start start transaction"), "START `start` `transaction` ");
    }
}
