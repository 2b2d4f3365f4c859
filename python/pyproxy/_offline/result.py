"""`inj`: a queued query and its result, the argument of `read_query_result`."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple, SupportsIndex, overload

from . import codec
from .access import Slot
from .sequence import get
from .state import InjectionState
from .values import Field, Flags
from .wire.basic import Reader, WireError
from .wire.columns import Column, read_binary_row, read_text_row
from .wire.replies import is_eof, is_err
from .wire.values import Value

__all__ = ["Injection", "Layout", "Resultset", "RowIterator", "Rows"]

_TEXT, _BINARY, _FETCH = (0x03, 0x0A), (0x17, 0xFA), 0x1C

_Row = tuple[Value, ...]


class Layout(NamedTuple):
    """The first result set of an answer: its columns, and the payloads of its rows."""

    columns: tuple[Column, ...]
    rows: Sequence[bytes]
    binary: bool

    @classmethod
    def of(
        cls, command: int, packets: Sequence[bytes], cursor: Sequence[bytes] | None = None
    ) -> Layout | None:
        """None if there is no result set in the answer to `command`.

        `cursor` are the column definitions of the rows of a COM_STMT_FETCH.
        """
        if not packets or is_err(packets[0]):
            return None
        try:
            if command == _FETCH:
                return cls(_columns(cursor), _rows(packets), True) if cursor else None
            if command not in _TEXT + _BINARY or packets[0][:1] in (b"", b"\0", b"\xfb"):
                return None
            count = Reader(packets[0]).lenenc()
            columns = _columns(packets[1 : 1 + count])
        except WireError:
            return None
        if len(columns) != count:
            return None
        return cls(columns, _rows(packets[count + 2 :]), command in _BINARY)

    def row(self, n: int) -> _Row:
        """Row `n`, decoded. Raises ValueError if it is malformed."""
        payload = self.rows[n]
        values: Sequence[Value]
        try:
            if self.binary:
                values = read_binary_row(payload, self.columns)
            else:
                values = read_text_row(payload, self.columns)
        except WireError:
            raise ValueError(f"row {n} of the result is malformed") from None
        return tuple(
            codec.decode(value, column) if isinstance(value, bytes) else value
            for value, column in zip(values, self.columns)
        )


def _columns(definitions: Sequence[bytes]) -> tuple[Column, ...]:
    return tuple(map(Column.parse, definitions))


def _rows(packets: Sequence[bytes]) -> list[bytes]:
    """The packets in front of the end: an EOF, or an ERR in its place."""
    return list(
        itertools.takewhile(lambda packet: not is_err(packet) and not is_eof(packet), packets)
    )


class Injection:
    """A queued query whose result is complete. Usable until `read_query_result` returns."""

    __slots__ = ("__weakref__", "_resultset", "_slot")

    def __init__(self, slot: Slot[InjectionState]) -> None:
        self._slot = slot
        self._resultset: Resultset | None = None

    def _read(self) -> InjectionState:
        return self._slot.read("the injection")

    @property
    def id(self) -> int:
        """The number given to `queries.append`."""
        return self._read().query.id

    @property
    def query(self) -> bytes:
        """The queued packet, command byte included."""
        return self._read().query.packet

    @property
    def query_time(self) -> int | None:
        """Microseconds from queueing until the first packet of the result."""
        injection = self._read()
        return injection.micros_until(injection.first_packet_at)

    @property
    def response_time(self) -> int | None:
        """Microseconds from queueing until the last packet of the result."""
        injection = self._read()
        return injection.micros_until(injection.last_packet_at)

    @property
    def resultset(self) -> Resultset:
        """The result."""
        self._read()
        if self._resultset is None:
            self._resultset = Resultset(self._slot)
        return self._resultset

    def __repr__(self) -> str:
        try:
            return f"<pyproxy.Injection {self.id}>"
        except ReferenceError:
            return "<pyproxy.Injection (gone)>"


class Resultset:
    """The result of a queued query.

    The counters are always there. `fields`, `rows` and `raw` need `resultset_is_needed=True`, else they are
    None.
    """

    __slots__ = ("_fields", "_layout", "_slot")

    def __init__(self, slot: Slot[InjectionState]) -> None:
        self._slot = slot
        # False until it is looked for.
        self._layout: Layout | None | bool = False
        self._fields: tuple[Field, ...] | None = None

    def _read(self) -> InjectionState:
        return self._slot.read("the result")

    def _find_layout(self) -> Layout | None:
        injection = self._read()
        if isinstance(self._layout, bool):
            command = injection.query.packet[0]
            self._layout = Layout.of(command, injection.packets, injection.cursor)
        return self._layout

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """The columns: a tuple of fields. None if there is no result set, or it was not kept."""
        layout = self._find_layout()
        if layout is not None and self._fields is None:
            self._fields = tuple(map(Field, layout.columns))
        return self._fields

    @property
    def rows(self) -> Rows | None:
        """The rows. None if there is no result set, or it was not kept."""
        layout = self._find_layout()
        return None if layout is None else Rows(self._slot, layout)

    @property
    def raw(self) -> bytes | None:
        """The payload of the first packet. None if the result was not kept."""
        packets = self._read().packets
        return packets[0] if packets else None

    @property
    def error(self) -> bytes | None:
        """The payload of the ERR that ended the result; None if it ended well. Always there."""
        return self._read().error

    @property
    def row_count(self) -> int:
        """Number of rows, of all result sets of the answer."""
        return self._read().summary.row_count

    @property
    def bytes(self) -> int:
        """Length of all row packets, headers included."""
        return self._read().summary.bytes

    @property
    def affected_rows(self) -> int | None:
        """Number of rows changed; None if rows came."""
        return self._read().summary.affected_rows

    @property
    def insert_id(self) -> int | None:
        """The last AUTO_INCREMENT value; None if rows came."""
        return self._read().summary.insert_id

    @property
    def warning_count(self) -> int:
        """Number of warnings."""
        return self._read().summary.warnings

    @property
    def query_status(self) -> int | None:
        """`MYSQLD_PACKET_OK` for OK or a result set, `MYSQLD_PACKET_ERR` for an error; None if the server asks for
        a file.
        """
        return self._read().summary.query_status

    @property
    def flags(self) -> Flags:
        """What the server said about the session."""
        return Flags(self._read().summary.status)

    def __repr__(self) -> str:
        try:
            summary = self._read().summary
        except ReferenceError:
            return "<pyproxy.Resultset (gone)>"
        if summary.has_resultset:
            return f"<pyproxy.Resultset, {summary.row_count} rows>"
        kind = "an error" if summary.query_status == 0xFF else "no rows"
        return f"<pyproxy.Resultset, {kind}>"


class Rows:
    """The rows of a result set, each a tuple: `str`, `bytes` for binary columns, None for NULL.

    Prepared statements give numbers as `int` and `float`, DATE, DATETIME and TIME as `datetime.date`, `.datetime`
    and `.timedelta`; a date that Python does not have, such as that of zeros, stays `str`.

    Can be iterated any number of times, while `read_query_result` runs.
    """

    __slots__ = ("_layout", "_slot")

    def __init__(self, slot: Slot[InjectionState], layout: Layout) -> None:
        self._slot = slot
        self._layout = layout

    def _row(self, n: int) -> _Row:
        self._slot.read("the result")
        return self._layout.row(n)

    def __len__(self) -> int:
        self._slot.read("the result")
        return len(self._layout.rows)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> _Row: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[_Row]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> _Row | list[_Row]:
        return get(index, len(self), self._row)

    def __iter__(self) -> RowIterator:
        return RowIterator(self, len(self))

    def __repr__(self) -> str:
        return f"<pyproxy.Rows, {len(self._layout.rows)} of them>"


class RowIterator(Iterator[_Row]):
    """A walk over the rows of a result set."""

    __slots__ = ("_count", "_next", "_rows")

    def __init__(self, rows: Rows, count: int) -> None:
        self._rows = rows
        self._count = count
        self._next = 0

    def __iter__(self) -> RowIterator:
        return self

    def __next__(self) -> _Row:
        if self._next >= self._count:
            # The end is an end only as long as there is a result.
            len(self._rows)
            raise StopIteration
        self._next += 1
        return self._rows._row(self._next - 1)

    def __length_hint__(self) -> int:
        return self._count - self._next

    def __repr__(self) -> str:
        return f"<pyproxy.RowIterator, {operator.length_hint(self)} to come>"
