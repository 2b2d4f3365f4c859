"""What a proxy knows of its backends and connections, without any of its objects for scripts.

The engine of `pyproxy.testing` fills this, the classes beside this module show it to scripts.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Protocol

from .access import Slot
from .cursors import Cursors
from .values import Address
from .wire.login import Handshake, Login
from .wire.replies import Capability, Status
from .wire.tracker import Summary

__all__ = [
    "BackendState",
    "ClientSide",
    "InjectionState",
    "Link",
    "Log",
    "QueuedQuery",
    "ServerSide",
    "SessionState",
    "Shared",
]

UNKNOWN, UP, DOWN = 0, 1, 2
READ_WRITE, READ_ONLY = 1, 2
# A backend that is DOWN for longer, in seconds, is tried again.
_RETRY_AFTER = 4
# Capability bits that change what a server sends or understands.
_DIALECT = (
    Capability.FOUND_ROWS
    | Capability.IGNORE_SPACE
    | Capability.INTERACTIVE
    | Capability.LOCAL_FILES
    | Capability.MULTI_STATEMENTS
    | Capability.MULTI_RESULTS
    | Capability.PS_MULTI_RESULTS
    | Capability.SESSION_TRACK
    | Capability.DEPRECATE_EOF
)

Log = Callable[[str, str], None]


class Link(Protocol):
    """A connection to a server, as far as the pool cares."""

    closed: bool

    def close(self) -> None:
        """Hangs up."""


@dataclass
class QueuedQuery:
    """A packet in `proxy.queries`."""

    id: int
    packet: bytes
    resultset_is_needed: bool
    queued_at: float = field(default_factory=time.monotonic)


@dataclass
class InjectionState:
    """A queued query that was sent, and what came back: payloads, if they were asked for."""

    query: QueuedQuery
    first_packet_at: float | None = None
    last_packet_at: float | None = None
    summary: Summary = Summary()
    packets: list[bytes] = field(default_factory=list)
    kept_bytes: int = 0
    # More came than may be kept: nothing is.
    overflowed: bool = False
    # The payload of the ERR that ended the result, also if the packets were not asked for.
    error: bytes | None = None
    # Of a COM_STMT_FETCH: the column definitions of its rows, which come without.
    cursor: list[bytes] | None = None

    def micros_until(self, moment: float | None) -> int | None:
        """Microseconds from queueing to `moment`; None before it happened."""
        return None if moment is None else int((moment - self.query.queued_at) * 1_000_000)


@dataclass
class ClientSide:
    """What is known of the client."""

    src: Address
    dst: Address
    handshake: Handshake | None = None
    login: Login | None = None
    default_db: bytes = b""


@dataclass(eq=False)
class ServerSide:
    """A connection to a backend: attached to a client, or idle in the pool."""

    link: Link
    backend: int
    src: Address | None
    dst: Address | None
    handshake: Handshake | None = None
    handshake_payload: bytes = b""
    login: Login | None = None
    capabilities: int = 0
    login_is_proof: bool = False
    default_db: bytes = b""
    authenticated: bool = False
    busy: bool = False
    # Of its state, as it reported it last.
    status: int = Status.AUTOCOMMIT
    counted: bool = False
    cursors: Cursors = field(default_factory=Cursors)

    @property
    def username(self) -> bytes:
        """The user it is logged in as."""
        return self.login.username if self.login else b""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self.status & Status.IN_TRANS)

    def reported(self, status: int) -> None:
        """The server reported this status."""
        self.status = status & Status.OF_CONNECTION

    def logged_in(self, login: Login | None, status: int, is_proof: bool) -> None:
        """The server accepted `login`; with `is_proof` it asked for nothing but that packet."""
        if login and not self.authenticated:
            self.capabilities = login.capabilities
        self.default_db = (login.database if login else None) or b""
        self.login = login
        self.login_is_proof = is_proof
        self.authenticated = True
        self.busy = False
        self.reported(status)
        self.cursors = Cursors()

    def is_clean(self) -> bool:
        """Whether another client may get it as it is."""
        return self.authenticated and not self.busy and not self.link.closed

    def speaks(self, capabilities: int) -> bool:
        """Whether a client with `capabilities` would be understood the same way."""
        return self.capabilities & _DIALECT == capabilities & _DIALECT


@dataclass(eq=False)
class BackendState:
    """A backend and its idle connections, oldest first."""

    address: Address
    type: int
    state: int = UNKNOWN
    state_since: float = 0.0
    connected_clients: int = 0
    uuid: bytes = b""
    min_idle_connections: int = 0
    max_idle_connections: int = 0
    _idle: deque[ServerSide] = field(default_factory=deque)

    def set_state(self, state: int) -> None:
        """Sets the state and notes the time."""
        self.state, self.state_since = state, time.monotonic()

    def idle(self) -> deque[ServerSide]:
        """The idle connections that are alive."""
        for server in [server for server in self._idle if not server.is_clean()]:
            self._idle.remove(server)
        return self._idle

    def idle_of(self, user: bytes | None) -> list[ServerSide]:
        """Those of one user, or of all."""
        return [server for server in self.idle() if user is None or server.username == user]

    def users(self) -> list[bytes]:
        """The names that have an idle connection, sorted."""
        return sorted({server.username for server in self.idle()})

    def take(self, fits: Callable[[ServerSide], bool]) -> ServerSide | None:
        """Takes the oldest idle connection that fits."""
        for server in self.idle():
            if fits(server):
                self._idle.remove(server)
                return server
        return None

    def take_for_anyone(self) -> ServerSide | None:
        """For a client that has not told its name: of a user who has enough of them."""
        keep = self.min_idle_connections
        return self.take(lambda server: len(self.idle_of(server.username)) > keep)


class Shared:
    """What all connections of a proxy share."""

    def __init__(
        self,
        log: Log,
        *,
        pool_change_user: bool = True,
        max_kept_bytes: int = 256 << 20,
        unguarded: bool = False,
    ) -> None:
        self.log = log
        self.backends: list[BackendState] = []
        self.pool_change_user = pool_change_user
        self.max_kept_bytes = max_kept_bytes
        self.unguarded = unguarded
        # Makes what a backend added by a script connects to; the engine has something better.
        self.on_add: Callable[[BackendState], None] = lambda backend: None

    def add(self, address: Address, type: int) -> BackendState | None:
        """Lists a backend; None if the address is listed already."""
        if any(backend.address == address for backend in self.backends):
            return None
        backend = BackendState(address, type)
        self.backends.append(backend)
        self.on_add(backend)
        return backend

    def recheck(self) -> None:
        """Lets backends that have been DOWN for long enough be tried again."""
        now = time.monotonic()
        for backend in self.backends:
            if backend.state == DOWN and now - backend.state_since > _RETRY_AFTER:
                backend.set_state(UNKNOWN)

    def shortest_queue(self) -> int | None:
        """The read-write backend that is not DOWN with the fewest clients, the first of equals."""
        usable = [
            (backend.connected_clients, ndx)
            for ndx, backend in enumerate(self.backends)
            if backend.type == READ_WRITE and backend.state != DOWN
        ]
        return min(usable)[1] if usable else None


class SessionState:
    """One client connection, from accept to close."""

    def __init__(self, id: int, client: ClientSide, shared: Shared) -> None:
        self.id = id
        self.client = client
        self.shared = shared
        self.server: ServerSide | None = None
        self.choice: int | None = None
        self.close_after_result = False
        self.queries: deque[QueuedQuery] = deque()
        self.command: int | None = None
        self.hook: str | None = None
        self.login_accepted = False
        # In read_query_result: the status flags of the result.
        self.result_status = 0
        self._detached_status = Status.AUTOCOMMIT
        # Another user than in the client's login, if a script replaced the login.
        self.server_user: bytes | None = None
        self.slot: Slot[SessionState] = Slot(self, shared.unguarded)

    @property
    def backend_ndx(self) -> int | None:
        """The backend of the attached server, or the chosen one before there is one."""
        return self.server.backend if self.server else self.choice

    def status(self) -> int:
        """For what the proxy makes itself: as the server reported it last. A transaction ends with the attachment."""
        if self.server:
            return self.server.status
        return self._detached_status & ~Status.TRANSACTION

    def count(self) -> None:
        """A client uses the server connection from now on: counts it on its backend, once."""
        if self.server and not self.server.counted:
            self.server.counted = True
            self.shared.backends[self.server.backend].connected_clients += 1

    def close_server(self) -> None:
        """Closes the server connection."""
        server = self._detach()
        if server:
            server.link.close()

    def park_server(self) -> None:
        """Detaches the server connection: into the pool if others may get it, else closed."""
        server = self._detach()
        if not server:
            return
        shared = self.shared
        if server.is_clean() and (shared.pool_change_user or not server.in_transaction):
            shared.backends[server.backend].idle().append(server)
        else:
            server.link.close()

    def exchange_server(self, server: ServerSide) -> None:
        """Attaches a connection from the pool in place of the present one, which is parked."""
        self.park_server()
        self.server = server
        self.count()

    def set_backend(self, ndx: int | None) -> bool:
        """Assigns `backend_ndx`, None for none; False if no idle connection fits.

        Raises RuntimeError while the server connection is in the middle of its login.
        """
        hook = self.hook
        exists = ndx is None or ndx < len(self.shared.backends)
        if not exists:
            if hook != "connect_server":
                return False
            self.park_server()
            self.choice = ndx
            return True
        login_pending = hook == "read_auth_result" and not self.login_accepted
        if hook in ("read_handshake", "read_auth") or login_pending:
            raise RuntimeError(
                f"backend_ndx cannot be changed in {hook}: the login is not complete"
            )
        if ndx is None:
            self.park_server()
            self.choice = None
            return True
        if self.server and self.server.backend == ndx:
            return True
        return self._attach(ndx, before_connect=hook == "connect_server")

    def _attach(self, ndx: int, before_connect: bool) -> bool:
        found = self._take_idle(ndx, before_connect)
        if found:
            self.exchange_server(found)
            self.choice = ndx if before_connect else None
        elif before_connect:
            self.park_server()
            self.choice = ndx
        return bool(found or before_connect)

    def _take_idle(self, ndx: int, before_connect: bool) -> ServerSide | None:
        backend = self.shared.backends[ndx]
        if before_connect:
            return backend.take_for_anyone()
        login = self.client.login
        # A client that left before it named a user can own no pooled connection.
        if not login or not login.username:
            return None
        user, capabilities = self.server_user or login.username, login.capabilities
        return backend.take(
            lambda server: server.username == user
            and server.speaks(capabilities)
            and not server.in_transaction
        )

    def _detach(self) -> ServerSide | None:
        server, self.server = self.server, None
        if server:
            self._detached_status = server.status
        if server and server.counted:
            server.counted = False
            self.shared.backends[server.backend].connected_clients -= 1
        return server
