"""What a connection of a fake server knows of itself: its settings, and what it says about the statement before.

Scripts that share connections ask for it, on behalf of their clients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .results import Error, Ok, Reply, Result

__all__ = ["Knowledge"]

_LONG, _LONGLONG, _TEXT = 3, 8, 253
# What is longer is no question, and no setting.
_LONGEST = 1024
_SELECT = re.compile(r"SELECT\s+(.*)", re.IGNORECASE | re.DOTALL)
_SET = re.compile(r"SET\s+(?!GLOBAL\b|@@GLOBAL\b)(.*)", re.IGNORECASE | re.DOTALL)
_ASSIGNMENT = re.compile(
    r"(?:SESSION\s+|@@session\.|@@)?\b(\w+)\s*:?=\s*('(?:[^']|'')*'|[\w.+-]+)", re.IGNORECASE
)
_NAMES = re.compile(r"NAMES\s+(\w+|'\w+')", re.IGNORECASE)
_OF_NAMES = ("character_set_client", "character_set_results", "collation_connection")
_NO_ROWS = re.compile(r"\s+LIMIT 0$", re.IGNORECASE)
_SHOW_WARNINGS = re.compile(r"SHOW\s+WARNINGS$", re.IGNORECASE)
_VARIABLE = re.compile(r"@@(?:session\.)?(\w+)$", re.IGNORECASE)


class Knowledge:
    """Of one connection. A rule of the server comes before it."""

    def __init__(self) -> None:
        self._row_count = self._found_rows = self._insert_id = 0
        self._warnings: list[tuple[str, int, str]] = []
        self._settings = dict.fromkeys(_OF_NAMES, "utf8mb4")
        self._functions: dict[str, Callable[[], int]] = {
            "ROW_COUNT()": lambda: self._row_count,
            "FOUND_ROWS()": lambda: self._found_rows,
            "LAST_INSERT_ID()": lambda: self._insert_id,
            "@@WARNING_COUNT": lambda: len(self._warnings),
        }

    def answer(self, sql: str) -> Reply | None:
        """The answer to a question about the connection; None if it is none."""
        sql = _short(sql)
        if _SHOW_WARNINGS.match(sql):
            return Result(["Level", ("Code", _LONG), "Message"], self._warnings)
        found = _SELECT.match(_NO_ROWS.sub("", sql))
        texts = [text.strip() for text in found[1].split(",")] if found else []
        cells = [self._cell(text) for text in texts]
        if not cells or None in cells:
            return None
        types = [_LONGLONG if isinstance(cell, int) else _TEXT for cell in cells]
        return Result(list(zip(texts, types)), [] if _NO_ROWS.search(sql) else [cells])

    def _cell(self, text: str) -> int | str | None:
        if text.upper() in self._functions:
            return self._functions[text.upper()]()
        variable = _VARIABLE.match(text)
        value = self._settings.get(variable[1].lower()) if variable else None
        if value is None:
            return None
        if value.startswith("'"):
            return value[1:-1].replace("''", "'")
        return int(value) if value.isdecimal() else value

    def note(self, sql: str, answer: Reply) -> None:
        """A statement was answered."""
        sql = _short(sql)
        last = answer[-1] if isinstance(answer, Sequence) and answer else answer
        if isinstance(last, Result):
            self._row_count, self._found_rows = -1, len(last.rows)
            # What asks for warnings, and reads no table, leaves them.
            if not _SHOW_WARNINGS.match(sql) and "@@warning_count" not in sql.lower():
                self._set_warnings(last.warnings)
        elif isinstance(last, Ok):
            self._row_count = last.affected_rows
            self._insert_id = last.insert_id or self._insert_id
            self._set_warnings(last.warnings)
            self._note_settings(sql)
        elif isinstance(last, Error):
            self._row_count = -1
            self._warnings = [("Error", last.errno, last.message)]

    def _set_warnings(self, count: int) -> None:
        self._warnings = [("Warning", 1105, "Unknown error")] * count

    def _note_settings(self, sql: str) -> None:
        found = _SET.match(sql)
        names = _NAMES.match(found[1]) if found else None
        if names:
            self._settings.update(dict.fromkeys(_OF_NAMES, names[1]))
        for name, value in _ASSIGNMENT.findall(found[1]) if found else ():
            if name.lower() == "last_insert_id":
                self._insert_id = int(value)
            else:
                self._settings[name.lower()] = value


def _short(sql: str) -> str:
    """The statement without what surrounds it; empty if it is a long one."""
    return "" if len(sql) > _LONGEST else sql.strip().rstrip(";").rstrip()
