"""Prints what each connection does; changes nothing.

One line for each event, on standard output of the proxy. The number in front tells the connections apart:

    [1] connected: 127.0.0.1:51442 to 127.0.0.1:3306
    [1] user: app
    [1] login: ok
    [1] query: SELECT 1
    [1] closed

Settings: none.

What it cannot do: texts of prepared statements and other commands than COM_QUERY are not printed. Passwords in texts
(`SET PASSWORD`, `CREATE USER`) are. A client that gets its server connection from a pool has no "connected" line, and
nobody learns how the query went: for that, log with `active_queries` or the JSON query log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyproxy._common.lines import connection_number, one_line
from pyproxy._common.queries import query_text

if TYPE_CHECKING:
    from pyproxy import Auth, Proxy

__all__ = [
    "disconnect_client",
    "read_auth",
    "read_auth_result",
    "read_handshake",
    "read_query",
]


def read_handshake(proxy: Proxy) -> None:
    """Says who is connected to which server."""
    connection = proxy.connection
    server = connection.server.dst if connection.server else None
    _line(proxy, f"connected: {connection.client.src} to {server}")


def read_auth(proxy: Proxy) -> None:
    """Says who logs in."""
    _line(proxy, f"user: {proxy.connection.client.username}")


def read_auth_result(proxy: Proxy, auth: Auth) -> None:
    """Says how the login went. Of a method in several rounds only the last answer decides."""
    kind = auth.packet[:1]
    if kind == bytes((proxy.MYSQLD_PACKET_OK,)):
        _line(proxy, "login: ok")
    elif kind == bytes((proxy.MYSQLD_PACKET_ERR,)):
        _line(proxy, "login: failed")
    else:
        _line(proxy, f"login: another round (0x{kind.hex()})")


def read_query(proxy: Proxy, packet: bytes) -> None:
    """Says what the client asks; the query itself goes on as it is."""
    text = query_text(packet)
    if text is not None:
        _line(proxy, f"query: {text}")


def disconnect_client(proxy: Proxy) -> None:
    """Says that the connection is gone."""
    _line(proxy, "closed")


def _line(proxy: Proxy, text: str) -> None:
    print(f"[{connection_number(proxy)}] {one_line(text)}")
