"""Memory of what was set on the server connections that clients share.

A server knows a connection by its thread id, and so does this, per backend. What is kept outlives the client that made
the settings, as the connection does when it goes to the pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyproxy._pooling.session import Profile
from pyproxy.proto import PacketError, from_response_packet

if TYPE_CHECKING:
    from pyproxy import Proxy, Socket

__all__ = ["forget", "login_collation", "note_login", "note_profile", "profile"]

# Connections that the pool found dead leave their entries behind: beyond this, the oldest entries go. What is not known
# any more is reset before it is used.
_MOST = 20_000
_EVERY_CAPABILITY = 0xFFFFFFFF

_profiles: dict[tuple[int, int], Profile] = {}


def profile(proxy: Proxy) -> Profile | None:
    """The settings of the attached connection; None if they are not known."""
    return _profiles.get(_key(proxy))


def note_profile(proxy: Proxy, profile: Profile) -> None:
    """The attached connection has these settings now."""
    while len(_profiles) >= _MOST:
        del _profiles[next(iter(_profiles))]
    _profiles[_key(proxy)] = profile


def note_login(proxy: Proxy) -> None:
    """The attached connection was logged in this moment."""
    note_profile(proxy, Profile(login_collation(proxy.connection.server)))


def forget(proxy: Proxy) -> None:
    """The attached connection will be closed, or is about to change."""
    _profiles.pop(_key(proxy), None)


def login_collation(socket: Socket | None) -> int:
    """The collation that a login asked for, as a number; 0 if it is not known."""
    packet = socket.login_packet if socket is not None else None
    try:
        return from_response_packet(packet, _EVERY_CAPABILITY).charset if packet else 0
    except PacketError:
        return 0


def _key(proxy: Proxy) -> tuple[int, int]:
    server = proxy.connection.server
    thread_id = server.thread_id if server is not None else None
    return proxy.connection.backend_ndx, thread_id or 0
