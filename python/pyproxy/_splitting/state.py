"""What the splitter knows of one client: where it may go on, and what it has been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyproxy._pooling.routing import Route
from pyproxy._pooling.session import ClientSession, Outcome
from pyproxy._pooling.ties import INSERT_ID
from pyproxy._splitting.answers import Columns, Memory
from pyproxy._splitting.found import LOST
from pyproxy._splitting.prepared import PreparedStatements

if TYPE_CHECKING:
    from pyproxy import Proxy
    from pyproxy.commands import Command

__all__ = ["Kept", "SplitState"]

UNSEEN_CHANGE = "a change that the statement does not explain"


class Kept(NamedTuple):
    """What a client's session begins with."""

    ties: frozenset[str] = frozenset()
    found_rows: int | None = 0
    """FOUND_ROWS(); None: its connection knows it."""
    began: tuple[int, tuple[str, ...]] | None = None
    """When it began, for what it inherits; None: now."""


class SplitState(ClientSession):
    """One client's session. Settings and the last insert id go with it (`connection.client_session`) and tie it to nothing."""

    def __init__(self, database: str, kept: Kept) -> None:
        super().__init__(database)
        self.ties |= kept.ties
        self.statements = PreparedStatements()
        # The packet of the command in progress, while it may have to run once more elsewhere.
        self.retry: bytes | None = None
        # What is said about the last statement when its connection is with others; None while it is the client's own.
        self.memory: Memory | None = None
        # What is known of it so far, where several questions tell: MySQL.
        self.draft: Memory | None = None
        # MySQL has added an error to the warnings of the statement before.
        self.adds_error = False
        # The connection that ran the last statement is attached and has run nothing since: it knows what that left.
        self.is_at_hand = False
        # No statement was answered yet; and whether the last one had warnings of its own.
        self.is_fresh = True
        self.warned = False
        # The warnings of the statement before are still to be told, and its connection is with others.
        self.owes_warnings = False
        # What was known of the statement before the one in progress.
        self.before: Memory | None = None
        # FOUND_ROWS() before the command in progress, if its connection cannot know; and whether the command may have changed it.
        self.found_rows = kept.found_rows
        self.has_found = False
        # What a MySQL server has selected and says only later.
        self.found_later: int | None = None
        # FOUND_ROWS() of an earlier statement, which the connection to which the client is tied does not know.
        self.carried_found = kept.found_rows
        # A question of the client's that waits for what else is to be known.
        self.late: tuple[Command, bytes, Route] | None = None
        # The last insert id may be another one than `connection.client_session` knows.
        self.insert_id_is_unknown = False
        # The variables whose values are asked for.
        self.asked: tuple[str, ...] = ()
        # An error may have left something that the server has not reported.
        self.may_have_left = False
        # GTIDs of transactions that it committed: the reader takes them away.
        self.gtids: list[str] = []
        # The replicas that would not do for the command in progress.
        self.passed_over: set[int] = set()
        # What a replica is asked to wait for, as a version of what the client wrote.
        self.waits_for = 0
        # Whether its transactions are read only by its own will, as SQL; None: it never said so.
        self.read_only: str | None = None
        # It reads what others have not committed: that is on the primary only.
        self.reads_uncommitted = False
        # Changes of global variables that it has heard of; and those of these variables whose values it began with are not known yet.
        self.changes_seen = 0
        self.not_inherited: tuple[str, ...] = ()
        # The global variables that the command in progress sets, whose values are asked for; and what is known of them.
        self.changing: list[str] = []
        self.before_change: dict[str, str] = {}
        # Those of its ties that were counted.
        self.counted_ties: set[str] = set()
        # Whether a backslash in a string is a character like others.
        self.no_backslash_escapes = False
        # A command found no connection, and the next one is told so.
        self.is_refused = False
        # The connection that it had last.
        self.place: tuple[int, int | None] | None = None
        # Those, one of each backend, on which it left warnings: they are there until another client resets the connection.
        self.warned_places: dict[int, int | None] = {}
        self.moves = 0
        self.retries = 0

    @property
    def must_stay(self) -> bool:
        return super().must_stay or self.statements.tie

    def kept(self, now: tuple[int, tuple[str, ...]]) -> Kept:
        """What is left of it when the client resets its connection."""
        return Kept(self.outlasts_reset, self._known_found_rows(), now)

    @property
    def leaves_something(self) -> bool:
        return super().leaves_something or self.statements.tie

    def note_sent(self, route: Route) -> None:
        """A command goes to the server."""
        super().note_sent(route)
        self._take_insert_id()
        # Also where it is no statement: it may fail.
        self.before, self.found_rows = self.memory, self._known_found_rows()
        if not route.keeps_diagnostics:
            self.memory = None

    def note_result(self, outcome: Outcome) -> None:
        """The result of the command in progress is complete."""
        super().note_result(outcome)
        self._take_insert_id()
        if outcome.is_error and not self.route.is_plain:
            self.may_have_left = True

    def note_place(self, proxy: Proxy) -> bool:
        """A connection is attached. Whether it is another one than before."""
        server = proxy.connection.server
        place = proxy.connection.backend_ndx, server.thread_id if server is not None else None
        has_moved = place != self.place
        self.place = place
        self.moves += has_moved
        return has_moved

    def note_found_rows(self, may_change: bool | None) -> None:
        """Whether the statement may have changed FOUND_ROWS(); None: it is not known."""
        if may_change is None and self.found_rows is not None:
            self.found_rows, may_change = LOST, False
        self.has_found = may_change is not False
        self.carried_found = None if self.has_found else self.found_rows

    def found_rows_of(self, told: int) -> int | None:
        """FOUND_ROWS() behind the statement, whose connection said `told`; None: nobody knows it."""
        if self.found_rows is None or self.has_found:
            return told
        return None if self.found_rows == LOST else self.found_rows

    def note_warnings(self, are_there: bool) -> None:
        """The statement left its own on the attached connection, or none."""
        if self.place is None:
            return
        ndx, thread_id = self.place
        if are_there:
            self.warned_places[ndx] = thread_id
        elif self.has_warnings:
            del self.warned_places[ndx]

    @property
    def has_warnings(self) -> bool:
        """Whether the attached connection has warnings of a statement of this client, or had them when the client left it."""
        if self.place is None:
            return False
        ndx, thread_id = self.place
        return ndx in self.warned_places and self.warned_places[ndx] == thread_id

    def take_gtids(self) -> list[str]:
        """GTIDs that were reported since this was asked last."""
        gtids, self.gtids = self.gtids, []
        return gtids

    def memory_of(
        self, outcome: Outcome, rows: int | None, columns: Columns | None, is_mysql: bool
    ) -> Memory | None:
        """What can be said about the statement from its result alone; None: its connection has to be asked."""
        route = self.route
        is_asked_about = route.is_asked_about or (route.combines and not is_mysql)
        is_asked_about = is_asked_about or self.insert_id_is_unknown
        if outcome.is_error or outcome.warnings or is_asked_about:
            return None
        if not route.is_read or rows is None or (columns is None and not is_mysql):
            return None
        memory = Memory(columns, row_count=-1, found_rows=rows, warning_count=0)
        if is_mysql or not route.has_no_table:
            return memory
        return memory.behind(self.before) if self.before is not None else None

    def _known_found_rows(self) -> int | None:
        if self.memory is None:
            return self.carried_found
        return LOST if self.memory.found_rows is None else self.memory.found_rows

    def _take_insert_id(self) -> None:
        if INSERT_ID in self.ties:
            self.ties.discard(INSERT_ID)
            self.insert_id_is_unknown = True

    def _note_setting(self, route: Route) -> None:
        """Its values are asked for."""
