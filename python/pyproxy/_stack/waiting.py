"""Hooks that wait and hooks that do not, in one way.

What a stack does is written once, as coroutines. They are begun where the proxy calls the hook, and have ended there if no
script waits. At the first one that does, what is left becomes the plugin's, as the coroutine of a hook: it runs on the event
loop, and so does the script's.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from pyproxy import _native

__all__ = ["begin", "is_async", "outcome"]

T = TypeVar("T")


def begin(coroutine: Coroutine[Any, Any, T]) -> T | Coroutine[Any, Any, T]:
    """Runs it until a script waits: gives what it returned, or what is left of it."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    return coroutine


async def outcome(returned: Any) -> Any:
    """What a hook returned, once it has ended if it is one that waits."""
    if not inspect.iscoroutine(returned):
        return returned
    try:
        if not _native.is_event_loop():
            await _leave_to_the_loop()
    except BaseException:
        returned.close()
        raise
    value = await returned
    if _native.hook_is_cancelled():
        # The script went on all the same, but nobody else has to.
        raise asyncio.CancelledError
    return value


def is_async(function: object) -> bool:
    """Whether it is a function that gives a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 # not whether it is callable
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


@types.coroutine
def _leave_to_the_loop() -> Generator[None, None, None]:
    # `begin` returns here. The next step is the loop's.
    yield
