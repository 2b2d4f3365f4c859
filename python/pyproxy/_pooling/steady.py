"""Which queries give the same rows whenever they are asked, as long as nobody changes the tables they read.

    steady_tables(b"SELECT * FROM t WHERE id = 1", "shop")    # frozenset({"shop.t"})

Pure: it sees the text only, and doubt makes a query one that is not steady. What it cannot see is that a name is that of a
view.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pyproxy import parser
from pyproxy._native import SqlToken
from pyproxy._pooling.routing import route_of_text
from pyproxy._sql.functions import HARMLESS, MOMENTARY
from pyproxy._sql.text import Statement, statements

__all__ = ["MOST_BYTES", "is_plain", "steady_tables"]

MOST_BYTES = 64 * 1024
"""Longer statements are not looked at."""

_STEADY = HARMLESS - MOMENTARY
# Words that make a query another one each time, also without parentheses, or that hide a table from `pyproxy.parser`.
_UNSTEADY_WORDS = frozenset(
    "CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER LOCALTIME LOCALTIMESTAMP PROCEDURE "
    "ROWNUM SQL_CALC_FOUND_ROWS SQL_NO_CACHE SYSDATE SYSTEM_TIME TABLE TABLESAMPLE UTC_DATE UTC_TIME "
    "UTC_TIMESTAMP WITH".split()
)
# What is in them changes without a statement that says so.
_SYSTEM = frozenset("information_schema performance_schema mysql sys".split())
_ONE_DOT = re.compile(r"[^.`\"]+\.[^.`\"]+\Z")
_SHORT = 4096


def is_plain(sql: bytes, no_backslash_escapes: bool) -> bool:
    """Whether a server reads the tokens of `sql` as we do, whatever its `sql_mode` and its character set.

    A character of GBK, SJIS and their like may end in a backslash or a backtick, never in a quote.
    """
    if len(sql) > MOST_BYTES:
        return False
    if b"\\" in sql and (no_backslash_escapes or b'"' in sql or not sql.isascii()):
        return False
    return all(map(_is_plain, statements(sql)))


def steady_tables(
    sql: bytes, database: str, no_backslash_escapes: bool = False
) -> frozenset[str] | None:
    """The tables that decide about the rows of a query, as `database.table`; None if more than they decides."""
    if len(sql) <= _SHORT:
        return _cached(sql, database, no_backslash_escapes)
    return _compute(sql, database, no_backslash_escapes)


def _compute(sql: bytes, database: str, no_backslash_escapes: bool) -> frozenset[str] | None:
    if not is_plain(sql, no_backslash_escapes):
        return None
    found = statements(sql)
    if len(found) != 1 or not _is_steady(found[0]):
        return None
    if not route_of_text(sql.decode("utf-8", "surrogateescape")).is_read:
        return None
    tables = parser.get_tables(sql, database)
    if not tables or not all(map(_is_known, tables)):
        return None
    return frozenset(tables)


_cached = lru_cache(maxsize=1024)(_compute)


def _is_plain(statement: Statement) -> bool:
    if not statement.is_certain:
        return False
    tokens = statement.tokens
    return all(map(_is_plain_token, tokens)) and not any(
        # With ANSI_QUOTES this is a function.
        token.raw[:1] == b'"' and following.kind == "open_paren"
        for token, following in zip(tokens, tokens[1:])
    )


def _is_plain_token(token: SqlToken) -> bool:
    if token.kind == "skipped_version":
        return False
    # In another character set, the server knows a name by other letters.
    return token.raw.isascii() or token.raw[:1] == b"'"


def _is_steady(statement: Statement) -> bool:
    if statement.word(0) != "SELECT" or statement.has(*_UNSTEADY_WORDS):
        return False
    return not set(statement.functions()) - _STEADY and not any(True for _ in statement.variables())


def _is_known(table: str) -> bool:
    """Whether it is clear which database and table is meant."""
    return bool(_ONE_DOT.match(table)) and table.partition(".")[0].lower() not in _SYSTEM
