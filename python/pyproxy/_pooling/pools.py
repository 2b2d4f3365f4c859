"""Filling the pools of server connections, taking from them, and giving back.

A script cannot open a connection in the middle of a client's session: a client opens one when it connects, or takes one
that another client left. So a pool is filled by clients as they come: each is sent to the first backend that has fewer
idle connections than it should.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Backend, Proxy

__all__ = ["attach", "choose_for_new_client", "give_back", "has_room"]


def choose_for_new_client(
    proxy: Proxy, types: Iterable[int], min_idle: int, max_idle: int
) -> int | None:
    """Chooses where a client that just connected goes; gives what `connect_server` returns.

    That is the first backend of the given types, in their order, that is not DOWN and has room and fewer than `min_idle` idle
    connections, for a new one. If none is like that it is the first that has a connection which somebody left there, or else
    the first with room for a new one. If all are full it is the first of all, where the client waits.
    """
    candidates = [
        backend
        for type in types
        for backend in proxy.globals.backends
        if backend.type == type and backend.state != proxy.BACKEND_STATE_DOWN
    ]
    for backend in candidates:
        # A pool gives a client without a name only what it has above its minimum.
        backend.pool.min_idle_connections = min_idle
        backend.pool.max_idle_connections = max_idle
    for backend in candidates:
        if _has_room(backend) and _idle_of_all(backend) < min_idle:
            proxy.connection.backend_ndx = backend.ndx
            return None
    for backend in candidates:
        proxy.connection.backend_ndx = backend.ndx
        if proxy.connection.server is not None:
            return proxy.PROXY_IGNORE_RESULT
    if candidates:
        best = next(filter(_has_room, candidates), candidates[0])
        proxy.connection.backend_ndx = best.ndx
    return None


def attach(proxy: Proxy, ndx: int) -> bool:
    """Attaches an idle connection of backend `ndx`, in place of the present one; False if there is none that fits."""
    proxy.connection.backend_ndx = ndx
    return proxy.connection.server is not None and proxy.connection.backend_ndx == ndx


def give_back(proxy: Proxy) -> None:
    """Puts the attached connection into the pool."""
    proxy.connection.backend_ndx = -1


def has_room(proxy: Proxy, max_idle: int) -> bool:
    """Whether the attached connection's backend has fewer than `max_idle` idle ones."""
    backend = proxy.connection.backend
    return backend is not None and _idle_of_all(backend) < max_idle


def _has_room(backend: Backend) -> bool:
    return not backend.max_connections or backend.open_connections < backend.max_connections


def _idle_of_all(backend: Backend) -> int:
    return backend.pool.users[""].cur_idle_connections
