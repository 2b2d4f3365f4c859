"""Integers and strings of the protocol."""

from __future__ import annotations

__all__ = ["Reader", "WireError", "lenenc", "lenenc_bytes", "number"]

_NULL = 0xFB
_ERR = 0xFF


class WireError(ValueError):
    """Bytes are not the packet they should be, or a value cannot be sent as its type."""


class Reader:
    """A position in a payload. Reading behind its end raises `WireError`."""

    __slots__ = ("_at", "_payload")

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    @property
    def left(self) -> int:
        """Number of bytes that are left."""
        return len(self._payload) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise WireError(f"packet too short: {count} more bytes needed, {self.left} left")
        self._at += count
        return self._payload[self._at - count : self._at]

    def integer(self, size: int, signed: bool = False) -> int:
        """An integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def lenenc(self) -> int:
        """A length-encoded integer."""
        first = self.integer(1)
        if first < _NULL:
            return first
        if first in (_NULL, _ERR):
            raise WireError(f"0x{first:02x} does not start a length-encoded integer")
        return self.integer({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def lenenc_bytes(self) -> bytes:
        """A string with its length in front."""
        return self.take(self.lenenc())

    def lenenc_cell(self) -> bytes | None:
        """As `lenenc_bytes`; None for NULL."""
        if self.left and self._payload[self._at] == _NULL:
            self._at += 1
            return None
        return self.lenenc_bytes()

    def nul(self) -> bytes:
        """A string that ends in NUL."""
        end = self._payload.find(b"\0", self._at)
        if end < 0:
            raise WireError("string without terminating NUL")
        text = self._payload[self._at : end]
        self._at = end + 1
        return text

    def nul_or_rest(self) -> bytes:
        """A string that ends in NUL, or with the packet."""
        return self.nul() if self._payload.find(b"\0", self._at) >= 0 else self.rest()

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(self.left)


def number(value: int, size: int) -> bytes:
    """An integer of `size` bytes."""
    return value.to_bytes(size, "little")


def lenenc(value: int) -> bytes:
    """A length-encoded integer."""
    if value < _NULL:
        return number(value, 1)
    for marker, size in ((b"\xfc", 2), (b"\xfd", 3)):
        if value < 1 << 8 * size:
            return marker + number(value, size)
    return b"\xfe" + number(value, 8)


def lenenc_bytes(text: bytes | None) -> bytes:
    """A string with its length in front; None is NULL."""
    return b"\xfb" if text is None else lenenc(len(text)) + text
