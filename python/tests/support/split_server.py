"""A fake server that answers what a splitter asks of it."""

from __future__ import annotations

import re

import pyproxy
from pyproxy._splitting import answers
from pyproxy.testing import FakeServer, Ok, Result
from pyproxy.testing.results import Reply

__all__ = ["SplitServer"]

_SET = re.compile(r"(\w+)\s*=\s*'?(\w+)'?(?:,|$)")
_NAMES = ("character_set_client", "character_set_results", "collation_connection")


class SplitServer(FakeServer):
    """All its connections share one session: for tests with one client that makes settings."""

    def __init__(
        self, *, users: dict[str, str] | None = None, down: bool = False, tracks: bool = True
    ) -> None:
        super().__init__(users=users, down=down, tracks=tracks)
        #: What `SELECT @@session.x` gives.
        self.settings = dict.fromkeys(_NAMES, "utf8mb4")
        #: What a connection says about the statement before: ROW_COUNT(), FOUND_ROWS(), the number of warnings.
        self.about_last = (0, 0, 0)
        self.insert_id = 0

    def answer_to(self, sql: str) -> Reply:
        if sql == answers.QUESTION:
            row_count, found_rows, warnings = self.about_last
            fields = [(name, pyproxy.MYSQL_TYPE_LONGLONG) for name in sql[7:].split(", ")]
            return Result(fields, [(row_count, found_rows, self.insert_id, warnings)])
        if sql == answers.SHOW_WARNINGS:
            warning = ("Note", 1051, "Unknown table")
            fields = ["Level", ("Code", pyproxy.MYSQL_TYPE_LONG), "Message"]
            return Result(fields, [warning] * self.about_last[2])
        if sql.startswith("SELECT @@session."):
            return self._values(sql)
        answer = super().answer_to(sql)
        if isinstance(answer, Ok) and sql.startswith("SELECT"):
            return Result(["1"], [("1",)], warnings=answer.warnings, changes=answer.changes)
        if isinstance(answer, Ok):
            self.insert_id = answer.insert_id or self.insert_id
            if sql.startswith("SET"):
                self.settings.update((name.lower(), value) for name, value in _SET.findall(sql))
                self.insert_id = int(self.settings.pop("last_insert_id", self.insert_id))
        return answer

    def _values(self, sql: str) -> Result:
        names = re.findall(r"@@session\.(\w+)", sql)
        cells = [self.settings.get(name, "0") for name in names]
        text, number = pyproxy.MYSQL_TYPE_VAR_STRING, pyproxy.MYSQL_TYPE_LONGLONG
        fields = [
            (f"@@session.{name}", number if cell.isdigit() else text)
            for name, cell in zip(names, cells)
        ]
        return Result(fields, [cells])
