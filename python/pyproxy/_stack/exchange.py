"""What goes through a stack of scripts: commands, who sends them, and results."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import pyproxy
from pyproxy._stack.script_view import InjectionView
from pyproxy._stack.scripts import Script

if TYPE_CHECKING:
    from typing import TypeGuard

    from pyproxy import Injection, Queries, Resultset

__all__ = ["Asker", "StackCommand", "StackResult", "is_one_of", "is_result_of", "seen_by"]

_UNANSWERED = (pyproxy.COM_STMT_CLOSE, pyproxy.COM_STMT_SEND_LONG_DATA)


class StackCommand(NamedTuple):
    """A member of `proxy.queries`."""

    id: int
    packet: bytes
    is_needed: bool
    failure_is_needed: bool = False

    @property
    def has_answer(self) -> bool:
        """Whether a server answers it."""
        return self.packet[0] not in _UNANSWERED

    def keeps(self, result: StackResult) -> bool:
        """Whether this result of it can be replaced or dropped."""
        return self.is_needed or (self.failure_is_needed and result.is_failure)

    def add_to(self, queries: Queries) -> None:
        """Queues it."""
        queries.append(
            *(self.id, self.packet, self.is_needed), failure_is_needed=self.failure_is_needed
        )


class Asker:
    """Who sends commands to the next script: the client, or a script that queued them."""

    def __init__(
        self,
        position: int,
        script: Script | None,
        queue: Iterable[StackCommand],
        is_asked: bool = True,
    ) -> None:
        # The first script that is asked about its commands.
        self.next = position
        # None: the client, or the script that awaits a query.
        self.script = script
        self.queue = deque(queue)
        # Whether the script is shown what comes back.
        self.is_asked = is_asked
        # The command in progress. None: the script let the one of the asker before it pass, and has to see what comes back
        # if that is not what it let pass.
        self.command: StackCommand | None = None
        # Whether the one that it was asked about has its result.
        self.has_answered = False
        # Whether it was shown rows as the server sent them, or what another script made of such rows.
        self.has_rows = False


class StackResult(NamedTuple):
    """What comes back for a command."""

    injection: Injection
    # The query of the server that it goes back to; the same as `injection` if no script made it.
    timed: Injection
    # What was answered: the command as it was by then.
    query: bytes
    # Of an answer that a script made: its payloads.
    packets: Sequence[bytes] | None = None
    # It has rows, made by a script that was shown rows of the server.
    is_derived: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether it is an error in place of the first row, and was kept."""
        resultset = self.injection.resultset
        return resultset.error is not None and resultset.raw is not None

    @property
    def has_rows(self) -> bool:
        """Whether rows were kept for the scripts. How an answer looks that has none is nobody's secret."""
        return any(one.fields is not None and _has_some(one) for one in self.injection.resultsets)

    @property
    def has_foreign_rows(self) -> bool:
        """Whether there are rows that have been the server's."""
        return self.is_derived or (self.packets is None and self.has_rows)

    def is_answer_to(self, command: StackCommand) -> bool:
        """Whether it is the server's own answer to this command."""
        return self.packets is None and self.query == command.packet


def _has_some(result: Resultset) -> bool:
    return result.rows is None or len(result.rows) > 0


def seen_by(asker: Asker, script: Script, result: StackResult) -> object:
    """The `inj` of a script: with the command as it queued it."""
    command, inj = asker.command, result.injection
    if command is None:
        return InjectionView(inj, result.timed, None, result.query)
    # Who has to see all results has to know what they are results of.
    query = result.query if script.traits.sees_all_results else command.packet
    if result.packets is None and (inj.id, inj.query) == (command.id, query):
        return inj
    return InjectionView(inj, result.timed, command.id, query)


def is_result_of(argument: object, decision: object) -> bool:
    """Whether a hook returned the result that it was asked about, as it came."""
    if isinstance(argument, bytes) or decision is None:
        return False
    inj = cast("Injection", argument)
    return decision is inj or decision is inj.resultset


def is_one_of(decision: object, *decisions: int) -> TypeGuard[int | None]:
    """Whether a hook may return this: one of `decisions`, or none. A bool is an int to Python only."""
    return decision is None or (decision in (0, *decisions) and not isinstance(decision, bool))
