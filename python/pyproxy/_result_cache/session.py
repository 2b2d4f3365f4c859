"""What the cache has to know of one client connection: what its results depend on, and what the server is owed."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import pyproxy
from pyproxy import commands, proto
from pyproxy._pooling.routing import Route, route
from pyproxy._pooling.session import ClientSession, Outcome
from pyproxy._result_cache.changes import EVERYTHING, NOTHING, changed_tables

__all__ = ["Request", "Session"]

_EXECUTIONS = (pyproxy.COM_STMT_EXECUTE, pyproxy.COM_STMT_BULK_EXECUTE)
_CURSOR_BITS = 0b0111


class Request(NamedTuple):
    """A command, and what it means."""

    packet: bytes
    route: Route
    text: bytes | None = None
    """The statement that it runs; None if it runs none, or that is not known."""
    database: str = ""
    """The default database of its names."""
    params: tuple[object, ...] | None = None
    """The parameters of an execution whose rows may be kept."""
    settings: tuple[object, ...] = ()
    """What else was set when it was prepared."""
    changes: frozenset[str] = NOTHING


class _Prepared(NamedTuple):
    text: bytes
    database: str
    settings: tuple[object, ...]
    route: Route


class Session:
    """One client's session."""

    def __init__(
        self, database: str, capabilities: int | None, ties: frozenset[str] = frozenset()
    ) -> None:
        self._client = ClientSession(database)
        self._client.ties |= ties
        self._values = proto.Statements(capabilities)
        self._prepared: dict[int, _Prepared] = {}
        # Statements of which the server has not got the types that the client has sent.
        self._lacks_types: set[int] = set()
        # The parameters whose values were sent ahead: the server keeps these until it runs the statement.
        self._values_ahead: dict[int, set[int]] = {}
        self._may_reveal = False
        self.changed: frozenset[str] = NOTHING
        """What was changed in the transaction, and may come to light at its end."""
        self.served: bytes | None = None
        """The last command, if it was answered without the server."""

    @property
    def settings(self) -> tuple[object, ...]:
        """The session's own settings."""
        return self._client.settings

    @property
    def is_plain(self) -> bool:
        """Whether no more than the settings decides what a query of this client gives."""
        return self._client.is_plain

    @property
    def in_transaction(self) -> bool:
        """Whether changes may wait for a COMMIT."""
        return self._client.in_transaction or not self._client.auto_commit

    @property
    def outlasts_reset(self) -> frozenset[str]:
        """What is left when the client resets its connection."""
        return self._client.outlasts_reset

    def request(self, packet: bytes, no_backslash_escapes: bool) -> Request:
        """What a command means. To be asked once for each."""
        if packet[0] in _EXECUTIONS:
            return self._execution(packet, no_backslash_escapes)
        meant = route(commands.parse(packet))
        database = self._client.database
        if packet[0] == pyproxy.COM_QUERY:
            text = packet[1:]
            changes = changed_tables(text, database, no_backslash_escapes)
            return Request(packet, meant, text, database, changes=changes)
        is_change = packet[0] in (pyproxy.COM_CREATE_DB, pyproxy.COM_DROP_DB, pyproxy.COM_REFRESH)
        return Request(packet, meant, changes=EVERYTHING if is_change else NOTHING)

    def note_unanswered(self, packet: bytes) -> None:
        """COM_STMT_CLOSE and COM_STMT_SEND_LONG_DATA."""
        stmt_id = int.from_bytes(packet[1:5], "little")
        with contextlib.suppress(proto.PacketError):
            if packet[0] == pyproxy.COM_STMT_CLOSE:
                self._values.close(packet)
                self._prepared.pop(stmt_id, None)
                self._values_ahead.pop(stmt_id, None)
            else:
                self._values.long_data(packet)
                param = proto.from_stmt_send_long_data_packet(packet).param
                self._values_ahead.setdefault(stmt_id, set()).add(param)

    def note_sent(self, request: Request) -> None:
        """A command goes to the server."""
        self.served = None
        self.changed |= request.changes
        self._may_reveal = bool(request.changes) or not request.route.is_read
        self._client.note_sent(request.route)
        packet = request.packet
        stmt_id = int.from_bytes(packet[1:5], "little")
        if packet[0] == pyproxy.COM_STMT_EXECUTE:
            self._lacks_types.discard(stmt_id)
        elif packet[0] == pyproxy.COM_STMT_RESET:
            with contextlib.suppress(proto.PacketError, KeyError):
                self._values.reset(packet)
            self._values_ahead.pop(stmt_id, None)

    def note_result(self, outcome: Outcome) -> None:
        """Its result is complete."""
        self._client.note_result(outcome)
        self._may_reveal |= not self.in_transaction

    @property
    def has_news(self) -> bool:
        """Whether changes of this client may have come to light, or will with the command in progress."""
        return bool(self.changed) and self._may_reveal

    def note_told(self, changed: frozenset[str]) -> None:
        """Everybody knows of these changes. In a transaction they are told once more, at its end."""
        if not self.in_transaction:
            self.changed -= changed

    def note_prepared(self, packet: bytes, answer: bytes | None) -> None:
        """`answer` is the server's first packet to a COM_STMT_PREPARE."""
        if not answer or answer[0] != 0:
            return
        ok = self._values.prepared(answer)
        meant = route(commands.parse(bytes((pyproxy.COM_QUERY,)) + packet[1:]))
        self._prepared[ok.stmt_id] = _Prepared(
            packet[1:], self._client.database, self.settings, meant
        )

    def note_served(self, request: Request) -> None:
        """It was answered without the server."""
        self.served = request.packet
        if request.packet[0] == pyproxy.COM_STMT_EXECUTE and request.params:
            self._lacks_types.add(int.from_bytes(request.packet[1:5], "little"))

    def _execution(self, packet: bytes, no_backslash_escapes: bool) -> Request:
        stmt_id = int.from_bytes(packet[1:5], "little")
        known = self._prepared.get(stmt_id)
        if known is None:
            return Request(packet, Route(is_write=True), changes=EVERYTHING)
        changes = changed_tables(known.text, known.database, no_backslash_escapes)
        unkept = Request(packet, known.route, known.text, known.database, changes=changes)
        ahead = self._values_ahead.pop(stmt_id, set())
        if packet[0] != pyproxy.COM_STMT_EXECUTE:
            return unkept
        try:
            execute = self._values.execute(packet)
        except (proto.PacketError, KeyError):
            return unkept
        params = execute.params
        if params is None:
            return unkept
        if stmt_id in self._lacks_types and not execute.new_params_bound:
            # The server does not look at a value that it has already.
            sent = [p._replace(value=None) if n in ahead else p for n, p in enumerate(params)]
            execute = execute._replace(new_params_bound=True, params=tuple(sent))
            unkept = unkept._replace(packet=proto.to_stmt_execute_packet(execute))
        if ahead or execute.flags & _CURSOR_BITS or execute.attributes:
            return unkept
        return unkept._replace(params=params, settings=known.settings)
