"""Who may touch what, when: the rules of the plugin, which raise ReferenceError.

Objects of a connection can be used while a hook runs, in its thread, and as long as the connection exists. They are
changed in hooks of their own connection only. Objects that `pyproxy.testing` makes for calling a hook by hand are not
guarded: the test is the hook.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from .state import SessionState

__all__ = ["Slot", "alive", "change", "host_call", "in_hook"]

T = TypeVar("T")


class _Depth(threading.local):
    value = 0


_depth = _Depth()


@contextmanager
def host_call() -> Iterator[None]:
    """Marks the time in which this thread runs a hook."""
    _depth.value += 1
    try:
        yield
    finally:
        _depth.value -= 1


def in_hook(unguarded: bool = False) -> None:
    """Raises ReferenceError unless a hook runs in this thread."""
    if not unguarded and not _depth.value:
        raise ReferenceError(
            "objects of the proxy can be used only while a hook runs, in its thread"
        )


class Slot(Generic[T]):
    """A place that holds something until it ends; objects of scripts keep the slot, not the thing."""

    def __init__(self, content: T, unguarded: bool = False) -> None:
        self._content: T | None = content
        self.unguarded = unguarded

    def read(self, what: str) -> T:
        """The content, for a script. Raises ReferenceError if it may not be looked at now."""
        in_hook(self.unguarded)
        if self._content is None:
            raise ReferenceError(f"{what} is gone")
        return self._content

    def empty(self) -> None:
        """The thing has ended."""
        self._content = None


def alive(slot: Slot[SessionState]) -> SessionState:
    """The session, for reading."""
    return slot.read("the connection")


def change(slot: Slot[SessionState]) -> SessionState:
    """The session, for changing it: only in a hook of its own connection."""
    session = alive(slot)
    if session.hook is None:
        raise ReferenceError("a connection can be changed only in its own hooks")
    return session
