"""Read/write splitting over server connections that clients share. A script is a `Splitter` and a few settings:

    _splitter = Splitter("rw_splitting", settings)

and a hook of the script for each method. The text of a statement proposes where it may run and what it leaves; the server's
values decide; what it reports of its session vetoes. A client has a server connection only while it needs one. What can be carried
to another one goes along with it (`connection.client_session`): the plugin makes each connection out of the pool the client's own.
What cannot ties the client to the connection that has it.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from pyproxy import (
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_CHANGE_USER,
    COM_INIT_DB,
    COM_PING,
    COM_QUERY,
    COM_QUIT,
    COM_RESET_CONNECTION,
    COM_SET_OPTION,
    COM_STMT_BULK_EXECUTE,
    COM_STMT_CLOSE,
    COM_STMT_EXECUTE,
    COM_STMT_PREPARE,
    COM_STMT_RESET,
    COM_STMT_SEND_LONG_DATA,
    COM_TABLE_DUMP,
    Error,
    Ok,
    auto_config,
    commands,
)
from pyproxy._common.queries import query_packet
from pyproxy._pooling import pools
from pyproxy._pooling.routing import Route, route
from pyproxy._pooling.ties import REPORTS
from pyproxy._splitting import asking, last, results, status
from pyproxy._splitting.freshness import Freshness
from pyproxy._splitting.inherited import Inheritance
from pyproxy._splitting.places import Places
from pyproxy._splitting.state import Kept, SplitState
from pyproxy._splitting.texts import has_no_backslash_escapes, reading_of
from pyproxy._stack.traits import CHOOSES_BACKENDS, CHOOSES_USERS, declare
from pyproxy.commands import Command
from pyproxy.settings import Section

if TYPE_CHECKING:
    from pyproxy import Auth, Decision, Injection, Proxy

__all__ = ["POOL_SETTINGS", "Splitter"]

POOL_SETTINGS = {
    "min_idle_connections": 4,
    "max_idle_connections": 8,
    "wait_seconds": 2.0,
    "is_debug": False,
}
"""What every script that uses this has among its settings."""

_STREAMS = (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_TABLE_DUMP)
_EXECUTES = (COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE)
_SHORT_ANSWERS = (COM_STMT_PREPARE, COM_PING, COM_INIT_DB, COM_SET_OPTION)
_GUARDED = (COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE)


class Splitter:
    """One for each script. What belongs to a client is on `proxy.connection`, under the script's name."""

    def __init__(
        self,
        name: str,
        settings: Section,
        *,
        splits: bool = True,
        freshness: Freshness | None = None,
    ) -> None:
        """`splits`: read-only backends have pools, too, and get the reads, as `freshness` lets them."""
        self._name = name
        # The attribute of `proxy.connection` for what a client's session takes over from the one before a reset.
        self._kept = f"{name}_kept"
        self._settings = settings
        self._splits = splits
        self._freshness = freshness or Freshness()
        self._counters = status.Counters()
        self._inheritance = Inheritance()
        self._places = Places(
            name, settings, self._counters, splits=splits, freshness=self._freshness
        )

    def init(self, proxy: Proxy) -> None:
        declare(CHOOSES_BACKENDS, CHOOSES_USERS)
        proxy.globals.track_sessions = True

    def connect_server(self, proxy: Proxy) -> int | None:
        return pools.choose_for_new_client(
            proxy,
            self._types(proxy),
            self._settings.min_idle_connections,
            self._settings.max_idle_connections,
        )

    def read_auth(self, proxy: Proxy) -> None:
        pools.choose_for_login(proxy, self._types(proxy), self._settings.min_idle_connections)

    def read_auth_result(self, proxy: Proxy, auth: Auth) -> None:
        if auth.packet[:1] != b"\0":
            # An error, or a method with more rounds.
            return
        self._begin(proxy)
        pools.give_back(proxy)

    def read_query(self, proxy: Proxy, packet: bytes) -> Decision | Coroutine[Any, Any, Decision]:
        command = commands.parse(packet)
        decision = auto_config.handle(proxy, command)
        if decision is not None:
            return decision
        if command.type == COM_QUIT:
            # For the client only: its server connection goes on.
            return Ok()
        state = self._state(proxy)
        if state.is_refused:
            return self._places.refuse(proxy, state)
        if status.is_asked(command):
            return status.answer(proxy, state, self._counters)
        if command.type == COM_STMT_CLOSE:
            state.statements.note_sent(command, packet)
            return None
        if command.type == COM_STMT_RESET and state.statements.is_idle(command):
            if proxy.connection.server is None and state.memory is not None:
                state.memory = results.behind_command(state.memory, command.type, None)
                return Ok()
        self._inheritance.tell(proxy, state)
        meant = self._route(proxy, state, command, packet)
        if state.passed_over:
            state.passed_over.clear()
        if not state.has(meant.needs):
            needs = ", ".join(meant.needs)
            text = f"{self._name}: no statement of this client left what this one asks for: {needs}"
            return Error(text, 1105, "HY000")
        last.recall(proxy, state, command, meant)
        if last.is_asked(state, command, meant):
            answer = last.answer(proxy, state, command, self._name)
            if answer is not None:
                return answer
        if self._places.attach(proxy, state, meant):
            return self._run(proxy, state, command, packet, meant)
        return self._places.wait_or_refuse(
            proxy, state, meant, lambda: self._run(proxy, state, command, packet, meant)
        )

    def _run(
        self, proxy: Proxy, state: SplitState, command: Command, packet: bytes, meant: Route
    ) -> Decision:
        """Runs the command on the attached connection."""
        self._trace(proxy, command)
        must_stay = state.must_stay
        state.statements.note_sent(command, packet)
        if command.type == COM_STMT_SEND_LONG_DATA:
            # Nobody answers it.
            return None
        decision = last.ask_attached(proxy, state, command, packet, meant, self._name)
        if decision is not None:
            return decision
        state.note_sent(meant)
        if REPORTS in meant.ties:
            proxy.connection.client_session.pass_reports()
        if command.type in (COM_CHANGE_USER, COM_RESET_CONNECTION):
            # They run where they are and take everything with them, but a role. The session begins again with the next
            # command.
            setattr(proxy.connection, self._kept, state.kept(self._inheritance.now()))
            delattr(proxy.connection, self._name)
            return None
        if command.type in _STREAMS:
            return None
        self._send(proxy, state, packet, must_stay)
        return proxy.PROXY_SEND_QUERY

    def _send(self, proxy: Proxy, state: SplitState, packet: bytes, must_stay: bool) -> None:
        """Queues the command for the attached connection, behind what a replica is asked before. `must_stay`: it can run nowhere else."""
        backend = proxy.connection.backend
        is_guarded = (
            packet[0] in _GUARDED
            and not must_stay
            and backend is not None
            and backend.type == proxy.BACKEND_TYPE_RO
        )
        state.retry = packet if is_guarded else None
        self._inheritance.ask(proxy, state)
        if is_guarded and state.route.is_read:
            question = self._freshness.question(proxy)
            if question is not None:
                state.waits_for = self._freshness.version(proxy)
                proxy.queries.append(results.CATCH_UP, query_packet(question), True)
        last.end_warnings(proxy, state)
        # The answer to PREPARE has the number of the statement, the others may count warnings.
        proxy.queries.append(
            results.COMMAND,
            packet,
            packet[0] in _SHORT_ANSWERS,
            failure_is_needed=is_guarded,
        )

    def read_query_result(
        self, proxy: Proxy, inj: Injection
    ) -> Decision | Coroutine[Any, Any, Decision]:
        state = self._state(proxy)
        if inj.id == results.CATCH_UP:
            if self._freshness.is_fresh(proxy, inj, state.waits_for):
                return proxy.PROXY_IGNORE_RESULT
            proxy.queries.reset()
            return self._again(proxy, state, tries_others=self._freshness.tries_others)
        answer: Decision = None
        if inj.id == results.COMMAND:
            if state.retry is not None and results.is_for_primary(inj):
                return self._again(proxy, state)
            if state.route.keeps_diagnostics:
                answer = last.with_warnings(proxy, state, inj)
            outcome = results.note_command(proxy, state, inj)
            self._inheritance.note_changed(state)
            self._counters.note_ties(state)
            gtids, has_written = state.take_gtids(), state.take_written()
            self._freshness.note(proxy, gtids, has_written, outcome.is_error)
        elif inj.id == last.LATE:
            return last.answered_late(proxy, state, inj, self._name)
        elif inj.id == last.RESTORED or self._inheritance.note_answer(proxy, state, inj):
            return proxy.PROXY_IGNORE_RESULT
        elif inj.id in last.ANSWERS:
            decision = last.answered(proxy, state, inj)
            if not asking.ask_more(proxy, state, inj):
                pools.give_back(proxy)
            return decision
        elif not asking.note_answer(proxy, state, inj):
            return None
        if not asking.ask_more(proxy, state, inj):
            pools.give_back(proxy)
        return answer if inj.id == results.COMMAND else proxy.PROXY_IGNORE_RESULT

    def disconnect_client(self, proxy: Proxy) -> None:
        state = getattr(proxy.connection, self._name, None)
        if state is None or proxy.connection.server is None:
            # It left before its login was complete, or what it had is in the pool already.
            return
        has_room = pools.has_room(proxy, self._settings.max_idle_connections)
        if has_room and not state.leaves_something:
            pools.give_back(proxy)

    def _types(self, proxy: Proxy) -> list[int]:
        """Of the backends that have pools."""
        return [proxy.BACKEND_TYPE_RW] + ([proxy.BACKEND_TYPE_RO] if self._splits else [])

    def _begin(self, proxy: Proxy) -> SplitState:
        kept = getattr(proxy.connection, self._kept, None) or Kept()
        state = SplitState(proxy.connection.client.default_db, kept)
        state.no_backslash_escapes = has_no_backslash_escapes(proxy)
        self._inheritance.begin(state, kept.began)
        setattr(proxy.connection, self._name, state)
        return state

    def _state(self, proxy: Proxy) -> SplitState:
        state: SplitState | None = getattr(proxy.connection, self._name, None)
        return self._begin(proxy) if state is None else state

    def _route(self, proxy: Proxy, state: SplitState, command: Command, packet: bytes) -> Route:
        if command.type in _EXECUTES:
            if command.type == COM_STMT_BULK_EXECUTE:
                # MariaDB's answer has no id.
                state.insert_id_is_unknown = True
            return state.statements.execution(command, packet)
        reading = reading_of(proxy, state, command.query)
        if command.type == COM_STMT_PREPARE:
            has_database = bool(proxy.connection.client.default_db)
            return state.statements.preparation(command, has_database, reading)
        return self._inheritance.routed(route(command, reading), command)

    def _again(
        self, proxy: Proxy, state: SplitState, *, tries_others: bool = False
    ) -> Decision | Coroutine[Any, Any, Decision]:
        """Runs on the primary, or on another replica, what a replica refused. Nothing of its answer has reached the client."""
        packet, state.retry = state.retry, None
        state.retries += 1
        self._counters.retries += 1

        def run() -> Decision:
            self._send(proxy, state, packet or b"\0", must_stay=False)
            return proxy.PROXY_IGNORE_RESULT

        go = self._places.elsewhere if tries_others else self._places.to_primary
        return go(proxy, state, run)

    def _trace(self, proxy: Proxy, command: Command) -> None:
        if self._settings.is_debug:
            backend = proxy.connection.backend
            address = backend.dst if backend is not None else None
            print(f"[{self._name}]", address, commands.pretty_print(command))
