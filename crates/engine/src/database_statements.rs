//! Statements about databases as text. `USE db` is the one statement whose effect the proxy follows without being told by the server.
//!
//! A client that asked for session tracking gets every change of the default database in an OK packet. For the others the
//! statement itself is read, as the server reads it.

use sqltok::exact::{Kind, Rules, Token, lex, value};

/// Whether a query may begin with `USE`, as its first byte tells: nearly none does.
#[inline]
pub fn is_possible(sql: &[u8]) -> bool {
    matches!(sql.first(), Some(b'u' | b'U' | b'/' | b'-' | b'#' | b' ' | b'\t'..=b'\r'))
}

/// The database that a query changes to with its first statement, if that is `USE`.
pub fn database(sql: &[u8], rules: Rules) -> Option<Vec<u8>> {
    if !is_possible(sql) {
        return None;
    }
    let mut tokens = lex(sql, rules).filter(|token| !token.kind.is_comment());
    let word = tokens.next().filter(|token| token.kind == Kind::Word)?;
    let name = tokens.next()?;
    let is_end = |token: Token| token.kind == Kind::Semicolon;
    let is_use = word.raw(sql).eq_ignore_ascii_case(b"use")
        && matches!(name.kind, Kind::Word | Kind::QuotedName)
        && tokens.next().is_none_or(is_end);
    is_use.then(|| value(name, sql, rules).into_owned())
}

/// Whether a query does the same if its session has this default database in place of another: USE, and a single statement that makes a
/// database, or drops another than that.
pub fn ignores_default(sql: &[u8], rules: Rules, present: &[u8]) -> bool {
    if database(sql, rules).is_some() {
        return true;
    }
    let mut tokens = lex(sql, rules).filter(|token| !token.kind.is_comment()).peekable();
    let is_one_of = |token: &Token, words: &[&[u8]]| {
        token.kind == Kind::Word
            && words.iter().any(|word| token.raw(sql).eq_ignore_ascii_case(word))
    };
    let Some(verb) = tokens.next().filter(|token| is_one_of(token, &[b"create", b"drop"])) else {
        return false;
    };
    if tokens.next().is_none_or(|token| !is_one_of(&token, &[b"database", b"schema"])) {
        return false;
    }
    while tokens.next_if(|token| is_one_of(token, &[b"if", b"not", b"exists"])).is_some() {}
    let Some(name) = tokens.next() else { return false };
    let is_another = !value(name, sql, rules).eq_ignore_ascii_case(present);
    (is_one_of(&verb, &[b"create"]) || is_another)
        && tokens.all(|token| token.kind != Kind::Semicolon)
}

#[cfg(test)]
mod tests {
    use sqltok::exact::{Charset, Dialect};

    use super::*;

    /// The database for a server that is not known.
    fn database(sql: &[u8]) -> Option<Vec<u8>> {
        super::database(sql, Rules { ansi_quotes: true, ..Rules::default() })
    }

    #[test]
    fn names_are_bare_or_quoted() {
        let names: [(&[u8], &[u8]); 11] = [
            (b"USE test", b"test"),
            (b"use\ttest;", b"test"),
            (b" \r\nUse a_$1 ; SELECT 1", b"a_$1"),
            (b"USE`a``b`", b"a`b"),
            (b"USE \"a b\"", b"a b"),
            (b"/* to */ -- the\n# other\nUSE/**/x", b"x"),
            ("USE žluť".as_bytes(), "žluť".as_bytes()),
            (b"USE 2024a", b"2024a"),
            (b"/*!50000 USE x */", b"x"),
            (b"/*M!100000 USE x */ ; SELECT 1", b"x"),
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
        let others: [&[u8]; 17] = [
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
            b"USE 2024",
            b"USE 'x'",
            b"USE a.b",
            b"USE x y",
            b"/* USE x",
            b"--USE x",
            b"(USE x)",
        ];
        for sql in others {
            assert_eq!(database(sql), None, "{}", sql.escape_ascii());
        }
    }

    #[test]
    fn a_comment_for_another_version_is_no_use() {
        let of = |dialect| Rules { dialect, ..Rules::default() };
        let sql = b"/*!80000 USE x */";
        assert_eq!(super::database(sql, of(Dialect::MySql(80_400))), Some(b"x".to_vec()));
        assert_eq!(super::database(sql, of(Dialect::MySql(50_700))), None);
        assert_eq!(super::database(sql, of(Dialect::MariaDb(101_119))), None);
    }

    #[test]
    fn statements_about_other_databases() {
        let ignores = |sql| ignores_default(sql, Rules::default(), b"d");
        let statements: [&[u8]; 5] = [
            b"USE x",
            b"create /**/ database if not exists x",
            b"CREATE SCHEMA d",
            b"DROP SCHEMA `x`",
            b"DROP DATABASE IF EXISTS x",
        ];
        for sql in statements {
            assert!(ignores(sql), "{}", sql.escape_ascii());
        }
        let others: [&[u8]; 8] = [
            b"",
            b"CREATE TABLE x (a INT)",
            b"DROP DATABASE x; SELECT 1",
            b"DROP DATABASE `D`",
            b"DROP DATABASE IF EXISTS d",
            b"DROP DATABASE",
            b"ALTER DATABASE CHARACTER SET latin1",
            b"SELECT 1",
        ];
        for sql in others {
            assert!(!ignores(sql), "{}", sql.escape_ascii());
        }
    }

    /// The second byte of the character looks like a quote.
    #[test]
    fn a_name_is_read_in_the_character_set_of_the_client() {
        let rules = Rules { charset: Charset::Gbk, ..Rules::default() };
        assert_eq!(super::database(b"USE `a\xbf``", rules), Some(b"a\xbf`".to_vec()));
        assert_eq!(super::database(b"USE `a\xbf``", Rules::default()), None);
    }
}
