"""Columns and rows of result sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from .basic import Reader, WireError, lenenc, lenenc_bytes, number
from .replies import Status, eof
from .values import Value, ValueType, from_text, read

__all__ = ["Column", "binary_row", "read_binary_row", "read_text_row", "result_set"]

_UNSIGNED = 0x20
# Unused bits in front of the NULL bitmap of a row.
_NULL_OFFSET = 2


class Column(NamedTuple):
    """A column definition."""

    name: bytes
    type: int
    org_name: bytes = b""
    table: bytes = b""
    org_table: bytes = b""
    database: bytes = b""
    charset: int = 45
    length: int = 0
    flags: int = 0
    decimals: int = 0

    @property
    def value_type(self) -> ValueType:
        """How its cells are laid out in the binary protocol."""
        return ValueType(self.type, bool(self.flags & _UNSIGNED), self.decimals)

    @classmethod
    def parse(cls, payload: bytes) -> Column:
        """Reads a payload. What follows the known fields is ignored."""
        reader = Reader(payload)
        _, database, table, org_table, name, org_name = [reader.lenenc_bytes() for _ in range(6)]
        fixed = Reader(reader.lenenc_bytes())
        charset, length, kind = fixed.integer(2), fixed.integer(4), fixed.integer(1)
        flags, decimals = fixed.integer(2), fixed.integer(1)
        return cls(
            name, kind, org_name, table, org_table, database, charset, length, flags, decimals
        )

    def encode(self) -> bytes:
        """The payload."""
        names = (b"def", self.database, self.table, self.org_table, self.name, self.org_name)
        fixed = number(self.charset, 2) + number(self.length, 4) + number(self.type, 1)
        fixed += number(self.flags, 2) + number(self.decimals, 1) + b"\0\0"
        return b"".join(map(lenenc_bytes, names)) + lenenc_bytes(fixed)


_Cells = Sequence[Optional[bytes]]


def result_set(
    columns: Sequence[Column],
    rows: Iterable[_Cells],
    binary: bool = False,
    status: int = Status.AUTOCOMMIT,
    warnings: int = 0,
    status_behind_columns: int | None = None,
) -> list[bytes]:
    """The payloads of a result set. Cells are given in their text form, None for NULL.

    Raises WireError, with the number of the row in front, if a cell has no binary form.
    """
    packets = [lenenc(len(columns)), *(column.encode() for column in columns)]
    packets.append(eof(status if status_behind_columns is None else status_behind_columns))
    for n, row in enumerate(rows):
        if not binary:
            packets.append(b"".join(map(lenenc_bytes, row)))
            continue
        try:
            packets.append(binary_row(columns, row))
        except WireError as error:
            raise WireError(f"row {n}: {error}") from None
    packets.append(eof(status, warnings))
    return packets


def binary_row(columns: Sequence[Column], cells: _Cells) -> bytes:
    """The payload of a binary row made of cells in their text form."""
    nulls = bytearray((len(columns) + _NULL_OFFSET + 7) // 8)
    values = []
    for n, (column, cell) in enumerate(zip(columns, cells)):
        if cell is None:
            bit = n + _NULL_OFFSET
            nulls[bit // 8] |= 1 << bit % 8
        else:
            values.append(from_text(cell, column.value_type))
    return b"\0" + bytes(nulls) + b"".join(values)


def read_text_row(payload: bytes, columns: Sequence[Column]) -> list[bytes | None]:
    """The cells of a text row; there must be one for each column."""
    reader = Reader(payload)
    cells = [reader.lenenc_cell() for _ in columns]
    if reader.left:
        raise WireError("a row with more cells than columns")
    return cells


def read_binary_row(payload: bytes, columns: Sequence[Column]) -> list[Value]:
    """The values of a binary row; strings as bytes."""
    reader = Reader(payload)
    if reader.integer(1) != 0:
        raise WireError("not a binary row")
    nulls = reader.take((len(columns) + _NULL_OFFSET + 7) // 8)
    values: list[Value] = []
    for n, column in enumerate(columns):
        bit = n + _NULL_OFFSET
        is_null = nulls[bit // 8] >> bit % 8 & 1
        values.append(None if is_null else read(reader, column.value_type))
    return values
