//! The legacy SQL tokenizer: spans are in order and leave out only blanks, texts come from their spans, and
//! the normalizer takes every token list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sqltok::legacy::{Token, TokenId, normalize, tokenize};

fn is_blank(byte: &u8) -> bool {
    b" \t\n\x0b\x0c\r".contains(byte)
}

fuzz_target!(|sql: &[u8]| {
    let tokens: Vec<Token> = tokenize(sql).collect();
    let mut end = 0;
    for token in &tokens {
        assert!(sql[end..token.span.start].iter().all(is_blank));
        assert!(token.span.start < token.span.end && token.text.len() <= token.span.len());
        end = token.span.end;
    }
    assert!(sql[end..].iter().all(is_blank));

    let written = tokens.iter().any(|token| token.id != TokenId::Comment);
    assert_eq!(normalize(&tokens).is_empty(), !written);
});
