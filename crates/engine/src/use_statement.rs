//! `USE db` as text: the one statement whose effect the proxy follows without being told by the server.
//!
//! A client that asked for session tracking gets every change of the default database in an OK packet. For the others the
//! statement itself is read. What MariaDB and MySQL accept: spaces and comments in front, a name that is bare or quoted.
//! Source: <https://dev.mysql.com/doc/refman/8.4/en/use.html>.

/// The database that a query changes to with its first statement, if that is `USE`.
pub fn database(sql: &[u8]) -> Option<Vec<u8>> {
    // Nearly every query ends here.
    if !matches!(sql.first()?, b'u' | b'U' | b'/' | b'-' | b'#' | b' ' | b'\t' | b'\r' | b'\n') {
        return None;
    }
    let (word, rest) = skip_blank(sql).split_at_checked(3)?;
    let name = skip_blank(rest);
    let ends_word = name.len() < rest.len() || name.first().is_some_and(is_quote);
    if !word.eq_ignore_ascii_case(b"use") || !ends_word {
        return None;
    }
    match name.first()? {
        quote if is_quote(quote) => quoted(name.get(1..)?, *quote),
        _ => bare(name),
    }
}

fn is_quote(byte: &u8) -> bool {
    matches!(byte, b'`' | b'"')
}

/// Takes spaces and comments off the front.
fn skip_blank(mut sql: &[u8]) -> &[u8] {
    loop {
        sql = sql.trim_ascii_start();
        let comment = match sql {
            // What stands in such a comment is run.
            [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => None,
            [b'/', b'*', body @ ..] => behind(body, b"*/"),
            [b'#', body @ ..] | [b'-', b'-', b' ' | b'\t' | b'\n', body @ ..] => {
                behind(body, b"\n")
            }
            _ => None,
        };
        match comment {
            Some(rest) => sql = rest,
            None => return sql,
        }
    }
}

fn behind<'s>(sql: &'s [u8], end: &[u8]) -> Option<&'s [u8]> {
    let at = sql.windows(end.len()).position(|window| window == end)?;
    sql.get(at + end.len()..)
}

/// A name up to the closing quote; the quote inside it is doubled.
fn quoted(mut text: &[u8], quote: u8) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    loop {
        let end = text.iter().position(|byte| *byte == quote)?;
        name.extend_from_slice(text.get(..end)?);
        text = text.get(end + 1..)?;
        if text.first() != Some(&quote) {
            return Some(name);
        }
        name.push(quote);
        text = text.get(1..)?;
    }
}

fn bare(text: &[u8]) -> Option<Vec<u8>> {
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_$".contains(byte);
    let len = text.iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    text.get(..len).filter(|name| !name.is_empty()).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bare_or_quoted() {
        let names: [(&[u8], &[u8]); 9] = [
            (b"USE test", b"test"),
            (b"use\ttest;", b"test"),
            (b" \r\nUse a_$1 ; SELECT 1", b"a_$1"),
            (b"USE`a``b`", b"a`b"),
            (b"USE \"a b\"", b"a b"),
            (b"/* to */ -- the\n# other\nUSE/**/x", b"x"),
            ("USE žluť".as_bytes(), "žluť".as_bytes()),
            (b"USE 2024", b"2024"),
            (b"/*M*/USE x#", b"x"),
        ];
        for (sql, name) in names {
            assert_eq!(database(sql).as_deref(), Some(name), "{}", sql.escape_ascii());
        }
    }

    /// All texts of up to five of these characters.
    fn texts() -> Vec<Vec<u8>> {
        let mut texts = vec![Vec::new()];
        let mut longest = 0;
        for _ in 0..5 {
            let from = std::mem::replace(&mut longest, texts.len());
            for n in from..longest {
                texts.extend(b" `\"/*#a;\n".map(|byte| [&texts[n], &[byte][..]].concat()));
            }
        }
        texts
    }

    #[test]
    fn any_name_can_be_quoted() {
        for name in texts() {
            let doubled: Vec<u8> = name
                .iter()
                .flat_map(|&byte| std::iter::repeat_n(byte, if byte == b'`' { 2 } else { 1 }))
                .collect();
            let sql = [b"USE `", doubled.as_slice(), b"` ; x"].concat();
            assert_eq!(database(&sql), Some(name), "{}", sql.escape_ascii());
        }
    }

    #[test]
    fn a_bare_name_is_all_that_is_left_without_blanks() {
        for text in texts() {
            let sql = [b"use", text.as_slice()].concat();
            let quoted = text.iter().any(|byte| b"`\"".contains(byte));
            if let Some(name) = database(&sql).filter(|_| !quoted) {
                assert!(!name.is_empty() && name.iter().all(|&byte| byte == b'a'), "{sql:?}");
            }
        }
    }

    #[test]
    fn other_statements_are_not_use() {
        let others: [&[u8]; 15] = [
            b"",
            b"U",
            b"USE",
            b"USE ",
            b"USE ;",
            b"USE `a",
            b"USER x",
            b"USEx",
            b"UPDATE t SET use = 1",
            b"SELECT 1; USE x",
            b"/*!50000 USE x */",
            b"/*M!100000 USE x */",
            b"/* USE x",
            b"--USE x",
            b"(USE x)",
        ];
        for sql in others {
            assert_eq!(database(sql), None, "{}", sql.escape_ascii());
        }
    }
}
