"""The client of a session: logs in, sends commands, reads answers."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from .. import _native
from .answer import Answer
from .protocol import NATIVE_PASSWORD, Capability, native_password, to_bytes

__all__ = ["CAPABILITIES", "Client", "LoginRefused", "Phase", "Statement", "Wire"]

#: What a client asks for by default.
CAPABILITIES = (
    Capability.LONG_PASSWORD
    | Capability.LONG_FLAG
    | Capability.LOCAL_FILES
    | Capability.PROTOCOL_41
    | Capability.TRANSACTIONS
    | Capability.SECURE_CONNECTION
    | Capability.MULTI_STATEMENTS
    | Capability.MULTI_RESULTS
    | Capability.PS_MULTI_RESULTS
    | Capability.PLUGIN_AUTH
)
_QUIT, _QUERY = 0x01, 0x03
_NULL, _LONGLONG, _DOUBLE, _VAR_STRING, _BLOB = 6, 8, 5, 253, 252
_PARAMETER_COUNT = 8
_UTF8 = 45
_MAX_PACKET_SIZE = 1 << 24


class Phase(enum.Enum):
    """Whose turn it is."""

    NEW = enum.auto()
    LOGIN = enum.auto()
    # The server asked the client for more: the next packet goes to the server.
    LOGIN_ROUNDS = enum.auto()
    COMMANDS = enum.auto()
    # A hook waits: nobody's before that has ended.
    WAITING = enum.auto()
    CLOSED = enum.auto()


class LoginRefused(ConnectionError):
    """The client was not let in; `answer` is what it was told."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.error) if answer.error else "the connection was closed")
        self.answer = answer


class Statement(NamedTuple):
    """A prepared statement of the client. `id` is None if preparing it failed; `answer` tells why."""

    id: int | None
    parameters: int
    answer: Answer


class Wire(Protocol):
    """What a client is connected to: a proxy in this process, or a real one behind a socket."""

    @property
    def phase(self) -> Phase:
        """Whose turn it is."""

    @property
    def wants_file(self) -> bool:
        """Whether the client's next packets are those of a file that it was asked for."""

    def accept(self) -> list[bytes]:
        """Connects: the greeting, or an ERR."""

    def send(self, payload: bytes) -> list[bytes]:
        """Sends a packet; gives what came back."""

    def disconnect(self) -> None:
        """Hangs up."""


class Client:
    """A client with a user name, a password and a default database. Subclasses say what it connects to."""

    def __init__(
        self, user: str, password: str, database: str, capabilities: int = CAPABILITIES
    ) -> None:
        self._user = user
        self._password = password
        self._database = database
        self._capabilities = capabilities
        self._wire: Wire | None = None
        self._cursors = _native.Cursors()
        self._offered = 0
        #: What the client sends when it is asked for a file by LOAD DATA LOCAL.
        self.local_file: bytes = b""

    def _open(self) -> Wire:
        """A new connection, on which nothing was sent yet."""
        raise NotImplementedError

    def connect(self) -> Answer:
        """Connects and logs in; gives the last answer of the login. Every other method does it when it is due."""
        if self._wire is not None and not self.closed:
            raise RuntimeError("the client is connected already")
        self._wire = self._open()
        packets = self._wire.accept()
        if self.closed or not packets:
            return Answer(packets)
        challenge = _native.decode_challenge(packets[-1])
        self._offered, scramble = challenge[4], challenge[7]
        packets = self._wire.send(self._login(scramble))
        while self._wire.phase is Phase.LOGIN_ROUNDS:
            packets = self._wire.send(self._answer_to(packets[-1]))
        return Answer(packets[-1:])

    def _login(self, scramble: bytes) -> bytes:
        database = Capability.CONNECT_WITH_DB if self._database else 0
        return _native.encode_response(
            self._capabilities & ~Capability.CONNECT_WITH_DB | database,
            _MAX_PACKET_SIZE,
            _UTF8,
            self._user,
            native_password(self._password, scramble),
            self._database,
            NATIVE_PASSWORD if self._capabilities & Capability.PLUGIN_AUTH else "",
        )

    def _answer_to(self, packet: bytes) -> bytes:
        """The client's part of a further round: the password for the scramble of a switch request."""
        _, _, scramble = packet.partition(b"\0")
        return native_password(self._password, scramble)

    def query(self, sql: str | bytes, attributes: Mapping[str, Any] | None = None) -> Answer:
        """Sends a query. Query attributes need a client with `Capability.QUERY_ATTRIBUTES`; their values are None, int,
        float, bytes, or sent as text.
        """
        return self.command(self._query(sql, attributes))

    def _query(self, sql: str | bytes, attributes: Mapping[str, Any] | None) -> bytes:
        block = b""
        if self._has_attributes(attributes):
            block = _native.encode_query_attributes(_named(attributes))
        return b"\x03" + block + to_bytes(sql, "a query")

    def command(self, packet: bytes) -> Answer:
        """Sends a command, command byte in front; an answer without packets if none came.

        Raises LoginRefused if the client has to connect first and is not let in, ConnectionError if the connection was
        closed.
        """
        wire = self._connected()
        if packet:
            self._cursors.sent(packet)
        return self._read(packet, wire.send(bytes(packet)))

    def _read(self, packet: bytes, packets: list[bytes]) -> Answer:
        """Goes on behind what a command brought, and gives the answer."""
        wire = self._wire
        assert wire is not None
        while wire.phase is Phase.LOGIN_ROUNDS:
            packets += wire.send(self._answer_to(packets[-1]))
        while wire.wants_file:
            if self.local_file:
                packets += wire.send(self.local_file)
            packets += wire.send(b"")
        answer = Answer(
            packets, packet[0] if packet else _QUERY, self._cursors.columns(packet or b"\0")
        )
        if packets and packet:
            self._cursors.answered(packets, answer.server_status or 0)
        return answer

    def prepare(self, sql: str | bytes) -> Statement:
        """Prepares a statement."""
        answer = self.command(b"\x16" + to_bytes(sql, "a query"))
        if not answer.ok or len(answer.packets[0]) < 9:
            return Statement(None, 0, answer)
        head = answer.packets[0]
        statement = int.from_bytes(head[1:5], "little")
        return Statement(statement, int.from_bytes(head[7:9], "little"), answer)

    def execute(
        self,
        statement: Statement | int,
        params: Iterable[Any] = (),
        flags: int = 0,
        attributes: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Executes a prepared statement. Parameters are None, int, float, bytes, or sent as text; attributes are those of
        `query`.
        """
        further = None
        if self._has_attributes(attributes):
            flags |= _PARAMETER_COUNT
            further = _named(attributes)
        bound = [_parameter(value) for value in params]
        packet = _native.encode_stmt_execute(_id(statement), flags, 1, True, bound, further)
        return self.command(packet)

    def _has_attributes(self, attributes: Mapping[str, Any] | None) -> bool:
        """Whether client and server agreed on query attributes."""
        self._connected()
        agreed = self._offered & self._capabilities & Capability.QUERY_ATTRIBUTES
        if attributes and not agreed:
            raise ValueError("client and server did not agree on query attributes")
        return bool(agreed)

    def fetch(self, statement: Statement | int, count: int) -> Answer:
        """Fetches rows of a statement that was executed with `flags=1`, which opens a cursor."""
        numbers = (_id(statement), count)
        return self.command(b"\x1c" + b"".join(number.to_bytes(4, "little") for number in numbers))

    def close_statement(self, statement: Statement | int) -> Answer:
        """Closes a prepared statement; the answer is empty, for there is none."""
        return self.command(_native.encode_stmt_close(_id(statement)))

    def quit(self) -> None:
        """Says COM_QUIT and hangs up."""
        if self._wire is not None and self._wire.phase is Phase.WAITING:
            # What it says now is not read before the command before it has its answer.
            self._wire.disconnect()
        elif self._wire is not None and not self.closed:
            try:
                self._wire.send(bytes([_QUIT]))
            finally:
                self._wire.disconnect()

    def disconnect(self) -> None:
        """Hangs up without a word."""
        if self._wire is not None:
            self._wire.disconnect()

    @property
    def closed(self) -> bool:
        """Whether the client's connection is over, or not begun."""
        return self._wire is None or self._wire.phase is Phase.CLOSED

    def _connected(self) -> Wire:
        if self._wire is None:
            answer = self.connect()
            if not answer.ok or self.closed:
                raise LoginRefused(answer)
        assert self._wire is not None
        if self.closed:
            raise ConnectionError("the connection is closed: connect() makes a new one")
        return self._wire


def _id(statement: Statement | int) -> int:
    if isinstance(statement, int):
        return statement
    if statement.id is None:
        raise ValueError(f"the statement was not prepared: {statement.answer.error}")
    return statement.id


def _named(attributes: Mapping[str, Any] | None) -> list[tuple[int, bool, Any, str]]:
    return [_parameter(value, name) for name, value in (attributes or {}).items()]


def _parameter(value: Any, name: str = "") -> tuple[int, bool, Any, str]:
    """Type, whether it is unsigned, value and name."""
    if value is None:
        return _NULL, False, None, name
    if isinstance(value, int):
        return _LONGLONG, False, value, name
    if isinstance(value, float):
        return _DOUBLE, False, value, name
    return (_BLOB if isinstance(value, bytes) else _VAR_STRING), False, value, name
