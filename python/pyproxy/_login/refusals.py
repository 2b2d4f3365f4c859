"""Counts refused log-ins, and says how long the next one has to wait.

No hook can wait without stopping all clients, so a log-in that comes too soon is refused at once, unread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Refusals"]

# Beyond this the oldest are forgotten.
_MOST = 10_000
_FIRST_DELAY = 1.0
# An entry without a new refusal lives as long as so many of the longest delays.
_LIVES = 10


@dataclass
class _Count:
    count: int = 0
    until: float = 0.0
    forgotten_at: float = 0.0


class Refusals:
    """Refused log-ins, by user and address. `clock` gives seconds and only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], _Count] = {}

    def must_wait(self, user: str, address: str) -> bool:
        """Whether a log-in comes too soon behind those that were refused."""
        found = self._counts.get((user, address))
        return found is not None and self._clock() < found.until

    def add(self, user: str, address: str, free: int, max_delay: float) -> int:
        """Notes a refused log-in; gives how many there were in a row. One that came too soon makes no delay longer."""
        now = self._clock()
        found = self._counts.pop((user, address), None)
        if found is None or now >= found.forgotten_at:
            found = _Count()
        self._counts[user, address] = found
        while len(self._counts) > _MOST:
            del self._counts[next(iter(self._counts))]
        found.count += 1
        found.forgotten_at = now + _LIVES * max(max_delay, _FIRST_DELAY)
        if found.count > free and now >= found.until:
            doublings = min(found.count - free - 1, 30)
            found.until = now + min(_FIRST_DELAY * 2**doublings, max_delay)
        return found.count

    def forget(self, user: str, address: str) -> None:
        """A log-in was right."""
        self._counts.pop((user, address), None)
