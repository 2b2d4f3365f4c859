"""What two results have in common if they are the same: the number of rows, and a checksum whatever their order. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Summary", "of_error", "of_rows"]

_BITS = 64


class Summary(NamedTuple):
    """A result, as far as it is compared."""

    rows: int
    checksum: int | None = None
    """None if only the rows were counted."""
    error: int | None = None
    """The number of the error, if it is one."""

    def is_like(self, other: Summary) -> bool:
        """Whether nothing tells that they differ."""
        if self.checksum is None or other.checksum is None:
            return (self.rows, self.error) == (other.rows, other.error)
        return self == other

    def __str__(self) -> str:
        if self.error is not None:
            return f"error {self.error}"
        return f"{self.rows} rows" + ("" if self.checksum is None else f" ({self.checksum:016x})")


def of_rows(rows: Iterable[Iterable[str | bytes | None]]) -> Summary:
    """The summary of rows as text: each is hashed by itself, as two servers may give them in different order."""
    count = checksum = 0
    for row in rows:
        digest = hashlib.blake2b(digest_size=_BITS // 8)
        for cell in row:
            if isinstance(cell, str):
                cell = cell.encode("utf-8", "surrogateescape")
            # The length keeps ("a", "bc") and ("ab", "c") apart.
            digest.update(b"n" if cell is None else b"%d:" % len(cell) + cell)
        checksum += int.from_bytes(digest.digest(), "little")
        count += 1
    return Summary(count, checksum % (1 << _BITS))


def of_error(number: int) -> Summary:
    """The summary of an ERR."""
    return Summary(0, 0, number)
