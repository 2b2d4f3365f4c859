"""Answers as values: what of them is compared is everything that is in here."""

from __future__ import annotations

from typing import Any, NamedTuple, Union

from .codec import Reader, Status

__all__ = [
    "Answer",
    "Columns",
    "Err",
    "Lost",
    "Ok",
    "Prepared",
    "Result",
    "Rows",
    "column",
    "is_followed",
    "parse_eof",
    "parse_err",
    "parse_ok",
    "session_changes",
]


class Ok(NamedTuple):
    """An OK, or the end of rows."""

    affected: int
    insert_id: int
    status: int
    warnings: int
    info: bytes = b""
    changes: bytes = b""


class Err(NamedTuple):
    """An error."""

    code: int
    state: bytes
    text: bytes


class Rows(NamedTuple):
    """A result set. Columns and rows are packets as they came."""

    columns: tuple[bytes, ...]
    rows: tuple[bytes, ...]
    end: Ok | Err
    binary: bool = False


class Columns(NamedTuple):
    """The answer to COM_FIELD_LIST."""

    columns: tuple[bytes, ...]
    end: Ok | Err


class Prepared(NamedTuple):
    """A statement was prepared. Its number is not compared."""

    parameters: tuple[bytes, ...]
    columns: tuple[bytes, ...]
    warnings: int


class Lost(NamedTuple):
    """The connection ended instead."""

    text: str


Result = Union[Ok, Err, Rows, Columns, Prepared, Lost]


def is_followed(result: Result) -> bool:
    """Whether another result follows."""
    end = result.end if isinstance(result, (Rows, Columns)) else result
    return isinstance(end, Ok) and bool(end.status & Status.MORE_RESULTS)


# An answer has more than one result if the statement had, or was a CALL.
Answer = tuple[Result, ...]


def parse_ok(packet: bytes, tracks: bool) -> Ok:
    """An OK packet, also with the header of an EOF."""
    reader = Reader(packet, 1)
    affected = reader.lenenc() or 0
    insert_id = reader.lenenc() or 0
    status = reader.number(2)
    warnings = reader.number(2)
    if not tracks:
        return Ok(affected, insert_id, status, warnings, reader.rest())
    info = (reader.lenenc_bytes() or b"") if reader.left else b""
    changes = b""
    if status & Status.SESSION_STATE_CHANGED and reader.left:
        changes = reader.lenenc_bytes() or b""
    return Ok(affected, insert_id, status, warnings, info, changes)


def parse_eof(packet: bytes) -> Ok:
    """An EOF packet."""
    reader = Reader(packet, 1)
    warnings = reader.number(2)
    return Ok(0, 0, reader.number(2), warnings)


def parse_err(packet: bytes) -> Err:
    """An ERR packet."""
    code = int.from_bytes(packet[1:3], "little")
    if packet[3:4] == b"#":
        return Err(code, packet[4:9], packet[9:])
    return Err(code, b"", packet[3:])


def column(packet: bytes) -> dict[str, Any]:
    """A column definition in words."""
    reader = Reader(packet)
    names = ("catalog", "schema", "table", "org_table", "name", "org_name")
    found: dict[str, Any] = {name: reader.lenenc_bytes() for name in names}
    reader.lenenc()
    found["charset"] = reader.number(2)
    found["length"] = reader.number(4)
    found["type"] = reader.number(1)
    found["flags"] = hex(reader.number(2))
    found["decimals"] = reader.number(1)
    return found


_CHANGES = {0: "variable", 1: "schema", 2: "state", 3: "gtids", 4: "characteristics", 5: "trx"}


def session_changes(data: bytes) -> list[tuple[str, bytes]]:
    """The reports of session tracking, one each."""
    reader = Reader(data)
    found = []
    while reader.left:
        kind = reader.number(1)
        found.append((_CHANGES.get(kind, str(kind)), reader.lenenc_bytes() or b""))
    return found
