"""One of the two ways: the clients of a session, connected to one address."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from ..generator.fixtures import FILES
from ..generator.steps import Step
from ..wire.answers import Answer, Lost, Ok, Prepared, Result, Rows
from ..wire.codec import Com, Status, lenenc_bytes
from ..wire.connection import Connection, ConnectionLost, Refused
from ..wire.login import Identity

__all__ = ["SKIPPED", "Side"]

SKIPPED: Answer = ()
"""The step had nothing to act on: no such statement, no connection to close."""

_LONGLONG, _DOUBLE, _VAR_STRING = 8, 5, 253
_UNANSWERED = ("close", "long_data")


class _Statement:
    def __init__(self, number: int) -> None:
        self.number = number
        self.has_cursor = False
        # Parameters whose values were sent ahead.
        self.sent: set[int] = set()


class _Peer:
    """A client that is connected."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.statements: dict[str, _Statement] = {}


class Side:
    """Makes the steps of clients."""

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        self.name = name
        self._address = address
        self._peers: dict[int, _Peer] = {}
        self._logins: dict[int, tuple[Any, ...]] = {}
        # The numbers of connections that have ended; the server may not know yet.
        self.ended: list[int] = []

    def do(self, step: Step) -> Answer:
        """Makes a step."""
        if step.op == "connect":
            return self._connect(step.client, step.args)
        if step.op == "quit":
            return self._quit(step.client)
        peer = self._peers.get(step.client)
        if peer is None:
            if step.client not in self._logins:
                # Left out by somebody who makes the session shorter.
                return SKIPPED
            answer = self._connect(step.client, self._logins[step.client])
            if not isinstance(answer[-1], Ok):
                return answer
            peer = self._peers[step.client]
        if step.op == "change_user":
            return self._change_user(step, peer)
        payload = self._payload(step, peer)
        if payload is None:
            return SKIPPED
        try:
            peer.connection.send(payload)
        except ConnectionLost as error:
            self.drop(step.client)
            return (Lost(str(error)),)
        return SKIPPED if step.op in _UNANSWERED else self._finish(step, peer, payload[0])

    def drop(self, client: int) -> None:
        """Ends a client's connection without a word."""
        peer = self._peers.pop(client, None)
        if peer is not None:
            self.ended.append(peer.connection.greeting.thread_id)
            peer.connection.close()

    def close(self) -> None:
        """Ends all connections."""
        for client in list(self._peers):
            self._quit(client)

    def tracks(self, client: int) -> bool:
        """Whether the client gets reports of session tracking."""
        peer = self._peers.get(client)
        return peer is not None and peer.connection.tracks

    def is_connected(self, client: int) -> bool:
        """Whether the client has a connection, as far as is known."""
        return client in self._peers

    def number(self, client: int, name: str) -> int | None:
        """The server's number of a prepared statement."""
        peer = self._peers.get(client)
        statement = peer.statements.get(name) if peer is not None else None
        return statement.number if statement is not None else None

    # Steps.

    def _connect(self, client: int, login: tuple[Any, ...]) -> Answer:
        self._quit(client)
        identity, collation, database = login
        try:
            connection = Connection(self._address, identity, collation, database, FILES)
        except Refused as refused:
            return (refused.answer,)
        except ConnectionLost as error:
            return (Lost(str(error)),)
        self._peers[client] = _Peer(connection)
        self._logins[client] = login
        return (Ok(0, 0, 2, 0),)

    def _quit(self, client: int) -> Answer:
        peer = self._peers.pop(client, None)
        if peer is not None:
            self.ended.append(peer.connection.greeting.thread_id)
            peer.connection.quit()
        return SKIPPED

    def _change_user(self, step: Step, peer: _Peer) -> Answer:
        identity: Identity = step.args[0]
        answer = peer.connection.change_user(*step.args)
        if isinstance(answer[-1], Ok):
            peer.statements.clear()
            # The connection keeps its capabilities.
            own = identity._replace(capabilities=self._logins[step.client][0].capabilities)
            self._logins[step.client] = (own, *step.args[1:])
        else:
            self.drop(step.client)
        return answer

    def _finish(self, step: Step, peer: _Peer, command: int) -> Answer:
        answer = peer.connection.read(command)
        last = answer[-1]
        if isinstance(last, Prepared):
            peer.statements[step.args[0]] = _Statement(peer.connection.last_prepared)
        elif step.op in ("execute", "fetch"):
            statement = peer.statements.get(step.args[0])
            if statement is not None:
                statement.has_cursor = _has_cursor(last)
        elif step.op == "reset_connection" and isinstance(last, Ok):
            peer.statements.clear()
        if isinstance(last, Lost) or ("quits" in step.tags and isinstance(last, Ok)):
            self.drop(step.client)
        return answer

    # Commands.

    def _payload(self, step: Step, peer: _Peer) -> bytes | None:
        make = getattr(self, f"_payload_of_{step.op}")
        found: bytes | None = make(peer, *step.args)
        return found

    def _payload_of_query(self, peer: _Peer, sql: str) -> bytes:
        return bytes((Com.QUERY,)) + sql.encode("utf-8", "surrogateescape")

    def _payload_of_init_db(self, peer: _Peer, database: str) -> bytes:
        return bytes((Com.INIT_DB,)) + database.encode()

    def _payload_of_ping(self, peer: _Peer) -> bytes:
        return bytes((Com.PING,))

    def _payload_of_reset_connection(self, peer: _Peer) -> bytes:
        return bytes((Com.RESET_CONNECTION,))

    def _payload_of_set_option(self, peer: _Peer, option: int) -> bytes:
        return struct.pack("<BH", Com.SET_OPTION, option)

    def _payload_of_field_list(self, peer: _Peer, table: str) -> bytes:
        return bytes((Com.FIELD_LIST,)) + table.encode() + b"\0"

    def _payload_of_prepare(self, peer: _Peer, name: str, sql: str) -> bytes:
        return bytes((Com.STMT_PREPARE,)) + sql.encode()

    def _payload_of_execute(
        self, peer: _Peer, name: str, values: Sequence[Any], cursor: bool
    ) -> bytes | None:
        statement = peer.statements.get(name)
        if statement is None:
            return None
        payload = struct.pack("<BIBI", Com.STMT_EXECUTE, statement.number, int(cursor), 1)
        payload += _parameters(values, statement.sent)
        statement.sent.clear()
        return payload

    def _payload_of_execute_number(self, peer: _Peer, number: int) -> bytes:
        return struct.pack("<BIBI", Com.STMT_EXECUTE, number, 0, 1)

    def _payload_of_fetch(self, peer: _Peer, name: str, rows: int) -> bytes | None:
        """Not where the last row was sent: what the error says is a number of the server's."""
        statement = peer.statements.get(name)
        if statement is None or not statement.has_cursor:
            return None
        return struct.pack("<BII", Com.STMT_FETCH, statement.number, rows)

    def _payload_of_long_data(
        self, peer: _Peer, name: str, parameter: int, data: str
    ) -> bytes | None:
        statement = peer.statements.get(name)
        if statement is None:
            return None
        statement.sent.add(parameter)
        head = struct.pack("<BIH", Com.STMT_SEND_LONG_DATA, statement.number, parameter)
        return head + data.encode()

    def _payload_of_reset_statement(self, peer: _Peer, name: str) -> bytes | None:
        statement = peer.statements.get(name)
        if statement is None:
            return None
        statement.sent.clear()
        statement.has_cursor = False
        return struct.pack("<BI", Com.STMT_RESET, statement.number)

    def _payload_of_close(self, peer: _Peer, name: str) -> bytes | None:
        statement = peer.statements.pop(name, None)
        if statement is None:
            return None
        return struct.pack("<BI", Com.STMT_CLOSE, statement.number)


def _has_cursor(result: Result) -> bool:
    """Whether rows are left to fetch."""
    if not isinstance(result, Rows) or not isinstance(result.end, Ok):
        return False
    status = result.end.status
    return bool(status & Status.CURSOR_EXISTS) and not status & Status.LAST_ROW_SENT


def _parameters(values: Sequence[Any], sent: set[int]) -> bytes:
    """Values as an execution has them."""
    if not values:
        return b""
    nulls, types, data = bytearray((len(values) + 7) // 8), b"", b""
    for index, value in enumerate(values):
        if index in sent:
            types += struct.pack("<H", _VAR_STRING)
        elif value is None:
            nulls[index // 8] |= 1 << index % 8
            types += struct.pack("<H", _VAR_STRING)
        elif isinstance(value, int):
            types += struct.pack("<H", _LONGLONG)
            data += struct.pack("<q", value)
        elif isinstance(value, float):
            types += struct.pack("<H", _DOUBLE)
            data += struct.pack("<d", value)
        else:
            types += struct.pack("<H", _VAR_STRING)
            data += lenenc_bytes(value.encode())
    return bytes(nulls) + b"\1" + types + data
