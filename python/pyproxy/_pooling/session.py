"""What a client expects to find on whatever server connection its next command runs on.

Pure bookkeeping, one object for each client connection: fed with routes and results, asked whether the client has to
stay where it is, and which settings it made.
"""

from __future__ import annotations

from typing import NamedTuple

from pyproxy._pooling.routing import Route
from pyproxy._pooling.ties import INSERT_ID, NO_EFFECT_ON_ROWS, OUTLAST_RESET, UNSEEN

__all__ = ["ClientSession", "Outcome"]

# More settings than a client can be expected to make.
_MOST_SETTINGS = 32


class Outcome(NamedTuple):
    """What a result says, as far as it matters here. What it does not say is None."""

    is_error: bool
    in_transaction: bool | None = None
    auto_commit: bool | None = None
    insert_id: int = 0
    warnings: int = 0


class ClientSession:
    """One client's session, wherever its statements run."""

    def __init__(self, database: str) -> None:
        self.database = database
        # The command in progress.
        self.route = Route()
        # What ties it to its server connection: temporary tables, locks, ...
        self.ties: set[str] = set()
        self.in_transaction = False
        self.auto_commit = True
        # Set by a write that is not committed yet, and by one that is: the reader takes it back.
        self.has_uncommitted_write = False
        self.has_written = False
        self._settings: dict[tuple[str, ...], str] = {}

    @property
    def settings(self) -> tuple[str, ...]:
        """The SET statements that make a connection this client's, in the order in which they were run."""
        return tuple(self._settings.values())

    @property
    def must_stay(self) -> bool:
        """Whether the next command has to run on the attached connection."""
        return bool(self.in_transaction or not self.auto_commit or self.ties)

    @property
    def is_plain(self) -> bool:
        """Whether no more than the settings decides what a query without variables gives."""
        has_own = self.in_transaction or self.ties - NO_EFFECT_ON_ROWS
        return self.auto_commit and not has_own

    @property
    def leaves_something(self) -> bool:
        """Whether its server connection has what no other client may inherit, so it is closed with the client."""
        return bool(self.in_transaction or self.ties - {INSERT_ID})

    @property
    def outlasts_reset(self) -> frozenset[str]:
        """What is left of the ties when the client resets its connection: servers keep the role, for one."""
        return frozenset(self.ties & OUTLAST_RESET)

    def has(self, needs: frozenset[str]) -> bool:
        """Whether what a command asks for, if anything, was left on the connection by this client."""
        return not needs or not self.ties.isdisjoint(needs | UNSEEN)

    def note_sent(self, route: Route) -> None:
        """A command goes to the server. What it might leave there counts from now on: it may fail half-way."""
        self.route = route
        self.ties -= route.frees
        self.ties |= route.ties
        self.has_uncommitted_write |= route.is_write

    def note_result(self, outcome: Outcome) -> None:
        """The result of the command in progress is complete."""
        route = self.route
        if outcome.insert_id or (outcome.is_error and route.inserts):
            # It may be what the statement itself stated, and an error tells none: only the server knows.
            self.ties.add(INSERT_ID)
        if outcome.is_error:
            # It says nothing about transactions: the next result does. Of several statements one may have begun one.
            self.in_transaction |= route.has_several
            self._note_write()
            return
        if outcome.in_transaction is not None:
            self.in_transaction = outcome.in_transaction
        if outcome.auto_commit is not None:
            self.auto_commit = outcome.auto_commit
        self._note_write()
        if route.setting is not None:
            self._note_setting(route)
        if route.database is not None:
            self.database = route.database
        elif route.dropped_database == self.database:
            self.database = ""

    def take_written(self) -> bool:
        """Whether a write was committed, or may have been, since this was asked last."""
        has_written, self.has_written = self.has_written, False
        return has_written

    def _note_write(self) -> None:
        if self.has_uncommitted_write and not self.in_transaction:
            self.has_written = True
            self.has_uncommitted_write = False

    def _note_setting(self, route: Route) -> None:
        assert route.setting is not None
        # It takes its place behind those it may be computed from.
        self._settings.pop(route.setting.names, None)
        self._settings[route.setting.names] = route.setting.text
        if len(self._settings) > _MOST_SETTINGS:
            self.ties.add("many settings")
