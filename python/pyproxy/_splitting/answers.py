"""What a client may ask about its last statement when the connection that ran it is with others: answers from memory.

Before a connection is given back it is asked what it would say, as its first statement behind the client's. Later the client
gets that for the texts that are known to ask for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyproxy import Error, Raw, Rows
from pyproxy._sql.text import Statement, statements

if TYPE_CHECKING:
    from pyproxy import Field, FieldDict, Resultset

__all__ = [
    "QUESTION",
    "SHOW_WARNINGS",
    "Columns",
    "Memory",
    "Warnings",
    "columns_of_question",
    "of_question",
    "of_warnings",
]

QUESTION = "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID(), @@warning_count"
"""Asks for all of it; all four are right in the first statement behind another one."""
SHOW_WARNINGS = "SHOW WARNINGS"

_NAMES = ("row_count", "found_rows", "insert_id", "warning_count")
_FUNCTIONS = {"ROW_COUNT": "row_count", "FOUND_ROWS": "found_rows"}
_VARIABLES = {"@@WARNING_COUNT": "warning_count", "@@ERROR_COUNT": "error_count"}


@dataclass(frozen=True)
class Columns:
    """How a server describes the columns of `QUESTION`: those of an answer from memory look the same."""

    fields: tuple[Field, ...]

    def named(self, name: str, text: str) -> FieldDict:
        """The column of `name`, called `text`."""
        field = self.fields[_NAMES.index("warning_count" if name == "error_count" else name)]
        return {
            "name": text,
            "type": field.type,
            "charset": field.charset,
            "length": field.length,
            "flags": field.flags,
            "decimals": field.decimals,
        }


@dataclass(frozen=True)
class Memory:
    """What the connection of the last statement would have said. None: that is not known."""

    columns: Columns
    row_count: int | None = None
    found_rows: int | None = None
    warning_count: int | None = None
    warnings: Warnings | None = None
    """The warnings and errors, if there are any."""

    @property
    def is_clean(self) -> bool:
        """Whether there is no warning and no error to be told."""
        return self.warning_count == 0

    def is_asked_for_none(self, sql: str) -> bool:
        """Whether `sql` is SHOW WARNINGS or SHOW ERRORS, and there are none."""
        found = statements(sql)
        return (
            self.is_clean
            and len(found) == 1
            and found[0].word(0) == "SHOW"
            and found[0].word(1) in ("WARNINGS", "ERRORS")
            and _limit(found[0]) is not None
        )

    def behind(self, memory: Memory) -> Memory:
        """This, with the warnings of the statement before, whose connection said `memory`."""
        if not self.is_clean:
            return self
        return replace(self, warning_count=memory.warning_count, warnings=memory.warnings)

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
        if words[:1] == ["SHOW"]:
            return self._shown(statement)
        if statement.word(0) != "SELECT":
            return None
        cells = self._cells(statement)
        if cells is None:
            return None
        # It is a statement itself, of one row. It names no table: warnings stay.
        behind = replace(self, row_count=-1, found_rows=1)
        return Rows([column for column, _ in cells], [[value for _, value in cells]]), behind

    @property
    def error_count(self) -> int | None:
        """How many of the warnings are errors."""
        if self.warnings is not None:
            return len(self.warnings.errors)
        return 0 if self.is_clean else None

    def _shown(self, statement: Statement) -> tuple[Rows | Raw, Memory] | None:
        """The answer to SHOW WARNINGS or SHOW ERRORS, which leaves them as they are."""
        behind = replace(self, row_count=-1, found_rows=None)
        what, words = statement.words[-1], statement.words
        if words[1:2] == ["COUNT"] and len(words) == 6 and what in ("WARNINGS", "ERRORS"):
            is_errors = what == "ERRORS"
            count = self.error_count if is_errors else self.warning_count
            if count is None:
                return None
            name = "@@session.error_count" if is_errors else "@@session.warning_count"
            return Rows([self.columns.named("warning_count", name)], [[count]]), behind
        what = statement.word(1)
        warnings = self.warnings
        if what not in ("WARNINGS", "ERRORS") or warnings is None:
            return None
        rows = warnings.errors if what == "ERRORS" else warnings.rows
        limit = _limit(statement)
        if limit is None:
            return None
        return Raw((*warnings.head, *rows[limit], warnings.end)), behind

    def _cells(self, statement: Statement) -> list[tuple[FieldDict, int]] | None:
        """The columns and their values; None if something else is asked for."""
        cells: list[tuple[FieldDict, int]] = []
        index = 1
        while index < len(statement.tokens):
            if cells:
                if statement.kinds[index] != "comma":
                    return None
                index += 1
            word = statement.word(index)
            if word in _FUNCTIONS:
                name = _FUNCTIONS[word]
                if statement.kinds[index + 1 : index + 3] != ["open_paren", "close_paren"]:
                    return None
                end = index + 3
            elif word in _VARIABLES:
                name, end = _VARIABLES[word], index + 1
            else:
                return None
            value: int | None = getattr(self, name)
            if value is None:
                return None
            text = "".join(token.text for token in statement.tokens[index:end])
            if statement.word(end) == "AS" and end + 1 < len(statement.tokens):
                text, end = statement.tokens[end + 1].text, end + 2
            cells.append((self.columns.named(name, text), value))
            index = end
        return cells or None


@dataclass(frozen=True)
class Warnings:
    """The answer to SHOW WARNINGS, in payloads."""

    head: tuple[bytes, ...]
    """What comes in front of the rows."""
    rows: tuple[bytes, ...]
    end: bytes

    @property
    def errors(self) -> tuple[bytes, ...]:
        """The rows whose level, the first cell, is `Error`."""
        return tuple(row for row in self.rows if row.startswith(b"\x05Error"))


def of_warnings(result: Resultset) -> Warnings | None:
    """The answer to `SHOW_WARNINGS`."""
    packets = result.packets
    if result.error is not None or result.rows is None or packets is None:
        return None
    first = len(packets) - 1 - len(result.rows)
    return Warnings(packets[:first], packets[first:-1], packets[-1])


def _limit(statement: Statement) -> slice | None:
    """Which rows SHOW ... LIMIT wants; None if it says something else."""
    tokens = [token.text for token in statement.tokens[2:]]
    if not tokens:
        return slice(None)
    numbers = [int(text) for text in tokens[1::2] if text.isdecimal()]
    if tokens[0].upper() != "LIMIT" or len(numbers) != len(tokens) // 2:
        return None
    if len(tokens) == 2:
        return slice(0, numbers[0])
    if len(tokens) == 4 and tokens[2] == ",":
        return slice(numbers[0], numbers[0] + numbers[1])
    return None


def columns_of_question(result: Resultset) -> Columns | None:
    """How the server describes the columns of the answer to `QUESTION`."""
    fields = result.fields
    return Columns(fields) if fields is not None and len(fields) == len(_NAMES) else None


def of_question(result: Resultset) -> tuple[Memory, int] | None:
    """The answer to `QUESTION`: what is known, and the last insert id."""
    columns = columns_of_question(result)
    for row in result.rows or ():
        if columns is None:
            break
        row_count, found_rows, insert_id, warnings = (int(str(cell)) for cell in row)
        return Memory(columns, row_count, found_rows, warnings), insert_id
    return None
