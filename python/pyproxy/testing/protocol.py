"""What client and fake servers need of the protocol, besides the codecs of `pyproxy._native`."""

from __future__ import annotations

from .. import password as passwords

__all__ = ["NATIVE_PASSWORD", "Capability", "Status", "native_password", "to_bytes", "to_str"]

NATIVE_PASSWORD = "mysql_native_password"


class Capability:
    """Bits that client and server agree on at login."""

    LONG_PASSWORD = 1 << 0
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    LOCAL_FILES = 1 << 7
    PROTOCOL_41 = 1 << 9
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    SESSION_TRACK = 1 << 23
    DEPRECATE_EOF = 1 << 24
    QUERY_ATTRIBUTES = 1 << 27


class Status:
    """Bits of the status field."""

    IN_TRANS = 0x0001
    AUTOCOMMIT = 0x0002
    MORE_RESULTS_EXISTS = 0x0008
    CURSOR_EXISTS = 0x0040
    LAST_ROW_SENT = 0x0080
    SESSION_STATE_CHANGED = 0x4000


def native_password(password: str, scramble: bytes) -> bytes:
    """The proof of a password for this scramble, of which 20 bytes count; empty for an empty password.

    A script may ask without a scramble: one that is too short is filled up with zeros.
    """
    if not password:
        return b""
    return passwords.scramble(scramble[:20].ljust(20, b"\0"), passwords.hash(password))


def to_str(data: bytes) -> str:
    """Bytes that are meant as UTF-8 text. Undecodable ones survive, and encode back unchanged."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(value: object, what: str) -> bytes:
    """What a test gave as text or data: `str` as UTF-8, or any bytes-like object.

    Raises TypeError, with `what` as its name, for anything else.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    try:
        return bytes(memoryview(value))  # type: ignore[arg-type] # TypeError is the question
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{what} must be str or a bytes-like object, not {kind}") from None
