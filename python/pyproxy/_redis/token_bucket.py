"""Buckets of tokens that fill at a steady rate, in Redis: one round trip for each token, whoever asks.

A bucket is one number, the moment at which it will be full again (this is known as GCRA), by the clock of Redis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pyproxy._redis.service import Service

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["TokenBuckets"]

# KEYS: the bucket. ARGV: microseconds for one token, tokens in a full bucket, microseconds that the caller would wait. Gives
# the microseconds until the token is there; -1 if that is too long, and nothing is taken then.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, size, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local wait = math.max(full - now - interval * size, 0)
if wait > patience then return -1 end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return math.ceil(wait)
"""


class TokenBuckets:
    """The buckets whose keys begin with `prefix`."""

    def __init__(self, service: Service, prefix: str) -> None:
        self._service = service
        self._prefix = prefix

    async def take(self, name: str, rate: float, size: float, patience: float) -> float | None:
        """Takes a token of the bucket `name`, which gets `rate` of them in a second and holds `size`.

        Gives the seconds until the token is there, `patience` at most; None if that would be longer: then none is taken.
        Raises Unavailable.
        """
        arguments = (1e6 / rate, size, math.floor(patience * 1e6))
        wait = await self._service.call(lambda redis: self._run(redis, name, arguments))
        return None if wait < 0 else wait / 1e6

    async def _run(self, redis: Redis, name: str, arguments: tuple[float, ...]) -> int:
        script = redis.register_script(_TAKE)
        return int(await script(keys=[self._prefix + name], args=list(arguments)))
