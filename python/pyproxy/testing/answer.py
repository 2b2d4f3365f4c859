"""What a client sees as the answer to a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from .. import _native
from .protocol import to_str

if TYPE_CHECKING:
    import pyproxy
    from pyproxy._native import _Value

__all__ = ["Answer", "ErrorInfo", "ResultInfo"]

_PREPARE, _FETCH = 0x16, 0x1C
_OK, _ERR = b"\0", b"\xff"


class ErrorInfo(NamedTuple):
    """The ERR that a client got. `sqlstate` is None before the client has seen a handshake."""

    errno: int
    sqlstate: str | None
    message: str


class ResultInfo(NamedTuple):
    """One result of an answer: rows with their fields, or the counts of an OK."""

    fields: tuple[pyproxy.Field, ...] | None
    rows: list[tuple[_Value, ...]] | None
    affected_rows: int | None
    insert_id: int | None
    warnings: int
    server_status: int


class Answer:
    """The answer to a command, as a client would read it.

    The attributes of a result (`rows`, `fields`, `affected_rows`, ...) are those of the first one; `results` has all of
    a multi-result. What the answer has not, or what cannot be read, is None.
    """

    def __init__(
        self,
        packets: Sequence[bytes],
        command: int = 0x03,
        cursor: Sequence[bytes] | None = None,
    ) -> None:
        """`cursor` are the column definitions of rows that COM_STMT_FETCH brought."""
        #: The payloads, in order, without packet headers.
        self.packets = list(packets)
        self.error: ErrorInfo | None = None
        self.results: list[ResultInfo] = []
        self._command = command
        self._cursor = cursor
        # It broke off.
        self._is_cut = False
        self._read()

    def _read(self) -> None:
        """Cuts the packets into results."""
        tracker = _native.Tracker(self._command)
        start, progress = 0, "done"
        for n, packet in enumerate(self.packets):
            try:
                if packet[:1] == _ERR:
                    code, state, message = _native.decode_err(packet)
                    self.error = ErrorInfo(code, to_str(state) or None, to_str(message))
                    return
                progress = tracker.feed(packet)
            except _native.PacketError:
                # A raw answer of a script, or the rounds of a login.
                return
            if progress in ("done", "between"):
                part = self.packets[start : n + 1]
                self.results.append(_result(self._command, part, self._cursor))
            if progress in ("done", "between", "file"):
                start = n + 1
        self._is_cut = progress not in ("done", "auth")

    @property
    def ok(self) -> bool:
        """Whether the client got a complete answer without an error."""
        return bool(self.packets) and self.error is None and not self._is_cut

    @property
    def _first(self) -> ResultInfo | None:
        return self.results[0] if self.results else None

    @property
    def fields(self) -> tuple[pyproxy.Field, ...] | None:
        """The columns."""
        return self._first.fields if self._first else None

    @property
    def rows(self) -> list[tuple[_Value, ...]] | None:
        """The rows, decoded like those that a script sees."""
        return self._first.rows if self._first else None

    @property
    def affected_rows(self) -> int | None:
        """Number of rows changed."""
        return self._first.affected_rows if self._first else None

    @property
    def insert_id(self) -> int | None:
        """The last AUTO_INCREMENT value."""
        return self._first.insert_id if self._first else None

    @property
    def warnings(self) -> int | None:
        """Number of warnings."""
        return self._first.warnings if self._first else None

    @property
    def server_status(self) -> int | None:
        """The status flags."""
        return self._first.server_status if self._first else None

    def __repr__(self) -> str:
        if self.error is not None:
            return f"<Answer {self.error}>"
        if self.rows is not None:
            return f"<Answer rows={self.rows!r}>"
        return f"<Answer packets={self.packets!r}>"


def _result(command: int, packets: list[bytes], cursor: Sequence[bytes] | None) -> ResultInfo:
    # An OK, a statement's counts and a binary row start with the same byte.
    if packets[0][:1] == _OK and command not in (_PREPARE, _FETCH):
        affected_rows, insert_id, status, warnings = _native.decode_ok(packets[0])
        return ResultInfo(None, None, affected_rows, insert_id, warnings, status)
    status, warnings = _end(packets[-1])
    fields, rows = _native.decode_result(command, packets, cursor)
    return ResultInfo(fields, rows, None, None, warnings, status)


def _end(packet: bytes) -> tuple[int, int]:
    """Status and warnings of the last packet, which need not have any."""
    try:
        return _native.decode_eof(packet)
    except _native.PacketError:
        return 0, 0
