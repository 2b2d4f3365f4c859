"""Indexing as Python does it: negative indexes count from the end, slices give a list."""

from __future__ import annotations

from typing import Callable, SupportsIndex, TypeVar

__all__ = ["get"]

T = TypeVar("T")


def get(index: SupportsIndex | slice, length: int, item: Callable[[int], T]) -> T | list[T]:
    """`items[index]` for a sequence of `length` items made by `item`."""
    if isinstance(index, slice):
        return [item(n) for n in range(*index.indices(length))]
    try:
        position = index.__index__()
    except AttributeError:
        raise TypeError("indices must be integers or slices") from None
    if position < 0:
        position += length
    if not 0 <= position < length:
        raise IndexError("index out of range")
    return item(position)
