"""`SHOW PROXY SPLIT`: where a client's session is, why it stays there, what would end that, and what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyproxy import COM_QUERY, MYSQL_TYPE_VAR_STRING, Rows

if TYPE_CHECKING:
    from pyproxy import Proxy
    from pyproxy._splitting.state import SplitState
    from pyproxy.commands import Command

__all__ = ["Counters", "answer", "is_asked"]

_WORDS = ["SHOW", "PROXY", "SPLIT"]
_PREPARED = "prepared statement "
_BY_RESET = "a reset of the connection, COM_CHANGE_USER, or its end"
_FREED_BY = {"locked tables": "UNLOCK TABLES"}
_NO_TRANSACTION = "________"


class Counters:
    """What happened to all clients of a script."""

    def __init__(self) -> None:
        # Commands that ran on another connection than the one before.
        self.moves = 0
        # Commands that a replica refused, or was too late for, and that ran on the primary.
        self.retries = 0
        # Commands that waited for a connection, and those that got none.
        self.waits = 0
        self.refusals = 0
        # Why clients were tied to a connection, and how often.
        self.ties: Counter[str] = Counter()

    def note_ties(self, state: SplitState) -> None:
        """Counts what ties a client since this was called last."""
        if state.ties == state.counted_ties:
            return
        for tie in state.ties - state.counted_ties:
            self.ties[_PREPARED.strip() if tie.startswith(_PREPARED) else tie] += 1
        state.counted_ties = set(state.ties)


def is_asked(command: Command) -> bool:
    """Whether the command is the statement."""
    if command.type != COM_QUERY or len(command.query or "") > 100:
        return False
    return (command.query or "").rstrip("; \t\r\n").upper().split() == _WORDS


def answer(proxy: Proxy, state: SplitState, counters: Counters) -> Rows:
    """What the client gets."""
    fields = [(name, MYSQL_TYPE_VAR_STRING) for name in ("about", "what", "value")]
    return Rows(fields, [*_of_client(proxy, state), *_of_all(counters)])


def _of_client(proxy: Proxy, state: SplitState) -> Iterator[tuple[str, str, str]]:
    backend, server = proxy.connection.backend, proxy.connection.server
    if server is None or backend is None:
        yield "connection", "backend", "none: the next command runs on any that is fit for it"
    else:
        kind = "read-only" if backend.type == proxy.BACKEND_TYPE_RO else "read-write"
        yield "connection", "backend", f"{backend.dst} ({kind})"
        yield "connection", "thread_id", str(server.thread_id)
        for why, end in _reasons(proxy, state):
            yield "tied by", why, f"until {end}"
    session = proxy.connection.client_session
    for name, value in {**session.inherited, **session.settings}.items():
        yield "goes along", name, value
    if session.insert_id is not None:
        yield "goes along", "last_insert_id", str(session.insert_id)
    yield "this client", "moves", str(state.moves)
    yield "this client", "retries", str(state.retries)


def _reasons(proxy: Proxy, state: SplitState) -> Iterator[tuple[str, str]]:
    server = proxy.connection.server
    session = server.session if server is not None else None
    transaction = session.transaction if session is not None else None
    if state.in_transaction or transaction not in (None, _NO_TRANSACTION):
        yield "a transaction", "COMMIT or ROLLBACK"
    if session is not None and session.characteristics:
        yield "SET TRANSACTION", "the end of the transaction that it is for"
    if not state.auto_commit:
        yield "autocommit is off", "SET autocommit = 1"
    yield from state.statements.reasons
    for tie in sorted(state.ties):
        if tie.startswith(_PREPARED):
            yield tie, f"DEALLOCATE PREPARE {tie.removeprefix(_PREPARED)}"
        else:
            yield tie, _FREED_BY.get(tie, _BY_RESET)


def _of_all(counters: Counters) -> Iterator[tuple[str, str, str]]:
    for name in ("moves", "retries", "waits", "refusals"):
        yield "all clients", name, str(getattr(counters, name))
    for tie, count in counters.ties.most_common():
        yield "ties of all clients", tie, str(count)
