"""Which tables a statement may change: pure, and doubt means all of them."""

from __future__ import annotations

from functools import lru_cache

from pyproxy import parser
from pyproxy._pooling.routing import route_of_text
from pyproxy._pooling.steady import is_plain
from pyproxy._pooling.ties import UNSEEN
from pyproxy._sql.text import Statement, statements

__all__ = ["EVERYTHING", "NOTHING", "changed_tables"]

EVERYTHING = frozenset(("*",))
"""Any table may have changed, or what users may see of them."""
NOTHING: frozenset[str] = frozenset()

# Statements whose first word tells that they change no table. What they call is looked at all the same.
_HARMLESS = frozenset(
    "BEGIN CACHE CHECK CHECKSUM COMMIT DEALLOCATE DESC DESCRIBE EXPLAIN GET HELP KILL LOCK PREPARE RELEASE "
    "ROLLBACK SAVEPOINT SELECT SET SHOW START UNLOCK USE VALUES".split()
)
_DATA = frozenset("DELETE INSERT LOAD REPLACE TRUNCATE UPDATE".split())
_DEFINITIONS = frozenset("ALTER CREATE DROP RENAME".split())
_OF_TABLES = frozenset("INDEX TABLE TABLES VIEW".split())
_GLOBAL = ("GLOBAL", "PERSIST", "PERSIST_ONLY", "@@GLOBAL", "@@PERSIST", "@@PERSIST_ONLY")
_SHORT = 4096


def changed_tables(sql: bytes, database: str, no_backslash_escapes: bool = False) -> frozenset[str]:
    """The tables that `sql` may change, as `database.table`; `EVERYTHING` if that is not clear."""
    if len(sql) <= _SHORT:
        return _cached(sql, database, no_backslash_escapes)
    return _compute(sql, database, no_backslash_escapes)


def _compute(sql: bytes, database: str, no_backslash_escapes: bool) -> frozenset[str]:
    if not is_plain(sql, no_backslash_escapes):
        return EVERYTHING
    text = sql.decode("utf-8", "surrogateescape")
    if route_of_text(text).ties & UNSEEN:
        return EVERYTHING
    kinds = {_kind(statement) for statement in statements(sql)}
    if "everything" in kinds:
        return EVERYTHING
    if kinds <= {"nothing"}:
        return NOTHING
    # Those that are only read are too many at worst.
    modes = ("read", "write") if "definition" in kinds else ("write",)
    tables = parser.get_tables(sql, database)
    changed = frozenset(name for name, mode in tables.items() if mode in modes)
    is_clear = changed and all("." in name for name in changed) and len(kinds) == 1
    return changed if is_clear else EVERYTHING


_cached = lru_cache(maxsize=1024)(_compute)


def _kind(statement: Statement) -> str:
    word, words = statement.word(0), statement.words
    if word in _DATA:
        return "data"
    if word in _DEFINITIONS:
        if word == "DROP" and words[1:2] == ["PREPARE"]:
            return "nothing"
        is_of_tables = not _OF_TABLES.isdisjoint(words[1:5])
        return "definition" if is_of_tables else "everything"
    if word == "SET" and (statement.has(*_GLOBAL) or words[1:2] in (["PASSWORD"], ["DEFAULT"])):
        return "everything"
    if word == "START" and words[1:2] != ["TRANSACTION"]:
        return "everything"
    if word in _HARMLESS or (statement.kinds[0] == "open_paren" and statement.has("SELECT")):
        return "nothing"
    return "everything"
