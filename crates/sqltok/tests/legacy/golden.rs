//! What the original's tokenizer and normalizer answer, compared with ours. Every recorded case has
//! to agree; there is no list of exceptions.

use super::common::cases::{Tokens, bytes, cases, readable, tokenizer_cases};
use sqltok::legacy::{Token, TokenId, normalize, tokenize};

const NORMALIZE_CASES: &str = include_str!("data/normalize-cases.jsonl");
const TOKEN_LIST: &str = include_str!("data/sql-tokens.tsv");

/// The three columns of the token list.
fn token_list() -> Vec<(u16, &'static str, &'static str)> {
    let rows = TOKEN_LIST.lines().map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        let [id, name, spelling] = columns[..] else { panic!("three columns: {line:?}") };
        (id.parse().expect("an id"), name, spelling)
    });
    rows.collect()
}

#[test]
fn tokenizer() {
    for (sql, expected) in tokenizer_cases() {
        let tokens: Tokens =
            tokenize(&sql).map(|token| (token.id, token.text.into_owned())).collect();
        assert_eq!(readable(&tokens), readable(&expected), "{}", sql.escape_ascii());
    }
}

#[test]
fn normalizer() {
    for case in cases(NORMALIZE_CASES, 453) {
        let sql = bytes(&case["sql"]);
        let normalized = normalize(tokenize(&sql)).escape_ascii().to_string();
        let expected = bytes(&case["normalized"]).escape_ascii().to_string();
        assert_eq!(normalized, expected, "{}", sql.escape_ascii());
    }
}

#[test]
fn normalizer_takes_tokens_kept_in_a_list() {
    for case in cases(NORMALIZE_CASES, 453) {
        let sql = bytes(&case["sql"]);
        let tokens: Vec<Token> = tokenize(&sql).collect();
        assert_eq!(normalize(&tokens), bytes(&case["normalized"]), "{}", sql.escape_ascii());
    }
}

#[test]
fn ids_and_names() {
    let list = token_list();
    assert_eq!(list.len(), TokenId::ALL.len());
    for (&(value, name, _), id) in list.iter().zip(TokenId::ALL) {
        assert_eq!((id.value(), id.name()), (value, name));
        assert_eq!(TokenId::from_value(value), Some(id));
        assert_eq!(TokenId::from_name(name), Some(id));
        assert_eq!(id.to_string(), name);
    }
    assert_eq!(TokenId::from_value(262), None);
    assert_eq!(TokenId::from_name("tk_sql_select"), None);
    assert_eq!(TokenId::from_name("TK_SQL_BEGIN"), None);
}

#[test]
fn spellings() {
    for (value, name, spelling) in token_list() {
        let id = TokenId::from_value(value).expect("a known id");
        if spelling.starts_with('<') && spelling.ends_with('>') && spelling.len() > 2 {
            assert_eq!(id.keyword(), None, "{name} is a class");
            continue;
        }
        for word in spelling.split(' ') {
            let ids: Vec<_> = tokenize(word.as_bytes()).map(|token| token.id).collect();
            assert_eq!(ids, [id], "{word}");
            assert_eq!(TokenId::from_keyword(word.as_bytes()), id.keyword().and(Some(id)));
        }
        assert_eq!(id.keyword(), name.starts_with("TK_SQL_").then_some(spelling));
    }
}
