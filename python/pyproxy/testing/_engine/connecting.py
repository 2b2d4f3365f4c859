"""Choosing a backend and reaching it: the hooks `connect_server` and `read_handshake`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._offline.reply import UNKNOWN_ERROR
from ..._offline.state import DOWN, UP, ServerSide
from ..._offline.values import address_of
from ..._offline.wire.basic import WireError
from ..._offline.wire.login import Handshake
from ..._offline.wire.replies import Err, is_err
from ..server import Refused
from .hooks import Decision, hook_failed
from .phase import Phase

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Connecting"]

_FIRST_OWN_PORT = 40000
# A script that calls every backend UP again and again would keep the proxy in a loop.
_ATTEMPTS_PER_BACKEND = 4


class Connecting:
    """The way of one connection to a server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._attempts = 0

    def run(self) -> None:
        """Until the client has a greeting, or an ERR."""
        while self._connection.phase is Phase.NEW:
            self._try_server()

    def _try_server(self) -> None:
        session, shared = self._connection.session, self._connection.process.shared
        shared.recheck()
        if self._connection.login.reconnects:
            self._connect()
            return
        session.choice = None
        decision, packets = self._connection.binding.call("connect_server")
        if decision is Decision.SEND_RESULT:
            self._answer_connect(packets)
            return
        if decision is Decision.FAILED and self._connection.rejects:
            session.park_server()
            self._refuse_greeting(f"pyproxy: {hook_failed('connect_server')}")
            return
        if session.server is not None:
            is_down = shared.backends[session.server.backend].state == DOWN
            if decision is Decision.IGNORE_RESULT and not is_down:
                self._greet_from_pool(session.server)
                return
            # The index the script chose stays, the pooled connection goes back.
            choice = session.choice
            session.park_server()
            session.choice = choice
        self._connect()

    def _answer_connect(self, packets: list[bytes]) -> None:
        """The script answers in place of any server: a handshake makes the proxy itself the server."""
        self._connection.session.park_server()
        self._connection.session.choice = None
        if not is_err(packets[0]):
            try:
                self._connection.session.client.handshake = Handshake.parse(packets[0])
            except WireError:
                self._connection.refuse(packets)
                return
            self._connection.to_client(packets)
            self._connection.phase = Phase.LOGIN
            return
        self._connection.refuse(packets)

    def _greet_from_pool(self, server: ServerSide) -> None:
        self._connection.to_client([server.handshake_payload])
        self._connection.session.client.handshake = server.handshake
        self._connection.session.choice = None
        self._connection.phase = Phase.LOGIN

    def _connect(self) -> None:
        """Connects to the chosen backend, or to the one with the shortest queue."""
        session, shared = self._connection.session, self._connection.process.shared
        self._attempts += 1
        if self._attempts > _ATTEMPTS_PER_BACKEND * max(1, len(shared.backends)):
            self._connection.complain("too many failed connects, giving up")
            self._all_down()
            return
        ndx, session.choice = session.choice, None
        if ndx is not None:
            if ndx >= len(shared.backends):
                self._all_down()
                return
            if shared.backends[ndx].state == DOWN:
                ndx = None
        if ndx is None:
            ndx = shared.shortest_queue()
        if ndx is None:
            self._all_down()
            return
        self._reach(ndx)

    def _reach(self, ndx: int) -> None:
        backend = self._connection.process.shared.backends[ndx]
        try:
            link = self._connection.process.connect(ndx)
        except Refused:
            backend.set_state(DOWN)
            self._connection.warn(f"backend {backend.address} is not reachable, marked DOWN")
            return
        source = address_of(f"127.0.0.1:{_FIRST_OWN_PORT + link.thread_id}")
        self._connection.session.server = ServerSide(link, ndx, source, backend.address)
        self._connection.session.count()
        backend.set_state(UP)
        self._read_handshake(link.greeting())

    def _all_down(self) -> None:
        self._refuse_greeting("(proxy) all backends are down")

    def _refuse_greeting(self, text: str) -> None:
        """An ERR in the form that the client reads now: without SQL state until it knows the protocol."""
        state = b"HY000" if self._connection.session.client.login is not None else None
        self._connection.refuse([Err(UNKNOWN_ERROR, state, text.encode()).encode()])

    def _read_handshake(self, payload: bytes) -> None:
        if is_err(payload):
            self._connection.refuse([payload])
            return
        try:
            handshake = Handshake.parse(payload)
        except WireError as error:
            self._connection.process.counters["malformed_packets"] += 1
            self._connection.complain(f"cannot read the server's handshake: {error}")
            self._refuse_greeting("pyproxy: cannot read the handshake of the server")
            return
        server = self._connection.session.server
        assert server is not None
        server.handshake, server.handshake_payload = handshake, payload
        server.reported(handshake.status)
        if self._connection.login.reconnects:
            self._connection.login.again()
            return
        decision, packets = self._connection.binding.call("read_handshake")
        if decision is Decision.SEND_RESULT:
            self._connection.refuse(packets)
            return
        if decision is Decision.FAILED and self._connection.rejects:
            self._refuse_greeting(f"pyproxy: {hook_failed('read_handshake')}")
            return
        self._connection.session.client.handshake = handshake
        self._connection.to_client([payload])
        self._connection.phase = Phase.LOGIN
