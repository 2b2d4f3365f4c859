"""Causal reads: a replica answers a client when it has what the client wrote, and else the primary does.

What a client wrote is known by the GTIDs that the primary reports. A replica is asked to wait for them, once for each of the client's
writes. Of a write whose GTID is not told, because it failed or the server has none, only the time is known.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyproxy._splitting.freshness import Freshness
from pyproxy._splitting.gtids import Gtids

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyproxy import Injection, Proxy
    from pyproxy.settings import Section

__all__ = ["Causal", "Writes"]


class Writes:
    """What a client, or a user, has written."""

    def __init__(self) -> None:
        self.gtids = Gtids()
        # When it wrote last what has no GTID, by a clock that only goes forward.
        self.unknown_at: float | None = None
        # The version of `gtids` that each replica has, by the index of the backend.
        self.seen: dict[int, int] = {}


class Causal(Freshness):
    """One for each script. `writes(proxy)` gives those that a client's reads must see."""

    def __init__(self, settings: Section, writes: Callable[[Proxy], Writes]) -> None:
        """`settings` have `seconds`, for which reads stay on the primary behind a write without a GTID, and `catch_up_seconds`, which a
        replica has to get what it lacks.
        """
        self._settings = settings
        self._writes = writes
        # Backends that have told a GTID: what they report no GTID for has changed nothing.
        self._tell: set[int] = set()
        # Replicas that lacked something for too long, and until when nobody waits for them.
        self._late: dict[int, float] = {}

    def note(self, proxy: Proxy, gtids: list[str], has_written: bool, is_error: bool) -> None:
        backend = proxy.connection.backend
        ndx = backend.ndx if backend is not None else -1
        if gtids:
            writes = self._writes(proxy)
            known = [writes.gtids.add(text) for text in gtids]
            if all(known):
                self._tell.add(ndx)
                return
        if has_written and (is_error or gtids or ndx not in self._tell):
            self._writes(proxy).unknown_at = time.monotonic()

    def may_read(self, proxy: Proxy) -> bool:
        at = self._writes(proxy).unknown_at
        return at is None or time.monotonic() - at >= self._settings.seconds

    def unfit(self, proxy: Proxy) -> set[int]:
        """Replicas that lack something of this client, and that others have waited for in vain just now."""
        if not self._late:
            return set()
        now = time.monotonic()
        self._late = {ndx: until for ndx, until in self._late.items() if until > now}
        writes = self._writes(proxy)
        return {ndx for ndx in self._late if writes.seen.get(ndx, 0) != writes.gtids.version}

    def question(self, proxy: Proxy) -> str | None:
        writes, backend = self._writes(proxy), proxy.connection.backend
        if backend is None or writes.seen.get(backend.ndx, 0) == writes.gtids.version:
            return None
        return writes.gtids.question(self._settings.catch_up_seconds)

    def is_fresh(self, proxy: Proxy, inj: Injection, version: int) -> bool:
        backend = proxy.connection.backend
        assert backend is not None
        rows = None if inj.resultset.error is not None else inj.resultset.rows
        if rows is not None and [str(cell) for row in rows for cell in row] == ["0"]:
            self._writes(proxy).seen[backend.ndx] = version
            return True
        self._late[backend.ndx] = time.monotonic() + self._settings.catch_up_seconds
        return False

    def version(self, proxy: Proxy) -> int:
        """That of the writes."""
        return self._writes(proxy).gtids.version
