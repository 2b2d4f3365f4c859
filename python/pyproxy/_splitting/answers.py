"""What a client may ask about its last statement when the connection that ran it is with others: answers from memory.

Before a connection is given back it is asked what it would say, as its first statement behind the client's. Later the client
gets that for the texts that are known to ask for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyproxy
from pyproxy import Error, Raw, Rows
from pyproxy._sql.text import Statement, statements

if TYPE_CHECKING:
    from pyproxy import Resultset

__all__ = ["QUESTION", "SHOW_WARNINGS", "Memory", "of_question"]

QUESTION = "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID(), @@warning_count"
"""Asks for all of it; all four are right in the first statement behind another one."""
SHOW_WARNINGS = "SHOW WARNINGS"

_FUNCTIONS = {"ROW_COUNT": "row_count", "FOUND_ROWS": "found_rows"}
_WARNING_COUNT, _ERROR_COUNT = "@@WARNING_COUNT", "@@ERROR_COUNT"
_LIST_COLUMNS = [
    ("Level", pyproxy.MYSQL_TYPE_VAR_STRING),
    ("Code", pyproxy.MYSQL_TYPE_LONG),
    ("Message", pyproxy.MYSQL_TYPE_VAR_STRING),
]


@dataclass(frozen=True)
class Memory:
    """What the connection of the last statement would have said. None: that is not known."""

    row_count: int | None = None
    found_rows: int | None = None
    warning_count: int | None = None
    warnings: tuple[bytes, ...] | None = None
    """The packets that answer SHOW WARNINGS."""

    def answer(self, sql: str, name: str) -> tuple[Rows | Raw | Error, Memory]:
        """The answer to a question about the last statement, and what is known behind it."""
        found = statements(sql)
        answer = self._answer(found[0]) if len(found) == 1 else None
        if answer is not None:
            return answer
        text = (
            f"{name}: the connection of the statement before is with other clients, and what this one asks for with it; "
            "in a transaction the client would have kept it"
        )
        return Error(text, 1105, "HY000"), self

    def _answer(self, statement: Statement) -> tuple[Rows | Raw, Memory] | None:
        words = statement.words
        if words in (["SHOW", "WARNINGS"], ["SHOW", "ERRORS"]):
            answer = self._list(words[1])
            return answer and (answer, replace(self, row_count=-1, found_rows=None))
        if words[:2] == ["SHOW", "COUNT"] and len(words) == 6:
            kind = words[-1].lower().removesuffix("s") + "_count"
            count = self._count(f"@@{kind}".upper())
            return None if count is None else (_rows([(f"@@session.{kind}", count)]), self)
        if statement.word(0) != "SELECT":
            return None
        cells = self._cells(statement)
        if cells is None:
            return None
        # It is a statement itself: one row, and no warnings.
        return _rows(cells), Memory(row_count=-1, found_rows=1, warning_count=0)

    def _list(self, kind: str) -> Rows | Raw | None:
        if self.warning_count == 0:
            return Rows(_LIST_COLUMNS, [])
        return Raw(self.warnings) if kind == "WARNINGS" and self.warnings is not None else None

    def _count(self, variable: str) -> int | None:
        # Errors are counted with the warnings.
        is_known = variable == _WARNING_COUNT or (
            variable == _ERROR_COUNT and self.warning_count == 0
        )
        return self.warning_count if is_known else None

    def _cells(self, statement: Statement) -> list[tuple[str, int]] | None:
        """The columns and their values; None if something else is asked for."""
        cells: list[tuple[str, int]] = []
        index = 1
        while index < len(statement.tokens):
            if cells:
                if statement.kinds[index] != "comma":
                    return None
                index += 1
            word = statement.word(index)
            value: int | None
            if word in _FUNCTIONS:
                kinds = statement.kinds[index + 1 : index + 3]
                value = getattr(self, _FUNCTIONS[word])
                if kinds != ["open_paren", "close_paren"]:
                    return None
                name = "".join(token.text for token in statement.tokens[index : index + 3])
                index += 3
            else:
                value = self._count(word)
                name = statement.tokens[index].text if value is not None else ""
                index += 1
            if statement.word(index) == "AS" and index + 1 < len(statement.tokens):
                name = statement.tokens[index + 1].text
                index += 2
            if value is None:
                return None
            cells.append((name, value))
        return cells or None


def of_question(result: Resultset) -> tuple[Memory, int] | None:
    """The answer to `QUESTION`: what is known, and the last insert id."""
    for row in result.rows or ():
        row_count, found_rows, insert_id, warnings = (int(str(cell)) for cell in row)
        return Memory(row_count=row_count, found_rows=found_rows, warning_count=warnings), insert_id
    return None


def _rows(cells: list[tuple[str, int]]) -> Rows:
    columns = [(name, pyproxy.MYSQL_TYPE_LONGLONG) for name, _ in cells]
    return Rows(columns, [[value for _, value in cells]])
