"""What a client that asks about its last statement gets when the connection of that is with others."""

from __future__ import annotations

import pytest
from pyproxy import Error, Raw, Rows
from pyproxy._splitting.answers import QUESTION, Memory, of_question
from pyproxy.testing import Ok, Result, injection

KNOWN = Memory(row_count=3, found_rows=7, warning_count=2, warnings=(b"\3", b"..."))
NOTHING = Memory(row_count=-1, found_rows=1, warning_count=0)


def cells(memory: Memory, sql: str) -> list[tuple[str, object]] | None:
    """Names and values of the only row; None if the question is refused."""
    answer, _ = memory.answer(sql, "script")
    if not isinstance(answer, Rows):
        assert isinstance(answer, Error)
        return None
    (row,) = answer.rows
    return [(field[0], cell) for field, cell in zip(answer.columns, row)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ROW_COUNT()", [("ROW_COUNT()", 3)]),
        ("select found_rows() ;", [("found_rows()", 7)]),
        ("SELECT ROW_COUNT(), FOUND_ROWS()", [("ROW_COUNT()", 3), ("FOUND_ROWS()", 7)]),
        ("SELECT ROW_COUNT() AS n", [("n", 3)]),
        ("SELECT @@warning_count", [("@@warning_count", 2)]),
        ("SHOW COUNT(*) WARNINGS", [("@@session.warning_count", 2)]),
    ],
)
def test_what_is_known_is_answered(sql: str, expected: list[tuple[str, object]]) -> None:
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
        # Some of the two may be errors.
        "SELECT @@error_count",
        "SHOW COUNT(*) ERRORS",
        "SHOW ERRORS",
        "SHOW WARNINGS LIMIT 1",
    ],
)
def test_the_rest_is_refused(sql: str) -> None:
    answer, memory = KNOWN.answer(sql, "script")
    assert isinstance(answer, Error)
    assert memory is KNOWN
    assert cells(Memory(), "SELECT ROW_COUNT()") is None
    assert cells(Memory(), "SHOW WARNINGS") is None


def test_a_question_is_a_statement_itself() -> None:
    _, memory = KNOWN.answer("SELECT ROW_COUNT()", "script")
    assert memory == NOTHING
    _, memory = KNOWN.answer("SHOW COUNT(*) WARNINGS", "script")
    assert memory == KNOWN


def test_warnings_are_shown_as_they_came() -> None:
    answer, memory = KNOWN.answer("SHOW WARNINGS", "script")
    assert isinstance(answer, Raw)
    assert tuple(answer.packets) == KNOWN.warnings
    # They are still there.
    assert isinstance(memory.answer("SHOW WARNINGS", "script")[0], Raw)
    assert cells(memory, "SELECT ROW_COUNT()") == [("ROW_COUNT()", -1)]


@pytest.mark.parametrize("kind", ["WARNINGS", "ERRORS"])
def test_where_there_are_no_warnings_none_are_shown(kind: str) -> None:
    answer, _ = NOTHING.answer(f"SHOW {kind}", "script")
    assert isinstance(answer, Rows)
    assert [field[0] for field in answer.columns] == ["Level", "Code", "Message"]
    assert list(answer.rows) == []
    variable = f"{kind[:-1].lower()}_count"
    assert cells(NOTHING, f"SHOW COUNT(*) {kind}") == [(f"@@session.{variable}", 0)]
    assert cells(NOTHING, f"SELECT @@{variable}") == [(f"@@{variable}", 0)]


def test_the_question_tells_all_of_it() -> None:
    columns = [(name, 8) for name in ("r", "f", "l", "w")]
    inj = injection(1, QUESTION, Result(columns, [(3, 7, 9, 2)]))
    assert of_question(inj.resultset) == (Memory(3, 7, 2), 9)
    assert of_question(injection(1, QUESTION, Ok()).resultset) is None
