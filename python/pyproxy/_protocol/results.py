"""Result sets: their packets. Part of `pyproxy.proto`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Union

from pyproxy import _native
from pyproxy._native import PacketError
from pyproxy._protocol.packets import Data, Fields, merged, to_bytes
from pyproxy._protocol.statements import ParamType, type_pair

# Flag of a column whose integers are unsigned.
_UNSIGNED = 0x20
# An EOF packet is shorter than this; a row that begins with the same byte is not.
_EOF_BELOW = 9


class Column(NamedTuple):
    """The definition of a column.

    The defaults are those of an expression that gives text; 63 is the binary character set.
    """

    name: bytes
    # Type byte of the protocol, such as 3 (LONG), 12 (DATETIME) or 253 (VAR_STRING).
    type: int = 253
    # Collation id: 45 is utf8mb4_general_ci.
    charset: int = 45
    # Longest value, in bytes.
    length: int = 0
    # NOT NULL 1, primary key 2, blob 16, unsigned 32, binary 128 and others.
    flags: int = 0
    # Digits behind the point.
    decimals: int = 0
    database: bytes = b""
    # The alias, and the name behind it.
    table: bytes = b""
    org_table: bytes = b""
    org_name: bytes = b""


# How the cells of a column are laid out in the binary protocol: by its definition, or by its type.
ColumnType = Union[Column, ParamType]


def from_column_packet(packet: Data) -> Column:
    """The definition of a column."""
    return Column(*_native.decode_column(packet))


def to_column_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """The definition of a column, from a Column."""
    return _native.encode_column(*merged(Column, fields, keywords))


def from_text_row_packet(packet: Data, column_count: int) -> tuple[bytes | None, ...]:
    """A row of the text protocol: every cell is bytes, or None for NULL."""
    return _native.decode_text_row(packet, column_count)


def to_text_row_packet(cells: Iterable[Any]) -> bytes:
    """A row of the text protocol. Cells may be text, bytes, numbers, dates and times, or None."""
    return _native.encode_text_row(cells)


def from_binary_row_packet(packet: Data, columns: Iterable[ColumnType]) -> tuple[Any, ...]:
    """A row of the binary protocol, which prepared statements give: cells as in a Param."""
    return _native.decode_binary_row(packet, [_cell_type(column) for column in columns])


def to_binary_row_packet(columns: Iterable[ColumnType], cells: Iterable[Any]) -> bytes:
    """A row of the binary protocol. A cell must be a value of its column's type, or the text of
    one."""
    return _native.encode_binary_row([_cell_type(column) for column in columns], cells)


def _cell_type(column: ColumnType) -> tuple[int, bool]:
    if isinstance(column, Column):
        return column.type, bool(column.flags & _UNSIGNED)
    return type_pair(column)


def to_resultset_packets(
    columns: Sequence[Column],
    rows: Iterable[Iterable[Any]],
    *,
    binary: bool = False,
    server_status: int = 2,
    warnings: int = 0,
) -> list[bytes]:
    """All packets of a result set, in the form with EOF packets, which the proxy uses with clients.

    At least one column is needed.
    """
    if not columns:
        raise PacketError("a result set has columns")
    eof = _native.encode_eof(server_status, warnings)
    packets = [_native.encode_count(len(columns)), *map(to_column_packet, columns), eof]
    for row in rows:
        cells = list(row)
        if len(cells) != len(columns):
            raise PacketError(f"{len(cells)} cells in a row of {len(columns)} columns")
        packets.append(
            to_binary_row_packet(columns, cells) if binary else to_text_row_packet(cells)
        )
    return [*packets, eof]


def from_resultset_packets(
    packets: Sequence[Data], *, binary: bool = False
) -> tuple[list[Column], list[tuple[Any, ...]]]:
    """Columns and rows of a result set in the form with EOF packets. What follows its end is
    ignored."""
    parts = iter(packets)
    try:
        count = _native.decode_count(next(parts))
        columns = [from_column_packet(next(parts)) for _ in range(count)]
        _native.decode_eof(next(parts))
        rows = []
        while not _is_eof(packet := next(parts)):
            rows.append(
                from_binary_row_packet(packet, columns)
                if binary
                else from_text_row_packet(packet, count)
            )
    except StopIteration:
        raise PacketError("a result set without its end") from None
    return columns, rows


def _is_eof(packet: Data) -> bool:
    return len(packet) < _EOF_BELOW and to_bytes(packet)[:1] == b"\xfe"
