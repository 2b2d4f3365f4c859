"""The answer to SHOW WARNINGS, kept to be given again, whole or in parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Resultset
    from pyproxy._sql.text import Statement

__all__ = ["Warnings", "binary", "limit", "of_warnings"]


@dataclass(frozen=True)
class Warnings:
    """The answer to SHOW WARNINGS, in payloads."""

    head: tuple[bytes, ...]
    """What comes in front of the rows; empty: a server has to be asked."""
    rows: tuple[bytes, ...]
    end: bytes

    @property
    def errors(self) -> tuple[bytes, ...]:
        """The rows whose level, the first cell, is `Error`."""
        return tuple(row for row in self.rows if row.startswith(b"\x05Error"))

    def without_rows(self) -> Warnings:
        """The answer where there are none."""
        return replace(self, rows=())

    @property
    def is_plain(self) -> bool:
        """Whether the rows are the same in every character set that has ASCII."""
        return all(row.isascii() and 0 not in row for row in self.rows)

    def bare(self) -> Warnings:
        """The rows, where a server says what is around them."""
        return replace(self, head=())


def of_warnings(result: Resultset) -> Warnings | None:
    """The answer to `SHOW_WARNINGS`."""
    packets = result.packets
    if result.error is not None or result.rows is None or packets is None:
        return None
    first = len(packets) - 1 - len(result.rows)
    return Warnings(packets[:first], packets[first:-1], packets[-1])


def binary(row: bytes) -> bytes:
    """A row of the answer to `SHOW_WARNINGS` in the form that a prepared statement gives: the code is a number."""
    start = 1 + row[0]
    end = start + 1 + row[start]
    code = int(row[start + 1 : end])
    return bytes(2) + row[:start] + code.to_bytes(4, "little") + row[end:]


def limit(statement: Statement) -> slice | None:
    """Which rows SHOW ... LIMIT wants; None if it says something else."""
    tokens = [token.text for token in statement.tokens[2:]]
    if not tokens:
        return slice(None)
    numbers = [int(text) for text in tokens[1::2] if text.isdecimal()]
    if tokens[0].upper() != "LIMIT" or len(numbers) != len(tokens) // 2:
        return None
    if len(tokens) == 2:
        return slice(0, numbers[0])
    if len(tokens) == 4 and tokens[2] == ",":
        return slice(numbers[0], numbers[0] + numbers[1])
    return None
