"""The one place for what differs by nature between two servers, or two connections to one.

Not made by the generator at all, for the same reason: the order of SHOW GRANTS, the time (but for SET timestamp), UUID(), CONNECTION_ID() (but for "is
it mine"), process lists, status counters, estimates of the optimizer, names and numbers of servers, GTIDs.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .generator.steps import Step
from .wire.answers import Answer, Err, Ok, Result, Rows, session_changes
from .wire.codec import Status

__all__ = ["End", "Unset", "natural"]

# Flags that tell of the plan, of the time, or of whether the server had to prepare a statement anew.
_STATUS = ~(
    Status.NO_INDEX | Status.NO_GOOD_INDEX | Status.QUERY_WAS_SLOW | Status.METADATA_CHANGED
)


# What asks for it, and what sets it.
_UNSET = {
    "rows": (re.compile(r"FOUND_ROWS\(\)", re.I), re.compile("(?!)")),
    "seeds": (re.compile(r"\bRAND\(\)", re.I), re.compile("rand_seed2", re.I)),
    "time": (re.compile(r"\bNOW\(\)", re.I), re.compile(r"\btimestamp\s*:?=\s*\d", re.I)),
}
_CLOCK_RUNS = re.compile(r"\btimestamp\s*:?=\s*DEFAULT", re.I)


def natural(step: Step, answer: Answer, statement: int | None, tracks: bool) -> tuple[Any, ...]:
    """The answer to a step without it. `statement` is the server's number of the prepared statement that it is about."""
    found = tuple(_natural(result, statement, tracks) for result in answer)
    if step.kind == "EXPLAIN":
        found = tuple(each._replace(rows=()) if isinstance(each, Rows) else each for each in found)
    return found


class End(NamedTuple):
    """An OK, or the end of rows, as it is compared."""

    affected: int
    insert_id: int
    status: int
    warnings: int
    info: bytes
    changes: tuple[tuple[str, bytes], ...]


class Unset:
    """What a connection has set, of what is random where it has not.

    FOUND_ROWS() before any result set (MariaDB takes a connection's memory from one that has ended, with its number), RAND() without
    seeds, and the time where it does not stand still. A step that asks for it in vain tells nothing.
    """

    def __init__(self) -> None:
        self._set: set[tuple[int, str]] = set()
        self._texts: dict[tuple[int, str], str] = {}

    def is_asked(self, step: Step) -> bool:
        """Whether the step asks for something that its client has not set."""
        text = str(step.args[0]) if step.args else ""
        if step.op == "prepare":
            self._texts[step.client, text] = text = str(step.args[1])
        elif step.op == "execute":
            text = self._texts.get((step.client, text), "")
        elif step.op in ("connect", "change_user", "reset_connection", "quit"):
            self.forget(step.client)
        return any(
            (step.client, name) not in self._set and asks.search(text)
            for name, (asks, _) in _UNSET.items()
        )

    def note(self, step: Step, answer: Answer) -> None:
        """The step has got an answer."""
        text = str(step.args[0]) if step.args else ""
        for name, (_, sets) in _UNSET.items():
            if sets.search(text) and not any(isinstance(result, Err) for result in answer):
                self._set.add((step.client, name))
        if step.op == "execute":
            text = self._texts.get((step.client, text), "")
        if "SELECT" in text.upper() and any(isinstance(result, Rows) for result in answer):
            self._set.add((step.client, "rows"))
        if _CLOCK_RUNS.search(text):
            self._set.discard((step.client, "time"))

    def forget(self, client: int) -> None:
        """The client's session has begun anew."""
        self._set -= {(client, name) for name in _UNSET}


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


def _end(result: Ok, tracks: bool) -> End:
    status = result.status & _STATUS
    changes: list[tuple[str, bytes]] = []
    if tracks:
        changes = sorted(each for each in session_changes(result.changes) if each[0] != "gtids")
    if not changes:
        status &= ~Status.SESSION_STATE_CHANGED
    return End(*result[:2], status, *result[3:5], tuple(changes))
