"""Read/write splitting over server connections that clients share. A script is a `Splitter` and a few settings:

    _splitter = Splitter("rw_splitting", settings)

and a hook of the script for each method. The text of a statement proposes where it may run and what it leaves; the server's
values decide; what it reports of its session vetoes. A client has a server connection only while it needs one. What can be carried
to another one goes along with it (`connection.client_session`): the plugin makes each connection out of the pool the client's own.
What cannot ties the client to the connection that has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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
    COM_STMT_SEND_LONG_DATA,
    COM_TABLE_DUMP,
    Error,
    Ok,
    auto_config,
    balance,
    commands,
)
from pyproxy._pooling import pools
from pyproxy._pooling.routing import Route, route
from pyproxy._pooling.ties import INSERT_ID, REPORTS
from pyproxy._splitting import asking, last, results
from pyproxy._splitting.state import SplitState
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

# Between two looks whether a connection is free, in seconds.
_FIRST_DELAY, _LONGEST_DELAY = 0.001, 0.016
_STREAMS = (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID, COM_TABLE_DUMP)
_EXECUTES = (COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE)
_SHORT_ANSWERS = (COM_STMT_PREPARE, COM_PING, COM_INIT_DB, COM_SET_OPTION)
_UNANSWERED = (COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA)

# An execution of a statement that is not known: MariaDB's clients need not wait for its number.
_UNKNOWN = Route(is_write=True, ties=frozenset((INSERT_ID,)), inserts=True)


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
        proxy.globals.track_sessions = True

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
        if command.type in _UNANSWERED:
            if command.type == COM_STMT_CLOSE and command.stmt_handler_id is not None:
                state.statements.pop(command.stmt_handler_id, None)
            return None
        meant = self._route(state, command)
        if not state.has(meant.needs):
            needs = ", ".join(meant.needs)
            text = f"{self._name}: no statement of this client left what this one asks for: {needs}"
            return Error(text, 1105, "HY000")
        if last.is_asked(state, command, meant):
            answer = last.answer(proxy, state, command, self._name)
            if answer is not None:
                return answer
        if self._attach(proxy, state, meant):
            return self._run(proxy, state, command, packet, meant)
        if not self._may_wait(proxy, state, meant):
            return self._refuse(proxy)
        # A coroutine: whoever calls the hook waits for it.
        return self._wait(
            proxy, state, meant, lambda: self._run(proxy, state, command, packet, meant)
        )

    def _run(
        self, proxy: Proxy, state: SplitState, command: Command, packet: bytes, meant: Route
    ) -> Decision:
        """Runs the command on the attached connection."""
        self._trace(proxy, command)
        if last.is_asked(state, command, meant) and last.ask(proxy, state, command, packet):
            return proxy.PROXY_SEND_QUERY
        if meant.asks_about_last and last.ask_late(proxy, state, command):
            return proxy.PROXY_SEND_QUERY
        state.note_sent(meant)
        if REPORTS in meant.ties:
            proxy.connection.client_session.pass_reports()
        if command.type in (COM_CHANGE_USER, COM_RESET_CONNECTION):
            # They run where they are and take everything with them, but a role. The session begins again with the next
            # command.
            setattr(proxy.connection, self._kept, state.outlasts_reset)
            delattr(proxy.connection, self._name)
            return None
        if command.type in _STREAMS:
            return None
        backend = proxy.connection.backend
        is_guarded = (
            command.type == COM_QUERY
            and not state.must_stay
            and backend is not None
            and backend.type == proxy.BACKEND_TYPE_RO
        )
        state.retry = packet if is_guarded else None
        # The answer to PREPARE has the number of the statement, the others may count warnings.
        proxy.queries.append(
            results.COMMAND,
            packet,
            command.type in _SHORT_ANSWERS,
            failure_is_needed=is_guarded,
        )
        return proxy.PROXY_SEND_QUERY

    def read_query_result(
        self, proxy: Proxy, inj: Injection
    ) -> Decision | Coroutine[Any, Any, Decision]:
        state = self._state(proxy)
        answer: Decision = None
        if inj.id == results.COMMAND:
            if state.retry is not None and results.is_for_primary(inj):
                return self._again(proxy, state)
            if state.route.keeps_diagnostics:
                answer = last.with_warnings(state, inj)
            results.note_command(proxy, state, inj)
            if state.take_written():
                self._wrote(proxy)
        elif inj.id == last.LATE:
            return last.answered_late(proxy, state, inj, self._name)
        elif inj.id == last.RESTORED:
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

    # Routing.

    def _begin(self, proxy: Proxy) -> SplitState:
        state = SplitState(proxy.connection.client.default_db)
        state.ties |= getattr(proxy.connection, self._kept, frozenset())
        setattr(proxy.connection, self._name, state)
        return state

    def _state(self, proxy: Proxy) -> SplitState:
        state: SplitState | None = getattr(proxy.connection, self._name, None)
        return self._begin(proxy) if state is None else state

    def _route(self, state: SplitState, command: Command) -> Route:
        if command.type in _EXECUTES:
            if command.type == COM_STMT_BULK_EXECUTE:
                # MariaDB's answer has no id.
                state.insert_id_is_unknown = True
            return state.statements.get(command.stmt_handler_id or 0, _UNKNOWN)
        return route(command)

    def _attach(self, proxy: Proxy, state: SplitState, meant: Route) -> bool:
        """Sees to it that a server connection is attached on which the command can run; False if there is none."""
        backend = proxy.connection.backend if proxy.connection.server is not None else None
        if backend is not None and results.must_stay(proxy, state):
            # Nothing can be written on a replica, and it cannot go on elsewhere.
            return not (meant.is_write and self._splits and backend.type == proxy.BACKEND_TYPE_RO)
        if state.leaves_something:
            # What it relies on went with its connection.
            return False
        if backend is not None and (meant.goes_anywhere or meant.asks_about_last):
            return True
        if meant.is_read and self._may_read(proxy):
            if backend is not None and backend.type == proxy.BACKEND_TYPE_RO:
                return True
            ndx = balance.idle_ro(proxy)
            if ndx >= 0 and self._move(proxy, state, ndx):
                return True
        if backend is not None and backend.type == proxy.BACKEND_TYPE_RW:
            return True
        ndx = balance.idle_failsafe_rw(proxy)
        if ndx >= 0 and self._move(proxy, state, ndx):
            return True
        may_be_ro = meant.goes_anywhere or meant.can_be_set_anywhere
        ndx = balance.idle_ro(proxy) if may_be_ro else -1
        return ndx >= 0 and self._move(proxy, state, ndx)

    def _move(self, proxy: Proxy, state: SplitState, ndx: int) -> bool:
        if not pools.attach(proxy, ndx):
            return False
        state.moves += 1
        if self._splits:
            results.expect_mode(proxy, state)
        return True

    def _again(self, proxy: Proxy, state: SplitState) -> Decision | Coroutine[Any, Any, Decision]:
        """Runs on the primary what a replica refused. Nothing of its answer has reached the client."""
        packet, state.retry = state.retry, None
        state.retries += 1
        pools.give_back(proxy)

        def run() -> Decision:
            proxy.queries.append(results.COMMAND, packet or b"")
            return proxy.PROXY_IGNORE_RESULT

        ndx = balance.idle_failsafe_rw(proxy)
        if ndx >= 0 and self._move(proxy, state, ndx):
            return run()
        if not self._may_wait(proxy, state, Route()):
            return self._refuse(proxy)
        return self._wait(proxy, state, Route(), run)

    def _may_wait(self, proxy: Proxy, state: SplitState, meant: Route) -> bool:
        """Whether a connection may become free on which the command can run."""
        types = [proxy.BACKEND_TYPE_RW]
        if meant.is_read or meant.goes_anywhere or meant.can_be_set_anywhere:
            types.append(proxy.BACKEND_TYPE_RO)
        return (
            proxy.globals.config.event_loop == "own"
            and not state.leaves_something
            and any(
                backend.type in types and backend.state == proxy.BACKEND_STATE_UP
                for backend in proxy.globals.backends
            )
        )

    async def _wait(
        self, proxy: Proxy, state: SplitState, meant: Route, run: Callable[[], Decision]
    ) -> Decision:
        """Waits until another client gives a connection back, and runs the command there."""
        clock = asyncio.get_running_loop()
        deadline = clock.time() + self._settings.wait_seconds
        delay = _FIRST_DELAY
        while clock.time() < deadline:
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            if self._attach(proxy, state, meant):
                return run()
        return self._refuse(proxy)

    def _refuse(self, proxy: Proxy) -> Error:
        """No connection: the client has to come again, as only a client that connects can open one."""
        proxy.connection.connection_close = True
        text = f"{self._name}: no idle connection to a backend for this command, connect again"
        return Error(text, 1040, "08004")

    def _trace(self, proxy: Proxy, command: Command) -> None:
        if self._settings.is_debug:
            backend = proxy.connection.backend
            address = backend.dst if backend is not None else None
            print(f"[{self._name}]", address, commands.pretty_print(command))
