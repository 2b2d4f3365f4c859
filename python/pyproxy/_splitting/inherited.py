"""What clients' sessions began with, where somebody has set global variables since: they keep it wherever their commands run.

A connection that is made another client's begins anew, and a new session takes the server's values of that moment. A client that came
before SET GLOBAL has the values from before it; one that came later has the primary's of then, also on replicas, which have their own.
What happens to a server elsewhere than in this proxy is not seen.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from pyproxy._common.queries import query_packet
from pyproxy._splitting import values
from pyproxy._splitting.results import has_old_names

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy
    from pyproxy._pooling.routing import Route
    from pyproxy._splitting.state import SplitState
    from pyproxy.commands import Command

__all__ = ["Inheritance"]

_BEFORE, _BEGUN = 12, 13
"""The ids of the questions what a variable is in front of SET GLOBAL, and what a session began with."""
# Sessions begin with what their login says.
_OF_LOGIN = frozenset(
    "character_set_client character_set_results collation_connection wait_timeout".split()
)
# A client that does nothing in the time of more changes does not hear of the first ones.
_MOST_CHANGES = 1000


class Inheritance:
    """Of all clients of a script."""

    def __init__(self) -> None:
        # How many changes there were, and of the last ones: which, of what, and the value before.
        self._count = 0
        self._changes: deque[tuple[int, str, str]] = deque(maxlen=_MOST_CHANGES)
        self._names: dict[str, None] = {}

    def now(self) -> tuple[int, tuple[str, ...]]:
        """What a session that begins now is to be given to `begin`."""
        return self._count, tuple(self._names)

    def begin(self, state: SplitState, began: tuple[int, tuple[str, ...]] | None) -> None:
        """The client's session begins, or has begun then."""
        state.changes_seen, state.not_inherited = began or self.now()

    def routed(self, meant: Route, command: Command) -> Route:
        """What the command means. Replicas have not what somebody has set."""
        if not self._names or not meant.is_read or "@@" not in (command.query or ""):
            return meant
        sql = (command.query or "").lower()
        return replace(meant, is_read=False) if any(name in sql for name in self._names) else meant

    def tell(self, proxy: Proxy, state: SplitState) -> None:
        """Sees to it that the client keeps what it had before the changes that it has not heard of."""
        if state.changes_seen == self._count:
            return
        session = proxy.connection.client_session
        known, kept = session.inherited, dict[str, str]()
        for number, name, value in self._changes:
            if number >= state.changes_seen and name not in known:
                kept.setdefault(name, value)
        state.changes_seen = self._count
        state.not_inherited = tuple(name for name in state.not_inherited if name not in kept)
        self._keep(proxy, state, kept)

    def ask(self, proxy: Proxy, state: SplitState) -> None:
        """Asks the primary, in front of the command, what it may change, and what a session that is new began with."""
        backend, meant = proxy.connection.backend, state.route
        if backend is None or backend.type != proxy.BACKEND_TYPE_RW:
            return
        old = has_old_names(proxy)
        if state.not_inherited and not (meant.keeps_diagnostics or meant.asks_about_last):
            question = values.question(state.not_inherited, old)
            proxy.queries.append(_BEGUN, query_packet(question), True)
        state.changing = [name for name in values.variables(meant.global_names) if name]
        for name in state.changing:
            # One that sessions do not have fails.
            question = values.question((name,), old)
            proxy.queries.append(_BEFORE, query_packet(question + f", {_global(question)}"), True)

    def note_answer(self, proxy: Proxy, state: SplitState, inj: Injection) -> bool:
        """One of these questions is answered; False if it is none of them."""
        if inj.id == _BEGUN:
            names, state.not_inherited = state.not_inherited, ()
            self._keep(proxy, state, values.learned(names, inj.resultset) or {})
        elif inj.id == _BEFORE:
            name = state.changing.pop(0)
            value = (values.learned((f"{name} of the session", name), inj.resultset) or {}).get(
                name
            )
            if value is not None and name not in _OF_LOGIN:
                state.before_change[name] = value
        else:
            return False
        return True

    def note_changed(self, state: SplitState) -> None:
        """The command is done."""
        changed, state.before_change = state.before_change, {}
        for name, value in changed.items():
            self._changes.append((self._count, name, value))
            self._names[name] = None
        self._count += len(changed)

    def _keep(self, proxy: Proxy, state: SplitState, kept: dict[str, str]) -> None:
        read_only = kept.pop(values.READ_ONLY, None)
        if state.read_only is None:
            # Replicas have a value of their own.
            state.read_only = read_only
        if kept:
            proxy.connection.client_session.learn(inherited=kept)


def _global(question: str) -> str:
    return question.removeprefix("SELECT ").replace("@@session.", "@@global.")
