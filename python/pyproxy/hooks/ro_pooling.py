"""Connection pooling without splitting: every command goes to a read-write backend, over a connection that clients share.

    pyproxy-python-script = .../pyproxy/hooks/ro_pooling.py

A client has a server connection only while one of its commands runs, in a transaction, and while something else ties it
there; `rw_splitting` says what, and how a connection is made to fit the next client. Many clients that are idle most of
the time so need few server connections.

Settings, section `ro_pooling`:

| name | default | meaning |
|---|---|---|
| `min_idle_connections` | 4 | new clients open connections until each pool has so many of each kind |
| `max_idle_connections` | 8 | when a client leaves, its connection is closed if the pool has so many of its kind |
| `wait_seconds` | 2.0 | how long a command waits for a connection; 0: not at all |
| `is_debug` | false | prints the backend of each command |

What it cannot do: see `rw_splitting`. Read-only backends are not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyproxy._splitting.splitter import POOL_SETTINGS, Splitter
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyproxy import Auth, Decision, Injection, Proxy

settings = section("ro_pooling", **POOL_SETTINGS)
_splitter = Splitter("ro_pooling", settings, splits=False)


def init(proxy: Proxy) -> None:
    """Says what it decides, to scripts that are stacked with it."""
    _splitter.init(proxy)


def connect_server(proxy: Proxy) -> int | None:
    """Chooses a backend whose pool is to be filled, or takes a pooled connection."""
    return _splitter.connect_server(proxy)


def read_auth(proxy: Proxy) -> None:
    """Takes the login to a backend that has too few connections for such a client."""
    _splitter.read_auth(proxy)


def read_auth_result(proxy: Proxy, auth: Auth) -> None:
    """Puts the new connection into the pool."""
    _splitter.read_auth_result(proxy, auth)


def read_query(proxy: Proxy, packet: bytes) -> Decision | Coroutine[Any, Any, Decision]:
    """Takes a connection from the pool and makes it the client's."""
    return _splitter.read_query(proxy, packet)


def read_query_result(proxy: Proxy, inj: Injection) -> Decision | Coroutine[Any, Any, Decision]:
    """Gives the connection back if nothing ties the client to it."""
    return _splitter.read_query_result(proxy, inj)


def disconnect_client(proxy: Proxy) -> None:
    """Leaves the connection to others, if they may have it."""
    _splitter.disconnect_client(proxy)
