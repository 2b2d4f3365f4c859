"""What a client that asks about its last statement gets when the connection of that is with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyproxy
import pytest
from pyproxy import Error, Raw, Rows
from pyproxy._splitting.answers import (
    QUESTION,
    Memory,
    Warnings,
    columns_of_question,
    of_question,
    of_warnings,
)
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
    """Names, types and values of the only row; None if the question is refused."""
    answer, _ = memory.answer(sql, "script")
    if not isinstance(answer, Rows):
        assert isinstance(answer, Error)
        return None
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
def test_the_rest_is_refused(sql: str) -> None:
    answer, memory = KNOWN.answer(sql, "script")
    assert isinstance(answer, Error)
    assert memory is KNOWN
    assert cells(Memory(KNOWN.columns), "SELECT ROW_COUNT()") is None
    assert cells(Memory(KNOWN.columns), "SHOW WARNINGS") is None


def test_a_question_is_a_statement_itself() -> None:
    _, memory = KNOWN.answer("SELECT ROW_COUNT()", "script")
    # It names no table, so the warnings stay.
    assert memory == replace(KNOWN, row_count=-1, found_rows=1)


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
    answer, memory = KNOWN.answer(sql, "script")
    assert isinstance(answer, Raw)
    assert tuple(answer.packets) == (*SHOWN.head, *(SHOWN.rows[n] for n in rows), SHOWN.end)
    # They are still there.
    assert memory.warnings is SHOWN
    assert cells(memory, "SELECT ROW_COUNT()") == [("ROW_COUNT()", 8, -1)]


def test_the_question_tells_all_of_it() -> None:
    told = of_question(TOLD)
    assert told == (Memory(KNOWN.columns, 3, 7, 2), 9)
    assert of_question(injection(1, QUESTION, Ok()).resultset) is None
    assert of_warnings(injection(2, "SHOW WARNINGS", Ok()).resultset) is None
