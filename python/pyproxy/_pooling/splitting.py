"""The hooks that read/write splitting, its read-your-writes form and plain pooling have in common.

    splitter = Splitter("rw_splitting", settings)

and a hook of the script for each method. A client has a server connection only while it needs one; between its commands
the connection is in the pool, unless something ties the client to it. When it goes on with another connection, that one
is made to look like the one before: default database, settings (`SET`). What cannot be carried ties the client to the
connection that knows, and what no connection knows any more is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyproxy import (
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_CHANGE_USER,
    COM_QUERY,
    COM_QUIT,
    COM_RESET_CONNECTION,
    COM_STMT_BULK_EXECUTE,
    COM_STMT_CLOSE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    COM_STMT_SEND_LONG_DATA,
    COM_TABLE_DUMP,
    Error,
    Ok,
    auto_config,
    balance,
    commands,
)
from pyproxy._common.queries import query_packet
from pyproxy._pooling import pools, server_connections
from pyproxy._pooling.routing import Route, route
from pyproxy._pooling.session import ClientSession, Outcome
from pyproxy._pooling.ties import INSERT_ID
from pyproxy._stack.traits import CHOOSES_BACKENDS, CHOOSES_USERS, declare
from pyproxy.commands import Command
from pyproxy.proto import PacketError, from_err_packet, from_stmt_prepare_ok_packet
from pyproxy.settings import Section

if TYPE_CHECKING:
    from pyproxy import Auth, Decision, Injection, Proxy

__all__ = ["POOL_SETTINGS", "Splitter"]

POOL_SETTINGS = {"min_idle_connections": 4, "max_idle_connections": 8, "is_debug": False}
"""What every script that uses this has among its settings."""

# Ids of queued packets: the client's own, what prepares the connection for it, the question for its character set.
_COMMAND, _SETUP, _NAMES = 1, 2, 3
_STREAMS = (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_TABLE_DUMP)
_EXECUTES = (COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE)
_UNANSWERED = (COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA)
_ASK_NAMES = (
    "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID ="
)

# An execution of a statement that is not known: MariaDB's clients need not wait for its number.
_UNKNOWN = Route(is_write=True, ties=frozenset((INSERT_ID,)), inserts=True)

# The SET NAMES that stands for each collation that a client logged in with.
_names: dict[int, str] = {}


class Splitter:
    """One for each script. What belongs to a client is on `proxy.connection`, under the script's name."""

    def __init__(
        self,
        name: str,
        settings: Section,
        *,
        splits: bool = True,
        may_read: Callable[[Proxy], bool] = lambda proxy: True,
        wrote: Callable[[Proxy], None] = lambda proxy: None,
    ) -> None:
        """`splits`: read-only backends have pools, too, and get the reads for which `may_read(proxy)` says so.

        `wrote(proxy)` is called behind each command that has changed data for good, or may have.
        """
        self._name = name
        # The attribute of `proxy.connection` for what a client's session takes over from the one before a reset.
        self._kept = f"{name}_kept"
        self._settings = settings
        self._splits = splits
        self._may_read = may_read
        self._wrote = wrote

    # Hooks.

    def init(self, proxy: Proxy) -> None:
        declare(CHOOSES_BACKENDS, CHOOSES_USERS)

    def connect_server(self, proxy: Proxy) -> int | None:
        types = [proxy.BACKEND_TYPE_RW] + ([proxy.BACKEND_TYPE_RO] if self._splits else [])
        return pools.choose_for_new_client(
            proxy,
            types,
            self._settings.min_idle_connections,
            self._settings.max_idle_connections,
        )

    def read_auth_result(self, proxy: Proxy, auth: Auth) -> None:
        if auth.packet[:1] != b"\0":
            # An error, or a method with more rounds.
            return
        self._begin(proxy)
        server_connections.note_login(proxy)
        pools.give_back(proxy)

    def read_query(self, proxy: Proxy, packet: bytes) -> Decision:
        command = commands.parse(packet)
        decision = auto_config.handle(proxy, command)
        if decision is not None:
            return decision
        if command.type == COM_QUIT:
            # For the client only: its server connection goes on.
            return Ok()
        session = self._session(proxy)
        if command.type in _UNANSWERED:
            if command.type == COM_STMT_CLOSE and command.stmt_handler_id is not None:
                session.statements.pop(command.stmt_handler_id, None)
            return None
        meant = self._route(session, command)
        unknown = _unknown(proxy, session, meant)
        if unknown is not None:
            return Error(f"{self._name}: {unknown}", 1105, "HY000")
        if not self._attach(proxy, session, meant):
            return self._refuse(proxy)
        self._trace(proxy, command)
        session.note_sent(meant)
        if command.type in (COM_CHANGE_USER, COM_RESET_CONNECTION):
            # They run where they are and take everything with them, but a role. The session begins again with the next
            # command.
            setattr(proxy.connection, self._kept, session.outlasts_reset)
            delattr(proxy.connection, self._name)
            server_connections.forget(proxy)
            return None
        if command.type in _STREAMS:
            return None
        self._prepare_connection(proxy, session, meant)
        if meant.database is not None and command.type == COM_QUERY:
            # As the command it stands for, so that the proxy knows of it.
            packet = bytes((proxy.COM_INIT_DB,)) + meant.database.encode("utf-8", "surrogateescape")
        # The answer to PREPARE has the number of the statement.
        proxy.queries.append(_COMMAND, packet, command.type == COM_STMT_PREPARE)
        return proxy.PROXY_SEND_QUERY

    def read_query_result(self, proxy: Proxy, inj: Injection) -> Decision:
        session = self._session(proxy)
        if inj.id == _NAMES:
            self._note_names(proxy, session, inj)
            return proxy.PROXY_IGNORE_RESULT
        if inj.id == _SETUP:
            return self._setup_is_done(proxy, inj)
        if inj.id != _COMMAND:
            return None
        outcome = _outcome(inj)
        session.note_result(outcome)
        # What was queued before it went well, or it would not have run.
        server_connections.note_profile(proxy, session.profile)
        if inj.query[0] == COM_STMT_PREPARE and not outcome.is_error:
            _note_statement(session, inj)
        if session.take_written():
            self._wrote(proxy)
        if not session.must_stay and not session.is_held:
            pools.give_back(proxy)
        return None

    def disconnect_client(self, proxy: Proxy) -> None:
        session = getattr(proxy.connection, self._name, None)
        if session is None or proxy.connection.server is None:
            # It left before its login was complete, or what it had is in the pool already.
            return
        has_room = pools.has_room(proxy, self._settings.max_idle_connections)
        is_for_others = has_room and not session.leaves_something
        if session.needs_reset or not is_for_others:
            server_connections.forget(proxy)
        if is_for_others:
            pools.give_back(proxy)

    # Routing.

    def _begin(self, proxy: Proxy) -> ClientSession:
        client = proxy.connection.client
        collation = server_connections.login_collation(client)
        session = ClientSession(client.default_db, collation)
        session.ties |= getattr(proxy.connection, self._kept, frozenset())
        setattr(proxy.connection, self._name, session)
        return session

    def _session(self, proxy: Proxy) -> ClientSession:
        session: ClientSession | None = getattr(proxy.connection, self._name, None)
        return self._begin(proxy) if session is None else session

    def _route(self, session: ClientSession, command: Command) -> Route:
        if command.type in _EXECUTES:
            if command.type == COM_STMT_BULK_EXECUTE:
                # MariaDB's answer has no id.
                session.ties.add(INSERT_ID)
            return session.statements.get(command.stmt_handler_id or 0, _UNKNOWN)
        return route(command)

    def _attach(self, proxy: Proxy, session: ClientSession, meant: Route) -> bool:
        """Sees to it that a server connection is attached on which the command can run; False if there is none."""
        is_attached = proxy.connection.server is not None
        if session.must_stay and is_attached:
            return True
        if session.leaves_something or session.needs_reset:
            # What it relies on went with its connection.
            return False
        if is_attached and (meant.goes_anywhere or meant.asks_about_last):
            return True
        backend = proxy.connection.backend if is_attached else None
        if meant.is_read and self._may_read(proxy):
            if backend is not None and backend.type == proxy.BACKEND_TYPE_RO:
                return True
            ndx = balance.idle_ro(proxy)
            if ndx >= 0 and self._move(proxy, session, ndx):
                return True
        if backend is not None and backend.type == proxy.BACKEND_TYPE_RW:
            return True
        ndx = balance.idle_failsafe_rw(proxy)
        if ndx >= 0 and self._move(proxy, session, ndx):
            return True
        ndx = balance.idle_ro(proxy) if meant.goes_anywhere else -1
        return ndx >= 0 and self._move(proxy, session, ndx)

    def _move(self, proxy: Proxy, session: ClientSession, ndx: int) -> bool:
        if not pools.attach(proxy, ndx):
            return False
        session.note_moved()
        return True

    def _refuse(self, proxy: Proxy) -> Error:
        """No connection: the client has to come again, as only a client that connects can open one."""
        proxy.connection.connection_close = True
        text = f"{self._name}: no idle connection to a backend for this command, connect again"
        return Error(text, 1040, "08004")

    # Making a connection the client's.

    def _prepare_connection(self, proxy: Proxy, session: ClientSession, meant: Route) -> None:
        """Queues what the attached connection has to be told before the client's command."""
        present, wanted = server_connections.profile(proxy), session.profile
        if present != wanted and not session.is_prepared:
            # Not known until all of it is done.
            server_connections.forget(proxy)
            if present is None or present.settings:
                # MySQL gives it the server's character set then, not that of the login.
                self._setup(proxy, bytes((proxy.COM_RESET_CONNECTION,)))
                self._setup_names(proxy, wanted.collation)
            elif present.collation != wanted.collation:
                self._setup_names(proxy, wanted.collation)
            for text in wanted.settings:
                self._setup(proxy, query_packet(text))
        server = proxy.connection.server
        if (
            server is not None
            and session.database
            and meant.database is None
            and server.default_db != session.database
        ):
            database = session.database.encode("utf-8", "surrogateescape")
            self._setup(proxy, bytes((proxy.COM_INIT_DB,)) + database)
        if meant.asks_about_last and not session.is_prepared:
            # The client's statement before left no warnings, or its connection would be held. There may be others'.
            self._setup(proxy, query_packet("DO 0"))

    def _setup(self, proxy: Proxy, packet: bytes) -> None:
        proxy.queries.append(_SETUP, packet, True)

    def _setup_names(self, proxy: Proxy, collation: int) -> None:
        if collation in _names:
            self._setup(proxy, query_packet(_names[collation]))
        elif collation:
            proxy.queries.append(_NAMES, query_packet(f"{_ASK_NAMES} {collation}"), True)

    def _note_names(self, proxy: Proxy, session: ClientSession, inj: Injection) -> None:
        # A server that does not know the number has no row, and took its own character set at the login.
        for charset, collation in inj.resultset.rows or ():
            text = f"SET NAMES {charset!s} COLLATE {collation!s}"
            _names[session.profile.collation] = text
            proxy.queries.prepend(_SETUP, query_packet(text), True)

    def _setup_is_done(self, proxy: Proxy, inj: Injection) -> int | Error:
        error = inj.resultset.error
        if error is None:
            return proxy.PROXY_IGNORE_RESULT
        # The client's command must not run on a connection that is not as the client expects it.
        proxy.queries.reset()
        reason = from_err_packet(error)
        backend = proxy.connection.backend
        where = str(backend.dst) if backend is not None else "its backend"
        text = reason.errmsg.decode("utf-8", "replace")
        return Error(
            f"{self._name}: cannot prepare a connection to {where}: {text}",
            reason.errcode,
            reason.sqlstate.decode("ascii", "replace") or "HY000",
        )

    def _trace(self, proxy: Proxy, command: Command) -> None:
        if self._settings.is_debug:
            backend = proxy.connection.backend
            address = backend.dst if backend is not None else None
            print(f"[{self._name}]", address, commands.pretty_print(command))


def _unknown(proxy: Proxy, session: ClientSession, meant: Route) -> str | None:
    """Why the answer to the command would be about somebody else's statements; None if it would not."""
    if not session.has(meant.needs):
        return f"no statement of this client left what this one asks for: {', '.join(meant.needs)}"
    if meant.asks_about_rows and (proxy.connection.server is None or not session.is_prepared):
        return (
            "the connection of the statement before is with other clients, and what this one asks for with it; "
            "in a transaction, or behind SQL_CALC_FOUND_ROWS, the client would have kept it"
        )
    return None


def _outcome(inj: Injection) -> Outcome:
    result = inj.resultset
    is_error = result.error is not None
    if is_error or inj.query[0] not in (COM_QUERY, *_EXECUTES):
        return Outcome(is_error)
    return Outcome(
        is_error,
        in_transaction=result.flags.in_trans,
        auto_commit=result.flags.auto_commit,
        insert_id=result.insert_id or 0,
        affected_rows=result.affected_rows or 0,
        warnings=result.warning_count,
    )


def _note_statement(session: ClientSession, inj: Injection) -> None:
    with contextlib.suppress(PacketError):
        statement = from_stmt_prepare_ok_packet(inj.resultset.raw or b"")
        session.statements[statement.stmt_id] = session.route
