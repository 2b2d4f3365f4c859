"""What the ready-made scripts say more than once: reading a text query, and making one."""

from __future__ import annotations

import pyproxy

__all__ = ["query_packet", "query_text"]


def query_text(packet: bytes) -> str | None:
    """The SQL text of a COM_QUERY; None for every other command. What is not UTF-8 survives as surrogates."""
    if not packet or packet[0] != pyproxy.COM_QUERY:
        return None
    return packet[1:].decode("utf-8", "surrogateescape")


def query_packet(sql: str) -> bytes:
    """The COM_QUERY with this SQL text: the inverse of `query_text`."""
    return bytes((pyproxy.COM_QUERY,)) + sql.encode("utf-8", "surrogateescape")
