"""Bytes of the wire as `str`, and what scripts pass as text or data."""

from __future__ import annotations

import json

__all__ = ["quoted", "to_bytes", "to_str"]


def to_str(data: bytes) -> str:
    """Bytes that are meant as UTF-8 text. Undecodable ones survive, and encode back unchanged."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(value: object, what: str) -> bytes:
    """What a script gave as text or data: `str` as UTF-8, or any bytes-like object.

    Raises TypeError, with `what` as its name, for anything else.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    try:
        return bytes(memoryview(value))  # type: ignore[arg-type] # TypeError is the question
    except TypeError:
        kind = type(value).__name__
        raise TypeError(f"{what} must be str or a bytes-like object, not {kind}") from None


def quoted(text: str) -> str:
    """`text` in double quotes, for a repr."""
    return json.dumps(text, ensure_ascii=False)
