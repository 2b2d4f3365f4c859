"""Which connection a client's next command runs on, and how it waits for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Set
from typing import TYPE_CHECKING, Any

from pyproxy import (
    BACKEND_STATE_DRAIN,
    BACKEND_STATE_MAINT,
    BACKEND_STATE_REMOVED,
    COM_STMT_SEND_LONG_DATA,
    Error,
    balance,
)
from pyproxy._pooling import pools
from pyproxy._pooling.routing import Route
from pyproxy._splitting import results

if TYPE_CHECKING:
    from pyproxy import Decision, Proxy
    from pyproxy._splitting.freshness import Freshness
    from pyproxy._splitting.state import SplitState
    from pyproxy._splitting.status import Counters
    from pyproxy.settings import Section

__all__ = ["Places"]

_LEFT = (BACKEND_STATE_DRAIN, BACKEND_STATE_MAINT, BACKEND_STATE_REMOVED)


class Places:
    """Those of one script's clients."""

    def __init__(
        self,
        name: str,
        settings: Section,
        counters: Counters,
        *,
        splits: bool,
        freshness: Freshness,
    ) -> None:
        """`splits`: read-only backends have pools, too."""
        self._name = name
        self._settings = settings
        self._counters = counters
        self._splits = splits
        self._freshness = freshness

    def attach(self, proxy: Proxy, state: SplitState, meant: Route) -> bool:
        """Sees to it that a server connection is attached on which the command can run; False if there is none."""
        backend = proxy.connection.backend if proxy.connection.server is not None else None
        if backend is not None and results.must_stay(proxy, state):
            # Nothing can be written on a replica, and it cannot go on elsewhere.
            return not (meant.is_write and self._splits and backend.type == proxy.BACKEND_TYPE_RO)
        if state.leaves_something:
            # What it relies on went with its connection.
            return False
        if backend is not None and (meant.goes_anywhere or meant.asks_about_last):
            return True
        if backend is not None and backend.state in _LEFT:
            # It can go on elsewhere, so it does.
            pools.give_back(proxy)
            backend = None
        reads = self._reads(proxy, state, meant)
        # Only the primary knows what the session began with.
        is_known = not state.not_inherited
        if reads and is_known:
            unfit = self._unfit(proxy, state)
            is_ro = backend is not None and backend.type == proxy.BACKEND_TYPE_RO
            if backend is not None and is_ro and backend.ndx not in unfit:
                return True
            ndx = balance.idle_ro(proxy, unfit)
            if ndx >= 0 and self._move(proxy, state, ndx):
                return True
        if backend is not None and backend.type == proxy.BACKEND_TYPE_RW:
            return True
        ndx = balance.idle_failsafe_rw(proxy)
        if ndx >= 0 and self._move(proxy, state, ndx):
            return True
        may_be_ro = meant.goes_anywhere or meant.can_be_set_anywhere
        if reads and not is_known:
            ndx = balance.idle_ro(proxy, self._unfit(proxy, state))
        else:
            ndx = balance.idle_ro(proxy) if may_be_ro else -1
        return ndx >= 0 and self._move(proxy, state, ndx)

    def _move(self, proxy: Proxy, state: SplitState, ndx: int) -> bool:
        if not pools.attach(proxy, ndx):
            return False
        state.is_at_hand = False
        if state.note_place(proxy):
            self._counters.moves += 1
        if self._splits:
            results.expect_mode(proxy, state)
        return True

    def to_primary(
        self, proxy: Proxy, state: SplitState, run: Callable[[], Decision]
    ) -> Decision | Coroutine[Any, Any, Decision]:
        """Gives the attached connection back, and runs the command on the primary."""
        pools.give_back(proxy)
        ndx = balance.idle_failsafe_rw(proxy)
        if ndx >= 0 and self._move(proxy, state, ndx):
            return run()
        return self.wait_or_refuse(proxy, state, Route(), run)

    def elsewhere(
        self, proxy: Proxy, state: SplitState, run: Callable[[], Decision]
    ) -> Decision | Coroutine[Any, Any, Decision]:
        """Gives the attached connection back, and runs the command where else it can."""
        state.passed_over.add(proxy.connection.backend_ndx)
        pools.give_back(proxy)
        if self.attach(proxy, state, state.route):
            return run()
        return self.wait_or_refuse(proxy, state, state.route, run)

    def wait_or_refuse(
        self, proxy: Proxy, state: SplitState, meant: Route, run: Callable[[], Decision]
    ) -> Decision | Coroutine[Any, Any, Decision]:
        """Runs the command when another client has given a connection back on which it can."""
        types, unfit = [proxy.BACKEND_TYPE_RW], self._unfit(proxy, state)
        if meant.goes_anywhere or meant.can_be_set_anywhere:
            types, unfit = [*types, proxy.BACKEND_TYPE_RO], frozenset()
        elif self._reads(proxy, state, meant):
            types.append(proxy.BACKEND_TYPE_RO)
        backends = [
            backend.ndx
            for backend in proxy.globals.backends
            if backend.type in types
            and backend.state == proxy.BACKEND_STATE_UP
            and backend.ndx not in unfit
        ]
        may_wait = proxy.globals.config.event_loop == "own" and self._settings.wait_seconds > 0
        if not may_wait or not backends or state.leaves_something:
            return self.refuse(proxy, state)
        # A coroutine: whoever calls the hook waits for it.
        return self._wait(proxy, state, backends, run)

    async def _wait(
        self, proxy: Proxy, state: SplitState, backends: list[int], run: Callable[[], Decision]
    ) -> Decision:
        self._counters.waits += 1
        clock = asyncio.get_running_loop()
        deadline = clock.time() + self._settings.wait_seconds
        while (left := deadline - clock.time()) > 0:
            waiting = proxy.connection.wait_for_backend(backends)
            try:
                ndx = await asyncio.wait_for(waiting, left)
            except asyncio.TimeoutError:
                break
            # Its server may have closed it just now.
            if self._move(proxy, state, ndx):
                return run()
        return self.refuse(proxy, state)

    def _unfit(self, proxy: Proxy, state: SplitState) -> Set[int]:
        """The backends that do not answer the command in progress if it is a read."""
        unfit = self._freshness.unfit(proxy)
        return unfit | state.passed_over if state.passed_over else unfit

    def _reads(self, proxy: Proxy, state: SplitState, meant: Route) -> bool:
        return meant.is_read and not state.reads_uncommitted and self._freshness.may_read(proxy)

    def refuse(self, proxy: Proxy, state: SplitState) -> Error:
        """No connection: the client has to come again, as only a client that connects can open one. It reads that as the answer to its next
        command if this one has none."""
        if not state.is_refused:
            self._counters.refusals += 1
        state.is_refused = True
        is_answered = proxy.command is None or proxy.command.type != COM_STMT_SEND_LONG_DATA
        proxy.connection.connection_close = is_answered
        text = f"{self._name}: no idle connection to a backend for this command, connect again"
        return Error(text, 1040, "08004")
