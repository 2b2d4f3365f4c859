//! Properties that hold for any bytes, and the hostile texts that make a careless lexer slow.

use proptest::collection::vec;
use proptest::prelude::*;
use sqltok::exact::{Charset, Dialect, Kind, MAX_FINGERPRINT, Rules, fingerprint, lex, value};

const PIECES: [&[u8]; 48] = [
    b" ",
    b"\n",
    b"\0",
    b"\x01",
    b"\x0b",
    b"'",
    b"''",
    b"\"",
    b"`",
    b"\\",
    b"\\'",
    b"\\N",
    b"--",
    b"-- ",
    b"#",
    b"/*",
    b"/*!",
    b"/*!50000",
    b"/*!999999 ",
    b"/*M!",
    b"/*+",
    b"*/",
    b"*",
    b"/",
    b"1",
    b"0x",
    b"0b",
    b"1e",
    b"e5",
    b".",
    b"..",
    b"a",
    b"SELECT",
    b"x'",
    b"b'",
    b"N'",
    b"@",
    b"@@",
    b"$",
    b"$$",
    b"(",
    b",",
    b";",
    b"<=>",
    b":=",
    b"\xbf",
    b"\x95\\",
    b"\x81\x30\x81\x30",
];
const CHARSETS: [Charset; 9] = [
    Charset::Utf8,
    Charset::Latin1,
    Charset::NoBreakSpace,
    Charset::Other,
    Charset::Euc,
    Charset::Big5,
    Charset::Gbk,
    Charset::Sjis,
    Charset::Gb18030,
];
const DIALECTS: [Dialect; 3] = [Dialect::Any, Dialect::MySql(90_700), Dialect::MariaDb(101_119)];

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(&PIECES[..]).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn rules() -> impl Strategy<Value = Rules> {
    let dialect = prop::sample::select(&DIALECTS[..]);
    let charset = prop::sample::select(&CHARSETS[..]);
    (dialect, charset, any::<bool>(), any::<bool>()).prop_map(
        |(dialect, charset, ansi_quotes, no_backslash_escapes)| Rules {
            dialect,
            charset,
            ansi_quotes,
            no_backslash_escapes,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// An error is the last token and reaches to the end; behind the others there are blanks only, or a NUL that ends the text.
    #[test]
    fn tokens_are_in_order_and_leave_out_only_blanks(sql in text(), rules in rules()) {
        let is_blank = |byte: &u8| b" \t\n\x0b\x0c\r\xa0".contains(byte);
        let mut end = 0;
        let mut has_error = false;
        for token in lex(&sql, rules) {
            prop_assert!(!has_error && end <= token.start && token.end <= sql.len());
            prop_assert!(sql[end..token.start].iter().all(is_blank) || token.start == sql.len());
            has_error = token.kind.is_error();
            prop_assert!(token.start < token.end || has_error);
            prop_assert!(!has_error || token.end == sql.len());
            end = token.end;
        }
        let rest = sql[end..].iter().find(|byte| !is_blank(byte));
        prop_assert!(matches!(rest, None | Some(0)), "{rest:?}");
    }

    /// What a token is does not depend on the text in front of it, as far as blanks and names go.
    #[test]
    fn blanks_in_front_change_nothing(sql in text(), rules in rules()) {
        let moved = [b" \n", sql.as_slice()].concat();
        let kinds = |sql: &[u8]| lex(sql, rules).map(|token| token.kind).collect::<Vec<_>>();
        prop_assert_eq!(kinds(&sql), kinds(&moved));
    }

    /// A literal that is alone has the value that it was written for.
    #[test]
    fn any_text_can_be_quoted(text in vec(any::<u8>(), 0..20), is_plain: bool) {
        let rules = Rules { no_backslash_escapes: is_plain, ..Rules::default() };
        let mut sql = vec![b'\''];
        for byte in &text {
            match byte {
                b'\'' => sql.extend(b"''"),
                b'\\' if !is_plain => sql.extend(br"\\"),
                _ => sql.push(*byte),
            }
        }
        sql.push(b'\'');
        let tokens: Vec<_> = lex(&sql, rules).collect();
        prop_assert_eq!(tokens.len(), 1);
        let value = value(tokens[0], &sql, rules);
        prop_assert_eq!(value.as_ref(), text.as_slice());
    }

    #[test]
    fn every_token_has_a_value(sql in text(), rules in rules()) {
        for token in lex(&sql, rules) {
            prop_assert!(value(token, &sql, rules).len() <= token.end - token.start);
        }
    }

    /// A fingerprint is short, and has nothing of a literal in it, nor of what no server reads.
    #[test]
    fn fingerprints_tell_no_secrets(
        start in text(), is_quoted: bool, end in text(), rules in rules(), is_cut: bool
    ) {
        const SECRET: &[u8] = b"a_secret";
        let quote: &[u8] = if is_quoted { b"'" } else { b"" };
        let sql = [&start, quote, SECRET, quote, &end].concat();
        let has_secret = |text: &[u8]| text.windows(SECRET.len()).any(|part| part == SECRET);
        let is_told = lex(&sql, rules).any(|token| {
            let is_name = matches!(
                token.kind,
                Kind::Word | Kind::QuotedName | Kind::UserVariable | Kind::SystemVariable
            );
            is_name && has_secret(token.raw(&sql))
        });
        let mut found = Vec::new();
        fingerprint(&sql, rules, is_cut, &mut found);
        prop_assert!(found.len() <= MAX_FINGERPRINT + 3);
        prop_assert!(is_told || !has_secret(&found), "{}", found.escape_ascii());
    }
}

/// Repetitions that invite a lexer to look at a position again for every token behind it: for such a lexer each of them takes
/// hours.
#[test]
fn the_worst_is_read_in_one_pass() {
    const LENGTH: usize = 1 << 18;
    let repetitions: [(&[u8], &[u8]); 24] = [
        (b"", b"1"),
        (b"a.", b"1"),
        (b"", b"a."),
        (b"", b"1e"),
        (b"", b".1"),
        (b"", b"0x1 "),
        (b"'", b"\\\\"),
        (b"'", b"''"),
        (b"", b"''''"),
        (b"`", b"\xbf`"),
        (b"", b"--;"),
        (b"", b"-- ;"),
        (b"", b";\n"),
        (b"/*", b"/*"),
        (b"/*!999999 ", b"/* */"),
        (b"/*!999999 ", b"/*"),
        (b"", b"/*!1*/"),
        (b"", b"/*!"),
        (b"", b"$a"),
        (b"", b"$ "),
        (b"$a$", b"$a"),
        (b"", b"SELECT/*+`*/"),
        (b"", b"@"),
        (b"", b"\xbf"),
    ];
    for (start, piece) in repetitions {
        let sql = [start, &piece.repeat(LENGTH / piece.len())].concat();
        for dialect in DIALECTS {
            for charset in [Charset::Utf8, Charset::Gbk] {
                let rules = Rules { dialect, charset, ..Rules::default() };
                let end = lex(&sql, rules).last().map_or(0, |token| token.end);
                assert!(end + 4 >= sql.len(), "{} {rules:?}", piece.escape_ascii());
            }
        }
    }
}
