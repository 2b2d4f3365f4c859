"""SET statements: what they set, and whether running them again has the same effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pyproxy._pooling.ties import REPORTS, VARIABLE
from pyproxy._sql.text import Statement

__all__ = ["Assignments", "Setting", "assignments"]

# Session variables whose value is of the moment: setting them again later would not be the same.
_MOMENTARY = frozenset(
    "GTID_NEXT GTID_SEQ_NO IDENTITY INSERT_ID LAST_INSERT_ID PSEUDO_SLAVE_MODE PSEUDO_THREAD_ID "
    "RAND_SEED1 RAND_SEED2 SQL_LOG_BIN TIMESTAMP".split()
)
_GLOBAL = frozenset("GLOBAL PERSIST PERSIST_ONLY @@GLOBAL @@PERSIST @@PERSIST_ONLY".split())
# `SET @@transaction_isolation` is for the next transaction only, `SET transaction_isolation` is for the session.
_OF_TRANSACTION = frozenset(
    "TRANSACTION_ISOLATION TRANSACTION_READ_ONLY TX_ISOLATION TX_READ_ONLY".split()
)
_NEXT_TRANSACTION = "the next transaction"
# Words of a value that give another one at another time, or on another server.
_OF_THE_MOMENT = frozenset(
    "DEFAULT SELECT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURRENT_ROLE LOCALTIME "
    "LOCALTIMESTAMP UTC_DATE UTC_TIME UTC_TIMESTAMP".split()
)
# Functions that give the same when a SET is run again.
_REPEATABLE = frozenset(
    "COALESCE CONCAT CONCAT_WS IF IFNULL LOWER NULLIF REPLACE TRIM UPPER".split()
)


@dataclass(frozen=True)
class Setting:
    """A SET whose effect is the same whenever it is run again, on this connection or another."""

    names: tuple[str, ...]
    """What it sets, in upper case: a later Setting of the same names takes its place."""
    text: str
    """The statement."""


@dataclass
class Assignments:
    """What a SET statement sets."""

    names: list[str] = field(default_factory=list)
    """Names of the session's variables, in upper case."""
    ties: set[str] = field(default_factory=set)
    global_names: list[str] = field(default_factory=list)
    """Names of the server's variables, in upper case."""


def assignments(statement: Statement) -> Assignments:
    """What a SET statement sets; what cannot be set again in the same way is among the ties."""
    found = Assignments()
    words = statement.words
    if words[1:2] in (["PASSWORD"], ["DEFAULT"], ["STATEMENT"], ["RESOURCE"]):
        return found
    if "TRANSACTION" in words[1:3]:
        if words[1] == "TRANSACTION":
            found.ties.add(_NEXT_TRANSACTION)
        else:
            names = found.names if words[1] in ("SESSION", "LOCAL") else found.global_names
            names += ["TRANSACTION_ISOLATION"] if "ISOLATION" in words else []
            names += ["TRANSACTION_READ_ONLY"] if statement.has("ONLY", "WRITE") else []
        return found
    for start, end in _parts(statement):
        _note(statement, start, end, found)
    if found.global_names and found.names:
        # It changes the server once. GLOBAL is also that of the parts behind it that do not say.
        found.ties.add(VARIABLE)
        found.global_names += found.names
    return found


def _parts(statement: Statement) -> Iterator[tuple[int, int]]:
    """The assignments of a SET, as ranges of tokens."""
    start, depth = 1, 0
    for index, kind in enumerate(statement.kinds):
        depth += (kind == "open_paren") - (kind == "close_paren")
        if kind == "comma" and depth == 0:
            yield start, index
            start = index + 1
    yield start, len(statement.tokens)


def _note(statement: Statement, start: int, end: int, found: Assignments) -> None:
    word, second = statement.word(start), statement.word(start + 1)
    if word in _GLOBAL:
        found.global_names.append(statement.word(start + 2) if word.startswith("@@") else second)
        return
    if word == "CHARSET" or (word, second) == ("CHARACTER", "SET"):
        # One of the character sets becomes that of the default database.
        found.ties.add(VARIABLE)
        found.names.append("NAMES")
        return
    if word.startswith("@") and not word.startswith("@@"):
        found.ties.add("a user variable")
        return
    if word in ("@@SESSION", "@@LOCAL"):
        name = statement.word(start + 2)
    elif word in ("SESSION", "LOCAL"):
        name = second
    else:
        name = word.lstrip("@")
        if word.startswith("@@") and name in _OF_TRANSACTION:
            found.ties.add(_NEXT_TRANSACTION)
    if name.startswith("SESSION_TRACK_"):
        # What the proxy wants to be told must not be among what the client gets then.
        found.ties.add(REPORTS)
    is_repeatable = _is_repeatable(statement.part(start + 1, end))
    if name == "NAMES":
        # Each server of today runs `/*!40101 SET NAMES utf8 */`.
        is_known = is_repeatable
    else:
        is_known = name not in ("", *_MOMENTARY) and statement.is_certain and is_repeatable
    if not is_known:
        found.ties.add(VARIABLE)
    found.names.append(name.replace("TX_", "TRANSACTION_") if name in _OF_TRANSACTION else name)


def _is_repeatable(value: Statement) -> bool:
    """Whether the value is the same wherever and whenever it is worked out.

    What is in quotes depends on character set and sql_mode, which may be others by then, unless it is plain.
    """
    if any(True for _ in value.variables()) or value.has(*_OF_THE_MOMENT):
        return False
    if set(value.functions()) - _REPEATABLE:
        return False
    return all(token.raw.isascii() and not set(b'\\"') & set(token.raw) for token in value.tokens)
