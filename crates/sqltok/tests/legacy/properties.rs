//! Properties that hold for any bytes, and the hostile queries that make a careless scanner slow.

use proptest::collection::vec;
use proptest::prelude::*;
use sqltok::legacy::{Token, TokenId, normalize, tokenize};

fn any_query() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![super::common::query::query(), vec(any::<u8>(), 0..200)]
}

/// Blank, tab, LF, VT, FF, CR.
fn is_blank(byte: &u8) -> bool {
    b" \t\n\x0b\x0c\r".contains(byte)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn spans_are_in_order_and_leave_out_only_blanks(sql in any_query()) {
        let mut end = 0;
        for token in tokenize(&sql) {
            prop_assert!(end <= token.span.start && token.span.start < token.span.end);
            prop_assert!(sql[end..token.span.start].iter().all(is_blank));
            end = token.span.end;
        }
        prop_assert!(sql[end..].iter().all(is_blank));
    }

    /// Only quoted texts can differ from the bytes they were made from; marks are left out.
    #[test]
    fn texts_are_the_bytes_of_the_query(sql in any_query()) {
        for Token { id, text, span } in tokenize(&sql) {
            let source = &sql[span];
            let (text, length) = (text.as_ref(), text.len());
            match id {
                TokenId::String => prop_assert!(length < source.len()),
                TokenId::Literal if source.starts_with(b"`") => prop_assert!(length < source.len()),
                TokenId::Comment if source.starts_with(b"/*") => {
                    prop_assert!(source[2..].starts_with(text));
                }
                TokenId::Comment | TokenId::CommentMysql => {
                    prop_assert!(source[3..].starts_with(text));
                }
                _ => prop_assert_eq!(text, source),
            }
        }
    }

    /// Behind the LF scanning starts anew, whatever the comment looked like.
    #[test]
    fn a_line_comment_hides_its_line_only(before in "[a-z ]{0,9}", after in any_query()) {
        let sql = [before.as_bytes(), b" -- ' /* \" `\n", &after].concat();
        let ids = tokenize(&sql).map(|token| token.id);
        let expected = tokenize(before.as_bytes())
            .map(|token| token.id)
            .chain([TokenId::Comment])
            .chain(tokenize(&after).map(|token| token.id));
        prop_assert!(ids.eq(expected));
    }

    #[test]
    fn size_hint_is_kept(sql in any_query()) {
        let mut tokens = tokenize(&sql);
        let mut hints = vec![tokens.size_hint()];
        while tokens.next().is_some() {
            hints.push(tokens.size_hint());
        }
        prop_assert!(tokens.next().is_none());
        for (left, (low, high)) in (0..hints.len()).rev().zip(hints) {
            prop_assert!(low <= left && left <= high.expect("a bound"));
        }
    }

    /// Values, comments and blanks do not matter; names and their order do.
    #[test]
    fn normalized_text_depends_on_names_only(name in "[b-z]{1,9}", a: u32, b in "[a-z]{0,9}") {
        let text = |sql: String| normalize(tokenize(sql.as_bytes()));
        let one = text(format!("SELECT x1 FROM t1 WHERE q{name} = {a}"));
        let two = text(format!("select x1\nFROM /* {b} */ t1 where q{name}='{b}' -- {a}"));
        prop_assert_eq!(&one, &two);
        prop_assert_ne!(one, text(format!("SELECT x1 FROM t1 WHERE a{name} = {a}")));
    }
}

/// Repetitions that invite a scanner to look at a position again for every token behind it: for such
/// a scanner each of them takes hours.
#[test]
fn a_megabyte_of_the_worst_is_scanned_in_one_pass() {
    const LENGTH: usize = 1 << 20;
    let repetitions: [(&[u8], &[u8]); 20] = [
        (b"", b"1"),
        (b"a.", b"1"),
        (b"1.", b"1"),
        (b"1e", b"1"),
        (b"", b"a"),
        (b"", b"a."),
        (b"", b"1a."),
        (b"", b"1e1."),
        (b"", b".1e1"),
        (b"", b"1e+"),
        (b"", b"--1"),
        (b"'", b"\\\\"),
        (b"'", b"\\\n"),
        (b"'", b"''"),
        (b"`", b"`'"),
        (b"", b"''''"),
        (b"/*", b"* /"),
        (b"/*", b"*"),
        (b"", b"/**/"),
        (b"", b"\xff"),
    ];
    for (start, piece) in repetitions {
        let sql = [start, &piece.repeat(LENGTH / piece.len())].concat();
        let scanned: usize = tokenize(&sql).map(|token| token.span.len()).sum();
        assert_eq!(scanned, sql.len(), "{}", piece.escape_ascii());
    }
}
