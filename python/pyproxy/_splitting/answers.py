"""What a client may ask about its last statement when the connection that ran it is with others: answers from memory.

Before a connection is given back it is asked what it would say, as its first statement behind the client's. Later the client
gets that for the texts that are known to ask for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyproxy import COM_PING, Raw, Rows
from pyproxy._common.queries import query_packet
from pyproxy._splitting.questions import names_of_questions, questions
from pyproxy._splitting.shown import Warnings, limit
from pyproxy._sql.text import Statement, statements

if TYPE_CHECKING:
    from pyproxy import Field, FieldDict, Resultset

__all__ = [
    "QUESTION",
    "QUESTION_OF_MYSQL",
    "SHOW_WARNINGS",
    "Columns",
    "Memory",
    "columns_of_question",
    "of_question",
    "of_question_of_mysql",
]

QUESTION = "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID(), @@warning_count"
"""Asks for all of it; all four are right in the first statement behind another one."""
QUESTION_OF_MYSQL = "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID()"
"""What MySQL still knows behind SHOW WARNINGS. To name FOUND_ROWS() is a warning of its own there, in place of those before."""
SHOW_WARNINGS = "SHOW WARNINGS"

_NAMES = ("row_count", "found_rows", "insert_id", "warning_count")
_COUNTS = ("warning_count", "error_count")
_OF_CHARSETS = ("NAMES", "CHARSET", "CHARACTER")
# Those in which ASCII has other bytes.
_OF_STATUS = ("SQL_MODE", "BEGIN", "START", "COMMIT", "ROLLBACK")
_WIDE = ("UCS2", "UTF16", "UTF32")
# In questions that depend on warnings.
_ABOUT_WARNINGS = ("WARNING", "ERROR", "DIAGNOSTICS")
# As many rows as there are in these tables. MariaDB ends warnings where one is named; MySQL would begin a transaction with its own, if
# autocommit is off.
_MOST_ROWS = 10_000
_TABLES = "information_schema.collations AS a, information_schema.collations AS b"
_TABLES_OF_MYSQL = ", ".join(
    f"({' UNION ALL '.join(['SELECT 1'] * 10)}) AS {name}" for name in "abcd"
)


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

    columns: Columns | None
    """None: the server describes the columns of each answer itself. That is so for MySQL, which warns of FOUND_ROWS()."""
    row_count: int | None = None
    found_rows: int | None = None
    warning_count: int | None = None
    warnings: Warnings | None = None
    """The warnings and errors, if there are any."""
    own_count: int | None = None
    """How many of the warnings are the last statement's own, for the OKs of a MySQL server that count those. None: all of them."""

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
            and limit(found[0]) is not None
        )

    def behind(self, memory: Memory) -> Memory:
        """This, with the warnings of the statement before, whose connection said `memory`."""
        return replace(
            self,
            warning_count=memory.warning_count,
            warnings=memory.warnings,
        )

    def answer(self, sql: str) -> tuple[Rows | Raw, Memory] | None:
        """The answer to a question about the last statement, and what is known behind it; None if a server has to be asked."""
        found = statements(sql)
        return self._answer(found[0]) if len(found) == 1 else None

    def values(self, sql: str) -> tuple[tuple[int | None, ...], Memory] | None:
        """The row that answers such a question to a MySQL server, of which `without_rows` gives the rest; and what is known behind it.

        None among the values: the number of warnings of that. None: it is asked for something else.
        """
        found = statements(sql)
        if len(found) != 1 or self.columns is not None:
            return None
        names = names_of_questions(found[0])
        if not names:
            return None
        # The warning that it makes is in place of those before.
        warns = "found_rows" in names
        values = tuple(None if warns and name in _COUNTS else getattr(self, name) for name in names)
        if any(value is None and name not in _COUNTS for name, value in zip(names, values)):
            return None
        if None in values and not warns:
            return None
        if found[0].word(0) == "SHOW":
            return values, replace(self.shown(), found_rows=1)
        return values, Memory(None, row_count=-1, found_rows=1, warning_count=0)

    def behind_set(self, sql: str) -> Memory:
        """The same behind this statement, which may have changed the character set of results, or what their end tells of the SQL mode and
        of transactions."""
        text = sql.upper()
        if self.warnings is None:
            return self
        if any(word in text for word in _OF_CHARSETS):
            is_other = any(name in text for name in _WIDE) or not self.warnings.is_plain
            return (
                self.without_warnings()
                if is_other
                else replace(self, warnings=self.warnings.bare())
            )
        is_told = any(word in text for word in _OF_STATUS)
        return replace(self, warnings=self.warnings.bare()) if is_told else self

    def without_warnings(self) -> Memory:
        """The same where it is not known whether they are there."""
        return replace(self, warning_count=None, warnings=None, own_count=None)

    def shown(self) -> Memory:
        """Behind SHOW WARNINGS, which leaves them as they are."""
        return replace(self, row_count=-1, own_count=0)

    def with_error(self, shown: Warnings, is_own: bool) -> Memory:
        """Behind an error that MySQL adds to the warnings that are there. It is the last one of `shown`; `is_own`: it counts as the last
        statement's."""
        count = self.warning_count or 0
        own = count if self.own_count is None else self.own_count
        rows = self.warnings.rows if self.warnings is not None else ()
        # A list that is full takes no more.
        rows = (*rows, *shown.rows[-1:]) if len(rows) == count else rows
        return replace(
            self,
            row_count=-1,
            warning_count=count + 1,
            warnings=replace(shown, rows=rows),
            own_count=own + 1 if is_own else 1,
        )

    def restoring(self, sql: str) -> list[bytes] | None:
        """Commands behind which a connection would say the same when it is asked with `sql`; None if there are none."""
        text = sql.upper()
        # What asks for none of them ends those of MySQL.
        ends = self.columns is None and not any(word in text for word in _ABOUT_WARNINGS)
        if not (self.is_clean or ends):
            return None
        asks_rows = "ROW_COUNT" in text or "DIAGNOSTICS" in text
        rows = self.found_rows
        if rows is None and "FOUND_ROWS" in text:
            return None
        if asks_rows and self.row_count not in (-1, 0):
            return None
        rows = 1 if rows is None else rows
        if rows > _MOST_ROWS:
            return None
        tables = _TABLES if self.columns is not None else _TABLES_OF_MYSQL
        found = [query_packet(f"SELECT 1 FROM {tables} LIMIT {rows}")]
        return found if self.row_count == -1 else [*found, bytes((COM_PING,))]

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
        behind = self.shown()
        what, words = statement.words[-1], statement.words
        if words[1:2] == ["COUNT"] and len(words) == 6 and what in ("WARNINGS", "ERRORS"):
            is_errors = what == "ERRORS"
            count = self.error_count if is_errors else self.warning_count
            if count is None or self.columns is None:
                return None
            name = "@@session.error_count" if is_errors else "@@session.warning_count"
            return Rows([self.columns.named("warning_count", name)], [[count]]), replace(
                behind, found_rows=1
            )
        rows = self._listed(statement)
        if rows is None or self.warnings is None or not self.warnings.head:
            return None
        return Raw((*self.warnings.head, *rows, self.warnings.end)), behind

    def rows_asked_for(self, sql: str) -> tuple[bytes, ...] | None:
        """The rows that a SHOW WARNINGS or SHOW ERRORS wants; None if it is none, or they are not known."""
        found = statements(sql)
        is_one = len(found) == 1 and found[0].word(0) == "SHOW"
        return self._listed(found[0]) if is_one else None

    def _listed(self, statement: Statement) -> tuple[bytes, ...] | None:
        what, wanted = statement.word(1), limit(statement)
        if what not in ("WARNINGS", "ERRORS") or self.warnings is None or wanted is None:
            return None
        return (self.warnings.errors if what == "ERRORS" else self.warnings.rows)[wanted]

    def _cells(self, statement: Statement) -> list[tuple[FieldDict, int]] | None:
        """The columns and their values; None if something else is asked for."""
        cells: list[tuple[FieldDict, int]] = []
        for name, text in questions(statement):
            value: int | None = getattr(self, name)
            if value is None or self.columns is None:
                return None
            cells.append((self.columns.named(name, text), value))
        return cells or None


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


def of_question_of_mysql(result: Resultset) -> tuple[int, int, int] | None:
    """The answer to `QUESTION_OF_MYSQL`: ROW_COUNT(), FOUND_ROWS(), and the last insert id."""
    for row in result.rows or ():
        row_count, found_rows, insert_id = (int(str(cell)) for cell in row)
        return row_count, found_rows, insert_id
    return None
