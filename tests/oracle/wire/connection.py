"""One connection of a client."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from . import login
from .answers import (
    Answer,
    Columns,
    Err,
    Lost,
    Ok,
    Prepared,
    Result,
    Rows,
    is_followed,
    parse_eof,
    parse_err,
    parse_ok,
)
from .codec import Cap, Com, Reader, Status
from .login import Identity

__all__ = ["ConnectionLost", "Connection", "Refused"]

# Longer than any statement takes, and short enough for a test that hangs.
_PATIENCE = 60.0
_OK, _ERR, _EOF, _FILE = 0, 0xFF, 0xFE, 0xFB
_LONG_EOF = 9
_MAX_PACKET = 0xFFFFFF


class ConnectionLost(Exception):
    """The connection ended."""


class Refused(Exception):
    """A login was refused; `answer` is what the client was told."""

    def __init__(self, answer: Result) -> None:
        super().__init__(str(answer))
        self.answer = answer


class Connection:
    """A connection that is logged in. `read` after each command that is answered."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        identity: Identity,
        collation: int = 45,
        database: str | None = None,
        files: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """`files` are the contents that the server may ask for with LOAD DATA LOCAL."""
        self._files = files or {}
        self._buffer = b""
        self._at = 0
        self._sequence = 0
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.connect(address)
            if family == socket.AF_INET:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._is_secure = family == socket.AF_UNIX
            self._log_in(identity, collation, database)
        except OSError as error:
            self.close()
            raise ConnectionLost(_plain(error)) from None
        except (Refused, ConnectionLost):
            self.close()
            raise

    # The life of the connection.

    def _log_in(self, identity: Identity, collation: int, database: str | None) -> None:
        packet = self._packet()
        if packet[0] == _ERR:
            raise Refused(parse_err(packet))
        self.greeting = login.greeting(packet)
        answer, capabilities = login.response(self.greeting, identity, collation, database)
        self.tracks = bool(capabilities & Cap.SESSION_TRACK)
        self._has_eof = not capabilities & Cap.DEPRECATE_EOF
        self._write(answer)
        result = self._authenticate(identity)
        if not isinstance(result, Ok):
            raise Refused(result)

    def _authenticate(self, identity: Identity) -> Result:
        """The rounds of a login, to its OK or ERR."""
        while True:
            packet = self._packet()
            if packet[0] == _OK:
                return parse_ok(packet, self.tracks)
            if packet[0] == _ERR:
                return parse_err(packet)
            if packet[0] == _EOF:
                reader = Reader(packet, 1)
                plugin = reader.to_zero()
                self._write(login.scramble(plugin, identity.password, reader.rest()))
            elif packet == b"\1\4" and self._is_secure:
                self._write(identity.password.encode() + b"\0")
            elif packet != b"\1\3":
                raise ConnectionLost(f"a login that is not known here: {packet!r}")

    def close(self) -> None:
        """Ends it without a word."""
        self._socket.close()

    def quit(self) -> None:
        """Ends it as clients do, and waits until the other side has closed it."""
        try:
            self.send(bytes((Com.QUIT,)))
            while self._socket.recv(4096):
                pass
        except (OSError, ConnectionLost):
            pass
        self.close()

    # Commands.

    def send(self, payload: bytes) -> None:
        """Sends a command."""
        self._sequence = 0
        try:
            self._write(payload)
        except OSError as error:
            raise ConnectionLost(_plain(error)) from None

    def read(self, command: int) -> Answer:
        """The answer to a command of this number. A lost connection is an answer, too."""
        results: list[Result] = []
        try:
            if command == Com.STMT_PREPARE:
                return (self._prepared(),)
            if command == Com.STMT_FETCH:
                return (self._rows((), True),)
            if command == Com.FIELD_LIST:
                return (self._columns(),)
            while True:
                results.append(self._result(command == Com.STMT_EXECUTE))
                if not is_followed(results[-1]):
                    return tuple(results)
        except (ConnectionLost, ValueError) as error:
            # A packet that is not what it should be is as bad.
            return (*results, Lost(str(error)))
        except OSError as error:
            return (*results, Lost(_plain(error)))

    def change_user(self, identity: Identity, collation: int, database: str | None) -> Answer:
        """COM_CHANGE_USER, with all its rounds."""
        try:
            self.send(login.change_user(self.greeting, identity, collation, database))
            return (self._authenticate(identity),)
        except ConnectionLost as error:
            return (Lost(str(error)),)
        except OSError as error:
            return (Lost(_plain(error)),)

    def query(self, sql: str) -> Answer:
        """A statement and its answer."""
        try:
            self.send(b"\x03" + sql.encode())
        except ConnectionLost as error:
            return (Lost(str(error)),)
        return self.read(Com.QUERY)

    # Answers.

    def _result(self, binary: bool) -> Result:
        packet = self._packet()
        first = packet[0]
        if first == _OK:
            return parse_ok(packet, self.tracks)
        if first == _ERR:
            return parse_err(packet)
        if first == _EOF and len(packet) < _LONG_EOF:
            return parse_eof(packet) if self._has_eof else parse_ok(packet, self.tracks)
        if first == _FILE:
            content = self._files.get(packet[1:], b"")
            if content:
                self._write(content)
            self._write(b"")
            return self._result(binary)
        columns = self._definitions(Reader(packet).lenenc() or 0)
        if self._has_eof:
            end = parse_eof(self._packet())
            # With a cursor the rows come later.
            if end.status & Status.CURSOR_EXISTS:
                return Rows(columns, (), end, binary)
            if end.status & Status.PS_OUT_PARAMS:
                # MySQL says with the first EOF only that this is such a result, and that another one follows.
                return _with_status(self._rows(columns, binary), end.status)
        return self._rows(columns, binary)

    def _rows(self, columns: tuple[bytes, ...], binary: bool) -> Rows | Err:
        rows: list[bytes] = []
        while True:
            packet = self._packet()
            if packet[0] == _EOF and len(packet) < _MAX_PACKET:
                if not self._has_eof:
                    return Rows(columns, tuple(rows), parse_ok(packet, self.tracks), binary)
                if len(packet) < _LONG_EOF:
                    return Rows(columns, tuple(rows), parse_eof(packet), binary)
            elif packet[0] == _ERR:
                return Rows(columns, tuple(rows), parse_err(packet), binary)
            rows.append(packet)

    def _prepared(self) -> Result:
        packet = self._packet()
        if packet[0] == _ERR:
            return parse_err(packet)
        reader = Reader(packet, 1)
        self.last_prepared = reader.number(4)
        columns, parameters = reader.number(2), reader.number(2)
        reader.take(1)
        warnings = reader.number(2)
        found = []
        for count in (parameters, columns):
            found.append(self._definitions(count))
            if count and self._has_eof:
                self._packet()
        return Prepared(found[0], found[1], warnings)

    def _columns(self) -> Result:
        columns: list[bytes] = []
        while True:
            packet = self._packet()
            if packet[0] == _ERR:
                return Columns(tuple(columns), parse_err(packet)) if columns else parse_err(packet)
            if packet[0] == _EOF and len(packet) < _LONG_EOF:
                end = parse_eof(packet) if self._has_eof else parse_ok(packet, self.tracks)
                return Columns(tuple(columns), end)
            columns.append(packet)

    def _definitions(self, count: int) -> tuple[bytes, ...]:
        return tuple([self._packet() for _ in range(count)])

    # Packets.

    def _write(self, payload: bytes) -> None:
        header = len(payload).to_bytes(3, "little") + bytes((self._sequence & 0xFF,))
        self._sequence += 1
        self._socket.sendall(header + payload)

    def _packet(self) -> bytes:
        header = self._take(4)
        self._sequence = header[3] + 1
        payload = self._take(int.from_bytes(header[:3], "little"))
        if not payload:
            raise ConnectionLost("an empty packet")
        return payload

    def _take(self, count: int) -> bytes:
        end = self._at + count
        while len(self._buffer) < end:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionLost("end of stream")
            self._buffer = self._buffer[self._at :] + data
            self._at, end = 0, count
        found = self._buffer[self._at : end]
        self._at = end
        return found


def _with_status(rows: Rows | Err, status: int) -> Rows | Err:
    if isinstance(rows, Err) or isinstance(rows.end, Err):
        return rows
    more = status & (Status.PS_OUT_PARAMS | Status.MORE_RESULTS)
    return rows._replace(end=rows.end._replace(status=rows.end.status | more))


def _plain(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
