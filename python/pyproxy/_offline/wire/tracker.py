"""Where the answer to a command ends, and what it amounts to.

The server's packets go through a `Tracker` one by one, as in the plugin.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from .basic import Reader, WireError
from .replies import Ok, Status, is_eof, is_err, is_progress, status_and_warnings

__all__ = ["NO_REPLY", "Progress", "Summary", "TrackError", "Tracker", "command_name"]

_NAMES = (
    "SLEEP QUIT INIT_DB QUERY FIELD_LIST CREATE_DB DROP_DB REFRESH SHUTDOWN STATISTICS "
    "PROCESS_INFO CONNECT PROCESS_KILL DEBUG PING TIME DELAYED_INSERT CHANGE_USER BINLOG_DUMP "
    "TABLE_DUMP CONNECT_OUT REGISTER_SLAVE STMT_PREPARE STMT_EXECUTE STMT_SEND_LONG_DATA "
    "STMT_CLOSE STMT_RESET SET_OPTION STMT_FETCH DAEMON BINLOG_DUMP_GTID RESET_CONNECTION CLONE "
    "SUBSCRIBE_GROUP_REPLICATION_STREAM"
).split()
_NUMBERS = {name: n for n, name in enumerate(_NAMES)}


def command_name(command: int) -> str:
    """`COM_QUERY`, or `command 0x99`."""
    if command < len(_NAMES):
        return f"COM_{_NAMES[command]}"
    return {0xFA: "COM_STMT_BULK_EXECUTE"}.get(command, f"command 0x{command:02x}")


def _set(names: str) -> frozenset[int]:
    return frozenset(_NUMBERS[name] for name in names.split())


NO_REPLY = _set("QUIT STMT_SEND_LONG_DATA STMT_CLOSE")
_SILENT = _set("STMT_SEND_LONG_DATA STMT_CLOSE")
_QUERY = _set("QUERY PROCESS_INFO STMT_EXECUTE") | {0xFA}
_STREAM = _set("BINLOG_DUMP BINLOG_DUMP_GTID")
_SINGLE = _set(
    "QUIT INIT_DB CREATE_DB DROP_DB REFRESH SHUTDOWN STATISTICS PROCESS_KILL DEBUG PING TIME "
    "REGISTER_SLAVE STMT_RESET SET_OPTION RESET_CONNECTION"
)
_FIELD_LIST = _NUMBERS["FIELD_LIST"]
_PREPARE = _NUMBERS["STMT_PREPARE"]
_EXECUTE = _NUMBERS["STMT_EXECUTE"]
_FETCH = _NUMBERS["STMT_FETCH"]
_CHANGE_USER = _NUMBERS["CHANGE_USER"]


class TrackError(Exception):
    """A packet that does not belong where it came."""


class Progress(enum.Enum):
    """What a packet means for the answer."""

    MORE = enum.auto()
    DONE = enum.auto()
    STREAM = enum.auto()
    LOCAL_INFILE = enum.auto()
    AUTH = enum.auto()


class Summary(NamedTuple):
    """What an answer amounted to."""

    affected_rows: int | None = None
    insert_id: int | None = None
    warnings: int = 0
    status: int = 0
    row_count: int = 0
    bytes: int = 0
    query_status: int | None = None
    has_resultset: bool = False


class _State(enum.Enum):
    START = enum.auto()
    DEFINITIONS = enum.auto()
    DEFINITIONS_END = enum.auto()
    ROWS = enum.auto()
    INFILE_RESULT = enum.auto()
    DONE = enum.auto()


class Tracker:
    """Follows the answer to one command."""

    def __init__(self, command: int) -> None:
        self.command = command
        self._state = _State.ROWS if command == _FETCH else _State.START
        # Blocks of definitions to come: how many definitions each, and whether rows follow.
        self._left = 0
        self._blocks: list[int] = []
        self._rows_follow = False
        self._out_params = False
        self._affected = self._insert_id = self._warnings = self._status = 0
        self._row_count = self._bytes = 0
        self._query_status: int | None = None
        self._has_resultset = False
        self._has_status = False

    def summary(self) -> Summary:
        """The counters so far."""
        has_resultset = self._has_resultset or self._row_count > 0
        known = not has_resultset and self._query_status is not None
        return Summary(
            self._affected if known else None,
            self._insert_id if known else None,
            self._warnings,
            self._status,
            self._row_count,
            self._bytes,
            self._query_status,
            has_resultset,
        )

    @property
    def reported_status(self) -> int | None:
        """The status that the server reported last; None if it reported none, as with an ERR."""
        return self._status if self._has_status else None

    @property
    def is_between_results(self) -> bool:
        """Whether one result is complete and another one follows."""
        return self._state is _State.START

    def feed(self, payload: bytes) -> Progress:
        """Takes one payload. Raises TrackError or WireError if the answer cannot be followed."""
        if not payload:
            raise TrackError(f"empty packet in the answer to {command_name(self.command)}")
        if self._state is _State.DONE:
            name = command_name(self.command)
            raise TrackError(f"packet behind the end of the answer to {name}")
        if self.command != _CHANGE_USER and is_progress(payload):
            return Progress.MORE
        if self._state is _State.START:
            return self._start(payload)
        if self._state is _State.DEFINITIONS:
            return self._definition(payload)
        if self._state is _State.DEFINITIONS_END:
            return self._definitions_end(payload)
        if self._state is _State.ROWS:
            return self._row_or_end(payload)
        if payload[0] == 0:
            return self._ok(payload)
        return self._error() if is_err(payload) else self._unexpected(payload, "OK or ERR")

    def _start(self, payload: bytes) -> Progress:
        command, first = self.command, payload[0]
        if command in _SILENT:
            raise TrackError(f"answer to {command_name(command)}, which has none")
        if command in _SINGLE:
            return self._single(payload)
        if command == _CHANGE_USER:
            return self._single(payload) if first in (0, 0xFF) else Progress.AUTH
        if command in _STREAM:
            last = is_err(payload) or is_eof(payload)
            return self._single(payload) if last else Progress.STREAM
        if command == _FIELD_LIST:
            return self._field_list(payload)
        if command == _PREPARE:
            return self._prepare(payload)
        if command not in _QUERY and (first == 0 or is_eof(payload)):
            return self._single(payload)
        return self._query(payload)

    def _single(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        self._query_status = 0
        if payload[0] == 0:
            try:
                self._take_ok(payload)
            except WireError:
                pass
        elif payload[0] == 0xFE:
            self._take_end(payload)
        return self._done()

    def _query(self, payload: bytes) -> Progress:
        first = payload[0]
        if first == 0:
            return self._ok(payload)
        if is_err(payload):
            return self._error()
        if first == 0xFB:
            self._query_status = None
            self._state = _State.INFILE_RESULT
            return Progress.LOCAL_INFILE
        if first == 0xFE:
            return self._unexpected(payload, "OK, ERR or a column count")
        reader = Reader(payload)
        count = reader.lenenc()
        if reader.left:
            return self._unexpected(payload, "OK, ERR or a column count")
        self._has_resultset = True
        self._query_status = 0
        self._rows_follow = True
        return self._expect([count])

    def _prepare(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        if payload[0] != 0:
            return self._unexpected(payload, "the counts of a statement or ERR")
        reader = Reader(payload)
        reader.take(5)
        columns, params = reader.integer(2), reader.integer(2)
        reader.take(1)
        self._warnings = reader.integer(2)
        self._query_status = 0
        self._rows_follow = False
        return self._expect([count for count in (params, columns) if count])

    def _field_list(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        if is_eof(payload):
            self._query_status = 0
            self._take_end(payload)
            return self._done()
        if payload[0] in (0, 0xFB):
            return self._unexpected(payload, "a column definition")
        return Progress.MORE

    def _expect(self, blocks: list[int]) -> Progress:
        """Goes on to the next block of definitions, or to what follows the last one."""
        if blocks:
            self._left, self._blocks = blocks[0], blocks[1:]
            self._state = _State.DEFINITIONS
        elif self._rows_follow:
            self._state = _State.ROWS
        else:
            return self._done()
        return Progress.MORE

    def _definition(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        if is_eof(payload):
            return self._definitions_end(payload)
        self._left -= 1
        if self._left <= 0:
            self._state = _State.DEFINITIONS_END
        return Progress.MORE

    def _definitions_end(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        if not is_eof(payload):
            return self._unexpected(payload, "EOF behind the definitions")
        self._take_end(payload)
        more = bool(self._status & Status.MORE_RESULTS_EXISTS)
        if self._rows_follow:
            self._out_params = more and bool(self._status & Status.PS_OUT_PARAMS)
            cursor = self.command == _EXECUTE and self._status & Status.CURSOR_EXISTS
            if cursor and not more:
                return self._done()
        return self._expect(self._blocks)

    def _row_or_end(self, payload: bytes) -> Progress:
        if is_err(payload):
            return self._error()
        if not is_eof(payload):
            self._row_count += 1
            self._bytes += len(payload) + 4
            return Progress.MORE
        self._take_end(payload)
        self._has_resultset = True
        self._query_status = 0
        more = bool(self._status & Status.MORE_RESULTS_EXISTS) or self._out_params
        self._out_params = False
        return self._end_of_result(more and self.command != _FETCH)

    def _take_ok(self, payload: bytes) -> None:
        ok = Ok.parse(payload)
        self._affected, self._insert_id = ok.affected_rows, ok.insert_id
        self._status, self._warnings = ok.status, ok.warnings
        self._has_status = True

    def _take_end(self, payload: bytes) -> None:
        self._status, self._warnings = status_and_warnings(payload)
        self._has_status = True

    def _ok(self, payload: bytes) -> Progress:
        self._take_ok(payload)
        self._query_status = 0
        return self._end_of_result(bool(self._status & Status.MORE_RESULTS_EXISTS))

    def _error(self) -> Progress:
        self._affected = self._insert_id = self._warnings = 0
        self._query_status = 0xFF
        return self._done()

    def _end_of_result(self, more: bool) -> Progress:
        if not more:
            return self._done()
        self._state = _State.START
        return Progress.MORE

    def _done(self) -> Progress:
        self._state = _State.DONE
        return Progress.DONE

    def _unexpected(self, payload: bytes, expected: str) -> Progress:
        name = command_name(self.command)
        raise TrackError(
            f"packet starting 0x{payload[0]:02x} in the answer to {name} where {expected} should be"
        )
