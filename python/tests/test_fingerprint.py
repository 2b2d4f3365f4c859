"""The fingerprints of statements: what is folded, and that nothing is folded which is more than a literal."""

from __future__ import annotations

import pytest
from pyproxy._sql.fingerprint import DEFAULT_QUOTING, Quoting, fingerprint, without_comments

SAFE = Quoting(safe_charset=True)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT name FROM c WHERE id = 5", "SELECT name FROM c WHERE id = ?"),
        ("SELECT 'it''s', \"a\\\"b\", 1.5e3, .5, 0x1F, 0b01", "SELECT '?'+, ?+, 0x?, 0b?"),
        (
            "SELECT x'41', N'a', _utf8'a', DATE '2020-01-01'",
            "SELECT x'?', N'?', _utf8'?', DATE '?'",
        ),
        ("SELECT -3, t.1a, a1, 1a, `a``1`", "SELECT -?, t.1a, a1, 1a, `a``1`"),
        ("SELECT a /* one */\n\t-- two\n FROM t ; ", "SELECT a FROM t"),
        ("INSERT INTO t VALUES (1, 'a'),(2, 'b') , (3, 'c')", "INSERT INTO t VALUES (?, '?')"),
        ("INSERT INTO t VALUES (1), (2)", "INSERT INTO t VALUES (?)"),
        ("SELECT 1 FROM t WHERE a IN (1,2, 3)", "SELECT ? FROM t WHERE a IN (?+)"),
        ("SELECT 1 FROM t WHERE a in ( 1 )", "SELECT ? FROM t WHERE a in ( ?+ )"),
        ("SELECT 1 FROM t WHERE a in ( 1, 2 )", "SELECT ? FROM t WHERE a in ( ?+ )"),
        (
            "SELECT a NOT IN (1), b in('x'), c IN (0x1)",
            "SELECT a NOT IN (?+), b in('?'+), c IN (0x?+)",
        ),
        ("SELECT 1 IN ('a', 'b'), x IN (1, 'b')", "SELECT ? IN ('?'+), x IN (?, '?')"),
        ("SELECT 0x41, 0x42, 1, 2, X'41', b'1'", "SELECT 0x?+, ?+, X'?', b'?'"),
        ("INSERT INTO t VALUES (0x41, 1), (0x42, 2)", "INSERT INTO t VALUES (0x?, ?)"),
        ("SELECT 0x41 = 0, 0xag, 0x", "SELECT 0x? = ?, 0xag, 0x"),
        ("SELECT f(1), f(1, 2)", "SELECT f(?), f(?+)"),
        ("SELECT f('a', 'b'), f(1, 'b', 'c')", "SELECT f('?'+), f(?, '?'+)"),
        ("INSERT INTO t VALUES (a), (a)", "INSERT INTO t VALUES (a), (a)"),
        ("(SELECT 1) UNION (SELECT 'a')", "(SELECT ?) UNION (SELECT '?')"),
        ("SELECT 1; UPDATE t SET a = 'x'", "SELECT ?; UPDATE t SET a = '?'"),
        ("SET @a = 5, @b := 'x'", "SET @a = ?, @b := '?'"),
        ("XA PREPARE 'x'", "XA PREPARE '?'"),
        ("SELECT 5--3", "SELECT ?--?"),
        ("SELECT a->'$.b', c <=> 1, d >= 2", "SELECT a->'?', c <=> ?, d >= ?"),
        ("SELECT 1e5, 1e5x, t.1e5, `t`.1b", "SELECT ?, 1e5x, t.1e5, `t`.1b"),
        ("", ""),
    ],
)
def test_literals_are_folded(statement: str, text: str) -> None:
    assert fingerprint(statement.encode()) == (text, False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "SET NAMES 'utf8mb4'",
        "SET @a = 1, sql_mode = 'ANSI_QUOTES'",
        "SET @a = (SELECT 1)",
        "SELECT 1; SET sql_mode = ''",
        "LOAD DATA INFILE '/tmp/x' INTO TABLE t",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT load_file('/etc/passwd')",
        "GRANT ALL ON *.* TO 'a'@'%'",
        "DROP USER 'a'",
        "SHOW GRANTS FOR 'a'",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 'a'",
        "SELECT @'a'",
        "PREPARE s FROM 'SELECT 1'",
        "EXECUTE IMMEDIATE 'SELECT ?' USING 5",
    ],
)
def test_literals_that_decide_what_happens_stay(statement: str) -> None:
    assert fingerprint(statement.encode()) == (statement, False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "PREPARE s FROM @a",
        "PREPARE s FROM 'SELECT ' 'x'",
        "EXECUTE IMMEDIATE CONCAT('SELECT ', @a)",
        "EXECUTE IMMEDIATE 'SELECT ' || @a",
        "SELECT 1; EXECUTE IMMEDIATE @a",
        "PREPARE `a b` FROM @a",
        "prepare/**/s/**/from @a",
        "/*!50000 PREPARE s FROM @a */",
        "/*M! EXECUTE IMMEDIATE @a */",
    ],
)
def test_a_text_that_is_not_there(statement: str) -> None:
    assert fingerprint(statement.encode()).is_opaque


@pytest.mark.parametrize(
    "statement",
    [
        b"SELECT 1 # comment",
        b"/*!40101 SET NAMES utf8 */",
        b"SELECT /*M!100100 1 */",
        b"SELECT /*+ SET_VAR(sql_mode='') */ 1",
        b"SELECT 'open",
        b"SELECT `open",
        b"SELECT 1 /* open",
        b"SELECT 1 /* a /* b */",
        b"SELECT 5 --\x0b'\n'",
        b"SELECT\x00 1",
        b"SELECT \\N",
        # A string to newer versions of MySQL, a name to MariaDB.
        b"SELECT $$a$$",
        b"SELECT 1=!0",
        # What follows is read by the new sql_mode.
        b"BEGIN NOT ATOMIC SET sql_mode = ''; END",
        rb"SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\' OR 1=1 -- '",
        # In GBK the second and third byte are one character, and the quote ends the string.
        b"SELECT '\xbf\x5c' OR 1=1 -- '",
        b"SELECT '\xe4\xbd\xa0\x5c' OR 1=1 -- '",
    ],
)
def test_what_can_be_read_in_two_ways_stays_byte_for_byte(statement: bytes) -> None:
    found = fingerprint(statement)
    assert found.is_verbatim
    assert found.text == "= " + statement.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "attack",
    [
        # Each is one string to a tokenizer that goes on after a quote that another quote follows.
        """SELECT a FROM t WHERE b = 'x'"y" OR 1=1 -- '""",
        """SELECT a FROM t WHERE b = 'x'"' UNION SELECT 1 -- " """,
        "SELECT a FROM t WHERE b = 'x\\\\' OR 1=1 -- '",
        "SELECT a FROM t WHERE b = 'x' /*! OR 1=1 */",
        "SELECT a FROM t WHERE b = 'x' /*M! OR 1=1 */",
        "SELECT a FROM t WHERE b = 'x' # '\n OR 1=1",
        "SELECT a FROM t WHERE b = 'x'; DROP TABLE t",
        # True for every text that does not begin with another number.
        "SELECT a FROM t WHERE b = 0",
    ],
)
def test_no_injection_has_the_fingerprint_of_the_statement_it_is_put_into(attack: str) -> None:
    allowed = fingerprint(b"SELECT a FROM t WHERE b = 'x'")
    assert allowed.text == "SELECT a FROM t WHERE b = '?'"
    assert fingerprint(attack.encode()).text != allowed.text


def test_a_hex_literal_is_no_number() -> None:
    # As a text it is compared by its characters; 0 is equal to nearly every text.
    texts = [
        fingerprint(b"SELECT a FROM t WHERE v = " + v).text for v in (b"0x6162", b"0b01", b"0")
    ]
    assert len(set(texts)) == 3
    assert fingerprint(b"SELECT a FROM t WHERE v = 0x6364").text == texts[0]


def test_quotes_follow_the_sql_mode() -> None:
    double = b'SELECT "a" FROM t'
    assert fingerprint(double).text == "SELECT '?' FROM t"
    assert fingerprint(double, Quoting(ansi_quotes=True)).text == 'SELECT "a" FROM t'
    escaped = rb"SELECT 'a\' OR 1=1 -- '"
    assert fingerprint(escaped).text == "SELECT '?'"
    plain = Quoting(no_backslash_escapes=True)
    assert fingerprint(escaped, plain).text == "SELECT '?' OR ?=?"
    assert fingerprint(rb"SELECT 'a\''", plain).is_verbatim


def test_backslashes_behind_letters_are_safe_where_the_character_set_is() -> None:
    statement = "SELECT 'é\\n'".encode()
    assert fingerprint(statement, DEFAULT_QUOTING).is_verbatim
    assert fingerprint(statement, SAFE).text == "SELECT '?'"


def test_data_in_a_string_is_folded() -> None:
    assert fingerprint(b"SELECT '\xff\xfe\x00#/*'").text == "SELECT '?'"


def test_a_long_statement_is_one_too() -> None:
    rows = b",".join(b"(%d,'a')" % n for n in range(10_000))
    assert fingerprint(b"INSERT INTO t VALUES " + rows).text == "INSERT INTO t VALUES (?,'?')"


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("DROP/**/TABLE t", "DROP TABLE t"),
        ("/*!50000 DROP*/ TABLE t", "DROP TABLE t"),
        ("/*M!100100 DROP */TABLE t # x", "DROP TABLE t"),
        ("DROP -- x\n  TABLE 't'", "DROP TABLE 't'"),
    ],
)
def test_text_without_comments(statement: str, text: str) -> None:
    assert without_comments(statement.encode()) == [text]


def test_text_without_comments_follows_quotes() -> None:
    quoted = b"SELECT 'x /* y' FROM t /* why */ WHERE b = '*/'"
    assert without_comments(quoted) == ["SELECT 'x /* y' FROM t WHERE b = '*/'"]
    plain = Quoting(no_backslash_escapes=True)
    assert without_comments(rb"SELECT '\'; DROP/**/TABLE t -- '", plain)[0].endswith("DROP TABLE t")


def test_text_without_comments_is_read_in_both_character_sets_if_there_are_two_ways() -> None:
    texts = without_comments(b"SELECT '\xbf\\'; DROP/**/TABLE t -- '")
    assert len(texts) == 2
    assert texts[1].endswith("; DROP TABLE t")
