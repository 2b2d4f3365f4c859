"""Prepared statements of the protocol: what their executions mean, and which of them tie a client to its connection.

The plugin gives statements numbers of the client's own, and prepares them wherever they are executed. So only those tie of which
more is left on a connection than that: values that were sent ahead, an open cursor; and those that could tie in any case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyproxy import (
    COM_STMT_CLOSE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    COM_STMT_RESET,
    COM_STMT_SEND_LONG_DATA,
)
from pyproxy._pooling.routing import Route, route, route_of_text
from pyproxy._pooling.ties import INSERT_ID
from pyproxy._sql.reading import PLAIN, Reading
from pyproxy.commands import Command

__all__ = ["PreparedStatements"]

_LAST = 0xFFFFFFFF
"""What MariaDB's clients send for the statement that was prepared last."""
_FLAGS_AT, _CURSORS = 5, 0x07

# An execution of a statement that is not known: there is none, and the server says so.
_UNKNOWN = Route(is_plain=True)


@dataclass(frozen=True)
class _Statement:
    route: Route
    """What an execution means."""
    ties: bool


class PreparedStatements:
    """Those of one client."""

    def __init__(self) -> None:
        self._known: dict[int, _Statement] = {}
        self._last = 0
        # Numbers of those with values that were sent ahead, and with a cursor.
        self._ahead: set[int] = set()
        self._open: set[int] = set()
        self._tying: set[int] = set()

    @property
    def tie(self) -> bool:
        """Whether one of them ties the client to its connection."""
        return bool(self._tying or self._open or self._ahead)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why, and what ends it."""
        found = []
        if self._tying:
            found.append((f"{len(self._tying)} open prepared statements", "they are closed"))
        if self._open:
            found.append(
                (f"{len(self._open)} open cursors", "their statements are executed again or closed")
            )
        if self._ahead:
            found.append(("values that were sent ahead", "their statements are executed"))
        return found

    def preparation(self, command: Command, has_database: bool, reading: Reading = PLAIN) -> Route:
        """What the preparation means."""
        text = route_of_text(command.query or "", reading)
        if self._may_move(text, has_database):
            return Route(
                is_read=text.is_read,
                keeps_diagnostics=True,
                has_no_table=text.has_no_table,
                is_plain=True,
            )
        return route(command, reading)

    def execution(self, command: Command, packet: bytes) -> Route:
        """What the execution means."""
        found = self._known.get(self._number(command))
        if found is None:
            return _UNKNOWN
        # A client that reads from a cursor may write between its rows.
        return replace(found.route, is_read=False) if _opens(command, packet) else found.route

    def is_idle(self, command: Command) -> bool:
        """Whether there is nothing that a reset of the statement would end."""
        number = self._number(command)
        return number in self._known and number not in self._ahead | self._open

    def prepared(
        self, number: int, command: Command, has_database: bool, reading: Reading = PLAIN
    ) -> None:
        """The preparation was answered."""
        text = route_of_text(command.query or "", reading)
        may_move = self._may_move(text, has_database)
        meant = text
        if not may_move:
            meant = replace(route(command, reading), keeps_diagnostics=False)
        self._known[number] = _Statement(meant, not may_move)
        self._last = number
        if not may_move:
            self._tying.add(number)

    def note_sent(self, command: Command, packet: bytes) -> None:
        """A command goes to the server."""
        number = self._number(command)
        if command.type == COM_STMT_PREPARE:
            self._last = 0
        elif command.type == COM_STMT_SEND_LONG_DATA:
            self._ahead.add(number)
        elif command.type in (COM_STMT_RESET, COM_STMT_CLOSE, COM_STMT_EXECUTE):
            self._ahead.discard(number)
            self._open.discard(number)
        if command.type == COM_STMT_CLOSE:
            self._known.pop(number, None)
            self._tying.discard(number)
        if _opens(command, packet):
            self._open.add(number)

    def note_refused(self, command: Command) -> None:
        """The execution failed."""
        self._open.discard(self._number(command))

    def _number(self, command: Command) -> int:
        number = command.stmt_handler_id or 0
        return self._last if number == _LAST else number

    @staticmethod
    def _may_move(text: Route, has_database: bool) -> bool:
        # Without a default database it keeps that, and no connection can lose its own.
        return (
            has_database
            and text.is_plain
            and not text.ties - {INSERT_ID}
            and not (text.setting or text.database or text.asks_about_last or text.needs)
            and not text.has_several
        )


def _opens(command: Command, packet: bytes) -> bool:
    """Whether an execution opens a cursor."""
    flags = packet[_FLAGS_AT : _FLAGS_AT + 1]
    return command.type == COM_STMT_EXECUTE and flags != b"" and bool(flags[0] & _CURSORS)
