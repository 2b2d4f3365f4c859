//! A second tokenizer, slow and obvious: the rules as a table of regular expressions, of which the
//! longest match wins and the earlier at equal length. Random queries must give the same tokens with
//! both.

use std::sync::LazyLock;

use super::common::cases::{Tokens, readable, tokenizer_cases};
use super::common::query::query;
use proptest::prelude::*;
use regex::bytes::{Captures, Regex};
use sqltok::legacy::{TokenId, tokenize};

/// What a rule of the base state yields.
#[derive(Clone, Copy)]
enum Yield {
    /// Nothing.
    Blank,
    /// One token with the text of the first group.
    Group(TokenId),
    /// One token with the whole match as text.
    Whole(TokenId),
    /// A symbol's token.
    Symbol,
    /// Each segment a token, and each dot; the last segment a function where the flag is set.
    Name { called: bool },
    /// A text with the rules of quotes.
    Quoted,
}

const SEGMENT: &str = "[0-9]*[A-Za-z_@][A-Za-z0-9_@]*";

/// One rule of the base state.
struct Rule {
    /// What it matches at the start of the rest of a query: a comment or a quoted text as a whole.
    pattern: Regex,
    /// Length of the mark that opens a comment or a quoted text, which alone competes with other
    /// rules; `None` where the whole match does.
    mark: Option<usize>,
    result: Yield,
}

fn rule(pattern: &str, mark: Option<usize>, result: Yield) -> Rule {
    let pattern = Regex::new(&format!("(?s-u)^(?:{pattern})")).expect("a valid pattern");
    Rule { pattern, mark, result }
}

/// The rules in order of precedence.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let name = format!("{SEGMENT}(?:[.]{SEGMENT}){{0,2}}");
    vec![
        rule("--()\r?\n", None, Yield::Group(TokenId::Comment)),
        rule("/[*]!(.*?)(?:[*]+/|$)", Some(3), Yield::Group(TokenId::CommentMysql)),
        rule("/[*](.*?)(?:[*]+/|$)", Some(2), Yield::Group(TokenId::Comment)),
        rule("--[ \t]()\r\n", None, Yield::Group(TokenId::Comment)),
        rule("--[ \t]([^\n]*)\n?", Some(3), Yield::Group(TokenId::Comment)),
        rule(r#"'(?:\\.|''|'["`]|[^'\\])*(?:'|\\?$)"#, Some(1), Yield::Quoted),
        rule(r#""(?:\\.|""|"['`]|[^"\\])*(?:"|\\?$)"#, Some(1), Yield::Quoted),
        rule(r#"`(?:\\.|``|`['"]|[^`\\])*(?:`|\\?$)"#, Some(1), Yield::Quoted),
        rule("[ \t-\r]+", None, Yield::Blank),
        rule("(?:[0-9]*[.])?[0-9]+[eE][+-]?[0-9]+", None, Yield::Whole(TokenId::Float)),
        rule(&name, None, Yield::Name { called: false }),
        rule(&format!("{name}[(]"), None, Yield::Name { called: true }),
        rule("[0-9]+", None, Yield::Whole(TokenId::Integer)),
        rule("[0-9]*[.][0-9]+", None, Yield::Whole(TokenId::Float)),
        rule("<=|>=|<>|!=|:=|&&|[|][|]|[,.<>=();*+/&|^-]", None, Yield::Symbol),
        rule(".", None, Yield::Whole(TokenId::Unknown)),
    ]
});

/// The tokens of a query by the rules.
fn by_rules(sql: &[u8]) -> Tokens {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let matches =
            RULES.iter().filter_map(|rule| Some((rule, rule.pattern.captures(&sql[at..])?)));
        // Of several longest ones the last is taken, hence the reversal.
        let (rule, found) = matches
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .max_by_key(|(rule, found)| rule.mark.unwrap_or(found[0].len()))
            .expect("the last rule matches any byte");
        at += apply(rule.result, &found, &mut tokens);
    }
    tokens
}

/// Adds what a match yields and returns how many bytes it takes.
fn apply(result: Yield, found: &Captures, tokens: &mut Tokens) -> usize {
    let whole = &found[0];
    match result {
        Yield::Blank => {}
        Yield::Group(id) => tokens.push((id, found[1].to_vec())),
        Yield::Whole(id) => tokens.push((id, whole.to_vec())),
        Yield::Symbol => {
            let id = TokenId::ALL.into_iter().find(|id| spelled(*id).contains(&whole));
            tokens.push((id.expect("a symbol"), whole.to_vec()));
        }
        Yield::Quoted => tokens.push(unquoted(whole)),
        Yield::Name { called } => {
            let name = if called { &whole[..whole.len() - 1] } else { whole };
            for (i, segment) in name.split(|&byte| byte == b'.').enumerate() {
                if i > 0 {
                    tokens.push((TokenId::Dot, b".".to_vec()));
                }
                let word = segment.to_ascii_uppercase();
                let keyword = TokenId::ALL
                    .into_iter()
                    .find(|id| id.keyword().is_some_and(|keyword| keyword.as_bytes() == word));
                tokens.push((keyword.unwrap_or(TokenId::Literal), segment.to_vec()));
            }
            if called {
                tokens.last_mut().expect("a segment").0 = TokenId::Function;
            }
            return name.len();
        }
    }
    whole.len()
}

/// The spellings of a symbol, by its row of the token list.
fn spelled(id: TokenId) -> Vec<&'static [u8]> {
    let row = include_str!("data/sql-tokens.tsv").lines().nth(usize::from(id.value()));
    let spelling = row.and_then(|row| row.split('\t').nth(2)).expect("a spelling");
    spelling.split(' ').map(str::as_bytes).collect()
}

/// A quoted text without its quotes, with the few replacements that are made.
fn unquoted(whole: &[u8]) -> (TokenId, Vec<u8>) {
    let quote = whole[0];
    let id = if quote == b'`' { TokenId::Literal } else { TokenId::String };
    let q = char::from(quote);
    let piece = Regex::new(&format!(r"(?s-u)\\\n|\\.|\\$|{q}[^{q}]|{q}{q}|{q}$|.")).expect("valid");
    let mut text = Vec::new();
    for piece in piece.find_iter(&whole[1..]) {
        match piece.as_bytes() {
            b"\\" => {}
            b"\\\n" => text.push(b'\n'),
            [one] if *one == quote => {}
            [one, two] if one == two && *one == quote => text.push(quote),
            other => text.extend_from_slice(other),
        }
    }
    (id, text)
}

/// The tokens of a query by the scanner.
fn scanned(sql: &[u8]) -> Tokens {
    tokenize(sql).map(|token| (token.id, token.text.into_owned())).collect()
}

/// The rules themselves are checked by what the original answers.
#[test]
fn rules_agree_with_the_original() {
    for (sql, expected) in tokenizer_cases() {
        assert_eq!(readable(&by_rules(&sql)), readable(&expected), "{}", sql.escape_ascii());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn scanner_agrees_with_the_rules(sql in query()) {
        prop_assert_eq!(scanned(&sql), by_rules(&sql), "{}", sql.escape_ascii());
    }

    /// Where rules compete for the same bytes.
    #[test]
    fn names_and_numbers_agree_with_the_rules(sql in "[.1aE(+ ]{0,24}") {
        prop_assert_eq!(scanned(sql.as_bytes()), by_rules(sql.as_bytes()));
    }
}
