"""Results in Redis, and the versions of tables that tell whether they are true.

A version is a random text. Whoever changes a table gives it another one, before and behind the change; a result counts
as long as all its tables have the versions that they had before it was asked for. A version that Redis has forgotten is
never the same again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from pyproxy._redis.service import Service, Unavailable
from pyproxy._result_cache.entry import Entry, pack, unpack

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["ALL", "Cache"]

ALL = "*"
"""What stands for all tables: it has a version, too."""

# Seconds that a version outlives the results with it. One that is gone makes them untrue.
_MORE = 86_400


class Cache:
    """The results that all proxies with this Redis and `prefix` share. Names of tables are the same in any case."""

    def __init__(self, service: Service, prefix: str, ttl: int) -> None:
        self._service = service
        self._prefix = prefix
        self._ttl = ttl
        # Tables whose change Redis was not told of yet, each with the number of that change.
        self._owed: dict[str, int] = {}
        self._changes = count()

    async def look_up(
        self, key: str, tables: Iterable[str]
    ) -> tuple[Entry | None, dict[str, str] | None]:
        """The result that is kept under `key`, if it is true, and the present versions of `tables`, if Redis answers."""
        try:
            await self._settle()
            names = [ALL, *map(str.lower, tables)]
            data, *found = await self._get([self._entry(key), *map(self._version, names)])
            versions = _texts(names, found)
            entry = unpack(data) if data else None
            if entry is not None:
                # It may depend on tables that the statement does not name.
                more = [name for name in entry.versions if name not in names]
                if more:
                    found = await self._get(list(map(self._version, more)))
                    versions.update(_texts(more, found))
                if versions.items() >= entry.versions.items():
                    return entry, versions
            return None, await self._completed(versions, names)
        except Unavailable:
            return None, None

    async def versions(self, tables: Sequence[str]) -> dict[str, str] | None:
        """The present versions of `tables`; None if Redis does not answer."""
        try:
            return await self._completed({}, list(map(str.lower, tables)))
        except Unavailable:
            return None

    async def keep(self, key: str, versions: Mapping[str, str], packets: Sequence[bytes]) -> None:
        """Keeps a result that was asked for when the tables had these versions, or some time later."""
        data = pack(versions, packets)
        try:
            await self._service.call(lambda redis: redis.set(self._entry(key), data, ex=self._ttl))
        except Unavailable:
            pass

    async def note_changes(self, tables: Iterable[str]) -> bool:
        """Gives tables new versions; `ALL` is every one. False if Redis does not answer: it is told later."""
        for name in tables:
            self._owed[name.lower()] = next(self._changes)
        try:
            await self._settle()
        except Unavailable:
            return False
        return True

    async def _get(self, keys: Sequence[str]) -> list[bytes | None]:
        found: list[Any] = await self._service.call(lambda redis: redis.mget(keys))
        return found

    async def _settle(self) -> None:
        """Tells Redis what it was not told yet. Until that is done nothing else is asked of it."""
        while self._owed:
            told = dict(self._owed)
            await self._service.call(partial(self._renew, (ALL,) if ALL in told else tuple(told)))
            for name, number in told.items():
                # One that changed once more meanwhile is told once more.
                if self._owed.get(name) == number:
                    del self._owed[name]

    async def _renew(self, names: Iterable[str], redis: Redis) -> None:
        async with redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.set(self._version(name), _new_version(), ex=self._ttl + _MORE)
            await pipeline.execute()

    async def _completed(self, versions: dict[str, str], names: Sequence[str]) -> dict[str, str]:
        """`versions` with those of all `names`: a table without one gets one."""
        missing = [name for name in names if name not in versions]
        if missing:
            found = await self._service.call(lambda redis: self._begin(redis, missing))
            versions.update(_texts(missing, found))
        return versions

    async def _begin(self, redis: Redis, names: Sequence[str]) -> list[bytes | None]:
        keys = list(map(self._version, names))
        async with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.set(key, _new_version(), ex=self._ttl + _MORE, nx=True)
            pipeline.mget(keys)
            found: list[bytes | None] = (await pipeline.execute())[-1]
            return found

    def _entry(self, key: str) -> str:
        return f"{self._prefix}result:{key}"

    def _version(self, table: str) -> str:
        return f"{self._prefix}version:{table}"


def _new_version() -> str:
    return secrets.token_hex(8)


def _texts(names: Sequence[str], found: Sequence[bytes | None]) -> dict[str, str]:
    return {name: value.decode() for name, value in zip(names, found) if value is not None}
