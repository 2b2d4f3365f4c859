"""Session reports of a fake server, and the form of answers that they come in: with SESSION_TRACK and DEPRECATE_EOF."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .. import _native
from .protocol import Status

__all__ = ["Changes", "end_of_rows", "ok"]

_VARIABLES, _SCHEMA, _STATE, _GTIDS, _CHARACTERISTICS, _TRANSACTION = range(6)
_EOF = b"\xfe"


class Changes(NamedTuple):
    """What a server reports with an answer: the attributes of `resultset.session_changes`. None: nothing is reported."""

    variables: Mapping[str, str] = MappingProxyType({})
    schema: str | None = None
    state: bool = False
    gtids: str | None = None
    characteristics: str | None = None
    transaction: str | None = None

    def encode(self) -> bytes:
        """The reports of an OK."""
        reports = [
            (_VARIABLES, _text(name) + _text(value)) for name, value in self.variables.items()
        ]
        if self.schema is not None:
            reports.append((_SCHEMA, _text(self.schema)))
        if self.state:
            reports.append((_STATE, _text("1")))
        if self.gtids is not None:
            reports.append((_GTIDS, b"\0" + _text(self.gtids)))
        if self.characteristics is not None:
            reports.append((_CHARACTERISTICS, _text(self.characteristics)))
        if self.transaction is not None:
            reports.append((_TRANSACTION, _text(self.transaction)))
        return b"".join(bytes((kind,)) + _counted(data) for kind, data in reports)


def ok(
    affected_rows: int,
    insert_id: int,
    status: int,
    warnings: int,
    info: str = "",
    changes: Changes | None = None,
) -> bytes:
    """An OK for a client that tracks its session."""
    reports = b"" if changes is None else changes.encode()
    if not info and not reports:
        return _native.encode_ok(affected_rows, insert_id, status, warnings)
    flag = Status.SESSION_STATE_CHANGED if reports else 0
    head = _native.encode_ok(affected_rows, insert_id, status | flag, warnings)
    return head + _text(info) + (_counted(reports) if reports else b"")


def end_of_rows(status: int, warnings: int, changes: Changes | None = None) -> bytes:
    """What stands in place of an EOF behind rows."""
    return _EOF + ok(0, 0, status, warnings, changes=changes)[1:]


def _text(text: str) -> bytes:
    return _counted(text.encode("utf-8", "surrogateescape"))


def _counted(data: bytes) -> bytes:
    """string<lenenc>, shorter than 64 KiB."""
    size = len(data)
    return (bytes((size,)) if size < 0xFB else b"\xfc" + size.to_bytes(2, "little")) + data
