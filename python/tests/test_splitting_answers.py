"""What a client that asks about its last statement gets when the connection of that is with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyproxy
import pytest
from pyproxy import Raw, Rows
from pyproxy._splitting.answers import (
    QUESTION,
    QUESTION_OF_MYSQL,
    Memory,
    columns_of_question,
    of_question,
    of_question_of_mysql,
)
from pyproxy._splitting.questions import without_rows
from pyproxy._splitting.shown import Warnings, binary, of_warnings
from pyproxy.testing import Ok, Result, injection

NAMES = ("ROW_COUNT()", "FOUND_ROWS()", "LAST_INSERT_ID()", "@@warning_count")
TYPES = (8, 3, 8, 5)
TOLD = injection(1, QUESTION, Result(list(zip(NAMES, TYPES)), [(3, 7, 9, 2)])).resultset
COLUMNS = columns_of_question(TOLD)
assert COLUMNS is not None
LIST = ["Level", ("Code", pyproxy.MYSQL_TYPE_LONG), "Message"]
ROWS = [("Note", 1051, "Unknown table"), ("Error", 1064, "Syntax")]
SHOWN = of_warnings(injection(2, "SHOW WARNINGS", Result(LIST, ROWS)).resultset)
assert SHOWN is not None
KNOWN = Memory(COLUMNS, row_count=3, found_rows=7, warning_count=2, warnings=SHOWN)
CLEAN = Memory(COLUMNS, row_count=3, found_rows=7, warning_count=0)


def cells(memory: Memory, sql: str) -> list[tuple[str, int, object]] | None:
    """Names, types and values of the only row; None if memory has no answer."""
    found = memory.answer(sql)
    if found is None:
        return None
    answer, _ = found
    assert isinstance(answer, Rows)
    (row,) = answer.rows
    columns: list[Mapping[str, Any]] = list(answer.columns)  # type: ignore[arg-type]
    return [(column["name"], column["type"], cell) for column, cell in zip(columns, row)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ROW_COUNT()", [("ROW_COUNT()", 8, 3)]),
        ("select found_rows() ;", [("found_rows()", 3, 7)]),
        ("SELECT ROW_COUNT(), FOUND_ROWS()", [("ROW_COUNT()", 8, 3), ("FOUND_ROWS()", 3, 7)]),
        ("SELECT ROW_COUNT() AS n", [("n", 8, 3)]),
        ("SELECT @@warning_count", [("@@warning_count", 5, 2)]),
        ("SELECT @@error_count", [("@@error_count", 5, 1)]),
        ("SHOW COUNT(*) WARNINGS", [("@@session.warning_count", 5, 2)]),
        ("SHOW COUNT(*) ERRORS", [("@@session.error_count", 5, 1)]),
    ],
)
def test_what_is_known_is_answered(sql: str, expected: list[tuple[str, int, object]]) -> None:
    """The columns look as those of the server."""
    assert cells(KNOWN, sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ROW_COUNT() + 1",
        "SELECT ROW_COUNT(),",
        "SELECT ROW_COUNT() AS",
        "SELECT ROW_COUNT() FROM t",
        "SELECT ROW_COUNT(), a FROM t",
        "SELECT ROW_COUNT",
        "SELECT",
        "SELECT 1; SELECT ROW_COUNT()",
        "DO ROW_COUNT()",
        "SELECT @@error_count + 1",
        "SHOW WARNINGS LIMIT ?",
        "SHOW PROFILES",
    ],
)
def test_the_rest_is_not_answered(sql: str) -> None:
    assert KNOWN.answer(sql) is None
    assert cells(Memory(KNOWN.columns), "SELECT ROW_COUNT()") is None
    assert cells(Memory(KNOWN.columns), "SHOW WARNINGS") is None


def test_a_question_is_a_statement_itself() -> None:
    found = KNOWN.answer("SELECT ROW_COUNT()")
    # It names no table, so the warnings stay.
    assert found is not None
    assert found[1] == replace(KNOWN, row_count=-1, found_rows=1)


def test_of_no_warnings_the_server_says_how_they_look() -> None:
    assert CLEAN.is_asked_for_none("SHOW WARNINGS")
    assert CLEAN.is_asked_for_none("show errors limit 3")
    assert not CLEAN.is_asked_for_none("SHOW COUNT(*) WARNINGS")
    assert not CLEAN.is_asked_for_none("SHOW WARNINGS LIMIT ?")
    assert not KNOWN.is_asked_for_none("SHOW WARNINGS")
    assert cells(CLEAN, "SELECT @@error_count") == [("@@error_count", 5, 0)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SHOW WARNINGS", [0, 1]),
        ("SHOW ERRORS", [1]),
        ("SHOW WARNINGS LIMIT 1", [0]),
        ("SHOW WARNINGS LIMIT 1, 5", [1]),
        ("SHOW ERRORS LIMIT 0", []),
    ],
)
def test_warnings_are_shown_as_they_came(sql: str, rows: list[int]) -> None:
    assert isinstance(SHOWN, Warnings)
    found = KNOWN.answer(sql)
    assert found is not None
    answer, memory = found
    assert isinstance(answer, Raw)
    wanted = tuple(SHOWN.rows[n] for n in rows)
    assert tuple(answer.packets) == (*SHOWN.head, *wanted, SHOWN.end)
    assert KNOWN.rows_asked_for(sql) == wanted
    # They are still there.
    assert memory.warnings is SHOWN
    assert cells(memory, "SELECT ROW_COUNT()") == [("ROW_COUNT()", 8, -1)]


def test_the_question_tells_all_of_it() -> None:
    told = of_question(TOLD)
    assert told == (Memory(KNOWN.columns, 3, 7, 2), 9)
    assert of_question(injection(1, QUESTION, Ok()).resultset) is None
    assert of_warnings(injection(2, "SHOW WARNINGS", Ok()).resultset) is None


OF_MYSQL = replace(KNOWN, columns=None)


def test_mysql_describes_its_answers_itself() -> None:
    assert OF_MYSQL.answer("SELECT ROW_COUNT()") is None
    found = OF_MYSQL.values("SELECT ROW_COUNT() AS n")
    # There, the warnings do not stay.
    assert found == ((3,), Memory(None, row_count=-1, found_rows=1, warning_count=0))
    assert OF_MYSQL.values("SELECT ROW_COUNT() + 1") is None
    assert KNOWN.values("SELECT ROW_COUNT()") is None
    assert Memory(None).values("SELECT ROW_COUNT()") is None


def test_mysql_counts_warnings_and_forgets_them() -> None:
    found = OF_MYSQL.values("SELECT @@warning_count, @@error_count")
    assert found is not None
    values, behind = found
    assert values == (2, 1)
    assert behind == Memory(None, row_count=-1, found_rows=1, warning_count=0)
    shown = replace(OF_MYSQL, row_count=-1, found_rows=1, own_count=0)
    assert OF_MYSQL.values("SHOW COUNT(*) WARNINGS") == ((2,), shown)


def test_mysql_adds_an_error_to_what_is_there() -> None:
    assert SHOWN is not None
    behind = OF_MYSQL.with_error(SHOWN, False)
    assert (behind.row_count, behind.warning_count, behind.own_count) == (-1, 3, 1)
    assert behind.rows_asked_for("SHOW WARNINGS") == (*SHOWN.rows, SHOWN.rows[-1])
    assert replace(CLEAN, columns=None).with_error(SHOWN, False).error_count == 1
    assert OF_MYSQL.with_error(SHOWN, True).own_count == 3
    assert OF_MYSQL.shown().with_error(SHOWN, True).own_count == 1
    full = replace(OF_MYSQL, warning_count=3)
    assert full.with_error(SHOWN, True).rows_asked_for("SHOW WARNINGS") == SHOWN.rows


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select ROW_COUNT ( ) AS n, @@warning_count;", "select ROW_COUNT() AS n, @@warning_count"),
        ("SELECT FOUND_ROWS() # the end", "SELECT FOUND_ROWS()"),
        ("SHOW COUNT(*) ERRORS", "SELECT @@session.error_count"),
    ],
)
def test_how_an_answer_looks_is_asked_without_a_row(sql: str, expected: str) -> None:
    assert without_rows(sql) == f"{expected} LIMIT 0"


def test_mysql_warns_of_found_rows() -> None:
    found = OF_MYSQL.values("SELECT FOUND_ROWS(), @@warning_count")
    # Of what the statement itself does, the server tells.
    assert found is not None
    assert found[0] == (7, None)


def test_what_is_asked_in_other_words_is_asked_behind_something_like_it() -> None:
    found = replace(CLEAN, row_count=-1).restoring("SELECT FOUND_ROWS() + 1")
    assert found is not None
    assert [packet[-7:] for packet in found] == [b"LIMIT 7"]
    behind_ok = replace(CLEAN, row_count=0).restoring("SELECT ROW_COUNT() + 1")
    assert behind_ok is not None
    # On MySQL, DO changes FOUND_ROWS().
    assert behind_ok[-1] == bytes((pyproxy.COM_PING,))
    assert CLEAN.restoring("SELECT ROW_COUNT() + 1") is None
    assert KNOWN.restoring("GET DIAGNOSTICS @n = NUMBER") is None
    assert Memory(COLUMNS, row_count=-1, warning_count=0).restoring("SELECT FOUND_ROWS()") is None


def test_a_row_in_the_form_of_a_prepared_statement() -> None:
    assert SHOWN is not None
    assert binary(SHOWN.rows[1]) == b"\0\0\x05Error\x28\x04\0\0\x06Syntax"


def test_what_mysql_tells_besides() -> None:
    told = injection(
        1, QUESTION_OF_MYSQL, Result([("a", 8), ("b", 8), ("c", 8)], [(-1, 7, 9)])
    ).resultset
    assert of_question_of_mysql(told) == (-1, 7, 9)
    assert of_question_of_mysql(injection(1, QUESTION_OF_MYSQL, Ok()).resultset) is None
