"""Lines that the ready-made scripts print: whose they are, and nothing in them that breaks a line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Connection, Proxy

__all__ = ["connection_number", "now", "one_line", "server_thread"]


def connection_number(proxy: Proxy) -> int:
    """A number that only this client connection has, for as long as the process lives.

    The server's thread ids are not such numbers: two backends count each from 1, and a pooled connection changes
    them under the client.
    """
    number: int | None = getattr(proxy.connection, "_number", None)
    if number is None:
        number = getattr(proxy.globals, "_last_number", 0) + 1
        proxy.globals._last_number = proxy.connection._number = number
    return number


def server_thread(connection: Connection) -> str:
    """`thread@address` of the attached server connection, for KILL; `-` without one."""
    server = connection.server
    if server is None:
        return "-"
    return f"{server.thread_id}@{server.dst}"


def now() -> str:
    """The local time, in seconds."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def one_line(text: str) -> str:
    r"""`text` with line ends and other unprintable characters as escapes such as `\n`.

    A query may contain a line that looks like one of ours, or bytes that are no text.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
