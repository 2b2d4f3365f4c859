"""The columns of open cursors: rows that COM_STMT_FETCH brings come without them."""

from __future__ import annotations

from collections.abc import Sequence

from .wire.basic import Reader, WireError
from .wire.replies import Status, is_err

__all__ = ["Cursors"]

_EXECUTE, _CLOSE, _RESET, _FETCH = 0x17, 0x19, 0x1A, 0x1C
_CHANGE_USER, _RESET_CONNECTION = 0x11, 0x1F
# Command byte and statement id; behind them COM_STMT_EXECUTE has its flags.
_HEAD = 5


class Cursors:
    """Payloads of column definitions, by the statement whose execution opened the cursor."""

    def __init__(self) -> None:
        self._open: dict[int, list[bytes]] = {}
        self._opening: int | None = None

    def sent(self, packet: bytes) -> None:
        """A command goes to the server."""
        self._opening = None
        command, statement = packet[0], _statement(packet)
        if command in (_EXECUTE, _CLOSE, _RESET):
            self._open.pop(statement, None)
            if command == _EXECUTE and packet[_HEAD : _HEAD + 1] not in (b"", b"\0"):
                self._opening = statement
        elif command in (_CHANGE_USER, _RESET_CONNECTION):
            self._open.clear()

    def answered(self, packets: Sequence[bytes], status: int) -> None:
        """The answer is complete; `status` is that of its end."""
        statement, self._opening = self._opening, None
        if statement is None or not status & Status.CURSOR_EXISTS or is_err(packets[0]):
            return
        try:
            count = Reader(packets[0]).lenenc()
        except WireError:
            return
        self._open[statement] = list(packets[1 : 1 + count])

    def columns(self, packet: bytes) -> list[bytes] | None:
        """Those of the rows that this COM_STMT_FETCH brings; None for any other command."""
        return self._open.get(_statement(packet)) if packet[0] == _FETCH else None


def _statement(packet: bytes) -> int:
    return int.from_bytes(packet[1:_HEAD], "little")
