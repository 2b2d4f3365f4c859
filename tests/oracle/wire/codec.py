"""The numbers, strings and constants of the protocol."""

from __future__ import annotations

import enum
import struct

__all__ = ["Cap", "Com", "Reader", "Status", "lenenc", "lenenc_bytes"]


class Com(enum.IntEnum):
    """Commands."""

    QUIT = 0x01
    INIT_DB = 0x02
    QUERY = 0x03
    FIELD_LIST = 0x04
    PING = 0x0E
    CHANGE_USER = 0x11
    STMT_PREPARE = 0x16
    STMT_EXECUTE = 0x17
    STMT_SEND_LONG_DATA = 0x18
    STMT_CLOSE = 0x19
    STMT_RESET = 0x1A
    SET_OPTION = 0x1B
    STMT_FETCH = 0x1C
    RESET_CONNECTION = 0x1F


class Cap(enum.IntFlag):
    """Capabilities of a connection."""

    LONG_PASSWORD = 1 << 0
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    LOCAL_FILES = 1 << 7
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24


class Status(enum.IntFlag):
    """Flags of the server's state, at the end of results."""

    IN_TRANS = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS = 0x0008
    NO_GOOD_INDEX = 0x0010
    NO_INDEX = 0x0020
    CURSOR_EXISTS = 0x0040
    LAST_ROW_SENT = 0x0080
    DB_DROPPED = 0x0100
    NO_BACKSLASH_ESCAPES = 0x0200
    METADATA_CHANGED = 0x0400
    QUERY_WAS_SLOW = 0x0800
    PS_OUT_PARAMS = 0x1000
    IN_TRANS_READONLY = 0x2000
    SESSION_STATE_CHANGED = 0x4000
    # MariaDB: several bits more may follow.
    ANSI_QUOTES = 0x8000


def lenenc(number: int) -> bytes:
    """A length-encoded number."""
    if number < 251:
        return bytes((number,))
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def lenenc_bytes(data: bytes) -> bytes:
    """A length-encoded string."""
    return lenenc(len(data)) + data


class Reader:
    """Reads the fields of a packet, one behind the other."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """So many bytes."""
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise ValueError(f"packet too short: {self.data!r}")
        self.at += count
        return found

    def number(self, size: int) -> int:
        """A number of fixed size."""
        return int.from_bytes(self.take(size), "little")

    def lenenc(self) -> int | None:
        """A length-encoded number; None for NULL."""
        first = self.number(1)
        if first < 251:
            return first
        if first == 251:
            return None
        return self.number({252: 2, 253: 3, 254: 8}[first])

    def lenenc_bytes(self) -> bytes | None:
        """A length-encoded string; None for NULL."""
        size = self.lenenc()
        return None if size is None else self.take(size)

    def to_zero(self) -> bytes:
        """A string that ends with a zero byte, or with the packet."""
        end = self.data.find(b"\0", self.at)
        end = len(self.data) if end < 0 else end
        found = self.data[self.at : end]
        self.at = min(end + 1, len(self.data))
        return found

    def rest(self) -> bytes:
        """What is left."""
        return self.take(self.left)
