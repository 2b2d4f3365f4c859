"""The script `xtab`: the commands it knows, and the SQL it makes of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.xtab"
ASK = "XTAB staff dept gender COUNT id"
VALUES = (
    "SELECT DISTINCT `gender` FROM `staff` WHERE `gender` IS NOT NULL ORDER BY `gender` LIMIT 1001"
)


def server(values: list[Any], charset: str = "utf8mb4", kind: int = 253) -> FakeServer:
    """Says that the column `gender` has these values, and gives one row for every other query."""
    fake = FakeServer().on("SELECT @@character_set_client", Result(["x"], [(charset,)]))
    fake.on(VALUES, Result([("gender", kind)], [(value,) for value in values]))
    return fake


def generated(values: list[Any], text: str = ASK, charset: str = "utf8mb4", kind: int = 253) -> str:
    """The SQL of the cross table, if the column `gender` has these values."""
    with Session(SCRIPT, server=server(values, charset, kind)) as session:
        assert session.query(text).ok
        assert [query.text for query in session.server_queries[:2]] == [
            "SELECT @@character_set_client",
            VALUES,
        ]
        return session.server_queries[2].text


def test_the_query() -> None:
    assert generated(["f", "m"]) == (
        "SELECT `dept`,\n"
        "  COUNT(IF(`gender` = 'f', `id`, NULL)) AS `gender_f`,\n"
        "  COUNT(IF(`gender` = 'm', `id`, NULL)) AS `gender_m`,\n"
        "  COUNT(`id`) AS `total`\n"
        "FROM `staff`\n"
        "GROUP BY `dept`"
    )


def test_no_values() -> None:
    assert generated([]) == (
        "SELECT `dept`,\n  COUNT(`id`) AS `total`\nFROM `staff`\nGROUP BY `dept`"
    )


@pytest.mark.parametrize(
    ("value", "literal", "name"),
    [
        ("it's", "'it''s'", "it's"),
        ("a`b", "'a`b'", "a``b"),
        ("back\\", "_utf8mb4 X'6261636b5c'", "back\\"),
        ("ü", "_utf8mb4 X'c3bc'", "ü"),
        ("\n", "_utf8mb4 X'0a'", "?"),
        # Servers take nothing beyond the Basic Multilingual Plane as a name.
        ("\U0001f600", "_utf8mb4 X'f09f9880'", "?"),
        ("\uffee\U00010000", "_utf8mb4 X'efbfaef0908080'", "\uffee?"),
        ("blank ", "'blank '", "blank"),
        ("", "''", ""),
        ("x" * 300, "'" + "x" * 300 + "'", "x" * 249),
    ],
)
def test_values_are_quoted(value: str, literal: str, name: str) -> None:
    sql = generated([value])
    assert f"COUNT(IF(`gender` = {literal}, `id`, NULL)) AS `gender_{name}`,\n" in sql


def test_binary_values_are_hexadecimal() -> None:
    # A blob.
    assert "`gender` = X'00ff', `id`, NULL)) AS `gender_00ff`" in generated([b"\0\xff"], kind=252)


def test_names_are_ascii_where_other_letters_could_hide_a_quote() -> None:
    assert "AS `gender_\\u4e2d`" in generated(["中"], charset="gbk")
    assert "AS `gender_中`" in generated(["中"], charset="utf8")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("xtab db.`t``1` r gender sum `o p`;", "SELECT `r`", "FROM `db`.`t``1`\nGROUP BY `r`"),
        (" select  XTAB t r gender Max o\n", "SELECT `r`", "FROM `t`\nGROUP BY `r`"),
        ("XTAB t r gender MIN o Summary", "SELECT `r`", "GROUP BY `r` WITH ROLLUP"),
        ("XTAB t t.r gender AVG o", "SELECT `t`.`r`", "GROUP BY `t`.`r`"),
    ],
)
def test_forms_of_the_command(text: str, start: str, end: str) -> None:
    fake = FakeServer().on("SELECT @@character_set_client", Result(["x"], [("utf8",)]))
    fake.on(re.compile("^SELECT DISTINCT"), Result(["gender"], []))
    with Session(SCRIPT, server=fake) as session:
        session.query(text)
        assert session.server_queries[1].text.startswith("SELECT DISTINCT `gender` FROM ")
        sql = session.server_queries[2].text
    assert sql.startswith(start)
    assert sql.endswith(end)


def test_the_summary_row() -> None:
    fake = server(["f"])
    rows = [("5", "1", "1"), (None, "2", "2"), (None, "3", "3")]
    with Session(SCRIPT, server=fake) as session:
        session.query(f"{ASK} SUMMARY")
        fake.on(session.server_queries[-1].text, Result([("dept", 3), ("f", 8), ("t", 8)], rows))
        answer = session.query(f"{ASK} SUMMARY")
    assert answer.rows == [*rows[:2], ("Grand Total", "3", "3")]
    assert answer.fields is not None
    # The first column was a number; the text is none.
    assert [field.type for field in answer.fields] == [253, 8, 8]
    assert [field.name for field in answer.fields] == ["dept", "f", "t"]


def test_the_query_in_place_of_its_result_for_one_client_only() -> None:
    with Session(SCRIPT, server=server(["f"])) as session:
        other = session.new_client()
        answer = session.query("xtab query")
        assert answer.rows is not None
        assert len(answer.rows) == 7
        assert answer.rows[-1] == ("Current setting: returns a query",)
        answer = session.query(ASK)
        assert answer.rows == [(generated(["f"]),)]
        assert len(session.server_queries) == 2
        other.query(ASK)
        assert len(session.server_queries) == 5
        assert session.query("XTAB NoQuery").rows is not None
        session.query(ASK)
        assert len(session.server_queries) == 8


@pytest.mark.parametrize("failing", ["SELECT @@character_set_client", VALUES])
def test_a_step_that_fails_is_the_answer(failing: str) -> None:
    with Session(SCRIPT, server=server([]).on(failing, Error(1146, "42S02", "no"))) as session:
        assert session.query(ASK).error == (1146, "42S02", "no")
        assert session.server_queries[-1].text == failing
        assert session.query("SELECT 1").ok


@pytest.mark.parametrize("text", [ASK, f"{ASK} summary"])
def test_a_cross_table_that_fails_is_the_answer(text: str) -> None:
    fake = server(["f"])
    with Session(SCRIPT, server=fake) as session:
        session.query(text)
        fake.on(session.server_queries[-1].text, Error(1054, "42S22", "no column"))
        assert session.query(text).error == (1054, "42S22", "no column")


def test_too_many_values_are_an_error() -> None:
    fake = FakeServer().on("SELECT @@character_set_client", Result(["x"], [("utf8",)]))
    fake.on(VALUES.replace("1001", "3"), Result(["gender"], [("a",), ("b",), ("c",)]))
    with Session(SCRIPT, server=fake, config={"xtab": {"max_columns": 2}}) as session:
        error = session.query(ASK).error
        assert error is not None
        assert error.message == "XTAB: gender has more than 2 values"
        assert len(session.server_queries) == 2


@pytest.mark.parametrize(
    ("text", "column", "rows"),
    [
        ("XTAB", "XTAB help", 19),
        ("xtab ;", "XTAB help", 19),
        ("select xtab HELP", "XTAB help", 19),
        ("XTAB Version", "XTAB version", 1),
        ("XTAB NOQUERY", "XTAB query ", 7),
        ("XTAB what", "XTAB ERROR", 1),
        ("XTAB t r", "XTAB ERROR", 1),
        ("XTAB t r c", "XTAB ERROR", 1),
        ("XTAB t r c COUNT", "XTAB ERROR", 1),
        ("XTAB t r c COUNT o what", "XTAB ERROR", 1),
        ("XTAB t r c COUNT o summary what", "XTAB ERROR", 1),
        ("XTAB t r c COUNT *", "XTAB ERROR", 1),
        ("XTAB t r c COUNT `o", "XTAB ERROR", 1),
        ("XTAB t r c STDDEV o", "XTAB ERROR", 3),
        ("SELECT XTAB t r", "XTAB ERROR", 1),
    ],
)
def test_answers_without_a_server(text: str, column: str, rows: int) -> None:
    with Session(SCRIPT) as session:
        answer = session.query(text)
        assert session.server_queries == []
    assert answer.fields is not None
    assert answer.rows is not None
    assert [field.name for field in answer.fields] == [column]
    assert len(answer.rows) == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1",
        "XTABLE",
        "SELECT xtab FROM t",
        "SELECT xtab AS x FROM t",
        "SELECT xtab x from t",
        "SELECT xtab, y FROM t",
        "SELECT xtab + 1 FROM t",
        "SELECT xtab.y FROM xtab",
        "SELECT xtab(1)",
        "SELECT 'XTAB HELP'",
    ],
)
def test_other_texts_pass(text: str) -> None:
    with Session(SCRIPT) as session:
        assert session.query(text).ok
        assert [query.text for query in session.server_queries] == [text]


def test_a_long_text_of_blanks_takes_no_long_time() -> None:
    with Session(SCRIPT) as session:
        text = "select" + " " * 200_000 + "xta" + " " * 200_000 + "b"
        session.query(text)
        assert session.server_queries[0].text == text
