"""Two helpers that the earlier Python plugin had, for scripts that use them (`import proxy_utils`)."""

from __future__ import annotations

__all__ = ["get_query_content", "get_query_type"]


def get_query_type(packet: bytes) -> int:
    """The command of a packet: its first byte. Raises IndexError for an empty packet."""
    return packet[0]


def get_query_content(packet: bytes) -> bytes:
    """The packet without its command byte."""
    return packet[1:]
