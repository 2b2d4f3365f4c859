"""Three small helpers under the names that GLib gives them, for scripts that were written for them.

New scripts have `time.time`, `hashlib` and, for a pause, better nothing at all: see `usleep`.
"""

from __future__ import annotations

import hashlib
import time
from typing import NamedTuple

__all__ = ["TimeVal", "get_current_time", "md5", "usleep"]


class TimeVal(NamedTuple):
    """A time of day since 1970-01-01 UTC."""

    tv_sec: int
    """Whole seconds."""
    tv_usec: int
    """Microseconds of the running second, 0 to 999999."""


def usleep(us: int) -> None:
    """Sleeps `us` microseconds. In a hook, no client of the proxy is served meanwhile.

    Raises ValueError for a negative number.
    """
    time.sleep(us / 1_000_000)


def md5(data: str | bytes | bytearray | memoryview) -> str:
    """The MD5 sum of `data` (text counts as UTF-8) in lower-case hex. Not for passwords, not against forgery."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def get_current_time() -> TimeVal:
    """The time of day."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return TimeVal(seconds, nanoseconds // 1000)
