"""OK, ERR and EOF: how answers begin and end."""

from __future__ import annotations

from typing import NamedTuple

from .basic import Reader, WireError, lenenc, number

__all__ = [
    "Capability",
    "Err",
    "Ok",
    "Status",
    "eof",
    "is_eof",
    "is_err",
    "is_ok",
    "is_progress",
    "status_and_warnings",
]


class Capability:
    """Bits that client and server agree on at login."""

    LONG_PASSWORD = 1 << 0
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    COMPRESS = 1 << 5
    LOCAL_FILES = 1 << 7
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC_CLIENT_DATA = 1 << 21
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24


class Status:
    """Bits of the status field."""

    IN_TRANS = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS_EXISTS = 0x0008
    NO_GOOD_INDEX_USED = 0x0010
    NO_INDEX_USED = 0x0020
    CURSOR_EXISTS = 0x0040
    LAST_ROW_SENT = 0x0080
    NO_BACKSLASH_ESCAPES = 0x0200
    PS_OUT_PARAMS = 0x1000
    IN_TRANS_READONLY = 0x2000
    SESSION_STATE_CHANGED = 0x4000
    ANSI_QUOTES = 0x8000
    TRANSACTION = IN_TRANS | IN_TRANS_READONLY
    # The state of a connection, which holds until the next report. All others are about one result.
    OF_CONNECTION = TRANSACTION | AUTOCOMMIT | NO_BACKSLASH_ESCAPES | ANSI_QUOTES


class Ok(NamedTuple):
    """An OK packet."""

    affected_rows: int = 0
    insert_id: int = 0
    status: int = Status.AUTOCOMMIT
    warnings: int = 0
    info: bytes = b""

    @classmethod
    def parse(cls, payload: bytes) -> Ok:
        """Reads a payload, whatever its first byte."""
        reader = Reader(payload)
        reader.integer(1)
        head = cls(reader.lenenc(), reader.lenenc(), reader.integer(2), reader.integer(2))
        return head._replace(info=reader.rest())

    def encode(self) -> bytes:
        """The payload."""
        counts = lenenc(self.affected_rows) + lenenc(self.insert_id)
        return b"\0" + counts + number(self.status, 2) + number(self.warnings, 2) + self.info


class Err(NamedTuple):
    """An ERR packet; without SQL state before a client has seen a handshake."""

    code: int
    sqlstate: bytes | None
    message: bytes

    @classmethod
    def parse(cls, payload: bytes) -> Err:
        """Reads a payload of either form."""
        reader = Reader(payload)
        first = reader.integer(1)
        if first != 0xFF:
            raise WireError(f"first byte 0x{first:02x} does not start an ERR packet")
        code, rest = reader.integer(2), reader.rest()
        if rest[:1] == b"#":
            return cls(code, rest[1:6], rest[6:])
        return cls(code, None, rest)

    def encode(self) -> bytes:
        """The payload."""
        state = b"" if self.sqlstate is None else b"#" + self.sqlstate
        return b"\xff" + number(self.code, 2) + state + self.message


def eof(status: int = Status.AUTOCOMMIT, warnings: int = 0) -> bytes:
    """The payload of an EOF packet."""
    return b"\xfe" + number(warnings, 2) + number(status, 2)


def is_ok(payload: bytes) -> bool:
    """Whether an answer that starts with this packet is OK."""
    return payload[:1] == b"\0" and len(payload) >= 7


def is_err(payload: bytes) -> bool:
    """Whether the packet starts like an ERR."""
    return payload[:1] == b"\xff"


def is_eof(payload: bytes) -> bool:
    """Whether the packet is an EOF: a row may start with the same byte, but is longer."""
    return payload[:1] == b"\xfe" and len(payload) < 9


def is_progress(payload: bytes) -> bool:
    """Whether the packet is a progress report of MariaDB, which looks like an ERR and ends nothing."""
    return payload[:3] == b"\xff\xff\xff" and payload[3:4] not in (b"", b"#")


def status_and_warnings(payload: bytes) -> tuple[int, int]:
    """What an EOF packet says; zeros if it is too short."""
    if len(payload) < 5:
        return 0, 0
    return int.from_bytes(payload[3:5], "little"), int.from_bytes(payload[1:3], "little")
