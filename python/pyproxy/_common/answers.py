"""What the ready-made scripts say more than once: reading a text query, and answering one without a server.

What answers fills `proxy.response` and gives `PROXY_SEND_RESULT`, so a hook ends with `return send_ok(proxy)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyproxy

if TYPE_CHECKING:
    from pyproxy import Field, Proxy

__all__ = ["query_packet", "query_text", "refuse", "send_ok", "send_rows"]


def query_text(packet: bytes) -> str | None:
    """The SQL text of a COM_QUERY; None for every other command. What is not UTF-8 survives as surrogates."""
    if not packet or packet[0] != pyproxy.COM_QUERY:
        return None
    return packet[1:].decode("utf-8", "surrogateescape")


def query_packet(sql: str) -> bytes:
    """The COM_QUERY with this SQL text: the inverse of `query_text`."""
    return bytes((pyproxy.COM_QUERY,)) + sql.encode("utf-8", "surrogateescape")


def send_rows(
    proxy: Proxy, fields: Iterable[tuple[str, int] | Field], rows: Iterable[Sequence[Any]]
) -> int:
    """Makes the answer a result set.

    `fields` are pairs of name and `MYSQL_TYPE_*`, or fields of another result.
    """
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": list(fields), "rows": rows},
    }
    return proxy.PROXY_SEND_RESULT


def send_ok(proxy: Proxy) -> int:
    """Makes the answer an OK."""
    proxy.response = {"type": proxy.MYSQLD_PACKET_OK}
    return proxy.PROXY_SEND_RESULT


def refuse(proxy: Proxy, errcode: int, sqlstate: str, errmsg: str) -> int:
    """Makes the answer an ERR."""
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_ERR,
        "errcode": errcode,
        "sqlstate": sqlstate,
        "errmsg": errmsg,
    }
    return proxy.PROXY_SEND_RESULT
