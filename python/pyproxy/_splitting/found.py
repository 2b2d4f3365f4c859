"""Whether a statement changes FOUND_ROWS(): as MySQL 9.7, MariaDB 10.11 and 11.8 were seen to do."""

from __future__ import annotations

from functools import lru_cache

from pyproxy._pooling.diagnostics import behind_for
from pyproxy._pooling.routing import Route
from pyproxy._pooling.ties import FUNCTION, UNSEEN
from pyproxy._sql.text import Statement, shape_of, statements

__all__ = ["LOST", "changes_found_rows", "finds_later", "shows_what_was_found"]

LOST = -1
"""In place of FOUND_ROWS() where nobody knows what a direct connection would say."""

# Behind SHOW.
_UNCOUNTED = frozenset(
    "AUTHORS BINARY BINLOG CONTRIBUTORS CREATE ENGINE ERRORS GRANTS MASTER PRIVILEGES PROCESSLIST PROFILES RELAYLOG"
    " REPLICAS WARNINGS".split()
)
_OF_REPLICATION = frozenset(("ALL", "REPLICA", "SLAVE"))
# Errors of statements of which nothing was run: names, rights, syntax.
_NOT_RUN = frozenset(
    map(
        int,
        "1044 1046 1049 1051 1052 1054 1055 1056 1064 1066 1103 1109 1111 1115 1140 1142 1143 1146 1149 1193 1222 1227 1238 1241"
        " 1247 1248 1267 1271 1273 1305 1318 1370 1582 1583 1630".split(),
    )
)
# In front of the tables of a DELETE.
_OPTIONS = frozenset(("HISTORY", "IGNORE", "LOW_PRIORITY", "QUICK"))
# What has MySQL take over the number of rows of a CREATE ... SELECT before it.
_SHOWS = frozenset(("DELETE", "DESC", "DESCRIBE", "EXPLAIN", "INSERT", "REPLACE"))
_WITH_SUBQUERIES = frozenset(("DELETE", "DO", "INSERT", "REPLACE", "SET", "UPDATE"))
_EXPLAINS = frozenset(("EXPLAIN", "DESCRIBE", "DESC"))
_EXPLAINED = frozenset(
    "ANALYZE DELETE EXTENDED FOR FORMAT INSERT PARTITIONS REPLACE SELECT TABLE UPDATE WITH".split()
)


def changes_found_rows(
    sql: str, route: Route, *, has_rows: bool, error: int | None, is_mysql: bool
) -> bool | None:
    """Whether it may be another number behind the statement, which was answered so: with rows, with an error of this number, or both.

    None: the answer does not show it.
    """
    if route.is_read and error is None:
        return True
    # Functions have a number of their own.
    is_unseen = bool(route.ties & UNSEEN - {FUNCTION})
    if route.has_several and not is_unseen:
        changes = _any_changes(shape_of(sql), is_mysql)
        if not changes:
            return changes
        # Those behind the one that failed were not run.
        return True if error is None or has_rows else None
    if error is not None and not (has_rows or is_mysql or error in _NOT_RUN):
        # None was found, if it came so far.
        return None if route.is_read or any(map(_finds, statements(sql))) else False
    if error is not None:
        # MySQL counts rows when all of them were sent.
        return has_rows and (is_unseen or not is_mysql)
    if is_unseen:
        # Rows are those of a query in it.
        return True if has_rows else None
    return _any_changes(shape_of(sql), is_mysql, has_rows)


def finds_later(sql: str) -> bool:
    """Whether MySQL counts the rows that the statement selects, and tells of them behind the next one that `shows_what_was_found`."""
    found = statements(sql)
    if len(found) != 1 or found[0].word(0) != "CREATE" or "TABLE" not in found[0].words[1:3]:
        return False
    return found[0].has("SELECT") or "TABLE" in found[0].words[3:]


def shows_what_was_found(sql: str) -> bool:
    """Whether FOUND_ROWS() is, behind the statement, what a CREATE ... SELECT before it has selected."""
    found = statements(sql)
    return len(found) == 1 and found[0].word(0) in _SHOWS


@lru_cache(maxsize=1024)
def _any_changes(sql: str, is_mysql: bool, is_unknown: bool = False) -> bool | None:
    """`is_unknown`: what it is if there is no statement."""
    found = statements(sql)
    if not found:
        return is_unknown
    if any(_changes(each, is_mysql) for each in found):
        return True
    return None if any(_may_change(each, is_mysql) for each in found) else False


def _may_change(statement: Statement, is_mysql: bool) -> bool:
    """Whether a part of it is run or not, as the server sees fit, and its rows count: a subquery, or a row that EXPLAIN looks at."""
    word = statement.word(0)
    if word in _EXPLAINS:
        return not is_mysql
    is_looked_at = word in _WITH_SUBQUERIES and (word != "SET" or not is_mysql)
    return is_looked_at and statement.has("SELECT") and statement.has("FROM")


def _changes(statement: Statement, is_mysql: bool) -> bool:
    word, second = statement.word(0), statement.word(1)
    if (word, second) == ("SET", "STATEMENT"):
        return _changes(behind_for(statement), is_mysql)
    if word in ("SELECT", "WITH", "TABLE", "VALUES") or not word:
        return True
    if word == "SHOW":
        if second in _OF_REPLICATION:
            return not is_mysql
        return (statement.word(2) if second == "FULL" else second) not in _UNCOUNTED
    if word in ("INSERT", "REPLACE"):
        return _inserts_selected(statement)
    if word in ("UPDATE", "DELETE"):
        return _names_several(statement) or (word == "UPDATE" and is_mysql)
    if word in _EXPLAINS:
        if second not in _EXPLAINED:
            # The columns of a table.
            return True
        return not is_mysql and not statement.has("FROM", "INSERT", "UPDATE", "REPLACE", "DELETE")
    if word == "ANALYZE":
        return not is_mysql and second != "TABLE" and _changes(_analyzed(statement), is_mysql)
    if word == "DO":
        return is_mysql
    return word == "CREATE" and not is_mysql and _makes_table(statement) and statement.has("SELECT")


def _makes_table(statement: Statement) -> bool:
    """Of a CREATE: views and programs are not run."""
    kinds = (word for word in statement.words[1:] if word not in ("OR", "REPLACE", "TEMPORARY"))
    return next(kinds, "") == "TABLE"


def _analyzed(statement: Statement) -> Statement:
    """What an ANALYZE of MariaDB runs."""
    return statement.part(4 if statement.word(1) == "FORMAT" else 1, len(statement.tokens))


def _finds(statement: Statement) -> bool:
    """Whether it may count rows before it fails."""
    word = statement.word(0)
    has_subquery = word in _WITH_SUBQUERIES and statement.has("SELECT")
    return word in ("SELECT", "WITH", "VALUES") or has_subquery or _inserts_selected(statement)


def _inserts_selected(statement: Statement) -> bool:
    return statement.word(0) in ("INSERT", "REPLACE") and statement.has("SELECT", "TABLE")


def _names_several(statement: Statement) -> bool:
    """Whether it changes one table of several."""
    if statement.has("JOIN"):
        return True
    words, kinds = statement.words, statement.kinds
    if words[0] == "DELETE":
        first = next((word for word in words[1:] if word not in _OPTIONS), "")
        return statement.has("USING") or first != "FROM"
    end = words.index("SET") if "SET" in words else len(words)
    return "comma" in kinds[:end]
