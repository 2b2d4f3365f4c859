//! The exact SQL lexer: the first bytes are the rules, the rest is the text. Tokens are in order and leave out only blanks, an error is the
//! last one and reaches to the end, and each has a value. A fingerprint is short.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sqltok::exact::{Charset, Dialect, MAX_FINGERPRINT, Rules, fingerprint, lex, value};

fn is_blank(byte: &u8) -> bool {
    b" \t\n\x0b\x0c\r\xa0".contains(byte)
}

fuzz_target!(|input: &[u8]| {
    let [mode, charset, sql @ ..] = input else { return };
    let rules = Rules {
        dialect: match mode >> 2 & 3 {
            0 => Dialect::MySql(90_700),
            1 => Dialect::MariaDb(101_119),
            2 => Dialect::MySql(50_744),
            _ => Dialect::Any,
        },
        charset: Charset::of_collation((*charset).into()),
        ansi_quotes: mode & 1 != 0,
        no_backslash_escapes: mode & 2 != 0,
    };
    let mut end = 0;
    let mut has_error = false;
    for token in lex(sql, rules) {
        assert!(!has_error && end <= token.start && token.end <= sql.len());
        assert!(sql[end..token.start].iter().all(is_blank) || token.start == sql.len());
        has_error = token.kind.is_error();
        assert!(token.start < token.end || has_error);
        assert!(!has_error || token.end == sql.len());
        assert!(value(token, sql, rules).len() <= token.end - token.start);
        end = token.end;
    }
    let rest = sql[end..].iter().find(|byte| !is_blank(byte));
    assert!(matches!(rest, None | Some(0)));
    let mut found = Vec::new();
    fingerprint(sql, rules, mode & 16 != 0, &mut found);
    assert!(found.len() <= MAX_FINGERPRINT + 3);
});
