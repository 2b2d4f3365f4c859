"""Read/write splitting whose clients see what they wrote: reads stay on the primary for a while after a write.

    pyproxy-python-script = .../pyproxy/hooks/read_your_writes.py
    pyproxy-backend-addresses = primary:3306
    pyproxy-readonly-backend-address = replica:3306

It is `rw_splitting`, which see, but for this: for `seconds` after a client's command that changed data, or the end of a
transaction that did, its reads go to the primary. That is long enough if replicas are not further behind.

Settings, section `read_your_writes`:

| name | default | meaning |
|---|---|---|
| `seconds` | 2.0 | how long reads stay on the primary |
| `per_user` | false | a write counts for all connections of the same user name, not for the one only |
| `min_idle_connections` | 4 | new clients open connections until each pool has so many |
| `max_idle_connections` | 8 | when a client leaves, its connection is closed if the pool has so many |
| `wait_seconds` | 2.0 | how long a command waits for a connection; 0: not at all |
| `is_debug` | false | prints the backend of each command |

What it cannot do: it goes by the clock and does not look how far a replica really is (`ro_balance` does); it knows nothing
of writes that other programs made; with `per_user` off, a client that connects anew is as one that never wrote.
Every CALL, and every call of a function that is not built in, counts as a write.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyproxy._splitting.splitter import POOL_SETTINGS, Splitter
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyproxy import Auth, Decision, Injection, Proxy

settings = section("read_your_writes", seconds=2.0, per_user=False, **POOL_SETTINGS)

# When each user wrote last, by the clock that only goes forward.
_writes_of_users: dict[str, float] = {}


def _may_read(proxy: Proxy) -> bool:
    if settings.per_user:
        last = _writes_of_users.get(proxy.connection.client.username or "")
    else:
        last = getattr(proxy.connection, "read_your_writes_last", None)
    return last is None or time.monotonic() - last >= settings.seconds


def _wrote(proxy: Proxy) -> None:
    now = time.monotonic()
    proxy.connection.read_your_writes_last = now
    _writes_of_users[proxy.connection.client.username or ""] = now


_splitter = Splitter("read_your_writes", settings, may_read=_may_read, wrote=_wrote)


def init(proxy: Proxy) -> None:
    """Says what it decides, to scripts that are stacked with it."""
    _splitter.init(proxy)


def connect_server(proxy: Proxy) -> int | None:
    """Chooses a backend whose pool is to be filled, or takes a pooled connection."""
    return _splitter.connect_server(proxy)


def read_auth_result(proxy: Proxy, auth: Auth) -> None:
    """Puts the new connection into the pool."""
    _splitter.read_auth_result(proxy, auth)


def read_query(proxy: Proxy, packet: bytes) -> Decision | Coroutine[Any, Any, Decision]:
    """Chooses a connection for the command and makes it the client's."""
    return _splitter.read_query(proxy, packet)


def read_query_result(proxy: Proxy, inj: Injection) -> Decision | Coroutine[Any, Any, Decision]:
    """Learns from the result, and gives the connection back if nothing ties the client to it."""
    return _splitter.read_query_result(proxy, inj)


def disconnect_client(proxy: Proxy) -> None:
    """Leaves the connection to others, if they may have it."""
    _splitter.disconnect_client(proxy)
