"""What a client's command means for the choice of a server connection.

    route(commands.parse(packet)).is_read    # may another copy of the data answer it?

Pure: it sees the text only. What it cannot know is what stored functions, procedures, triggers and views do; so a query
that calls a function which is not built in is no read, and CALL ties the client to its connection. Doubt always falls on
the side of the primary, or of staying.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pyproxy import (
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_CREATE_DB,
    COM_DROP_DB,
    COM_INIT_DB,
    COM_PING,
    COM_QUERY,
    COM_REGISTER_SLAVE,
    COM_SET_OPTION,
    COM_STATISTICS,
    COM_STMT_PREPARE,
    COM_TABLE_DUMP,
)
from pyproxy.commands import Command
from pyproxy.hooks._functions import HARMLESS
from pyproxy.hooks._sql_text import Statement, statements

__all__ = ["ROLE", "ROLES", "Route", "Setting", "route"]

# The tie of a role, which stays on its connection whatever resets it, and those that may hide the setting of one.
ROLE = "a role"
ROLES = frozenset((ROLE, "a stored procedure", "dynamic SQL", "a compound statement"))

# Functions whose answer depends on what the connection did last.
_ABOUT_LAST = frozenset(("FOUND_ROWS", "ROW_COUNT"))
_ABOUT_LAST_VARIABLES = frozenset(("WARNING_COUNT", "ERROR_COUNT"))
_INSERT_ID_VARIABLES = frozenset(("LAST_INSERT_ID", "IDENTITY"))
# Session variables whose value is of the moment: setting them again later would not be the same.
_MOMENTARY = frozenset(
    "GTID_NEXT GTID_SEQ_NO IDENTITY INSERT_ID LAST_INSERT_ID PSEUDO_SLAVE_MODE PSEUDO_THREAD_ID "
    "RAND_SEED1 RAND_SEED2 SQL_LOG_BIN TIMESTAMP".split()
)
# Functions that give the same when a SET is run again.
_REPEATABLE = frozenset(
    "COALESCE CONCAT CONCAT_WS IF IFNULL LOWER NULLIF REPLACE TRIM UPPER".split()
)
# Statements of stored programs that MariaDB runs by themselves, too.
_COMPOUND = frozenset("CASE DECLARE FOR IF LOOP REPEAT WHILE".split())
_WRITES = frozenset(
    "ALTER ANALYZE CALL CREATE DELETE DO DROP EXECUTE GRANT IMPORT INSERT LOAD OPTIMIZE RENAME REPAIR "
    "REPLACE REVOKE SELECT TABLE TRUNCATE UPDATE VALUES WITH XA".split()
)
# A long INSERT is nearly all values: it is looked through for what a statement could hide, and split into tokens only if
# there is something like it.
_LONG = 32 * 1024
_SHORT = 1024
_VALUES = re.compile(rb"\s*(?:INSERT|REPLACE)\s", re.IGNORECASE)
_HIDDEN = re.compile(
    rb";\s*\S|:=|/\*M?!|#|[@`]\s*:|_(?:LOCK|ID|ROWS|COUNT)[`\s]*\(|@@|@\w+\s*[,)]", re.IGNORECASE
)
_SEQUENCES = ("NEXTVAL", "CURRVAL", "LASTVAL", "PREVIOUS")


@dataclass(frozen=True)
class Setting:
    """A SET whose effect is the same whenever it is run again, on this connection or another."""

    names: tuple[str, ...]
    """What it sets, in upper case: a later Setting of the same names takes its place."""
    text: str
    """The statement."""


@dataclass(frozen=True)
class Route:
    """What one command means. The default is one for the primary that leaves nothing behind."""

    is_read: bool = False
    """A read-only backend may answer it."""
    is_write: bool = False
    """It may change data."""
    goes_anywhere: bool = False
    """It is for whatever server is attached."""
    ties: frozenset[str] = frozenset()
    """What it leaves on its connection that cannot be carried to another: names of the things."""
    frees: frozenset[str] = frozenset()
    """Which of these things it ends."""
    setting: Setting | None = None
    """What can be carried: a change of the session."""
    database: str | None = None
    """The default database that it chooses."""
    dropped_database: str | None = None
    """The database that it drops."""
    asks_about_last: bool = False
    """Its answer depends on the statement before it, on the same connection."""
    asks_insert_id: bool = False
    """Its answer depends on the last insert id."""
    is_asked_about: bool = False
    """The next statement may depend on it, whatever its result."""
    has_several: bool = False
    """It has several statements, so a failed one may have done something before."""


def route(command: Command) -> Route:
    """What `command` means."""
    if command.type == COM_QUERY:
        return _of_text(command.query or "")
    if command.type == COM_STMT_PREPARE:
        # It runs later, maybe often: what it will leave is left to the connection now.
        text = _of_text(command.query or "")
        ties = text.ties | ({"a session variable"} if text.setting else frozenset())
        return Route(is_write=text.is_write, ties=ties)
    if command.type == COM_INIT_DB:
        return Route(database=command.schema)
    if command.type in (COM_PING, COM_STATISTICS):
        return Route(goes_anywhere=True)
    if command.type == COM_SET_OPTION:
        return Route(ties=frozenset(("an option of the connection",)))
    if command.type in (
        COM_REGISTER_SLAVE,
        COM_TABLE_DUMP,
        COM_BINLOG_DUMP,
        COM_BINLOG_DUMP_GTID,
    ):
        return Route(ties=frozenset(("replication",)))
    return Route(is_write=command.type_name is None or command.type in (COM_CREATE_DB, COM_DROP_DB))


def _of_text(sql: str) -> Route:
    if len(sql) > _LONG:
        text = sql.encode("utf-8", "surrogateescape")
        if _VALUES.match(text) and not _HIDDEN.search(text):
            return Route(is_write=True)
    return _of_short_text(sql) if len(sql) < _SHORT else _of_statements(sql)


def _of_statements(sql: str) -> Route:
    routes = [_of_statement(statement) for statement in statements(sql)]
    if len(routes) == 1:
        return routes[0]
    ties: set[str] = set()
    for each in routes:
        ties.difference_update(each.frees)
        ties.update(each.ties)
        if each.setting or each.database is not None:
            ties.add("several statements")
    return Route(
        is_write=any(each.is_write for each in routes),
        ties=frozenset(ties),
        asks_about_last=any(each.asks_about_last for each in routes[:1]),
        asks_insert_id=any(each.asks_insert_id for each in routes),
        is_asked_about=any(each.is_asked_about for each in routes),
        has_several=len(routes) > 1,
    )


# BEGIN, COMMIT, SET NAMES, and what programs without placeholders in other places ask again and again.
_of_short_text = lru_cache(maxsize=1024)(_of_statements)


def _of_statement(statement: Statement) -> Route:
    functions = frozenset(statement.functions())
    variables = frozenset(statement.variables())
    system = {name.lstrip("@") for name in variables if name.startswith("@@")}
    # `@@session.x` comes as two words.
    members = (
        {_member(statement, index) for index in range(len(statement.tokens))} if system else set()
    )
    common = Route(
        is_write=_may_write(statement),
        ties=frozenset(_ties(statement, functions, variables)),
        asks_about_last=bool(
            functions & _ABOUT_LAST
            or (system | members) & _ABOUT_LAST_VARIABLES
            or (statement.word(0) == "SHOW" and statement.has("WARNINGS", "ERRORS"))
            or (statement.word(0) == "GET" and statement.has("DIAGNOSTICS"))
        ),
        asks_insert_id=bool(
            "LAST_INSERT_ID" in functions or (system | members) & _INSERT_ID_VARIABLES
        ),
        is_asked_about=statement.has("SQL_CALC_FOUND_ROWS"),
    )
    word = statement.word(0)
    if word == "SET":
        return _of_set(statement, common)
    if word == "USE":
        return replace(common, database=_name(statement, 1))
    if word == "UNLOCK":
        return replace(common, frees=frozenset(("locked tables",)))
    if word in ("DEALLOCATE", "DROP") and statement.word(1) == "PREPARE":
        return replace(common, is_write=False, frees=frozenset((_prepared(statement, 2),)))
    if word == "DROP" and statement.word(1) in ("DATABASE", "SCHEMA"):
        return replace(
            common, dropped_database=_name(statement, 4 if statement.word(2) == "IF" else 2)
        )
    if _is_read(statement, common, functions, variables):
        return replace(common, is_read=True, is_write=False)
    if word in ("SELECT", "TABLE", "VALUES") and not functions - HARMLESS:
        # On the primary, but nothing that a copy of the data has to catch up with.
        return replace(common, is_write=False)
    return common


def _may_write(statement: Statement) -> bool:
    first = statement.word(0)
    return first in _WRITES or not first or _is_compound(statement)


def _is_compound(statement: Statement) -> bool:
    """Whether it is one of several statements of a block, or begins like one."""
    if statement.word(0) == "BEGIN":
        return len(statement.tokens) > 1 and statement.word(1) != "WORK"
    # The others are labels.
    begins = [token.raw for token in statement.tokens[:2]]
    return statement.word(0) in _COMPOUND or begins[:1] == [b"<<"] or begins[1:] == [b":"]


def _is_read(
    statement: Statement, common: Route, functions: frozenset[str], variables: frozenset[str]
) -> bool:
    first = next((word for word in statement.words if word), "")
    if not statement.is_certain or first not in ("SELECT", "WITH"):
        return False
    if any(kind != "open_paren" for kind in statement.kinds[: statement.words.index(first)]):
        return False
    if first == "WITH" and statement.has("INSERT", "UPDATE", "DELETE", "REPLACE"):
        return False
    return not (
        common.ties
        or common.asks_about_last
        or common.asks_insert_id
        or statement.has("INTO", "LOCK", "PROCEDURE", *_SEQUENCES)
        or _locks_rows(statement)
        or "assign" in statement.kinds
        or functions - HARMLESS
        or any(name != "@@GLOBAL" for name in variables)
    )


def _locks_rows(statement: Statement) -> bool:
    """FOR UPDATE and FOR SHARE; FOR stands in index hints, too. NEXT VALUE FOR takes a number of a sequence."""
    return any(
        word == "FOR" and statement.word(index + 1) not in ("JOIN", "ORDER", "GROUP")
        for index, word in enumerate(statement.words)
    )


def _ties(
    statement: Statement, functions: frozenset[str], variables: frozenset[str]
) -> Iterator[str]:
    """What the statement leaves on its connection that no SET can leave on another."""
    word, second = statement.word(0), statement.word(1)
    if word == "CREATE" and "TEMPORARY" in (second, statement.word(3) if second == "OR" else ""):
        yield "a temporary table"
    elif word == "LOCK" or (word == "BACKUP" and second in ("STAGE", "LOCK")):
        yield "locked tables"
    elif word == "FLUSH" and statement.has("LOCK", "EXPORT"):
        yield "locked tables"
    elif word == "PREPARE":
        yield _prepared(statement, 1)
    elif word == "EXECUTE":
        yield "dynamic SQL"
    elif word == "CALL":
        yield "a stored procedure"
    elif word == "HANDLER":
        yield "a handler"
    elif word == "XA":
        yield "an XA transaction"
    elif _is_compound(statement):
        yield "a compound statement"
    elif word == "SET" and second == "STATEMENT" and statement.has("TEMPORARY", "CALL", "EXECUTE"):
        yield "dynamic SQL"
    if _may_set_role(statement):
        yield ROLE
    if "GET_LOCK" in functions:
        yield "a user lock"
    if "CONNECTION_ID" in functions or "@@PSEUDO_THREAD_ID" in variables:
        # It was asked for because somebody will name it: KILL, for example.
        yield "the connection's id"
    own = any(not name.startswith("@@") for name in variables)
    assigns = "assign" in statement.kinds
    if own and (assigns or word == "LOAD" or statement.has("INTO")):
        yield "a user variable"


def _may_set_role(statement: Statement) -> bool:
    """SET ROLE, also behind other assignments, and in a string that may end elsewhere: the sql_mode is not known."""
    if statement.word(0) != "SET" or statement.word(1) == "DEFAULT":
        return False
    return any(b"ROLE" in token.raw.upper() for token in statement.tokens)


def _prepared(statement: Statement, index: int) -> str:
    name = statement.tokens[index].text.lower() if index < len(statement.tokens) else ""
    return f"prepared statement {name}"


def _member(statement: Statement, index: int) -> str:
    """The name behind `@@session.` or `@@local.` at `index`."""
    if statement.word(index) in ("@@SESSION", "@@LOCAL"):
        return statement.word(index + 2)
    return ""


@dataclass
class _Assignments:
    """What a SET statement sets."""

    names: list[str] = field(default_factory=list)
    ties: set[str] = field(default_factory=set)


def _of_set(statement: Statement, common: Route) -> Route:
    words = statement.words
    common = replace(common, is_write=words[1:2] in (["PASSWORD"], ["DEFAULT"], ["STATEMENT"]))
    if words[1:2] in (["PASSWORD"], ["DEFAULT"], ["STATEMENT"], ["RESOURCE"]):
        return common
    if "TRANSACTION" in words[1:3]:
        if words[1] == "TRANSACTION":
            return replace(common, ties=common.ties | {"the next transaction"})
        if words[1] in ("SESSION", "LOCAL"):
            return replace(common, setting=Setting(("TRANSACTION",), _text(statement)))
        return common
    found = _Assignments()
    for start, end in _parts(statement):
        _note_assignment(statement, start, end, found)
    ties = common.ties | found.ties
    if ties or not found.names:
        return replace(common, ties=ties)
    return replace(common, setting=Setting(tuple(found.names), _text(statement)))


def _parts(statement: Statement) -> Iterator[tuple[int, int]]:
    """The assignments of a SET, as ranges of tokens."""
    start, depth = 1, 0
    for index, kind in enumerate(statement.kinds):
        depth += (kind == "open_paren") - (kind == "close_paren")
        if kind == "comma" and depth == 0:
            yield start, index
            start = index + 1
    yield start, len(statement.tokens)


def _note_assignment(statement: Statement, start: int, end: int, found: _Assignments) -> None:
    word = statement.word(start)
    if word in ("GLOBAL", "PERSIST", "PERSIST_ONLY", "@@GLOBAL", "@@PERSIST", "@@PERSIST_ONLY"):
        return
    if word in ("NAMES", "CHARSET") or (word, statement.word(start + 1)) == ("CHARACTER", "SET"):
        found.names.append("NAMES")
        return
    if word.startswith("@") and not word.startswith("@@"):
        found.ties.add("a user variable")
        return
    if word in ("@@SESSION", "@@LOCAL"):
        name = statement.word(start + 2)
    elif word in ("SESSION", "LOCAL"):
        name = statement.word(start + 1)
    else:
        name = word.lstrip("@")
    value = Statement(statement.tokens[start + 1 : end], statement.is_certain)
    if not name or name in _MOMENTARY or not statement.is_certain or not _is_repeatable(value):
        found.ties.add("a session variable")
    found.names.append(name)


def _is_repeatable(value: Statement) -> bool:
    own = any(not name.startswith("@@") for name in value.variables())
    return not (own or value.has("SELECT") or set(value.functions()) - _REPEATABLE)


def _name(statement: Statement, start: int) -> str:
    """The name that begins at token `start` and ends the statement."""
    return "".join(token.text for token in statement.tokens[start:])


def _text(statement: Statement) -> str:
    """The statement without comments, to be run again."""
    parts, end = [], -1
    for token in statement.tokens:
        if token.start != end:
            parts.append(b" ")
        parts.append(token.raw)
        end = token.end
    return b"".join(parts).strip().decode("utf-8", "surrogateescape")
