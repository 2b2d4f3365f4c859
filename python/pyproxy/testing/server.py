"""A scripted MySQL server: answers by the text of the query, and keeps what it was asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from .. import _native
from . import tracking
from .knowledge import Knowledge
from .protocol import NATIVE_PASSWORD, Capability, Status, native_password, to_str
from .results import (
    Disconnect,
    Error,
    Handler,
    LocalInfile,
    Ok,
    Reply,
    Result,
    Rule,
    encode,
    prepared,
)
from .server_command import ServerCommand

__all__ = ["FakeServer", "Refused", "ServerConnection"]

# What the fake server offers. Its clients are given classic answers.
_CAPABILITIES = (
    Capability.LONG_PASSWORD
    | Capability.FOUND_ROWS
    | Capability.LONG_FLAG
    | Capability.CONNECT_WITH_DB
    | Capability.LOCAL_FILES
    | Capability.PROTOCOL_41
    | Capability.TRANSACTIONS
    | Capability.SECURE_CONNECTION
    | Capability.MULTI_STATEMENTS
    | Capability.MULTI_RESULTS
    | Capability.PS_MULTI_RESULTS
    | Capability.PLUGIN_AUTH
    | Capability.QUERY_ATTRIBUTES
)
# How a proxy asks for session reports.
_TRACKED = Capability.SESSION_TRACK | Capability.DEPRECATE_EOF
_UTF8 = 45
_QUIT, _INIT_DB, _QUERY, _FIELD_LIST, _STATISTICS = 0x01, 0x02, 0x03, 0x04, 0x09
_CHANGE_USER, _PREPARE, _EXECUTE, _LONG_DATA, _CLOSE, _FETCH = 0x11, 0x16, 0x17, 0x18, 0x19, 0x1C
_RESET = 0x1F
_CURSOR_FLAGS = 7
_WITH_OK = {0x05, 0x06, 0x07, 0x0C, 0x0E, 0x15, 0x1A, 0x1F}
_WITH_EOF = {0x08, 0x0D, 0x1B}
_BEGIN = re.compile(r"\s*(BEGIN|START\s+TRANSACTION)\b", re.IGNORECASE)
_END = re.compile(r"\s*(COMMIT|ROLLBACK)\b(?!\s+(WORK\s+)?TO\b)", re.IGNORECASE)
_AUTOCOMMIT = re.compile(
    r"\s*SET\s+(?:[^;]*,\s*)?(?:SESSION\s+|@@)?autocommit\s*:?=\s*([^\s,;]+)", re.IGNORECASE
)
_USE = re.compile(r"\s*USE\s+`?([^`;\s]+)`?\s*;?\s*$", re.IGNORECASE)


# What is said to a query that there is no rule for.
_UNKNOWN = Ok()


class _Account(NamedTuple):
    """Who wants to log in, and by which method, if that was said."""

    user: str
    database: bytes
    plugin: str


class Refused(ConnectionRefusedError):
    """The fake server is down."""


class FakeServer:
    """A server for sessions: as many connections as are wanted, one set of answers.

    Every query is answered with OK unless `on` says otherwise, or it asks for what a connection knows of itself: ROW_COUNT(),
    FOUND_ROWS(), LAST_INSERT_ID(), SHOW WARNINGS, `@@x` as SET made it. `users` maps names to passwords; without it
    everybody is let in. `method` is the authentication method of all accounts: clients that come with another one are
    asked again; passwords are checked for `mysql_native_password` only. `greeting` stands in place of the handshake: an
    Error, or Disconnect().
    `down` refuses connections; it can be changed at any time. With `tracks` there are session reports for a proxy that asks for
    them (`globals.track_sessions`): the `changes` of an Ok or Result, and nothing else.
    """

    def __init__(
        self,
        *,
        version: str = "8.0.36",
        users: Mapping[str, str] | None = None,
        method: str = NATIVE_PASSWORD,
        greeting: Reply | None = None,
        down: bool = False,
        tracks: bool = False,
    ) -> None:
        self.version = version
        self.users = dict(users) if users is not None else None
        self.method = method
        self.greeting = greeting
        self.down = down
        self.tracks = tracks
        self.commands: list[ServerCommand] = []
        self.logins: list[bytes] = []
        self.connections: list[ServerConnection] = []
        self._rules: list[Rule] = []
        self._commands: dict[int, Reply] = {}

    def on(self, query: str | re.Pattern[str], answer: Handler) -> FakeServer:
        """Answers a query. Gives the server itself, so that calls can be chained.

        `query` is the exact text, or a pattern that is searched in it. `answer` is a Result, Error, Ok, Packets,
        LocalInfile or Disconnect, a list of them for a multi-result, or a function of the text that gives one. The
        rule that was made last comes first.
        """
        self._rules.insert(0, Rule(query, answer))
        return self

    def on_command(self, command: int, answer: Reply) -> FakeServer:
        """Answers every command with this byte, COM_STATISTICS for example."""
        self._commands[command] = answer
        return self

    def accept(self, backend: int = 0, seen: list[ServerCommand] | None = None) -> ServerConnection:
        """A new connection of a proxy that knows this server as `backend`; commands are added to `seen`, too.

        Raises Refused if the server is down.
        """
        if self.down:
            raise Refused("the fake server is down")
        observers = [self.commands] if seen is None else [self.commands, seen]
        connection = ServerConnection(self, len(self.connections) + 1, backend, observers)
        self.connections.append(connection)
        return connection

    def drop_connections(self) -> None:
        """Hangs up on everybody, as a server does that restarts."""
        for connection in self.connections:
            connection.close()

    def answer_to(self, sql: str) -> Reply:
        """What a query is answered with."""
        for rule in self._rules:
            if rule.fits(sql):
                return rule.answer(sql) if callable(rule.answer) else rule.answer
        return _UNKNOWN

    def answer_to_command(self, command: int) -> Reply | None:
        """What `on_command` says."""
        return self._commands.get(command)


class ServerConnection:
    """One connection to a fake server: takes payloads, gives payloads."""

    def __init__(
        self,
        server: FakeServer,
        thread_id: int,
        backend: int,
        observers: list[list[ServerCommand]],
    ) -> None:
        self.server = server
        self._observers = observers
        self.thread_id = thread_id
        self.backend = backend
        #: The line to the proxy, which may hang up as well.
        self.line = _native.Line()
        #: Every payload that came, the login first.
        self.received: list[bytes] = []
        self.database = b""
        # Always the same for the same connection, without a NUL.
        digest = hashlib.sha1(b"scramble %d" % thread_id).digest()
        self.scramble = bytes(byte % 94 + 33 for byte in digest)
        self._capabilities = 0
        self._asked: _Account | None = None
        self._begin_session()
        self._statements: dict[int, str] = {}
        self._next_statement = 1
        # Rows that are still to be fetched, by statement.
        self._cursors: dict[int, list[bytes]] = {}
        self._file: LocalInfile | None = None
        self._is_in = False

    def close(self) -> None:
        """Hangs up."""
        self.line.close()

    @property
    def closed(self) -> bool:
        """Whether either side hung up."""
        return self.line.is_closed

    def greeting(self) -> bytes | None:
        """The first payload of the server. None if it hangs up in its place."""
        greeting = self.server.greeting
        if greeting is not None:
            if isinstance(greeting, Disconnect):
                self.close()
            return next(iter(encode(greeting, self._status, False)), None)
        return _native.encode_challenge(
            self.server.version,
            self.thread_id,
            _CAPABILITIES | (_TRACKED if self.server.tracks else 0),
            _UTF8,
            Status.AUTOCOMMIT,
            self.scramble + b"\0",
            self.server.method,
        )

    @property
    def is_in_exchange(self) -> bool:
        """Whether the next packet belongs to the login, or to the file, that was begun."""
        return not self._is_in or self._asked is not None or self._file is not None

    @property
    def _status(self) -> int:
        status = Status.AUTOCOMMIT if self._autocommit else 0
        return status | (Status.IN_TRANS if self._in_trans else 0)

    @property
    def _tracks(self) -> bool:
        return self._capabilities & _TRACKED == _TRACKED

    def _ok(self) -> list[bytes]:
        return [_native.encode_ok(0, 0, self._status, 0)]

    def _eof(self, flags: int = 0) -> bytes:
        status = self._status | flags
        return tracking.end_of_rows(status, 0) if self._tracks else _native.encode_eof(status, 0)

    def receive(self, payload: bytes) -> list[bytes]:
        """Takes a payload, gives the answer; nothing if there is none, or the server hung up."""
        if self.closed:
            return []
        self.received.append(payload)
        if self._asked is not None:
            return self._finish_login(payload)
        if not self._is_in:
            return self._read_login(payload)
        if self._file is not None:
            return self._read_file(payload)
        try:
            has_attributes = bool(self._capabilities & Capability.QUERY_ATTRIBUTES)
            command = ServerCommand.read(self.backend, payload, has_attributes)
        except _native.PacketError:
            return [_native.encode_err(1835, "HY000", "Malformed communication packet.")]
        for commands in self._observers:
            commands.append(command)
        return self._command(command.packet)

    # --- login

    def _read_login(self, payload: bytes) -> list[bytes]:
        self.server.logins.append(payload)
        try:
            capabilities, _, _, user, proof, database, plugin = _native.decode_response(payload)
        except _native.PacketError:
            capabilities = 0
        if not capabilities & Capability.PROTOCOL_41:
            return self._refuse(1043, "08S01", "Bad handshake")
        self._capabilities = capabilities
        return self._check(_Account(to_str(user), database, to_str(plugin)), proof)

    def _check(self, account: _Account, proof: bytes) -> list[bytes]:
        method = self.server.method
        if (account.plugin or NATIVE_PASSWORD) != method and self._asked is None:
            self._asked = account
            return [b"\xfe" + method.encode() + b"\0" + self.scramble + b"\0"]
        self._asked = None
        if not self._knows(account.user, proof):
            using = "YES" if proof else "NO"
            text = f"Access denied for user '{account.user}'@'localhost' (using password: {using})"
            return self._refuse(1045, "28000", text)
        self._is_in = True
        self.database = account.database
        self._begin_session()
        return self._ok()

    def _begin_session(self) -> None:
        self._in_trans, self._autocommit = False, True
        self._knowledge = Knowledge()

    def _knows(self, name: str, proof: bytes) -> bool:
        users = self.server.users
        if users is None or name not in users:
            return users is None
        is_checked = self.server.method == NATIVE_PASSWORD
        return not is_checked or proof == native_password(users[name], self.scramble)

    def _finish_login(self, proof: bytes) -> list[bytes]:
        assert self._asked is not None
        return self._check(self._asked, proof)

    def _refuse(self, code: int, state: str, text: str) -> list[bytes]:
        self.close()
        return [_native.encode_err(code, state, text)]

    # --- commands

    def _command(self, payload: bytes) -> list[bytes]:
        command, argument = payload[0], payload[1:]
        special = self.server.answer_to_command(command)
        if special is not None:
            return self._reply(special, False)
        if command == _QUERY:
            return self._query(to_str(argument), False)
        if command == _QUIT:
            self.close()
            return []
        if command == _INIT_DB:
            self.database = argument
            return self._ok()
        if command == _CHANGE_USER:
            return self._change_user(payload)
        if command == _PREPARE:
            return self._prepare(to_str(argument))
        if command in (_EXECUTE, _CLOSE, _LONG_DATA, _FETCH):
            return self._statement(command, int.from_bytes(argument[:4], "little"), argument[4:])
        if command == _STATISTICS:
            return [b"Uptime: 1  Threads: 1  Questions: 1"]
        if command == _RESET:
            self._begin_session()
        if command in _WITH_OK:
            return self._ok()
        if command in _WITH_EOF or command == _FIELD_LIST:
            return [self._eof()]
        return [_native.encode_err(1047, "08S01", "Unknown command")]

    def _query(self, sql: str, binary: bool) -> list[bytes]:
        return self._reply(self._answer_to(sql), binary)

    def _answer_to(self, sql: str) -> Reply:
        answer = self.server.answer_to(sql)
        if answer is _UNKNOWN:
            answer = self._knowledge.answer(sql) or answer
        if isinstance(answer, Ok):
            self._follow(sql)
        self._knowledge.note(sql, answer)
        return answer

    def _follow(self, sql: str) -> None:
        """What an accepted statement changes in the session."""
        use, autocommit = _USE.match(sql), _AUTOCOMMIT.match(sql)
        if _BEGIN.match(sql):
            self._in_trans = True
        elif _END.match(sql):
            self._in_trans = False
        elif autocommit:
            self._autocommit = autocommit[1].upper() in ("1", "ON", "TRUE")
        elif use:
            self.database = use[1].encode()

    def _reply(self, answer: Reply, binary: bool) -> list[bytes]:
        parts = answer if isinstance(answer, (list, tuple)) else [answer]
        for part in parts:
            if isinstance(part, LocalInfile):
                self._file = part
            elif isinstance(part, Disconnect):
                self.close()
        return encode(answer, self._status, binary, self._tracks)

    def _read_file(self, payload: bytes) -> list[bytes]:
        if payload:
            return []
        assert self._file is not None
        then, self._file = self._file.then, None
        return self._reply(then, False)

    def _change_user(self, payload: bytes) -> list[bytes]:
        try:
            user, proof, database, plugin = _native.decode_change_user(payload, self._capabilities)
        except _native.PacketError:
            return self._refuse(1047, "08S01", "Unknown command")
        return self._check(_Account(to_str(user), database, to_str(plugin)), proof)

    def _prepare(self, sql: str) -> list[bytes]:
        # Its columns are those of the answer to come; a function is asked at both times.
        answer = self.server.answer_to(sql)
        if isinstance(answer, Error):
            return self._reply(answer, False)
        statement, self._next_statement = self._next_statement, self._next_statement + 1
        self._statements[statement] = sql
        return prepared(statement, answer, _count_parameters(sql), self._status, self._tracks)

    def _statement(self, command: int, statement: int, argument: bytes) -> list[bytes]:
        if command == _CLOSE:
            self._statements.pop(statement, None)
            return []
        if command == _LONG_DATA:
            return []
        if command == _FETCH:
            return self._fetch(statement, int.from_bytes(argument[:4], "little"))
        sql = self._statements.get(statement)
        if sql is None:
            text = f"Unknown prepared statement handler ({statement}) given to EXECUTE"
            return [_native.encode_err(1243, "HY000", text)]
        self._cursors.pop(statement, None)
        answer = self._answer_to(sql)
        asks_for_cursor = argument and argument[0] & _CURSOR_FLAGS
        if not asks_for_cursor or not isinstance(answer, Result):
            return self._reply(answer, True)
        # With a cursor the answer ends behind the columns.
        packets = encode(answer, self._status, True)
        columns = len(answer.fields) + 1
        self._cursors[statement] = packets[columns + 1 : -1]
        return [*packets[:columns], self._eof(Status.CURSOR_EXISTS)]

    def _fetch(self, statement: int, count: int) -> list[bytes]:
        rows = self._cursors.get(statement)
        if rows is None:
            text = f"The statement ({statement}) has no open cursor."
            return [_native.encode_err(1421, "HY000", text)]
        taken, self._cursors[statement] = rows[:count], rows[count:]
        left = self._cursors[statement]
        flag = Status.CURSOR_EXISTS if left else Status.LAST_ROW_SENT
        return [*taken, self._eof(flag)]


def _count_parameters(sql: str) -> int:
    """Question marks that are not in quotes."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "", sql).count("?")
