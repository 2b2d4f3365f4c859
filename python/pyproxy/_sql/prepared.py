"""What a connection's prepared statements are: commands on them have a number only."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import pyproxy
from pyproxy import proto

__all__ = ["Prepared", "Statement"]

# What MariaDB's clients send for "the statement that was prepared last".
_LAST = 0xFFFFFFFF
_NONE = -1
_EXECUTIONS = (pyproxy.COM_STMT_EXECUTE, pyproxy.COM_STMT_BULK_EXECUTE)


class Statement(NamedTuple):
    """A statement, prepared or not."""

    text: bytes
    param_count: int = 0
    # The default database of its names, if that is known: the one in which it was prepared.
    database: str = ""


class Prepared:
    """The statements that are prepared on one connection.

    Give it all commands in their order (`follow`), and the answer to each COM_STMT_PREPARE (`add`). With
    `keeps_values` it remembers what the parameters of an execution need: types, and values that were sent ahead, of a
    client with these `capabilities`.
    """

    def __init__(self, keeps_values: bool = False, capabilities: int | None = None) -> None:
        self._known: dict[int, Statement] = {}
        self._last = _NONE
        self._values = proto.Statements(capabilities) if keeps_values else None

    def __len__(self) -> int:
        return len(self._known)

    def add(self, text: bytes, answer: bytes | None, database: str = "") -> None:
        """`answer` is the server's first packet to the COM_STMT_PREPARE of `text`; an ERR prepares nothing."""
        if not answer or answer[0] != 0:
            return
        ok = proto.from_stmt_prepare_ok_packet(answer)
        self._known[ok.stmt_id] = Statement(text, ok.num_params, database)
        self._last = ok.stmt_id
        if self._values is not None:
            self._values.prepared(ok)

    def of(self, packet: bytes) -> Statement | None:
        """The statement that a command with a number is about, if it is known."""
        return self._known.get(self._number(packet))

    def run_by(self, packet: bytes, database: str) -> Statement | None:
        """The statement that a command runs, given the default database: that of a COM_QUERY, or the prepared one that is
        executed. None for other commands, and if it is not known.
        """
        if packet[0] == pyproxy.COM_QUERY:
            return Statement(packet[1:], database=database)
        return self.of(packet) if packet[0] in _EXECUTIONS else None

    def follow(self, packet: bytes) -> None:
        """Takes note of a command that ends statements, or sends a value ahead."""
        command = packet[0]
        if command in (pyproxy.COM_CHANGE_USER, pyproxy.COM_RESET_CONNECTION):
            self._known.clear()
            if self._values is not None:
                self._values.clear()
            return
        if command == pyproxy.COM_STMT_CLOSE:
            self._known.pop(self._number(packet), None)
        number = self._number(packet)
        if self._values is None or number not in self._values:
            return
        packet = _with_number(packet, number)
        if command == pyproxy.COM_STMT_CLOSE:
            self._values.close(packet)
        elif command == pyproxy.COM_STMT_RESET:
            self._values.reset(packet)
        elif command == pyproxy.COM_STMT_SEND_LONG_DATA:
            # What is too short is for the server to complain about.
            with contextlib.suppress(proto.PacketError):
                self._values.long_data(packet)

    def values(self, packet: bytes) -> list[object] | None:
        """The parameters of a COM_STMT_EXECUTE; None if they cannot be read. To be asked for each one, once."""
        number = self._number(packet)
        if self._values is None or number not in self._values:
            return None
        try:
            execute = self._values.execute(_with_number(packet, number))
        except proto.PacketError:
            return None
        return None if execute.params is None else [param.value for param in execute.params]

    def _number(self, packet: bytes) -> int:
        """The number in a command; one that no statement has if it is too short."""
        number = int.from_bytes(packet[1:5], "little") if len(packet) >= 5 else _NONE
        return self._last if number == _LAST else number


def _with_number(packet: bytes, number: int) -> bytes:
    return packet[:1] + number.to_bytes(4, "little") + packet[5:]
