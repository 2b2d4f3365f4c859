"""Whether two answers are the same, and what is not."""

from __future__ import annotations

from typing import Any

from .nature import End
from .wire.answers import Columns, Err, Lost, Prepared, Rows, column

__all__ = ["difference"]


def difference(direct: tuple[Any, ...], split: tuple[Any, ...]) -> str:
    """In a few words what differs; empty if nothing does."""
    if direct == split:
        return ""
    for index, (one, other) in enumerate(zip(direct, split)):
        found = _of_results(one, other)
        if found:
            return found if not index else f"{found}, in result {index + 1}"
    return f"{len(direct)} results against {len(split)}"


def _of_results(one: Any, other: Any) -> str:
    if one == other:
        return ""
    if type(one) is not type(other):
        return f"{_name(one)} against {_name(other)}"
    if isinstance(one, Rows):
        if one.columns != other.columns:
            return f"columns: {_columns(one.columns, other.columns)}"
        if one.rows != other.rows:
            return "rows"
        return f"end of rows: {_of_results(one.end, other.end)}"
    if isinstance(one, (Prepared, Columns)):
        fields = [name for name in one._fields if getattr(one, name) != getattr(other, name)]
        return f"{_name(one)}: {', '.join(fields)}"
    fields = [name for name in one._fields if getattr(one, name) != getattr(other, name)]
    return f"{_name(one)}: {', '.join(fields)}"


def _columns(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> str:
    if len(one) != len(other):
        return f"{len(one)} against {len(other)}"
    for first, second in zip(one, other):
        if first != second:
            left, right = column(first), column(second)
            return ", ".join(name for name in left if left[name] != right[name])
    return ""


def _name(result: Any) -> str:
    names = {
        End: "OK",
        Err: "ERR",
        Rows: "rows",
        Prepared: "prepared",
        Columns: "columns",
        Lost: "lost",
    }
    if isinstance(result, Rows) and isinstance(result.end, Err):
        return "rows with ERR"
    return names.get(type(result), type(result).__name__)
