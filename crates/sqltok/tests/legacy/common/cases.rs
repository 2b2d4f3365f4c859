//! The recorded cases of the original's tokenizer.

use serde_json::Value;
use sqltok::legacy::TokenId;

/// What a tokenizer says about a query: ids and texts.
pub type Tokens = Vec<(TokenId, Vec<u8>)>;

/// Strings in the files stand for bytes: one character each.
pub fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a string");
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect()
}

/// The cases of a file, which must be as many as were recorded.
pub fn cases(file: &str, recorded: usize) -> Vec<Value> {
    let cases: Vec<Value> =
        file.lines().map(|line| serde_json::from_str(line).expect("a case per line")).collect();
    assert_eq!(cases.len(), recorded);
    cases
}

/// All queries with their tokens.
pub fn tokenizer_cases() -> Vec<(Vec<u8>, Tokens)> {
    let token = |pair: &Value| {
        let name = pair[0].as_str().expect("a name");
        (TokenId::from_name(name).unwrap_or_else(|| panic!("unknown: {name}")), bytes(&pair[1]))
    };
    cases(include_str!("../data/tokenizer-cases.jsonl"), 642)
        .iter()
        .map(|case| {
            let tokens = case["tokens"].as_array().expect("a list");
            (bytes(&case["sql"]), tokens.iter().map(token).collect())
        })
        .collect()
}

/// Tokens as one line each, for a failure that can be read.
pub fn readable(tokens: &Tokens) -> Vec<String> {
    tokens.iter().map(|(id, text)| format!("{id} {}", text.escape_ascii())).collect()
}
