"""What the answer of a MySQL server tells of the statement, before more is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyproxy import COM_INIT_DB, COM_QUERY
from pyproxy._pooling.routing import Route
from pyproxy._splitting.answers import Memory
from pyproxy._splitting.found import finds_later, shows_what_was_found
from pyproxy._sql.text import statements
from pyproxy.proto import from_err_packet

if TYPE_CHECKING:
    from pyproxy import Resultset
    from pyproxy._splitting.state import SplitState

__all__ = ["adds_error", "draft_of", "note_found_later"]

# ER_UNKNOWN_STMT_HANDLER
_UNKNOWN_STATEMENT = 1243


def draft_of(result: Resultset, route: Route, sql: str) -> Memory:
    """What the answer to a statement of this text tells."""
    warnings = result.warning_count
    if result.error is not None:
        return Memory(None, row_count=-1)
    if route.has_several:
        # The numbers are those of all of them, and what is asked are those of the last.
        return Memory(None, warning_count=None if warnings else 0)
    if route.asks_about_last and _shows_warnings(sql):
        # They are those of the statement before.
        return Memory(None, row_count=-1, own_count=0)
    changed = result.affected_rows
    return Memory(None, row_count=-1 if changed is None else changed, warning_count=warnings)


def _shows_warnings(sql: str) -> bool:
    return any(
        each.word(0) == "SHOW" and each.has("WARNINGS", "ERRORS") for each in statements(sql)
    )


def note_found_later(state: SplitState, sql: str, affected: int | None) -> None:
    """The statement of this text is answered, and was no error."""
    if state.has_found:
        state.found_later = None
    elif state.found_later is not None and shows_what_was_found(sql):
        state.found_rows = state.carried_found = state.found_later
        state.found_later = None
    elif not state.route.is_plain and finds_later(sql):
        state.found_later = affected


def adds_error(result: Resultset, command: int) -> bool:
    """Whether MySQL keeps the warnings that are there, and adds an error: no statement has begun, as none has the number of the command."""
    if result.error is None or command == COM_QUERY:
        return False
    return command == COM_INIT_DB or from_err_packet(result.error).errcode == _UNKNOWN_STATEMENT
