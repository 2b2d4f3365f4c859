//! What servers were seen to read.

use sqltok::exact::{Charset, Dialect, Kind, Rules, lex, value};

const MYSQL: Dialect = Dialect::MySql(90_700);
const MARIADB: Dialect = Dialect::MariaDb(101_119);

fn of(dialect: Dialect) -> Rules {
    Rules { dialect, ..Rules::default() }
}

/// The tokens as `kind:text`, with blanks between.
fn shown(sql: &[u8], rules: Rules) -> String {
    let token = |token: sqltok::exact::Token| {
        format!("{}:{}", token.kind.name(), token.raw(sql).escape_ascii())
    };
    lex(sql, rules).map(token).collect::<Vec<_>>().join(" ")
}

fn assert_read(cases: &[(&str, &str)], rules: Rules) {
    for (sql, expected) in cases {
        assert_eq!(shown(sql.as_bytes(), rules), *expected, "{sql}");
    }
}

#[test]
fn words_and_numbers() {
    assert_read(
        &[
            ("1a", "word:1a"),
            ("1e", "word:1e"),
            ("1e+", "word:1e symbol:+"),
            ("1e5x", "float:1e5 word:x"),
            ("1E-5", "float:1E-5"),
            ("1.5e3", "float:1.5e3"),
            ("1.5e", "invalid:1.5e"),
            ("1.", "decimal:1."),
            (".1", "decimal:.1"),
            ("a.1", "word:a dot:. word:1"),
            ("a.1e5", "word:a dot:. word:1e5"),
            ("a .1", "word:a decimal:.1"),
            ("`a`.1", "quoted_name:`a` decimal:.1"),
            ("db . t", "word:db dot:. word:t"),
            ("a$b", "word:a$b"),
            ("0x4g", "word:0x4g"),
            ("0X41", "word:0X41"),
            ("0x41", "hex:0x41"),
            ("0x", "word:0x"),
            ("0b012", "word:0b012"),
            ("X'4a'", "hex:X\\'4a\\'"),
            ("x'4'", "invalid:x\\'4\\'"),
            ("b'012'", "invalid:b\\'012\\'"),
            ("n'a'", "national_string:n\\'a\\'"),
            ("_utf8'a'", "word:_utf8 string:\\'a\\'"),
        ],
        Rules::default(),
    );
}

#[test]
fn variables_and_operators() {
    assert_read(
        &[
            ("@a.b$c", "user_variable:@a.b$c"),
            ("@'a b'", "user_variable:@\\'a b\\'"),
            ("@ a", "user_variable:@ word:a"),
            ("u@`h`", "word:u user_variable:@`h`"),
            ("@@global.x", "system_variable:@@global dot:. word:x"),
            ("@@`x`", "system_variable:@@`x`"),
            ("@@ x", "invalid:@@ x"),
            ("a:=1", "word:a assign::= integer:1"),
            ("a<=>b", "word:a symbol:<=> word:b"),
            ("a||b", "word:a symbol:|| word:b"),
            ("\x01", "invalid:\\x01"),
        ],
        Rules::default(),
    );
    assert_read(&[("a->>'$'", "word:a symbol:->> string:\\'$\\'")], of(MYSQL));
    assert_read(&[("a->'$'", "word:a symbol:- symbol:> string:\\'$\\'")], of(MARIADB));
    assert_read(&[("1=!0", "integer:1 invalid:=!0")], of(MYSQL));
    assert_read(&[("1=!0", "integer:1 symbol:= symbol:! integer:0")], of(MARIADB));
    assert_read(&[("1..2", "decimal:1. decimal:.2")], of(MYSQL));
    assert_read(&[("1..2", "integer:1 symbol:.. integer:2")], of(MARIADB));
    assert_read(&[("\\N", "null:\\\\N")], of(MARIADB));
    assert_read(&[("\\N", "invalid:\\\\N")], of(MYSQL));
    assert_read(&[("$$a'$$", "dollar_string:$$a\\'$$"), ("$a$", "unterminated:$a$")], of(MYSQL));
    assert_read(&[("$$a$$", "word:$$a$$")], of(MARIADB));
}

#[test]
fn comments() {
    assert_read(
        &[
            ("1--1", "integer:1 symbol:- symbol:- integer:1"),
            ("1--\x01'\n2", "integer:1 comment:--\\x01\\' integer:2"),
            ("1 --;", "integer:1 comment:--;"),
            ("1 --", "integer:1 comment:--"),
            ("1#'\n2", "integer:1 comment:#\\' integer:2"),
            ("/* a /* b */ c", "comment:/* a /* b */ word:c"),
            ("/*/", "unterminated:/*/"),
            ("/*", "unterminated:/*"),
            ("*/", "symbol:* symbol:/"),
            ("/*! a */ b", "open_version:/*! word:a close_version:*/ word:b"),
            ("/*!5 a */", "open_version:/*! integer:5 word:a close_version:*/"),
            ("/*!50000a*/", "open_version:/*!50000 word:a close_version:*/"),
            (
                "/*!50000 /* b */ c */",
                "open_version:/*!50000 comment:/* b */ word:c close_version:*/",
            ),
            ("/*!50000 a", "open_version:/*!50000 word:a unterminated:"),
            ("'*/'/*!1*/", "string:\\'*/\\' open_version:/*! integer:1 close_version:*/"),
        ],
        of(MARIADB),
    );
}

#[test]
fn comments_of_versions() {
    let skipped = |sql: &str, rules| shown(sql.as_bytes(), rules).starts_with("skipped_version:");
    let runs = |sql: &str, rules| shown(sql.as_bytes(), rules).starts_with("open_version:");
    for (mark, mysql, mariadb) in [
        ("/*!50699 ", true, true),
        ("/*!50700 ", true, false),
        ("/*!99999 ", false, false),
        // Of a version with six digits MySQL 9.7 reads the first five, unless a blank follows.
        ("/*!090700 ", true, false),
        ("/*!090701 ", false, false),
        ("/*!100100 ", false, true),
        ("/*!100100", true, true),
        ("/*!101200 ", false, false),
    ] {
        let sql = format!("{mark}a */");
        assert_eq!((runs(&sql, of(MYSQL)), skipped(&sql, of(MYSQL))), (mysql, !mysql), "{mark}");
        let found = (runs(&sql, of(MARIADB)), skipped(&sql, of(MARIADB)));
        assert_eq!(found, (mariadb, !mariadb), "{mark}");
        assert!(runs(&sql, Rules::default()));
    }
    for (mark, mariadb) in [("/*M!", true), ("/*M!50700 ", true), ("/*M!101200 ", false)] {
        let sql = format!("{mark}a */");
        assert_eq!((runs(&sql, of(MARIADB)), skipped(&sql, of(MARIADB))), (mariadb, !mariadb));
        assert_eq!(shown(sql.as_bytes(), of(MYSQL)), format!("comment:{sql}"));
    }
    // One that is skipped can have plain comments in it, of one level.
    assert_eq!(
        shown(b"/*!99999 /* a */ b */ c", of(MARIADB)),
        "skipped_version:/*!99999 /* a */ b */ word:c"
    );
    assert_eq!(shown(b"/*!99999 /*/ a */", of(MARIADB)), "unterminated:/*!99999 /*/ a */");
}

#[test]
fn hints() {
    assert_eq!(shown(b"SELECT /*+ a */ 1", of(MARIADB)), "word:SELECT hint:/*+ a */ integer:1");
    // MySQL reads names where a hint can stand, and else a comment.
    assert_eq!(shown(b"select /*+ `*/` */", of(MYSQL)), "word:select hint:/*+ `*/` */");
    assert_eq!(shown(b"1 /*+ `*/ a", of(MYSQL)), "integer:1 hint:/*+ `*/ word:a");
    assert_eq!(shown(b"a.select /*+ `*/", of(MYSQL)), "word:a dot:. word:select hint:/*+ `*/");
}

#[test]
fn ends() {
    assert_read(
        &[
            ("1\0", "integer:1"),
            ("1\0 ;", "integer:1"),
            ("1\0 2", "integer:1 invalid:\\x00 2"),
            ("1; \0 2", "integer:1 semicolon:;"),
            ("1 -- a\0b", "integer:1 comment:-- a invalid:\\x00b"),
            ("`a\0`", "unterminated:`a\\x00`"),
            ("'a\0'", "string:\\'a\\x00\\'"),
            ("'a", "unterminated:\\'a"),
            ("'a\\'", "unterminated:\\'a\\\\\\'"),
            ("`a``", "unterminated:`a``"),
        ],
        Rules::default(),
    );
}

/// The values of all tokens, one behind the other.
fn values(sql: &[u8], rules: Rules) -> Vec<u8> {
    lex(sql, rules).flat_map(|token| value(token, sql, rules).into_owned()).collect()
}

#[test]
fn literals() {
    let rules = Rules::default();
    let cases: [(&[u8], &[u8]); 14] = [
        (b"'a''b'", b"a'b"),
        (b"\"a''\"\"b\"", b"a''\"b"),
        (br"'\0\b\n\r\t\Z\%\_\x\'\\'", b"\0\x08\n\r\t\x1a\\%\\_x'\\"),
        (b"'a' 'b'", b"ab"),
        (b"N'a\\n'", b"a\n"),
        (b"`a``\\`", b"a`\\"),
        (b"x'4142'", b"AB"),
        (b"0x141", b"\x01\x41"),
        (b"b'100000001'", b"\x01\x01"),
        (b"0b1", b"\x01"),
        (b"X''", b""),
        (b"@'a\\'b'", b"@a'b"),
        (b"@@`a`", b"@@a"),
        (b"1e5", b"1e5"),
    ];
    for (sql, expected) in cases {
        assert_eq!(values(sql, rules), expected, "{}", sql.escape_ascii());
    }
    assert_eq!(values(b"$a$b$$c$a$", of(MYSQL)), b"b$$c");
}

#[test]
fn modes() {
    let ansi = Rules { ansi_quotes: true, ..Rules::default() };
    assert_eq!(shown(b"\"a\\\" 'b'", ansi), "quoted_name:\\\"a\\\\\\\" string:\\'b\\'");
    let plain = Rules { no_backslash_escapes: true, ..Rules::default() };
    assert_eq!(shown(br"'a\' 1", plain), "string:\\'a\\\\\\' integer:1");
    assert_eq!(values(br"'a\''b'", plain), b"a\\'b");
}

/// A backslash or quote that is the second byte of a character.
#[test]
fn characters_of_several_bytes() {
    let of = |charset| Rules { charset, ..Rules::default() };
    let kinds =
        |sql: &[u8], charset| lex(sql, of(charset)).map(|token| token.kind).collect::<Vec<_>>();
    for (charset, character) in [
        (Charset::Gbk, &b"\xbf\\"[..]),
        (Charset::Big5, b"\xa5\\"),
        (Charset::Sjis, b"\x95\\"),
        (Charset::Gb18030, b"\xbf\\"),
    ] {
        let sql = [b"'", character, b"' 1"].concat();
        assert_eq!(kinds(&sql, charset), [Kind::String, Kind::Integer], "{charset:?}");
        assert_eq!(kinds(&sql, Charset::Utf8), [Kind::Unterminated], "{charset:?}");
        let sql = [b"'", character, b"\\n'"].concat();
        assert_eq!(values(&sql, of(charset)), [character, b"\n"].concat());
        let sql = [b"a", character, b"b"].concat();
        assert_eq!(kinds(&sql, charset), [Kind::Word], "{charset:?}");
        let sql = [b"`", &character[..1], b"``a` 1"].concat();
        assert_eq!(kinds(&sql, charset).len(), 3, "{charset:?}");
    }
    // A backslash escapes one byte, so the second byte of the character is a backslash again.
    assert_eq!(kinds(b"'\\\xbf\\'", Charset::Gbk), [Kind::Unterminated]);
    assert_eq!(kinds(b"'\x81\x30\x81\x30'", Charset::Gb18030), [Kind::String]);
    assert_eq!(shown(b"a\xa0b", of(Charset::Latin1)), "word:a word:b");
    assert_eq!(shown(b"a\xa0b", of(Charset::Other)), "word:a\\xa0b");
}

#[test]
fn character_sets_by_number_and_name() {
    for (id, name, charset) in [
        (45, "utf8mb4", Charset::Utf8),
        (255, "UTF8", Charset::Utf8),
        (8, "latin1", Charset::Latin1),
        (28, "gbk", Charset::Gbk),
        (1111, "GBK", Charset::Gbk),
        (1, "big5", Charset::Big5),
        (13, "sjis", Charset::Sjis),
        (95, "cp932", Charset::Sjis),
        (248, "gb18030", Charset::Gb18030),
        (9, "latin2", Charset::NoBreakSpace),
        (19, "euckr", Charset::Euc),
        (51, "cp1251", Charset::Other),
    ] {
        assert_eq!(Charset::of_collation(id), charset, "{id}");
        assert_eq!(Charset::of_name(name), charset, "{name}");
    }
}
