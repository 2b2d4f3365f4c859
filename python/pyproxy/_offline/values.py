"""Objects that are values: safe to keep after the hook."""

from __future__ import annotations

import socket

from .text import quoted, to_str
from .wire.columns import Column
from .wire.replies import Status

__all__ = ["Address", "Auth", "Field", "Flags", "address_of"]


class Address:
    """One end of a socket: a value, safe to keep.

    `str(address)` is its name.
    """

    __slots__ = ("_address", "_name", "_port", "_type")

    def __init__(self, name: str, address: str | None, port: int | None, type: int) -> None:
        self._name = name
        self._address = address
        self._port = port
        self._type = type

    @property
    def name(self) -> str:
        """`ip:port`, `[ip6]:port`, or the path of a unix socket."""
        return self._name

    @property
    def address(self) -> str | None:
        """The numeric IP address, or the path."""
        return self._address

    @property
    def port(self) -> int | None:
        """The port; None for a unix socket."""
        return self._port

    @property
    def type(self) -> int:
        """The address family: `socket.AF_INET`, `AF_INET6` or `AF_UNIX`."""
        return self._type

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"<pyproxy.Address {self._name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)


def address_of(text: str) -> Address:
    """The address that an option with this text means. Host names are not looked up."""
    if text.startswith("/"):
        return Address(text, text, None, socket.AF_UNIX)
    host, _, port = text.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return Address(text, host.strip("[]"), int(port), family)


class Auth:
    """The server's answer to the login: a value, safe to keep."""

    __slots__ = ("_packet",)

    def __init__(self, packet: bytes) -> None:
        self._packet = packet

    @property
    def packet(self) -> bytes:
        """The payload; its first byte is 0 for OK, 254 for an authentication switch, 255 for an error."""
        return self._packet

    def __repr__(self) -> str:
        return f"<pyproxy.Auth packet={self._packet!r}>"


class Flags:
    """What the server said about the session at the end of a result: a value, safe to keep."""

    __slots__ = ("_status",)

    def __init__(self, status: int) -> None:
        self._status = status

    @property
    def in_trans(self) -> bool:
        """A transaction is open."""
        return bool(self._status & Status.IN_TRANS)

    @property
    def auto_commit(self) -> bool:
        """Autocommit is on."""
        return bool(self._status & Status.AUTOCOMMIT)

    @property
    def no_good_index_used(self) -> bool:
        """The query found no good index."""
        return bool(self._status & Status.NO_GOOD_INDEX_USED)

    @property
    def no_index_used(self) -> bool:
        """The query used no index."""
        return bool(self._status & Status.NO_INDEX_USED)

    def __int__(self) -> int:
        """The status field itself."""
        return self._status

    def __repr__(self) -> str:
        names = ("in_trans", "auto_commit", "no_good_index_used", "no_index_used")
        # As the plugin writes truth values.
        values = " ".join(f"{name}={str(getattr(self, name)).lower()}" for name in names)
        return f"<pyproxy.Flags {values}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flags) and self._status == other._status

    def __hash__(self) -> int:
        return hash(self._status)


class Field:
    """A column of a result set: a value, safe to keep. It can stand in `proxy.response.resultset["fields"]`."""

    __slots__ = ("_column",)

    def __init__(self, column: Column) -> None:
        self._column = column

    @property
    def name(self) -> str:
        """The column, or its alias."""
        return to_str(self._column.name)

    @property
    def org_name(self) -> str:
        """The column behind the alias; empty for an expression."""
        return to_str(self._column.org_name)

    @property
    def table(self) -> str:
        """The table, or its alias; empty for an expression."""
        return to_str(self._column.table)

    @property
    def org_table(self) -> str:
        """The table behind the alias; empty for an expression."""
        return to_str(self._column.org_table)

    @property
    def database(self) -> str:
        """The database of the table; empty for an expression."""
        return to_str(self._column.database)

    @property
    def type(self) -> int:
        """One of `proxy.MYSQL_TYPE_*`."""
        return self._column.type

    @property
    def charset(self) -> int:
        """Collation id; 63 means binary."""
        return self._column.charset

    @property
    def length(self) -> int:
        """Longest value, in bytes."""
        return self._column.length

    @property
    def flags(self) -> int:
        """Column flags: NOT NULL is 1, primary key 2, unsigned 32 and so on."""
        return self._column.flags

    @property
    def decimals(self) -> int:
        """Digits behind the point."""
        return self._column.decimals

    def __repr__(self) -> str:
        name = self._column.name.decode("utf-8", "replace")
        return f"<pyproxy.Field {quoted(name)} type={self._column.type}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and self._column == other._column

    def __hash__(self) -> int:
        return hash(self._column)
