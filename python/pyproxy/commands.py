"""Client commands: what the bytes that `read_query` gets ask for.

from pyproxy import commands

def read_query(proxy, packet):
    cmd = commands.parse(packet)
    if cmd.query is not None:
        print(cmd.type_name, cmd.query)
"""

from __future__ import annotations

from dataclasses import dataclass

import pyproxy

__all__ = ["Command", "parse", "pretty_print"]

_NAMES: dict[int, str] = {
    getattr(pyproxy, name): name for name in dir(pyproxy) if name.startswith("COM_")
}
_WITH_QUERY = (pyproxy.COM_QUERY, pyproxy.COM_STMT_PREPARE)
_WITH_SCHEMA = (pyproxy.COM_INIT_DB, pyproxy.COM_CREATE_DB, pyproxy.COM_DROP_DB)
_WITH_STATEMENT = (
    pyproxy.COM_STMT_EXECUTE,
    pyproxy.COM_STMT_SEND_LONG_DATA,
    pyproxy.COM_STMT_CLOSE,
    pyproxy.COM_STMT_RESET,
    pyproxy.COM_STMT_FETCH,
    pyproxy.COM_STMT_BULK_EXECUTE,
)


@dataclass(frozen=True)
class Command:
    """One command of a client. What it does not have is None."""

    type: int
    """The command byte: `COM_QUERY`, ..."""
    type_name: str | None
    """Its name, `"COM_QUERY"`; None for a byte that names no command."""
    query: str | None = None
    """The text of COM_QUERY and COM_STMT_PREPARE."""
    schema: str | None = None
    """The database of COM_INIT_DB, COM_CREATE_DB and COM_DROP_DB."""
    table: str | None = None
    """The table of COM_FIELD_LIST."""
    wildcard: str | None = None
    """The pattern for column names of COM_FIELD_LIST."""
    stmt_handler_id: int | None = None
    """The number of the prepared statement, for all commands on one."""
    option: int | None = None
    """The option of COM_SET_OPTION: 0 turns multi-statements on, 1 off."""


def parse(packet: str | bytes | bytearray | memoryview) -> Command:
    """The command in `packet`, whose first byte is the command.

    Raises ValueError for an empty packet. A packet that is too short for the number it should have, has None there.
    """
    data = _bytes(packet)
    if not data:
        raise ValueError("a packet without a command byte")
    type, rest = data[0], data[1:]
    name = _NAMES.get(type)
    if type in _WITH_QUERY:
        return Command(type, name, query=_text(rest))
    if type in _WITH_SCHEMA:
        return Command(type, name, schema=_text(rest))
    if type == pyproxy.COM_FIELD_LIST:
        table, _, wildcard = rest.partition(b"\0")
        return Command(type, name, table=_text(table), wildcard=_text(wildcard))
    if type in _WITH_STATEMENT:
        return Command(type, name, stmt_handler_id=_number(rest, 4))
    if type == pyproxy.COM_SET_OPTION:
        return Command(type, name, option=_number(rest, 2))
    return Command(type, name)


def pretty_print(cmd: Command) -> str:
    """One line for a log: the name in brackets, then the text, name or number that the command has."""
    name = cmd.type_name or f"command {cmd.type}"
    for value in (cmd.query, cmd.schema, cmd.table, cmd.stmt_handler_id, cmd.option):
        if value is not None:
            return f"[{name}] {value}"
    return f"[{name}]"


def _bytes(packet: str | bytes | bytearray | memoryview) -> bytes:
    return packet.encode("utf-8", "surrogateescape") if isinstance(packet, str) else bytes(packet)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _number(data: bytes, size: int) -> int | None:
    return int.from_bytes(data[:size], "little") if len(data) >= size else None
