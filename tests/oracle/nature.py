"""The one place for what differs by nature between two servers, or two connections to one.

Not made by the generator at all, for the same reason: the time (but for SET timestamp), UUID(), CONNECTION_ID() (but for "is
it mine"), process lists, status counters, estimates of the optimizer, names and numbers of servers, GTIDs.
"""

from __future__ import annotations

import re
from typing import Any

from .generator.steps import Step
from .wire.answers import Answer, Err, Ok, Result, Rows, session_changes
from .wire.codec import Status

__all__ = ["Unset", "natural"]

# Flags that tell of the plan, of the time, or of whether the server had to prepare a statement anew.
_STATUS = ~(
    Status.NO_INDEX | Status.NO_GOOD_INDEX | Status.QUERY_WAS_SLOW | Status.METADATA_CHANGED
)


def natural(answer: Answer, statement: int | None, tracks: bool) -> tuple[Any, ...]:
    """The answer without it. `statement` is the server's number of the prepared statement that it is about."""
    return tuple(_natural(result, statement, tracks) for result in answer)


class Unset:
    """What a server has not set yet on a new connection, and so may have any value: FOUND_ROWS() before any result set.

    (MariaDB takes a connection's memory from one that has ended, with its number.)
    """

    def __init__(self) -> None:
        self._has_rows: set[int] = set()
        self._texts: dict[tuple[int, str], str] = {}

    def is_asked(self, step: Step) -> bool:
        """Whether the step asks for it; then it tells nothing."""
        text = str(step.args[0]) if step.args else ""
        if step.op == "prepare":
            self._texts[step.client, text] = str(step.args[1])
        elif step.op == "execute":
            text = self._texts.get((step.client, text), "")
        elif step.op in ("connect", "change_user", "reset_connection", "quit"):
            self._has_rows.discard(step.client)
        return step.client not in self._has_rows and "found_rows()" in text.lower()

    def note(self, step: Step, answer: Answer) -> None:
        """The step has got an answer."""
        if any(isinstance(result, Rows) for result in answer):
            self._has_rows.add(step.client)


def _natural(result: Result, statement: int | None, tracks: bool) -> Any:
    if isinstance(result, Ok):
        return _end(result, tracks)
    if isinstance(result, Rows):
        return result._replace(end=_natural(result.end, statement, tracks))
    if isinstance(result, Err) and statement is not None:
        # Errors about prepared statements have their numbers.
        text = re.sub(rb"\b%d\b" % statement, b"#", result.text)
        return result._replace(text=text)
    return result


def _end(result: Ok, tracks: bool) -> Any:
    status = result.status & _STATUS
    if not tracks:
        return result._replace(status=status & ~Status.SESSION_STATE_CHANGED, changes=b"")
    changes = sorted(each for each in session_changes(result.changes) if each[0] != "gtids")
    if not changes:
        status &= ~Status.SESSION_STATE_CHANGED
    return result._replace(status=status, changes=tuple(changes))
