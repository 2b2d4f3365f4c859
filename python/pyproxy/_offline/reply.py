"""`proxy.response` on its way to the wire.

Everything a script can get wrong is an exception here, which becomes a script error.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from . import cells
from .codec import BINARY
from .text import to_bytes
from .values import Field
from .wire.basic import WireError
from .wire.columns import Column, result_set
from .wire.replies import Err, Ok, Status

__all__ = [
    "UNKNOWN_ERROR",
    "Context",
    "RowForm",
    "column_of",
    "columns_of",
    "encode",
    "proxy_error",
]

_OK, _RAW, _ERR = 0, 250, 255
_DEFAULT_MESSAGE = b"(pyproxy) proxy.response.errmsg is None"
_DEFAULT_STATE = b"07000"
# ER_UNKNOWN_ERROR: everything that the proxy itself complains about.
UNKNOWN_ERROR = 1105

_STRING = 254
# utf8mb4_general_ci, with room for 255 characters.
_TEXT, _TEXT_LENGTH = 45, 1020
# A column flag: the value is no text. And `decimals` of floating point numbers without a limit.
_BINARY_FLAG, _NOT_FIXED = 0x80, 31
_LONGEST = 0xFFFF_FFFF
# What a server says about an expression of this type: longest value of those that are no text.
_LENGTHS = {
    **{1: 4, 13: 4, 2: 6, 9: 9, 3: 11, 8: 20, 4: 12, 5: 22, 0: 67, 246: 67, 10: 10, 14: 10},
    **{11: 17, 12: 26, 7: 26, 16: 64, 6: 0, 249: 0xFF, 252: 0xFFFF, 250: 0xFF_FFFF},
    **{251: _LONGEST, 255: _LONGEST, 242: _LONGEST},
}
_JSON = 245


class RowForm(enum.Enum):
    """How a result set answers a command: as text, as binary rows, or as those of a cursor without columns."""

    TEXT = enum.auto()
    BINARY = enum.auto()
    CURSOR = enum.auto()

    @classmethod
    def of(cls, command: int | None) -> RowForm:
        """For an answer to this command."""
        if command in (0x17, 0xFA):
            return cls.BINARY
        return cls.CURSOR if command == 0x1C else cls.TEXT


class Context(NamedTuple):
    """What the encoding depends on, besides the response."""

    before_handshake: bool = False
    rows: RowForm = RowForm.TEXT
    # `server_status` of a response that has none.
    status: int = Status.AUTOCOMMIT
    # The most bytes that the answer may take.
    max_bytes: int = 256 << 20


def proxy_error(message: str) -> list[bytes]:
    """An ERR of the proxy itself."""
    return [Err(UNKNOWN_ERROR, b"HY000", f"pyproxy: {message}".encode()).encode()]


def encode(response: Mapping[str, Any], context: Context) -> list[bytes]:
    """The payloads of what is set in a response."""
    kind = response.get("type")
    if kind is None:
        raise TypeError("proxy.response.type is not set")
    kind = _integer(kind, "type", -(1 << 63), (1 << 63) - 1)
    if kind == _OK:
        if response.get("resultset") is not None:
            return _result_set(response["resultset"], response, context)
        return _ok(response, context)
    if kind == _ERR:
        return _err(response, context)
    if kind == _RAW:
        return _raw(response, context)
    raise ValueError(f"proxy.response.type is {kind}, not one of MYSQLD_PACKET_OK, _ERR, _RAW")


def _integer(value: object, name: str, low: int, high: int) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} is out of range: {value}")
    return int(value)


def _unsigned(members: Mapping[str, Any], name: str, bits: int, default: int) -> int:
    value = members.get(name)
    return default if value is None else _integer(value, name, 0, (1 << bits) - 1)


def _status_and_warnings(response: Mapping[str, Any], context: Context) -> tuple[int, int]:
    status = _unsigned(response, "server_status", 16, context.status)
    if status & Status.MORE_RESULTS_EXISTS:
        raise ValueError("proxy.response.server_status announces another result: there is none")
    return status, _unsigned(response, "warnings", 16, 0)


def _ok(response: Mapping[str, Any], context: Context) -> list[bytes]:
    status, warnings = _status_and_warnings(response, context)
    affected = _unsigned(response, "affected_rows", 64, 0)
    return [Ok(affected, _unsigned(response, "insert_id", 64, 0), status, warnings).encode()]


def _err(response: Mapping[str, Any], context: Context) -> list[bytes]:
    message, state = _DEFAULT_MESSAGE, _DEFAULT_STATE
    if response.get("errmsg") is not None:
        message = to_bytes(response["errmsg"], "proxy.response.errmsg")
    code = _unsigned(response, "errcode", 16, UNKNOWN_ERROR)
    if code == 0:
        raise ValueError("proxy.response.errcode must be from 1 to 65535")
    if response.get("sqlstate") is not None:
        state = to_bytes(response["sqlstate"], "proxy.response.sqlstate")
        if len(state) != 5:
            raise ValueError("proxy.response.sqlstate must have 5 characters")
    return [Err(code, None if context.before_handshake else state, message).encode()]


def _raw(response: Mapping[str, Any], context: Context) -> list[bytes]:
    packets = response.get("packets")
    if packets is None:
        raise TypeError("proxy.response.packets is not set")
    if _is_data(packets):
        return [to_bytes(packets, "proxy.response.packets")]
    budget = _Budget(context.max_bytes)
    payloads = []
    for packet in packets:
        payloads.append(to_bytes(packet, "a packet of proxy.response.packets"))
        budget.spend(len(payloads[-1]))
    if not payloads:
        raise ValueError("proxy.response.packets is empty")
    return payloads


class _Budget:
    """What is left of the memory that an answer may take. A generator may have no end."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def spend(self, size: int) -> None:
        # With what a packet takes besides its bytes.
        self._left -= size + 48
        if self._left < 0:
            raise ValueError("the answer is larger than pyproxy-max-kept-bytes")


def _is_data(value: object) -> bool:
    """Whether `value` is one piece of text or data rather than a collection."""
    return isinstance(value, (bytes, str, bytearray, memoryview))


def _result_set(resultset: object, response: Mapping[str, Any], context: Context) -> list[bytes]:
    if not isinstance(resultset, Mapping):
        raise TypeError("proxy.response.resultset must be a mapping with fields and rows")
    columns = columns_of(_member(resultset, "fields"))
    rows = _member(resultset, "rows")
    if _is_data(rows):
        raise TypeError("rows must be an iterable of rows")
    status, warnings = _status_and_warnings(response, context)
    binary = context.rows is not RowForm.TEXT
    cells_of_rows = _rows(rows, columns, _Budget(context.max_bytes))
    try:
        packets = result_set(columns, cells_of_rows, binary, status, warnings)
    except WireError as error:
        raise ValueError(str(error)) from None
    # Behind the count, the columns and their EOF.
    return packets[len(columns) + 2 :] if context.rows is RowForm.CURSOR else packets


def _member(resultset: Mapping[str, Any], name: str) -> Any:
    if resultset.get(name) is None:
        raise ValueError(f"proxy.response.resultset has no {name}")
    return resultset[name]


def _rows(
    rows: Iterable[Any], columns: list[Column], budget: _Budget
) -> Iterator[list[bytes | None]]:
    for n, row in enumerate(rows):
        cells_of_row = _row(n, row, columns)
        budget.spend(sum(len(cell) for cell in cells_of_row if cell is not None))
        yield cells_of_row


def _row(n: int, row: Any, columns: list[Column]) -> list[bytes | None]:
    if _is_data(row) or isinstance(row, Mapping):
        raise TypeError(f"row {n} must be a sequence of cells, not {type(row).__name__}")
    values = iter(row)
    out: list[bytes | None] = []
    for column in columns:
        try:
            value = next(values)
        except StopIteration:
            raise _wrong_length(n, f"only {len(out)}", columns) from None
        out.append(cells.encode(value, column))
    for _ in values:
        raise _wrong_length(n, "more", columns)
    return out


def _wrong_length(n: int, found: str, columns: list[Column]) -> ValueError:
    return ValueError(f"row {n} has {found} cells, the result set has {len(columns)} fields")


def columns_of(fields: Any) -> list[Column]:
    """The columns that a script or a test describes, in order; at least one."""
    if isinstance(fields, (str, Mapping)):
        raise TypeError("fields must be a sequence of fields")
    columns = [_column(field) for field in fields]
    if not columns:
        raise ValueError("fields is empty")
    if len(columns) > 0xFFFF:
        raise ValueError(f"a result set cannot have {len(columns)} fields")
    return columns


def _column(field: Any) -> Column:
    """One field: an object of a result, `(name, type)`, or a mapping."""
    if isinstance(field, Field):
        return field._column
    if isinstance(field, Mapping):
        return _from_mapping(field)
    pair = None if isinstance(field, str) or not isinstance(field, Iterable) else tuple(field)
    if pair is None or len(pair) != 2:
        raise TypeError(f"a field is (name, type), a mapping or a field of a result, not {field!r}")
    name = to_bytes(pair[0], "the name of a field")
    return column_of(name, _integer(pair[1], "the type of a field", 0, 255))


def _from_mapping(members: Mapping[str, Any]) -> Column:
    def text(name: str) -> bytes | None:
        value = members.get(name)
        return None if value is None else to_bytes(value, name)

    name = text("name")
    if name is None:
        raise ValueError("a field has no name")
    defaults = column_of(name, _unsigned(members, "type", 8, _STRING))
    return defaults._replace(
        org_name=text("org_name") or b"",
        table=text("table") or b"",
        org_table=text("org_table") or b"",
        database=text("database") or b"",
        charset=_unsigned(members, "charset", 16, defaults.charset),
        length=_unsigned(members, "length", 32, defaults.length),
        flags=_unsigned(members, "flags", 16, defaults.flags),
        decimals=_unsigned(members, "decimals", 8, defaults.decimals),
    )


def column_of(name: bytes, kind: int) -> Column:
    """What a server says about an expression of this type."""
    if kind in _LENGTHS:
        decimals = _NOT_FIXED if kind in (4, 5) else 0
        return Column(
            name,
            kind,
            charset=BINARY,
            length=_LENGTHS[kind],
            flags=_BINARY_FLAG,
            decimals=decimals,
        )
    return Column(name, kind, charset=_TEXT, length=_LONGEST if kind == _JSON else _TEXT_LENGTH)
