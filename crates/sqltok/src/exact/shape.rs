//! A statement with other values: for what follows from its words.

use super::{Kind, Rules, lex};
use crate::bytes::{byte_at, part};

/// Statements of which no value says what they do.
const VERBS: [&[u8]; 5] = [b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"REPLACE"];

/// Writes the text with 0 in place of its numbers and an empty string in place of those in single quotes, into what is in `out`. `false`, if
/// that is none that may stand for it: it is no single statement that reads or changes rows, or no server reads it to its end.
///
/// Everything else is as it was, blanks and comments too, so a server reads it as the same tokens.
pub fn shape(sql: &[u8], rules: Rules, out: &mut Vec<u8>) -> bool {
    out.clear();
    let (mut end, mut has_verb, mut is_over) = (0, false, false);
    for token in lex(sql, rules) {
        let raw = token.raw(sql);
        if token.kind.is_error() || is_over {
            return false;
        }
        if !has_verb && !token.kind.is_comment() {
            has_verb = VERBS.iter().any(|verb| raw.eq_ignore_ascii_case(verb));
            if !has_verb {
                return false;
            }
        }
        is_over = token.kind == Kind::Semicolon;
        let value: &[u8] = match token.kind {
            Kind::String if raw.first() == Some(&b'\'') => b"''",
            Kind::Integer | Kind::Decimal | Kind::Float
                if is_apart(sql, token.start, token.end) =>
            {
                b"0"
            }
            _ => continue,
        };
        out.extend_from_slice(part(sql, end..token.start));
        out.extend_from_slice(value);
        end = token.end;
    }
    out.extend_from_slice(part(sql, end..sql.len()));
    has_verb
}

/// Whether a number stands by itself, so that another one is read as one there.
fn is_apart(sql: &[u8], start: usize, end: usize) -> bool {
    let joins =
        |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_$.@".contains(&byte);
    let before = start.checked_sub(1).map(|at| byte_at(sql, at));
    !before.flatten().is_some_and(joins) && !byte_at(sql, end).is_some_and(joins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(sql: &str) -> Option<String> {
        let mut out = b"of before".to_vec();
        shape(sql.as_bytes(), Rules::default(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_others() {
        for (sql, expected) in [
            ("SELECT c FROM t WHERE id=7 AND b = 'it''s'", "SELECT c FROM t WHERE id=0 AND b = ''"),
            (
                "/* 1 */ insert INTO t VALUES (1.5,-1e3, \"x\")",
                "/* 1 */ insert INTO t VALUES (0,-0, \"x\")",
            ),
            (
                "SELECT 1a, 1.AND 2, t.5, @a1, x'41', _utf8'a';",
                "SELECT 1a, 1.AND 0, t.5, @a1, x'41', _utf8'';",
            ),
            ("DELETE FROM t", "DELETE FROM t"),
        ] {
            assert_eq!(shape_of(sql).as_deref(), Some(expected), "{sql}");
        }
    }

    #[test]
    fn what_may_mean_something_else_has_none() {
        for sql in [
            "",
            "SET a = 1",
            "USE d",
            "(SELECT 1)",
            "SELECT 1; SET a = 1",
            "SELECT 'a",
            "CALL p(1)",
        ] {
            assert_eq!(shape_of(sql), None, "{sql}");
        }
    }
}
