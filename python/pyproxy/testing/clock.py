"""The clock of hooks that wait."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from .event_loop import EventLoop, StillWaits, fakes, running, started

__all__ = ["Clock"]


class Clock:
    """What `asyncio.sleep`, time-outs and `pyproxy-hook-timeout` go by: the time of the world, or one that a test moves.

    That of a fake one does not pass by itself. While the test waits for an answer, it jumps to whatever is due next; apart from
    that `advance` moves it. What hooks await of threads and sockets takes the time that it takes. There is one event loop in a
    process: other sessions have the same time meanwhile.
    """

    def __init__(self, is_fake: bool, patience: float, go_on: Callable[[], None]) -> None:
        """`go_on` lets the clients whose commands wait get what they can without a timer."""
        self._is_fake = is_fake
        if is_fake:
            fakes.add(self)
        self._patience = patience
        self._go_on = go_on

    def advance(self, seconds: float) -> None:
        """Lets this time pass: all that is due meanwhile happens, in order."""
        if not self._is_fake:
            raise RuntimeError('only a fake clock can be moved: Session(..., clock="fake")')
        loop = running()
        target = loop.time() + seconds
        self._go_on()
        while _next_timer(loop, target, self._patience):
            self._go_on()
        self._go_on()

    def stop(self) -> None:
        """The proxy has ended."""
        fakes.discard(self)
        loop = started()
        if loop is not None:
            loop.wake()

    def wait(self, future: Future[Any]) -> bool:
        """Waits for a future of the event loop. Whether it was done in time; else it is cancelled."""

        def still() -> bool:
            return not future.done()

        self.begin_to_wait(still)
        done, _ = concurrent.futures.wait([future], self._patience)
        self.end_to_wait(still)
        return bool(done) or not future.cancel()

    def begin_to_wait(self, still: StillWaits) -> None:
        """Somebody waits for a hook, or the like, as long as this is true."""
        if self._is_fake:
            running().begin_to_jump(still)

    def end_to_wait(self, still: StillWaits) -> None:
        """Not any more."""
        if self._is_fake:
            running().end_to_jump(still)


def _next_timer(loop: EventLoop, target: float, patience: float) -> bool:
    """Sets the clock to the next timer, if that is due by `target`; else to `target`. Whether there was one."""
    found: list[bool] = []
    happened = threading.Event()

    def step(timeout: float | None) -> None:
        left = target - loop.time()
        is_due = timeout is not None and timeout <= left
        loop.skip(timeout if is_due and timeout is not None else max(left, 0.0))
        found.append(is_due)
        happened.set()

    loop.when_idle(step)
    if not happened.wait(patience):
        raise RuntimeError(f"a hook or a task has not come to a wait after {patience} s")
    return found[0]
