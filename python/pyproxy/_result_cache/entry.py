"""The form in which a result is kept: the versions of its tables, and its packets as they came. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["FORM", "Entry", "pack", "unpack"]

FORM = 1
"""Part of each key: proxies whose forms differ do not meet."""
_LENGTH = 4


class Entry(NamedTuple):
    """A kept result."""

    versions: dict[str, str]
    """The version of each table that it depends on."""
    packets: list[bytes]


def pack(versions: Mapping[str, str], packets: Sequence[bytes]) -> bytes:
    """The bytes that stand for a result."""
    parts = [json.dumps(dict(versions)).encode()]
    parts.extend(packets)
    return b"".join(len(part).to_bytes(_LENGTH, "little") + part for part in parts)


def unpack(data: bytes) -> Entry | None:
    """The result that `data` stands for; None if it is damaged."""
    parts = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + _LENGTH], "little")
        at += _LENGTH
        if at + length > len(data):
            return None
        parts.append(data[at : at + length])
        at += length
    if len(parts) < 2:
        return None
    try:
        versions = json.loads(parts[0])
    except ValueError:
        return None
    return Entry(versions, parts[1:]) if isinstance(versions, dict) else None
