"""What a client's command means for the choice of a server connection.

    route(commands.parse(packet)).is_read    # may another copy of the data answer it?

Pure: it sees the text only. What it cannot know is what stored functions, procedures, triggers and views do; so a query
that calls a function which is not built in is no read, and CALL ties the client to its connection. Doubt always falls on
the side of the primary, or of staying.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from pyproxy import (
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_CREATE_DB,
    COM_DROP_DB,
    COM_FIELD_LIST,
    COM_INIT_DB,
    COM_PING,
    COM_QUERY,
    COM_REGISTER_SLAVE,
    COM_SET_OPTION,
    COM_STATISTICS,
    COM_STMT_PREPARE,
    COM_STMT_RESET,
    COM_TABLE_DUMP,
)
from pyproxy._pooling.assignments import Setting, assignments
from pyproxy._pooling.diagnostics import has_no_table
from pyproxy._pooling.reads import reads_only
from pyproxy._pooling.ties import (
    INSERT_ID,
    OPTION,
    PROFILES,
    SEQUENCE,
    VARIABLE,
    inserts,
    is_compound,
    prepared,
    ties_of,
)
from pyproxy._sql.functions import HARMLESS
from pyproxy._sql.reading import PLAIN, Reading
from pyproxy._sql.text import Statement, shape_of, statements
from pyproxy.commands import Command

__all__ = ["Route", "Setting", "route", "route_of_text"]

# Functions and variables whose answer depends on what the connection did last.
_ABOUT_ROWS = frozenset(("FOUND_ROWS", "ROW_COUNT"))
_ABOUT_LAST_VARIABLES = frozenset(("LAST_GTID", "WARNING_COUNT", "ERROR_COUNT"))
_INSERT_ID_VARIABLES = frozenset(("LAST_INSERT_ID", "IDENTITY"))
_WRITES = frozenset(
    "ALTER ANALYZE CALL CREATE DELETE DO DROP EXECUTE FLUSH GRANT IMPORT INSERT LOAD LOCK OPTIMIZE RENAME REPAIR "
    "REPLACE REVOKE SELECT TABLE TRUNCATE UPDATE VALUES WITH XA".split()
)
_PLAIN = frozenset(
    "BEGIN COMMIT DELETE INSERT REPLACE ROLLBACK SELECT SET START UPDATE USE WITH".split()
)
# A longer statement is not looked at: the time is that of all clients.
_MOST_BYTES = 64 * 1024
_SHORT = 1024


@dataclass(frozen=True)
class Route:
    """What one command means. The default is one for the primary that leaves nothing behind."""

    is_read: bool = False
    """A read-only backend may answer it."""
    is_write: bool = False
    """It may change data."""
    goes_anywhere: bool = False
    """It is for whatever server is attached."""
    keeps_diagnostics: bool = False
    """What is said about the statement before it is said behind it, too."""
    ties: frozenset[str] = frozenset()
    """What it leaves on its connection that cannot be carried to another: names of the things."""
    frees: frozenset[str] = frozenset()
    """Which of these things it ends."""
    global_names: frozenset[str] = frozenset()
    """The server's variables that it may set, in upper case."""
    setting: Setting | None = None
    """What can be carried: a change of the session."""
    database: str | None = None
    """The default database that it chooses."""
    dropped_database: str | None = None
    """The database that it drops."""
    asks_about_last: bool = False
    """Its answer depends on the statement before it, on the same connection."""
    needs: frozenset[str] = frozenset()
    """It asks for what is only there if one of these ties was made before."""
    inserts: bool = False
    """It may take a value of an AUTO_INCREMENT column, also if it fails."""
    is_asked_about: bool = False
    """The next statement may depend on it, whatever its result."""
    combines: bool = False
    """It combines queries: MariaDB's FOUND_ROWS() has the rows that LIMIT left out, too."""
    has_several: bool = False
    """It has several statements, so a failed one may have done something before."""
    has_no_table: bool = False
    """It names no table: warnings of statements before it stay, if it makes none of its own."""
    is_plain: bool = False
    """It is a single SELECT, statement that changes rows, SET, USE, or the begin or end of a transaction: what it leaves is known, or
    told by the server's status, also if it fails."""

    @property
    def can_be_set_anywhere(self) -> bool:
        """Whether it is a setting that ties the client to no connection."""
        return self.setting is not None and "AUTOCOMMIT" not in self.setting.names


def route(command: Command, reading: Reading = PLAIN) -> Route:
    """What `command` means, whose text is read so."""
    if command.type == COM_QUERY:
        return route_of_text(command.query or "", reading)
    if command.type == COM_STMT_PREPARE:
        # It runs later, maybe often: what it will leave is left to the connection now.
        text = route_of_text(command.query or "", reading)
        ties = text.ties | ({VARIABLE} if text.setting else frozenset())
        return Route(
            is_write=text.is_write,
            ties=ties,
            asks_about_last=text.asks_about_last,
            keeps_diagnostics=True,
            needs=text.needs,
            inserts=text.inserts,
            has_no_table=text.has_no_table,
            is_plain=text.is_plain,
        )
    if command.type == COM_INIT_DB:
        return Route(database=command.schema, is_plain=True, keeps_diagnostics=True)
    if command.type in (COM_STMT_RESET, COM_FIELD_LIST):
        return Route(keeps_diagnostics=True, is_plain=True)
    if command.type in (COM_PING, COM_STATISTICS):
        return Route(goes_anywhere=True, keeps_diagnostics=True)
    if command.type == COM_SET_OPTION:
        return Route(ties=frozenset((OPTION,)), keeps_diagnostics=True)
    if command.type in (
        COM_REGISTER_SLAVE,
        COM_TABLE_DUMP,
        COM_BINLOG_DUMP,
        COM_BINLOG_DUMP_GTID,
    ):
        return Route(ties=frozenset(("replication",)))
    return Route(is_write=command.type_name is None or command.type in (COM_CREATE_DB, COM_DROP_DB))


def route_of_text(sql: str, reading: Reading = PLAIN) -> Route:
    """What a COM_QUERY with this text, which is read so, means."""
    if len(sql) > _MOST_BYTES:
        ties = frozenset(("a statement too long to read", INSERT_ID))
        return Route(is_write=True, ties=ties, inserts=True, has_several=True)
    text = shape_of(sql, reading)
    return _of_short_text(text, reading) if len(text) < _SHORT else _of_statements(text, reading)


def _of_statements(sql: str, reading: Reading = PLAIN) -> Route:
    routes = [_of_statement(statement) for statement in statements(sql, reading)]
    if len(routes) == 1:
        return routes[0]
    ties: set[str] = set()
    for each in routes:
        ties.difference_update(each.frees)
        ties.update(each.ties)
        if each.setting or each.database is not None:
            ties.add("several statements")
    if any(each.inserts for each in routes):
        # The answer of each has its own id.
        ties.add(INSERT_ID)
    return Route(
        is_write=any(each.is_write for each in routes),
        ties=frozenset(ties),
        asks_about_last=_asks_about_last(routes),
        needs=frozenset().union(*(each.needs - ties for each in routes)),
        is_asked_about=any(each.is_asked_about for each in routes),
        global_names=frozenset().union(*(each.global_names for each in routes)),
        inserts=any(each.inserts for each in routes),
        has_several=len(routes) > 1,
        is_plain=not routes,
    )


def _asks_about_last(routes: list[Route]) -> bool:
    """Whether one of several does, and those before it leave what they found."""
    for each in routes:
        if each.asks_about_last or not each.has_no_table:
            return each.asks_about_last
    return False


# Programs ask the same again and again, with other values.
_of_short_text = lru_cache(maxsize=1024)(_of_statements)


def _of_statement(statement: Statement) -> Route:
    functions = frozenset(statement.functions())
    variables = frozenset(statement.variables())
    system = {name.lstrip("@") for name in variables if name.startswith("@@")}
    # `@@session.x` comes as two words.
    if system:
        system |= {_member(statement, index) for index in range(len(statement.tokens))}
    common = Route(
        is_write=_may_write(statement),
        ties=frozenset(ties_of(statement, functions, variables)),
        asks_about_last=bool(
            functions & _ABOUT_ROWS
            or system & _ABOUT_LAST_VARIABLES
            or (statement.word(0) == "SHOW" and statement.has("WARNINGS", "ERRORS"))
            or (statement.word(0) == "GET" and statement.has("DIAGNOSTICS"))
        ),
        needs=frozenset(_needs(statement, functions)),
        is_asked_about=statement.has("SQL_CALC_FOUND_ROWS"),
        combines=statement.has("UNION", "EXCEPT", "INTERSECT", "MINUS"),
        inserts=inserts(statement),
        has_no_table=has_no_table(statement),
        is_plain=statement.word(0) in _PLAIN,
    )
    word = statement.word(0)
    if word == "SET":
        return _of_set(statement, common)
    if word == "USE":
        return replace(common, database=_name(statement, 1))
    if word == "UNLOCK":
        return replace(common, frees=frozenset(("locked tables",)))
    if word in ("DEALLOCATE", "DROP") and statement.word(1) == "PREPARE":
        return replace(common, is_write=False, frees=frozenset((prepared(statement, 2),)))
    if word == "DROP" and statement.word(1) in ("DATABASE", "SCHEMA"):
        return replace(
            common, dropped_database=_name(statement, 4 if statement.word(2) == "IF" else 2)
        )
    asks_insert_id = "LAST_INSERT_ID" in functions or system & _INSERT_ID_VARIABLES
    leaves_or_needs = common.ties or common.needs or common.asks_about_last
    is_alone = not (leaves_or_needs or asks_insert_id)
    if is_alone and reads_only(statement, functions, variables):
        return replace(common, is_read=True, is_write=False)
    if word in ("SELECT", "TABLE", "VALUES") and not functions - HARMLESS:
        # On the primary, but nothing that a copy of the data has to catch up with.
        return replace(common, is_write=False)
    return common


def _may_write(statement: Statement) -> bool:
    first = statement.word(0)
    return first in _WRITES or not first or is_compound(statement)


def _needs(statement: Statement, functions: frozenset[str]) -> Iterator[str]:
    """What must have been left on the connection by this client, or the answer is somebody else's."""
    words = statement.words
    follows = any(pair == ("PREVIOUS", "VALUE") for pair in zip(words, words[1:]))
    if functions & {"LASTVAL", "CURRVAL"} or follows or statement.has("CURRVAL"):
        yield SEQUENCE
    if statement.word(0) == "SHOW" and statement.word(1) in ("PROFILE", "PROFILES"):
        yield PROFILES
    names = [token.raw.strip(b"`").upper() for token in statement.tokens]
    if (b"INFORMATION_SCHEMA", b".", b"PROFILING") in zip(names, names[1:], names[2:]):
        yield PROFILES


def _member(statement: Statement, index: int) -> str:
    """The name behind `@@session.` or `@@local.` at `index`."""
    if statement.word(index) in ("@@SESSION", "@@LOCAL"):
        return statement.word(index + 2)
    return ""


def _of_set(statement: Statement, common: Route) -> Route:
    second = statement.word(1)
    common = replace(common, is_write=second in ("PASSWORD", "DEFAULT", "STATEMENT"))
    found = assignments(statement)
    common = replace(common, global_names=frozenset(found.global_names))
    ties = common.ties | found.ties
    if ties or not found.names:
        return replace(common, ties=ties)
    return replace(common, setting=Setting(tuple(found.names), _text(statement)))


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
