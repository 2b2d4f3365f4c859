"""The asyncio loop of hooks that wait, in tests: it tells when nothing happens, and its clock can jump."""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Optional, cast

import pyproxy

__all__ = ["EventLoop", "fakes", "new_event_loop", "owners", "running", "started"]

# The timer that is due next, as the seconds until then; None if there is none.
Idle = Callable[[Optional[float]], object]

StillWaits = Callable[[], bool]

# Descriptors that are always watched: asyncio's own, and the one by which the proxy leaves notes.
_OWN_DESCRIPTORS = 2


class EventLoop(asyncio.SelectorEventLoop):
    """The loop. It is called from its own thread, but for the methods that say otherwise."""

    def __init__(self) -> None:
        # While the clock is fake it stands here, else it goes before the world's by this.
        self._is_frozen = False
        self._base = 0.0
        self._questions: deque[Idle] = deque()
        # Who waits for something that may need time on the clock: whether it still does.
        self._waiters: list[StillWaits] = []
        # Calls that run in other threads.
        self._elsewhere = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """The clock's time, in seconds."""
        real = super().time()
        if bool(fakes) != self._is_frozen:
            now = self._base if self._is_frozen else real + self._base
            self._is_frozen = not self._is_frozen
            self._base = now if self._is_frozen else now - real
        return self._base if self._is_frozen else real + self._base

    def skip(self, seconds: float) -> None:
        """Sets the clock forward."""
        self._base += seconds

    @property
    def is_fake(self) -> bool:
        """Whether its clock does not pass by itself."""
        return self._is_frozen

    def when_idle(self, question: Idle) -> None:
        """Calls this once when nothing can happen without a timer or somebody else. From any thread."""
        self._questions.append(question)
        self.wake()

    def begin_to_jump(self, still: StillWaits) -> None:
        """From now on the clock does not wait for timers, as long as somebody `still` waits for them. From any thread."""
        self._waiters.append(still)
        self.wake()

    def end_to_jump(self, still: StillWaits) -> None:
        """The opposite of `begin_to_jump`."""
        self._waiters.remove(still)

    def wake(self) -> None:
        """Has it look around. From any thread."""
        self.call_soon_threadsafe(_nothing)

    def run_in_executor(  # type: ignore[override] # of two signatures
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._elsewhere += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: object) -> None:
        self._elsewhere -= 1

    def watch(self) -> tuple[int, tuple[StillWaits, ...]]:
        """Who wants to know when nothing can happen: how many asked, and who waits for timers."""
        return len(self._questions), tuple(self._waiters)

    def idle(
        self, timeout: float | None, descriptors: int, asked: int, waiters: Iterable[StillWaits]
    ) -> float | None:
        """Nothing could happen before this when these asked: how long it may take. Who asks later may have done something before."""
        before = self._base
        for _ in range(asked):
            self._questions.popleft()(timeout)
        if self._base != before:
            return 0
        if not self._is_frozen or timeout is None:
            return timeout
        # In this order: who does not wait any more has gone before what it got is taken.
        if not any(still() and still in self._waiters for still in waiters):
            # Nobody lets time pass.
            return None
        # What comes from outside takes the time that it takes.
        is_alone = self._elsewhere == 0 and descriptors <= _OWN_DESCRIPTORS
        if is_alone:
            self.skip(timeout)
        return 0 if is_alone else timeout

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task = super().create_task(coro, **options)
        if owners:
            owners[-1].add(task)
        return task

    def cancel(self, tasks: Iterable[asyncio.Task[Any]]) -> concurrent.futures.Future[None]:
        """Cancels these: gives the future of their end. From another thread."""
        return asyncio.run_coroutine_threadsafe(_cancel(tasks), self)


class _Selector(selectors.DefaultSelector):
    """Asks the loop before it waits."""

    def __init__(self, loop: EventLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        asked, waiters = self._loop.watch()
        events = super().select(0)
        if events:
            return events
        may_take = self._loop.idle(timeout, len(self.get_map()), asked, waiters)
        began = time.monotonic()
        events = super().select(may_take)
        if may_take and self._loop.is_fake:
            self._loop.skip(may_take if not events else min(time.monotonic() - began, may_take))
        return events


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_made: list[EventLoop] = []
# The fake clocks that tests use.
fakes: weakref.WeakSet[object] = weakref.WeakSet()
# The tasks of each proxy that has not ended. One that begins is the one's that was loaded last.
owners: list[weakref.WeakSet[asyncio.Task[Any]]] = []


def new_event_loop() -> EventLoop:
    """The loop of this process, which does not run yet."""
    _made.append(EventLoop())
    return _made[-1]


def running() -> EventLoop:
    """The loop of this process, which is started if it was not."""
    return cast(EventLoop, pyproxy.loop())


def started() -> EventLoop | None:
    """The loop of this process, if a script needed one."""
    return running() if _made else None


def _nothing() -> None:
    """Only so that the loop turns."""
