"""pyproxy.tokenizer: the recorded queries, tokens as a sequence, and queries that are put together
again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import recorded
from pyproxy import tokenizer
from pyproxy.tokenizer import tokenize

TOKENIZED = recorded.cases(recorded.TOKENIZER)
NORMALIZED = recorded.cases(recorded.NORMALIZE)


def text(data: str) -> str:
    """Recorded bytes as the tokenizer shows them."""
    return recorded.raw(data).decode("utf-8", "surrogateescape")


def numbered(cases: list[dict[str, Any]]) -> list[Any]:
    """Test parameters that are named after their line."""
    return [pytest.param(case, id=str(n)) for n, case in enumerate(cases, 1)]


def test_all_cases_are_there() -> None:
    assert (len(TOKENIZED), len(NORMALIZED)) == (642, 453)


@pytest.mark.parametrize("case", numbered(TOKENIZED))
def test_recorded_tokens(case: dict[str, Any]) -> None:
    sql = recorded.raw(case["sql"])
    expected = [(name, text(token)) for name, token in case["tokens"]]
    tokens = tokenize(sql)
    assert [(token.token_name, token.text) for token in tokens] == expected
    # The same for `str`, and nothing but blanks is left out.
    assert [(token.token_name, token.text) for token in tokenize(text(case["sql"]))] == expected
    for token in tokens:
        assert token.raw == sql[slice(*token.span)]
        assert tokenizer.TOKEN_NAMES[token.token_id] == token.token_name
    ends = [0, *(token.span[1] for token in tokens)]
    starts = [*(token.span[0] for token in tokens), len(sql)]
    assert all(sql[a:b].strip() == b"" for a, b in zip(ends, starts))


@pytest.mark.parametrize("case", numbered(NORMALIZED))
def test_recorded_normalized_texts(case: dict[str, Any]) -> None:
    sql, expected = recorded.raw(case["sql"]), text(case["normalized"])
    assert tokenizer.normalize(sql) == expected
    assert tokenizer.normalize(text(case["sql"])) == expected
    assert tokenizer.normalize(tokenize(sql)) == expected
    assert tokenizer.normalize(list(tokenize(sql))) == expected


def test_names_are_those_of_the_original() -> None:
    rows = [line.split("\t") for line in recorded.TOKENS.read_text().splitlines()]
    assert {int(number): name for number, name, _ in rows} == dict(enumerate(tokenizer.TOKEN_NAMES))


class TestSequence:
    """Tokens behave like a tuple."""

    SQL = "SELECT a, b FROM t"

    def test_it_is_a_sequence(self) -> None:
        tokens = tokenize(self.SQL)
        assert isinstance(tokens, Sequence)
        assert (len(tokens), len(tokenize("  "))) == (6, 0)
        assert [token.text for token in tokens] == ["SELECT", "a", ",", "b", "FROM", "t"]
        assert [token.text for token in reversed(tokens)][:2] == ["t", "FROM"]

    @pytest.mark.parametrize("index", [0, 5, -1, -6, True])
    def test_indexing(self, index: int) -> None:
        assert tokenize(self.SQL)[index].text == self.SQL.replace(",", " ,").split()[index]

    @pytest.mark.parametrize("index", [6, -7, 1 << 60])
    def test_an_index_out_of_range(self, index: int) -> None:
        with pytest.raises(IndexError):
            tokenize(self.SQL)[index]

    @pytest.mark.parametrize("index", ["0", 1.0, None])
    def test_an_index_of_another_type(self, index: Any) -> None:
        with pytest.raises(TypeError):
            tokenize(self.SQL)[index]

    @pytest.mark.parametrize(
        "part",
        [slice(1, 3), slice(None, -2), slice(None, None, -2), slice(4, 99), slice(5, 1)],
    )
    def test_a_slice_is_tokens_again(self, part: slice) -> None:
        tokens = tokenize(self.SQL)
        assert isinstance(tokens[part], tokenizer.Tokens)
        assert list(tokens[part]) == list(tokens)[part]

    def test_finding_a_token(self) -> None:
        tokens = tokenize("a, a")
        first, _, second = tokens
        assert (tokens.index(second), tokens.count(first), first in tokens) == (2, 1, True)
        assert tokens.index(second, -1) == 2
        assert (tokens.count("a"), "a" in tokens) == (0, False)
        for start, stop in ((0, 2), (0, -1), (3, 9)):
            with pytest.raises(ValueError, match="no such token"):
                tokens.index(second, start, stop)

    def test_it_cannot_be_changed(self) -> None:
        tokens: Any = tokenize(self.SQL)
        with pytest.raises(TypeError):
            tokens[0] = tokens[1]
        with pytest.raises(TypeError):
            del tokens[0]
        with pytest.raises(AttributeError):
            tokens[0].text = "UPDATE"

    def test_tokens_outlive_their_sequence(self) -> None:
        token = tokenize(self.SQL)[1]
        assert (token.text, token.raw, token.span) == ("a", b"a", (7, 8))

    def test_equal_tokens(self) -> None:
        one, same, other = (tokenize(sql)[0] for sql in ("a b", "a c", "A b"))
        assert one == same
        assert hash(one) == hash(same)
        assert one != other
        assert one != "a"

    def test_a_token_shows_what_it_is(self) -> None:
        assert repr(tokenize("'it''s'")[0]) == """<Token TK_STRING "it's">"""
        assert repr(tokenize(self.SQL)) == "<6 tokens>"


class TestInput:
    """What a query can be."""

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_bytes(self, kind: Any) -> None:
        assert [token.text for token in tokenize(kind(b"SELECT 'x'"))] == ["SELECT", "x"]

    @pytest.mark.parametrize("sql", [None, 5, ["SELECT"]])
    def test_nothing_else(self, sql: Any) -> None:
        with pytest.raises(TypeError):
            tokenize(sql)

    def test_places_are_counted_in_bytes(self) -> None:
        assert tokenize("'caf\u00e9' x")[1].span == (8, 9)

    def test_bytes_that_are_no_text_come_back(self) -> None:
        token = tokenize(b"'\xff'")[0]
        assert token.text.encode("utf-8", "surrogateescape") == b"\xff"
        assert tokenizer.normalize(b"`\xff`") == "`\udcff` "

    def test_only_queries_and_tokens_can_be_normalized(self) -> None:
        with pytest.raises(TypeError):
            tokenizer.normalize(["SELECT"])  # type: ignore[list-item]
        with pytest.raises(TypeError):
            tokenizer.normalize(5)  # type: ignore[arg-type]


MIXED = "/* a */ SELECT /*!40001 x */ 'it''s' -- b"


def test_first_stmt_token() -> None:
    first = tokenizer.first_stmt_token(tokenize(MIXED))
    assert first is not None and first.token_name == "TK_SQL_SELECT"
    versioned = tokenizer.first_stmt_token(tokenize("/*!40001 SELECT */ 1"))
    assert versioned is not None and versioned.token_name == "TK_COMMENT_MYSQL"
    assert tokenizer.first_stmt_token(tokenize("-- nothing else")) is None


def test_tokens_without_comments() -> None:
    kept = tokenizer.tokens_without_comments(tokenize(MIXED))
    assert [token.token_name for token in kept] == [
        "TK_SQL_SELECT",
        "TK_COMMENT_MYSQL",
        "TK_STRING",
    ]


def test_bare_tokens() -> None:
    assert tokenizer.bare_tokens(tokenize(MIXED)) == ["SELECT", "40001 x ", "it's"]
    assert tokenizer.bare_tokens(tokenize(MIXED), quote_strings=True)[2] == "'it''s'"


class TestTokensToQuery:
    """Queries that are put together again."""

    @pytest.mark.parametrize(
        ("sql", "query"),
        [
            (
                "SELECT /* c */ 'a\"b', `x`, count(*), 1 FROM t -- tail",
                "SELECT 'a\"b', `x`, count(*), 1 FROM t",
            ),
            ("SELECT 'it\\'s', \"a\\\\b\"", "SELECT 'it\\'s', \"a\\\\b\""),
            ("SELECT /*!40001 SQL_CACHE */ 1", "SELECT /*!40001 SQL_CACHE */ 1"),
            ("  SELECT\t1\n,2  ", "SELECT\t1\n,2"),
            ("a/* c */b", "a b"),
            ("-/* c */-1", "- -1"),
            ("SELECT 1 -- c\n+ 1", "SELECT 1\n+ 1"),
            # The server takes this for a comment, the tokenizer does not: the line must end where
            # it did.
            ("# c /* d */\nSELECT 1", "# c\nSELECT 1"),
            ("SELECT 'open", "SELECT 'open"),
            ("-- only a comment", ""),
        ],
    )
    def test_it_is_the_text_of_the_query(self, sql: str, query: str) -> None:
        assert tokenizer.tokens_to_query(tokenize(sql)) == query

    @pytest.mark.parametrize("case", numbered(TOKENIZED))
    def test_without_comments_it_means_the_same(self, case: dict[str, Any]) -> None:
        tokens = tokenize(recorded.raw(case["sql"]))
        kept = tokenizer.tokens_without_comments(tokens)
        again = tokenize(tokenizer.tokens_to_query(tokens))
        assert [token.raw for token in again] == [token.raw for token in kept]

    def test_bounds_are_those_of_a_slice(self) -> None:
        tokens = tokenize("/* c */ SELECT a, b FROM t")
        assert tokenizer.tokens_to_query(tokens, 2) == "a, b FROM t"
        assert tokenizer.tokens_to_query(tokens, 0, 5) == "SELECT a, b"
        assert tokenizer.tokens_to_query(tokens, -2) == "FROM t"
        assert tokenizer.tokens_to_query(tokens, 5, 2) == ""

    def test_tokens_can_be_taken_out_and_put_together(self) -> None:
        tokens = tokenize("SELECT a FROM t LIMIT 5 FOR UPDATE")
        kept = [*tokens[:4], *tokens[6:]]
        assert tokenizer.tokens_to_query(kept) == "SELECT a FROM t FOR UPDATE"
        other = tokenize("x WHERE b = 'c'")
        assert (
            tokenizer.tokens_to_query([*tokens[:4], *other[1:]]) == "SELECT a FROM t WHERE b = 'c'"
        )
        assert tokenizer.tokens_to_query([tokens[3], tokens[1]]) == "t a"
