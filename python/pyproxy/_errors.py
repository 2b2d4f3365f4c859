"""The exceptions of hooks that wait."""

from __future__ import annotations

import traceback
from collections.abc import Coroutine
from typing import Any


class ServerError(Exception):
    """The ERR with which a server answered a query."""

    def __init__(self, code: int, sqlstate: str, message: str) -> None:
        super().__init__(code, sqlstate, message)
        self.code = code
        self.sqlstate = sqlstate
        self.message = message

    def __str__(self) -> str:
        return f"{self.code} ({self.sqlstate}): {self.message}"


class ServerLost(Exception):
    """There is no server connection, or it was lost before the answer to a query was complete."""


class ResultTooLarge(Exception):
    """The result of a query is larger than `pyproxy-max-kept-bytes`."""


class HookTimeout(BaseException):
    """A hook took longer than `pyproxy-hook-timeout`; raised in it, wherever it is."""


def where(coroutine: Coroutine[Any, Any, Any]) -> str:
    """Where a coroutine waits, and those that it waits for, as a traceback has it."""
    entries = []
    waits: Any = coroutine
    while waits is not None:
        frame = getattr(waits, "cr_frame", None) or getattr(waits, "gi_frame", None)
        if frame is not None:
            entries.append((frame, frame.f_lineno))
        waits = getattr(waits, "cr_await", None) or getattr(waits, "gi_yieldfrom", None)
    return "".join(traceback.StackSummary.extract(iter(entries)).format()).rstrip("\n")
