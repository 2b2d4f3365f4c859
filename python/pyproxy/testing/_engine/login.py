"""The login of a client: the hooks `read_auth` and `read_auth_result`, and the rounds between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._offline.reply import proxy_error
from ..._offline.wire.basic import WireError
from ..._offline.wire.login import Login, masked
from ..._offline.wire.replies import Err, Ok, Status, is_err
from .hooks import Decision, Outcome, hook_failed
from .phase import Phase
from .pooled import asking_again, take_over

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["LoginRounds"]

_BAD_HANDSHAKE = Err(1043, b"08S01", b"Bad handshake").encode()


class LoginRounds:
    """Where the login of one connection stands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The login that the server decides about.
        self._sent: Login | None = None
        self._client_spoke_once = True
        # COM_CHANGE_USER of the client, whose answer is no business of read_auth_result.
        self._is_change_user = False
        #: A new server connection takes the place of a pooled one, with the login that was sent.
        self.reconnects = False
        # A question of the script, asked in read_auth, and the method it names.
        self._asked_by_script = False
        self._method = b""

    def read(self, payload: bytes) -> None:
        """The client answered the greeting."""
        session = self._connection.session
        try:
            payload = masked(payload)
            login = Login.parse(payload)
        except WireError as error:
            self._connection.process.counters["malformed_packets"] += 1
            self._connection.warn(f"cannot read the client's login: {error}")
            self._connection.refuse([_BAD_HANDSHAKE])
            return
        session.client.default_db = login.database or b""
        session.client.login = login
        self._decide(login, payload)

    def _decide(self, login: Login, payload: bytes) -> None:
        """Asks the script about a login and does what it says."""
        session = self._connection.session
        outcome = self._connection.binding.call("read_auth")
        if outcome.decision is Decision.SEND_RESULT:
            self._answer(outcome.packets)
        elif outcome.decision is Decision.SEND_QUERY:
            self._replace(login, payload)
        elif outcome.decision is Decision.FAILED and self._connection.rejects:
            self._connection.refuse(proxy_error(hook_failed("read_auth")))
        else:
            if session.queries:
                session.queries.clear()
                self._connection.warn(
                    "read_auth queued packets but did not return PROXY_SEND_QUERY"
                )
            self._pass_on(login, payload)

    def _pass_on(self, login: Login, payload: bytes) -> None:
        server = self._connection.session.server
        if server is None:
            self._answer([Ok(status=self._connection.session.status()).encode()])
        elif server.authenticated:
            take_over(self._connection, login, server)
        else:
            self.send(login, payload)

    def _replace(self, login: Login, payload: bytes) -> None:
        """The first queued packet goes out in place of the client's login."""
        queries = self._connection.session.queries
        if not queries:
            self._connection.warn("read_auth returned PROXY_SEND_QUERY but queued nothing")
            self._pass_on(login, payload)
            return
        packet = queries.popleft().packet
        queries.clear()
        server = self._connection.session.server
        if server is None or server.authenticated:
            self._fail("no new server connection that could take a login packet")
            return
        try:
            packet = masked(packet)
            replaced = Login.parse(packet)
        except WireError as error:
            self._fail(f"the packet queued in read_auth is no login: {error}")
            return
        self.send(replaced, packet)

    def _fail(self, text: str) -> None:
        self._connection.complain(f"read_auth: {text}")
        self._connection.refuse(proxy_error(hook_failed("read_auth")))

    def _answer(self, packets: list[bytes]) -> None:
        """The proxy answers the login itself."""
        if not packets[0] or is_err(packets[0]):
            self._connection.refuse(packets)
            return
        self._connection.to_client(packets)
        if packets[0][0] == 0:
            # A server that still waits for a login would take the first command for one.
            self._connection.session.park_server()
            self._connection.session.choice = None
            self._connection.phase = Phase.COMMANDS
        else:
            # The script asks the client; the answer is for the script again.
            self._asked_by_script = True
            self._method = b""
            if packets[0][0] == 0xFE and len(packets[0]) > 1:
                self._method = packets[0][1:].partition(b"\0")[0]
            self._connection.phase = Phase.LOGIN_ROUNDS

    def _read_answer_to_script(self, auth_response: bytes) -> None:
        """The script is asked again, about a login with the client's answer in it."""
        client = self._connection.session.client
        assert client.login is not None
        self._asked_by_script = False
        login = client.login._replace(auth_response=auth_response)
        if self._method:
            login = login._replace(auth_plugin=self._method)
        client.login = login
        self._decide(login, login.encode())

    def send(self, login: Login, payload: bytes) -> None:
        """Sends a login, or the COM_CHANGE_USER it amounts to, and reads the answer."""
        server, link = self._connection.session.server, self._connection.link
        assert server is not None and link is not None
        server.busy = True
        self._sent = login
        self._client_spoke_once = True
        self._read_result(link.receive(payload))

    def reconnect(self, login: Login) -> None:
        """Connects to a server again, for a client that has sent its login already."""
        self._sent = login
        self.reconnects = True
        self._connection.connect()

    def again(self) -> None:
        """The new server's handshake is there, but the client's auth data are not for its scramble."""
        login = self._sent
        assert login is not None
        self.reconnects = False
        self.send(login, asking_again(login).encode())

    def begin_change_user(self, login: Login, packet: bytes) -> None:
        """The server's answer to the client's own COM_CHANGE_USER is a round of a login."""
        self._sent = login
        self._is_change_user = True
        self._client_spoke_once = True
        self._connection.to_client([packet])
        self._connection.phase = Phase.LOGIN_ROUNDS

    def read_round(self, payload: bytes) -> None:
        """The client answered a further question."""
        if self._asked_by_script:
            self._read_answer_to_script(payload)
            return
        self._client_spoke_once = False
        link = self._connection.link
        if link is None:
            self._connection.refuse(proxy_error("no server connection to log in to"))
            return
        self._read_result(link.receive(payload))

    def _read_result(self, packets: list[bytes]) -> None:
        if not packets:
            # The server hung up on the login.
            self._connection.close()
            return
        for packet in packets:
            if self._connection.phase is not Phase.CLOSED:
                self._judge(packet)

    def _judge(self, packet: bytes) -> None:
        accepted, server = packet[:1] == b"\0", self._connection.session.server
        if accepted:
            self._accepted(packet)
        elif is_err(packet) and self._is_change_user and server is not None:
            # Still logged in as before, if the server does not hang up.
            server.busy = False
            server.status &= ~Status.TRANSACTION
        outcome = Outcome(Decision.PROCEED)
        if not self._is_change_user:
            self._connection.session.login_accepted = accepted
            outcome = self._connection.binding.read_auth_result(packet)
        if outcome.decision is Decision.SEND_RESULT:
            self._replace_result(outcome.packets, accepted)
        elif outcome.decision is Decision.FAILED and self._connection.rejects:
            self._connection.refuse(proxy_error(hook_failed("read_auth_result")))
        else:
            self._connection.to_client([packet])
            self._told(packet)

    def _accepted(self, packet: bytes) -> None:
        session, login = self._connection.session, self._sent
        self._sent = None
        session.server_user = login.username if login else None
        if self._is_change_user and login is not None:
            session.client.default_db = login.database or b""
            session.client.login = login
        if session.server is not None:
            session.server.logged_in(login, Ok.parse(packet).status, self._client_spoke_once)

    def _replace_result(self, packets: list[bytes], accepted: bool) -> None:
        if not packets[0] or is_err(packets[0]):
            self._connection.refuse(packets)
            return
        if packets[0][0] == 0 and not accepted:
            # The server did not let anybody in: it is of no use.
            self._connection.session.close_server()
        self._connection.to_client(packets)
        self._told(packets[0])

    def _told(self, packet: bytes) -> None:
        """Who speaks next, after the client was told this?"""
        if packet[:1] == b"\0":
            self._is_change_user = False
            self._connection.phase = Phase.COMMANDS
        elif is_err(packet) and self._is_change_user:
            # Some servers go on as the old user; the next command finds out.
            self._is_change_user = False
            self._connection.phase = Phase.COMMANDS
        elif is_err(packet):
            self._connection.close()
        else:
            self._connection.phase = Phase.LOGIN_ROUNDS
