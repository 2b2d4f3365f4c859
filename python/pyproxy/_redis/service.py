"""A Redis server that may be away: nobody waits for it long, and the log says so once.

service = Service("quota", "redis://127.0.0.1:6379/0", timeout=0.25, retry_after=1.0)
value = await service.call(lambda redis: redis.get("key"))    # or Unavailable
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

try:
    import redis.asyncio
    import redis.exceptions
except ImportError as error:
    raise ImportError(
        "this script keeps its state in Redis and needs the package redis (5 or later): install it for the Python of the "
        f"proxy, or into the environment that pyproxy-venv names ({error})"
    ) from None

from pyproxy.settings import SettingsError

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["Service", "Unavailable"]

_T = TypeVar("_T")
_log = logging.getLogger("pyproxy.redis")
_clock = time.monotonic


class Unavailable(Exception):
    """Redis did not answer, now or a moment ago."""


class Service:
    """The connections to one Redis. To be used on the loop of the hooks that wait."""

    def __init__(self, script: str, url: str, timeout: float, retry_after: float) -> None:
        """`script` is who the log is about. An answer is awaited for `timeout` seconds, and after a failure nothing is asked for
        `retry_after` seconds.
        """
        self._script = script
        self._url = url
        self._timeout = timeout
        self._retry_after = retry_after
        self._asks_again_at = 0.0
        self._is_away = False
        try:
            self._redis: Redis = redis.asyncio.from_url(
                url, socket_connect_timeout=timeout, socket_timeout=timeout
            )
        except ValueError as error:
            raise SettingsError(f"[{script}] redis={url}: {error}") from None

    async def call(self, ask: Callable[[Redis], Awaitable[_T]]) -> _T:
        """What `ask` gets from Redis. Raises Unavailable if that is nothing."""
        if self._is_away and _clock() < self._asks_again_at:
            raise Unavailable
        try:
            # The time-outs of the sockets are about each read.
            answer = await asyncio.wait_for(_awaited(ask(self._redis)), self._timeout)
        except (redis.exceptions.RedisError, OSError, asyncio.TimeoutError) as error:
            self._note_failure(error)
            raise Unavailable from None
        if self._is_away:
            self._is_away = False
            _log.warning("%s: Redis answers again", self._script)
        return answer

    async def close(self) -> None:
        """Ends the connections."""
        await self._redis.aclose()

    def _note_failure(self, error: BaseException) -> None:
        self._asks_again_at = _clock() + self._retry_after
        if not self._is_away:
            self._is_away = True
            what = str(error) or type(error).__name__
            _log.warning("%s: Redis does not answer (%s): %s", self._script, self._place(), what)

    def _place(self) -> str:
        """The address without what is secret in it."""
        return self._url.rpartition("@")[2].partition("?")[0]


async def _awaited(answer: Awaitable[_T]) -> _T:
    return await answer
