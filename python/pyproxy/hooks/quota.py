"""Limits for each user that all proxies share: queries per second, counted in Redis.

    [quota]
    redis = redis://127.0.0.1:6379/0
    queries_per_second = 50
    burst = 200

Each user has one bucket of tokens in Redis, whatever proxy it comes through. It fills at `queries_per_second` up to `burst`; a command takes
one token. A command that finds the bucket empty waits up to `max_wait` seconds for its token, and only its own client with it. If
that would not do, it is refused at once with `ERROR 1226 (42000)`, and the connection stays open.

Settings, section `[quota]`:

| setting | default | |
|---|---|---|
| `redis` | redis://127.0.0.1:6379/0 | the address, `rediss://` and `unix://` too; with user and password |
| `prefix` | pyproxy:quota: | what the keys begin with |
| `queries_per_second` | 0.0 | how fast the bucket fills; 0 is no limit |
| `burst` | 0 | how much is in a full bucket; 0: the queries of one second, but at least 1 |
| `max_wait` | 0.0 | seconds that a command may wait for its token |
| `per_address` | false | count each client address of a user by itself |
| `timeout` | 0.25 | seconds that Redis may take for an answer |
| `retry_after` | 1.0 | seconds without a question after it has not answered |
| `on_failure` | allow | `refuse`: while Redis is away, limited users get `ERROR 1226` |

Section `[quota_users]` has the limits of single users: `report = queries_per_second=2 burst=10 max_wait=5`. What is not
named there is as in `[quota]`.

COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE and all other commands with an answer cost one token, whatever they do. COM_PING
is free, so that connection pools can look after their connections.

What it cannot do:

* Commands count, not their weight: several statements in one text are one command.
* Each command of a limited user costs a question to Redis; `rate_limit` counts in the process, for nothing.
* `max_wait` has to be shorter than `pyproxy-hook-timeout`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import pyproxy
from pyproxy import Error
from pyproxy._common.limits import limits_of_users
from pyproxy._redis.service import Service, Unavailable
from pyproxy._redis.token_bucket import TokenBuckets
from pyproxy.settings import SettingsError, require, section

if TYPE_CHECKING:
    from pyproxy import Connection, Proxy

__all__ = ["init", "read_query", "settings", "shutdown"]

settings = section(
    "quota",
    redis="redis://127.0.0.1:6379/0",
    prefix="pyproxy:quota:",
    queries_per_second=0.0,
    burst=0,
    max_wait=0.0,
    per_address=False,
    timeout=0.25,
    retry_after=1.0,
    on_failure="allow",
)

_FREE = frozenset(
    (
        pyproxy.COM_QUIT,
        pyproxy.COM_PING,
        pyproxy.COM_STMT_CLOSE,
        pyproxy.COM_STMT_SEND_LONG_DATA,
    )
)
_TYPES = {"queries_per_second": float, "burst": int, "max_wait": float}


class _Limits(NamedTuple):
    """What a user may do."""

    queries_per_second: float
    burst: int
    max_wait: float


_overrides: dict[str, dict[str, float]] = {}
_service: Any = None
_buckets: Any = None


def init(proxy: Proxy) -> None:
    """Reads the settings; what is wrong with them stops the start."""
    global _service, _buckets
    require("quota", "quota", "quota_users")
    if settings.on_failure not in ("allow", "refuse"):
        raise SettingsError("[quota] on_failure: expected allow or refuse")
    _overrides.clear()
    _overrides.update(limits_of_users("quota_users", _TYPES))
    waits = [settings.max_wait, *(own.get("max_wait", 0) for own in _overrides.values())]
    if max(waits) >= proxy.globals.config.hook_timeout > 0:
        raise SettingsError("[quota] max_wait is not shorter than pyproxy-hook-timeout")
    _service = Service("quota", settings.redis, settings.timeout, settings.retry_after)
    _buckets = TokenBuckets(_service, settings.prefix)


async def shutdown(proxy: Proxy) -> None:
    """Ends the connections to Redis."""
    if _service is not None:
        await _service.close()


def read_query(proxy: Proxy, packet: bytes) -> Any:
    """Takes a token for the command, waits for it, or refuses the command."""
    if packet[0] in _FREE:
        return None
    user = proxy.connection.client.username or ""
    limits = _limits(user)
    if limits.queries_per_second <= 0:
        return None
    return _take(user, _key(proxy.connection, user), limits)


async def _take(user: str, key: str, limits: _Limits) -> Error | None:
    size = limits.burst or max(1.0, limits.queries_per_second)
    try:
        wait = await _buckets.take(key, limits.queries_per_second, size, limits.max_wait)
    except Unavailable:
        if settings.on_failure == "allow":
            return None
        return Error(
            f"The quota of user '{user}' is not known: Redis does not answer", 1226, "42000"
        )
    if wait is None:
        limit = f"(current value: {limits.queries_per_second:g})"
        message = f"User '{user}' has exceeded the 'queries_per_second' resource {limit}"
        return Error(message, 1226, "42000")
    if wait > 0:
        await asyncio.sleep(wait)
    return None


def _limits(user: str) -> _Limits:
    own = _overrides.get(user, {})
    return _Limits(
        own.get("queries_per_second", settings.queries_per_second),
        int(own.get("burst", settings.burst)),
        own.get("max_wait", settings.max_wait),
    )


def _key(connection: Connection, user: str) -> str:
    client = connection.client
    if not settings.per_address or client.src is None:
        return user
    # No address has a NUL in it, and no user name has.
    return f"{user}\0{client.src.address}"
