"""One cell of a row that a script answers with, in its text form."""

from __future__ import annotations

import datetime
import decimal
import math

from . import codec
from .text import to_bytes
from .wire.columns import Column
from .wire.values import clock_text, to_text

__all__ = ["encode"]


def encode(value: object, column: Column) -> bytes | None:
    """The text of `value`; None for NULL. Raises ValueError for what MySQL has no form for."""
    if value is None:
        return None
    if isinstance(value, str):
        return codec.encode(value, column)
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, int):
        return int.__repr__(value).encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return to_bytes(value, "a cell")
    if isinstance(value, float):
        if not math.isfinite(value):
            # The plugin's spelling of the three values.
            name = "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
            raise ValueError(f"{name} has no form in MySQL")
        return float.__repr__(value).encode()
    if isinstance(value, (datetime.date, datetime.timedelta)):
        return to_text(value).encode()
    if isinstance(value, datetime.time):
        return clock_text(value).encode()
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} has no form in MySQL")
        return codec.encode(format(value, "f"), column)
    return codec.encode(str(value), column)
