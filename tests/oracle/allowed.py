"""The one list of differences that are no faults, each with its reason.

A difference that is none of them is a wrong answer. What the sessions never do, and why, is in `nature` (it differs between any two
servers) and here:

* GET_LOCK, SET GLOBAL and FLUSH in a stored function that writes nothing: nothing stops a replica from running it, and the
  text does not show it. User-defined functions likewise.
* CALL of a procedure of MySQL's that only sets its own variables: its OK, and ROW_COUNT() behind it, count the rows of whatever
  its connection ran before.
* A connection's number from CONNECTION_ID() used for KILL: it is that of a connection which others may have later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from .generator.steps import Step
from .servers.node import cells
from .wire.answers import Answer, Err, Lost, Ok, Result, Rows, session_changes
from .wire.codec import Status

__all__ = ["ALLOWED", "REFUSALS", "Allowed", "Refusal", "allowed", "is_unavailable", "refused"]


class Refusal(NamedTuple):
    """An error of the splitter's that may be in place of an answer. The step has not been made."""

    name: str
    reason: str
    applies: Callable[[Step, Err], bool]
    ends_connection: bool = False


class Allowed(NamedTuple):
    """Another answer than the direct one that may be."""

    name: str
    reason: str
    applies: Callable[[Step, Answer, Answer], bool]
    """Called with the step, the direct answer and the split one."""


# Of a proxy that has no connection for the command.
_NO_CONNECTION = 1040
# Of a server that was asked for a database that is gone.
_NO_DATABASE = 1049
# Of servers and proxies when the connection behind them ends or cannot be had.
_UNAVAILABLE = frozenset(
    (1040, 1053, 1105, 1152, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2006, 2013, 3169, 4031)
)
_ABOUT_LAST = re.compile(
    r"ROW_COUNT|FOUND_ROWS|warning_count|error_count|DIAGNOSTICS|LASTVAL|PREVIOUS"
    r"|\bSHOW\b.*\b(WARNINGS|ERRORS)\b",
    re.I | re.S,
)
_ACCESS_MODE = re.compile(r"READ[ _](ONLY|WRITE)", re.I)
# A string of no bytes.
_NO_CHARACTERISTICS = b"\0"
_OWN = re.compile(rb"^(rw_splitting|read_your_writes): ")


def _error(answer: Answer) -> Err | None:
    last = answer[-1] if answer else None
    if isinstance(last, Rows) and isinstance(last.end, Err):
        return last.end
    return last if isinstance(last, Err) else None


def _text(step: Step) -> str:
    return " ".join(arg for arg in step.args if isinstance(arg, str))


def _asks_in_vain(step: Step, error: Err) -> bool:
    asks = step.op == "execute" or _ABOUT_LAST.search(_text(step))
    return bool(error.code == 1105 and _OWN.match(error.text) and asks)


def _has_no_connection(step: Step, error: Err) -> bool:
    return error.code == _NO_CONNECTION and bool(_OWN.match(error.text))


def _has_lost_database(step: Step, error: Err) -> bool:
    return error.code == _NO_DATABASE and error.text.startswith(b"pyproxy: cannot prepare a conn")


def _is_late_schema(step: Step, direct: Answer, split: Answer) -> bool:
    if _without_schema(direct) != _without_schema(split):
        return False
    # What is told at last is the same, if both tell it.
    one, other = _last_schema(direct), _last_schema(split)
    if step.op == "init_db" or re.search(r"\bUSE\b", _text(step), re.I):
        return one is not None and one == other
    return one is None or other is None or one == other


def _without_schema(answer: Answer) -> Answer:
    return tuple(
        each._replace(end=_plain(each.end)) if isinstance(each, Rows) else _plain(each)
        for each in answer
    )


def _plain(result: Result) -> Result:
    if not isinstance(result, Ok):
        return result
    # The status of MariaDB's first results tells of what comes with the last.
    kept = sorted(each for each in session_changes(result.changes) if each[0] != "schema")
    if kept:
        return result._replace(changes=repr(kept).encode())
    return result._replace(changes=b"", status=result.status & ~Status.SESSION_STATE_CHANGED)


def _last_schema(answer: Answer) -> bytes | None:
    """The default database that is reported last; None: none is."""
    ends = [each.end if isinstance(each, Rows) else each for each in answer]
    changes = [session_changes(end.changes) for end in ends if isinstance(end, Ok)]
    told = [value for each in changes for name, value in each if name == "schema"]
    return told[-1] if told else None


def _is_of_ended_transaction(step: Step, direct: Answer, split: Answer) -> bool:
    if _ACCESS_MODE.search(_text(step)):
        return False
    (one, known), (two, told) = map(_without_characteristics, (direct, split))
    is_told = any(b"READ" in value or value == _NO_CHARACTERISTICS for value in (*known, *told))
    return is_told and one == two


def _without_characteristics(answer: Answer) -> tuple[object, list[bytes]]:
    """An answer without the characteristics of transactions, and those."""
    kind, rest, told = "characteristics", [], []
    for each in answer:
        end, reports = _reports(each.end if isinstance(each, Rows) else each)
        told += [value for name, value in reports if name == kind]
        others = [report for report in reports if report[0] != kind]
        if isinstance(end, Ok) and not others:
            end = end._replace(status=end.status & ~Status.SESSION_STATE_CHANGED)
        rest.append((each._replace(end=end) if isinstance(each, Rows) else end, others))
    return rest, told


def _is_of_transaction_before(step: Step, direct: Answer, split: Answer) -> bool:
    if len(direct) != 1 or len(split) != 1 or "SESSION_TRACK" in _text(step).upper():
        return False
    if not isinstance(direct[0], Ok) or not isinstance(split[0], Ok):
        return False
    (one, known), (two, told) = _apart(direct[0]), _apart(split[0])
    letters = {report[1:] for report in (known, told) if report is not None}
    begins = re.search(r"\b(BEGIN|START)\b", _text(step), re.I)
    if one != two or not all(each.startswith(b"T") for each in letters):
        return False
    if known is not None and told is not None:
        return known == told.replace(b"s", b"_").replace(b"S", b"_")
    return bool(begins or any(b"S" in each for each in letters))


def _apart(result: Ok) -> tuple[object, bytes | None]:
    """A result without the state of its transaction, and that."""
    rest, told = _reports(result)
    assert isinstance(rest, Ok)
    states = [value for name, value in told if name == "trx"]
    others = [report for report in told if report[0] != "trx"]
    status = rest.status & ~Status.SESSION_STATE_CHANGED
    return (rest._replace(status=status), others), states[-1] if states else None


def _is_of_no_statement(step: Step, direct: Answer, split: Answer) -> bool:
    return _words(split) == _words(direct).replace("handler (4294967295)", "handler (0)")


def _words(answer: Answer) -> str:
    """An answer in words, also the cells of its rows."""
    return repr(
        [
            (each._replace(rows=()), [cells(row) for row in each.rows])
            if isinstance(each, Rows) and not each.binary
            else each
            for each in answer
        ]
    )


def _is_of_null(step: Step, direct: Answer, split: Answer) -> bool:
    if step.op != "execute" or None not in step.args[1] or len(direct) != len(split):
        return False
    return all(
        isinstance(one, Rows) and isinstance(two, Rows) and one._replace(columns=two.columns) == two
        for one, two in zip(direct, split)
    )


def _reports(result: Result) -> tuple[Result, list[tuple[str, bytes]]]:
    """A result, and its reports apart."""
    if not isinstance(result, Ok):
        return result, []
    told = session_changes(result.changes) if result.changes else []
    return result._replace(changes=b""), list(told)


REFUSALS = (
    Refusal(
        "refused: nobody knows any more",
        "What a statement left is asked in other words than the splitter remembers answers for, when its connection is with"
        " others, or behind a stored function, which may have cleared it: an error is said, never another connection's value"
        " (rule 4).",
        _asks_in_vain,
    ),
    Refusal(
        "refused: no idle connection",
        "The proxy cannot open a connection by itself, since it knows no passwords: the client connects again.",
        _has_no_connection,
        ends_connection=True,
    ),
    Refusal(
        "refused: the default database is gone",
        "Another client dropped it, and no server connection has it as its default any more: one that has another cannot be made to"
        " have none. Choosing and making databases is possible.",
        _has_lost_database,
    ),
)
ALLOWED = (
    Allowed(
        "the default database is reported sooner or later",
        "MariaDB keeps what a statement that failed would have reported until it reports something, and the proxy has it report more"
        " than the client asked for. Programs choose a database while they run; the client's own is the same all the time.",
        _is_late_schema,
    ),
    Allowed(
        "the access mode of a transaction that has ended",
        "MySQL tells a client that begins to track its transactions the access mode of one that ended before, and of later ones that have"
        " none: it forgets that only where somebody tracks, as the proxy does. MariaDB does not know what was set before somebody tracked.",
        _is_of_ended_transaction,
    ),
    Allowed(
        "a transaction that begins in one of before",
        "MySQL tells of a state that it has not told last, and what it told the proxy is not what it would have told a client that begins"
        " to say what it wants to be told while it is in a transaction. MariaDB has in it what a statement before did that failed, if"
        " somebody tracked that.",
        _is_of_transaction_before,
    ),
    Allowed(
        "the number of no statement",
        "MariaDB's clients may execute the one that was prepared last. If there is none it is number 0 that is not there: the last one of"
        " the server connection may be another client's.",
        _is_of_no_statement,
    ),
    Allowed(
        "the type of a column that is made of a NULL",
        "MySQL gives a parameter that is NULL the type that it had when the statement was executed before, and it may have been prepared"
        " elsewhere since.",
        _is_of_null,
    ),
)


def refused(step: Step, split: Answer) -> Refusal | None:
    """The entry that allows the splitter not to make the step."""
    error = _error(split)
    if error is None or len(split) != 1:
        return None
    return next((each for each in REFUSALS if each.applies(step, error)), None)


def allowed(step: Step, direct: Answer, split: Answer) -> Allowed | None:
    """The entry that allows this difference."""
    return next((each for each in ALLOWED if each.applies(step, direct, split)), None)


def is_unavailable(answer: Answer) -> bool:
    """After a fault: the client is told that its connection, or its server, is gone. It must not have been told anything else."""
    if len(answer) != 1:
        return False
    error = _error(answer)
    return isinstance(answer[0], Lost) or (error is not None and error.code in _UNAVAILABLE)
