"""Choosing a backend by what its pool has for the client in hand: connections of its user, with its capabilities.

    from pyproxy import balance

    def read_query(proxy, packet):
        proxy.connection.backend_ndx = balance.idle_failsafe_rw(proxy)

An index is a position in `proxy.globals.backends`; -1 means that no backend qualifies, and is what `backend_ndx` takes
for "none".
"""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Backend, Proxy

__all__ = ["idle_connections", "idle_failsafe_rw", "idle_ro"]


def idle_failsafe_rw(proxy: Proxy) -> int:
    """The first read-write backend that takes clients and has an idle connection for the client; -1 if none."""
    connection = proxy.connection
    for ndx, backend in enumerate(proxy.globals.backends):
        is_meant = backend.type == proxy.BACKEND_TYPE_RW and backend.takes_clients
        if is_meant and connection.idle_connections(ndx):
            return ndx
    return -1


def idle_ro(proxy: Proxy, but: Container[int] = ()) -> int:
    """Of the read-only backends that take clients and have an idle connection for the client, the one with the fewest
    clients (the first of them, if several have as few); -1 if there is none. Those in `but` are left out.
    """
    connection = proxy.connection
    best, fewest = -1, 0
    for ndx, backend in enumerate(proxy.globals.backends):
        if backend.type != proxy.BACKEND_TYPE_RO or not backend.takes_clients or ndx in but:
            continue
        clients = backend.connected_clients
        # The pools are looked at last: that costs most.
        if (best < 0 or clients < fewest) and connection.idle_connections(ndx):
            best, fewest = ndx, clients
    return best


def idle_connections(proxy: Proxy, backend: Backend) -> int:
    """Number of idle connections of `backend` that the client may have; 0 before the login."""
    return proxy.connection.idle_connections(backend.ndx)
