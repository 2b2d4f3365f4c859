"""`proxy.connection`: both sides of a connection, and the state a script keeps with it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from .access import Slot, alive, change
from .process import Backend
from .state import ClientSide, ServerSide, SessionState
from .text import quoted, to_str
from .values import Address
from .wire.replies import Capability

__all__ = ["Connection", "Socket"]


class Connection:
    """A client connection.

    Attributes that a script sets live as long as the connection.
    """

    __slots__ = ("__dict__", "__slot", "__weakref__")

    def __init__(self, slot: Slot[SessionState]) -> None:
        object.__setattr__(self, "_Connection__slot", slot)

    @property
    def client(self) -> Socket:
        """The client's side."""
        slot = _slot(self)
        alive(slot)
        return Socket(slot, None)

    @property
    def server(self) -> Socket | None:
        """The server's side; None while no server connection is attached."""
        slot = _slot(self)
        server = alive(slot).server
        return None if server is None else Socket(slot, server)

    @property
    def backend_ndx(self) -> int:
        """Index of the backend in `proxy.globals.backends`; -1 for none.

        Setting -1 parks the server connection in the pool. Setting n takes a fitting idle connection of backend
        n from the pool, or, before a server is connected, chooses where to connect. If none fits, the index
        stays as it is.
        """
        ndx = alive(_slot(self)).backend_ndx
        return -1 if ndx is None else ndx

    @backend_ndx.setter
    def backend_ndx(self, value: int) -> None:
        ndx = operator.index(value)
        if ndx < -1:
            raise ValueError("backend_ndx is the index of a backend, or -1 for none")
        session = change(_slot(self))
        if not session.set_backend(None if ndx == -1 else ndx):
            session.shared.log(
                "warning",
                f"connection {session.id}: no idle connection of backend {ndx} fits this client, "
                "backend_ndx stays as it is",
            )

    @property
    def backend(self) -> Backend | None:
        """The backend of `backend_ndx`; None for none."""
        session = alive(_slot(self))
        ndx = session.backend_ndx
        return None if ndx is None else Backend(session.shared, ndx)

    @property
    def connection_close(self) -> bool:
        """Whether the client's connection is closed after the result in progress."""
        return alive(_slot(self)).close_after_result

    @connection_close.setter
    def connection_close(self, value: int) -> None:
        if not isinstance(value, int):
            raise TypeError(f"{type(value).__name__!r} object cannot be converted to 'int'")
        change(_slot(self)).close_after_result = bool(value)

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...

    def __getattribute__(self, name: str, /) -> Any:
        # What a script set is guarded like everything else.
        if not name.startswith("__"):
            alive(_slot(self))
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any, /) -> None:
        alive(_slot(self))
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str, /) -> None:
        alive(_slot(self))
        object.__delattr__(self, name)

    def __repr__(self) -> str:
        try:
            session = alive(_slot(self))
        except ReferenceError:
            return "<pyproxy.Connection (gone)>"
        return f"<pyproxy.Connection {session.id} of {session.client.src}>"


def _slot(connection: Connection) -> Slot[SessionState]:
    """Past the guard of attributes, which asks the slot itself."""
    slot: Slot[SessionState] = object.__getattribute__(connection, "_Connection__slot")
    return slot


class Socket:
    """One side of a connection: the client, or a server while it is attached.

    What is not known yet is None.
    """

    __slots__ = ("_server", "_slot")

    def __init__(self, slot: Slot[SessionState], server: ServerSide | None) -> None:
        self._slot = slot
        self._server = server

    def _end(self) -> ClientSide | ServerSide:
        session = alive(self._slot)
        if self._server is None:
            return session.client
        if session.server is not self._server:
            raise ReferenceError("the server connection is gone")
        return self._server

    @property
    def src(self) -> Address | None:
        """Where the connection comes from: the client itself, or our end towards the server."""
        return self._end().src

    @property
    def dst(self) -> Address | None:
        """Where the connection goes to: our listening end, or the server."""
        return self._end().dst

    @property
    def default_db(self) -> str:
        """The default database; empty if there is none."""
        return to_str(self._end().default_db)

    @property
    def username(self) -> str | None:
        """The user name of the login."""
        login = self._end().login
        return None if login is None else to_str(login.username)

    @property
    def auth_plugin_name(self) -> str | None:
        """The authentication method: of the login if there was one, else the one the server proposed."""
        end = self._end()
        source = end.login or end.handshake
        if source is None or source.auth_plugin is None:
            return None
        return to_str(source.auth_plugin)

    @property
    def mysqld_version(self) -> int | None:
        """The server's version as a number: 80036 for 8.0.36."""
        handshake = self._end().handshake
        return None if handshake is None else handshake.version_id

    @property
    def thread_id(self) -> int | None:
        """The server's id of the connection."""
        handshake = self._end().handshake
        return None if handshake is None else handshake.thread_id

    @property
    def scramble_buffer(self) -> bytes | None:
        """The random bytes of the server's handshake: 20, and a NUL if the server announces authentication
        methods.
        """
        handshake = self._end().handshake
        if handshake is None:
            return None
        with_plugin = handshake.capabilities & Capability.PLUGIN_AUTH
        return handshake.scramble if with_plugin else handshake.scramble[:20]

    @property
    def scrambled_password(self) -> bytes | None:
        """What the login proved the password with."""
        login = self._end().login
        return None if login is None else login.auth_response

    @property
    def login_packet(self) -> bytes | None:
        """The payload of the login, with the capabilities that the proxy passes on."""
        login = self._end().login
        return None if login is None else login.encode()

    def __repr__(self) -> str:
        side = "client" if self._server is None else "server"
        try:
            end = self._end()
        except ReferenceError:
            return f"<pyproxy.Socket {side} (gone)>"
        peer = end.src if self._server is None else end.dst
        if end.login is None:
            return f"<pyproxy.Socket {side} {peer}>"
        user = quoted(end.login.username.decode("utf-8", "replace"))
        return f"<pyproxy.Socket {side} {peer} user={user}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Socket):
            return False
        return self._slot is other._slot and self._server is other._server

    def __hash__(self) -> int:
        return hash((id(self._slot), id(self._server)))
