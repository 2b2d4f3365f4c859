"""Limits for each user: queries per second, and connections at the same time.

Each user has a bucket of tokens that fills at `queries_per_second` up to `burst`; a command takes one. A command that
finds the bucket empty is refused with `ERROR 1226 (42000)`, the error of MySQL's own resource limits, and the connection
stays open. A log-in above `max_connections` gets the same error, and is closed.

Settings, section `[rate_limit]`; 0 is no limit:

| setting | default | |
|---|---|---|
| `queries_per_second` | 0.0 | how fast the bucket fills |
| `burst` | 0 | how much is in a full bucket; 0: the queries of one second, but at least 1 |
| `max_connections` | 0 | connections of a user that are logged in at the same time |
| `per_address` | false | count each client address of a user by itself |
| `max_tracked` | 10000 | buckets that are kept; the one that was not used for longest goes |

Section `[rate_limit_users]` has the limits of single users: `report = queries_per_second=2 burst=10 max_connections=1`.
What is not named there is as in `[rate_limit]`.

COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE and all other commands with an answer cost one token, whatever they do.
COM_PING is free, so that connection pools can look after their connections.

What it cannot do:

* It never waits: a client that wants to go slower must do so when it gets the error.
* The counters are those of this process. Several proxies, or a reload of the script, each start anew; `quota` has
  counters that proxies share, and can wait.
* Commands count, not their weight: several statements in one text are one command.
* Failed log-ins are not counted.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pyproxy
from pyproxy import Error
from pyproxy._common.limits import limits_of_users
from pyproxy.settings import require, section

if TYPE_CHECKING:
    from pyproxy import Auth, Connection, Decision, Proxy

__all__ = ["disconnect_client", "init", "read_auth_result", "read_query", "settings"]

settings = section(
    "rate_limit",
    queries_per_second=0.0,
    burst=0,
    max_connections=0,
    per_address=False,
    max_tracked=10_000,
)

_FREE = frozenset(
    (
        pyproxy.COM_QUIT,
        pyproxy.COM_PING,
        pyproxy.COM_STMT_CLOSE,
        pyproxy.COM_STMT_SEND_LONG_DATA,
    )
)
_OK = 0
_TYPES = {"queries_per_second": float, "burst": int, "max_connections": int}


class _Limits(NamedTuple):
    """What a user may do."""

    queries_per_second: float
    burst: int
    max_connections: int

    def size(self) -> float:
        """What a full bucket holds."""
        return self.burst or max(1.0, self.queries_per_second)


class _Buckets:
    """The users' buckets, the one used last at the end."""

    def __init__(self) -> None:
        # The level at a moment, in seconds.
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, limits: _Limits, now: float) -> bool:
        """Takes a token; False if there is none."""
        size = limits.size()
        level, moment = self._buckets.pop(key, (size, now))
        level = min(size, level + (now - moment) * limits.queries_per_second)
        has_token = level >= 1
        self._buckets[key] = (level - 1 if has_token else level, now)
        while len(self._buckets) > max(1, settings.max_tracked):
            del self._buckets[next(iter(self._buckets))]
        return has_token


_clock = time.monotonic
_buckets = _Buckets()
_connections: dict[str, int] = {}
_overrides: dict[str, dict[str, float]] = {}


def init(proxy: Proxy) -> None:
    """Reads the limits of single users; what is wrong with them stops the start."""
    require("rate_limit", "rate_limit", "rate_limit_users")
    _overrides.clear()
    _overrides.update(limits_of_users("rate_limit_users", _TYPES))


def read_auth_result(proxy: Proxy, auth: Auth) -> Error | None:
    """Counts a connection that the server let in, and refuses it if it is one too many."""
    if auth.packet[:1] != bytes((_OK,)):
        return None
    return _admit(proxy)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Takes a token for the command, or refuses it."""
    # A log-in without an answer of a server is met here first, and so is the user of a COM_CHANGE_USER.
    refusal = _admit(proxy)
    if refusal is not None:
        proxy.connection.connection_close = True
        return refusal
    if packet[0] in _FREE:
        return None
    user = proxy.connection.client.username or ""
    limits = _limits(user)
    if limits.queries_per_second <= 0:
        return None
    if _buckets.take(_key(proxy.connection), limits, _clock()):
        return None
    return _refuse(user, "queries_per_second", limits.queries_per_second)


def disconnect_client(proxy: Proxy) -> None:
    """The connection does not count any more."""
    _release(proxy.connection)


def _admit(proxy: Proxy) -> Error | None:
    """Counts the connection for its user, unless it is counted; a refusal if that is one too many."""
    connection = proxy.connection
    key = _key(connection)
    if getattr(connection, "rate_limit_key", None) == key:
        return None
    _release(connection)
    user = connection.client.username or ""
    limit = _limits(user).max_connections
    if 0 < limit <= _connections.get(key, 0):
        return _refuse(user, "max_connections", limit)
    _connections[key] = _connections.get(key, 0) + 1
    connection.rate_limit_key = key
    return None


def _release(connection: Connection) -> None:
    key = getattr(connection, "rate_limit_key", None)
    if key is None:
        return
    connection.rate_limit_key = None
    left = _connections.get(key, 0) - 1
    if left > 0:
        _connections[key] = left
    else:
        _connections.pop(key, None)


def _key(connection: Connection) -> str:
    client = connection.client
    user = client.username or ""
    if not settings.per_address or client.src is None:
        return user
    # No address has a NUL in it, and no user name has.
    return f"{user}\0{client.src.address}"


def _limits(user: str) -> _Limits:
    own = _overrides.get(user, {})
    return _Limits(
        own.get("queries_per_second", settings.queries_per_second),
        int(own.get("burst", settings.burst)),
        int(own.get("max_connections", settings.max_connections)),
    )


def _refuse(user: str, resource: str, limit: float) -> Error:
    message = f"User '{user}' has exceeded the '{resource}' resource (current value: {limit:g})"
    return Error(message, 1226, "42000")
