"""Filling the pools of server connections, taking from them, and giving back.

A script cannot open a connection in the middle of a client's session: a client opens one when it connects, or takes one that another client
left. So pools are filled by clients as they come, each where the fewest idle connections are. Before the login of a client it is not known
which it could use; then those count that are of its kind: of its user, with its capabilities.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Backend, Proxy

__all__ = ["attach", "choose_for_login", "choose_for_new_client", "give_back", "has_room"]


def choose_for_new_client(
    proxy: Proxy, types: Iterable[int], min_idle: int, max_idle: int
) -> int | None:
    """Chooses where a client that just connected goes; gives what `connect_server` returns.

    That is, of the backends of the given types that take clients and have room and fewer than `min_idle` idle connections, the one with
    the fewest (of equals, the first in the order of the types), for a new one. If there is none it is the first that has a connection which
    somebody left there, or else the first with room for a new one. If all are full it is the first of all, where the client waits.
    """
    candidates = _candidates(proxy, types)
    for backend in candidates:
        # A pool gives a client without a name only what it has above its minimum.
        backend.pool.min_idle_connections = min_idle
        backend.pool.max_idle_connections = max_idle
    idle = {backend.ndx: _idle_of_all(backend) for backend in candidates if _has_room(backend)}
    fewest = min(idle, key=lambda ndx: idle[ndx], default=-1)
    if fewest >= 0 and idle[fewest] < min_idle:
        proxy.connection.backend_ndx = fewest
        return None
    for backend in candidates:
        proxy.connection.backend_ndx = backend.ndx
        if proxy.connection.server is not None:
            return proxy.PROXY_IGNORE_RESULT
    if candidates:
        best = next(filter(_has_room, candidates), candidates[0])
        proxy.connection.backend_ndx = best.ndx
    return None


def choose_for_login(proxy: Proxy, types: Iterable[int], min_idle: int) -> None:
    """Takes the login of a client, whose kind is known now, to the backend that has the fewest idle connections of it, if that is fewer
    than `min_idle`. It stays where it is if that has too few as well and the other one has any: to move costs a connection.
    """
    connection = proxy.connection
    here = connection.backend_ndx
    idle: dict[int, int] = {}
    for backend in _candidates(proxy, types):
        ndx = backend.ndx
        count = connection.idle_connections(ndx)
        can_come = connection.can_log_in_to(ndx) and _has_room_for(backend, count, min_idle)
        if ndx == here or can_come:
            idle[ndx] = count
    if here not in idle:
        return
    fewest = min(idle, key=lambda ndx: idle[ndx])
    is_needed_here = idle[here] < min_idle and idle[fewest] > 0
    if idle[fewest] < min_idle and not is_needed_here:
        connection.backend_ndx = fewest


def attach(proxy: Proxy, ndx: int) -> bool:
    """Attaches an idle connection of backend `ndx`, in place of the present one; False if there is none that fits."""
    proxy.connection.backend_ndx = ndx
    return proxy.connection.server is not None and proxy.connection.backend_ndx == ndx


def give_back(proxy: Proxy) -> None:
    """Puts the attached connection into the pool."""
    proxy.connection.backend_ndx = -1


def has_room(proxy: Proxy, max_idle: int) -> bool:
    """Whether the attached connection's backend has fewer than `max_idle` idle ones that its client could use."""
    ndx = proxy.connection.backend_ndx
    return ndx >= 0 and proxy.connection.idle_connections(ndx) < max_idle


def _candidates(proxy: Proxy, types: Iterable[int]) -> list[Backend]:
    """The backends of these types that take clients, in the order of the types."""
    return [
        backend
        for type in types
        for backend in proxy.globals.backends
        if backend.type == type and backend.takes_clients
    ]


def _has_room_for(backend: Backend, count: int, min_idle: int) -> bool:
    """Whether a client can bring a connection that has `count` idle ones of its kind there: a full backend closes one of another kind."""
    return _has_room(backend) or (count == 0 and _idle_of_all(backend) >= min_idle)


def _has_room(backend: Backend) -> bool:
    return not backend.max_connections or backend.open_connections < backend.max_connections


def _idle_of_all(backend: Backend) -> int:
    return backend.pool.users[""].cur_idle_connections
