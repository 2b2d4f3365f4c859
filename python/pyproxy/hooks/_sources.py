"""Where the columns of a result can come from, as far as the text of the statement tells.

A server names a derived table, or a WITH, as if it were a table of its own. So the names that a text gives to such tables
must be known before the origin of a column is believed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pyproxy.hooks._fingerprint import Quoting, fingerprint

if TYPE_CHECKING:
    from pyproxy import Field

__all__ = ["UNKNOWN", "Sources", "sources"]

_METADATA = re.compile(r"(?:SHOW|DESCRIBE|DESC|EXPLAIN|HELP)\b", re.IGNORECASE)
_SELECT = re.compile(r"SELECT\b", re.IGNORECASE)
# Statements that run a text which is stored elsewhere.
_INDIRECT = re.compile(r"\b(?:CALL|EXECUTE|BEGIN)\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:FROM|TABLE|VALUES|INTO|PROCEDURE|NEXT|PREVIOUS)\b|;", re.IGNORECASE)
_USER_VARIABLE = re.compile(r"(?<!@)@(?!@)")
_FUNCTION = re.compile(r"([\w$@.`\u0080-\uffff]+) ?\(")
_HARMLESS_FUNCTIONS = frozenset(
    (
        "CONNECTION_ID CURDATE CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER"
        " CURTIME DATABASE FOUND_ROWS LAST_INSERT_ID LOCALTIME LOCALTIMESTAMP NOW ROW_COUNT SCHEMA"
        " SESSION_USER SLEEP SYSDATE SYSTEM_USER UNIX_TIMESTAMP USER UTC_DATE UTC_TIME UTC_TIMESTAMP"
        " UUID VERSION"
    ).split()
)
_NAME = r"(`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|[\w$\u0080-\uffff]+)"
# `(SELECT ...) AS name`, and more than that: an alias of an expression does no harm.
_BEHIND = re.compile(rf"\) ?(?:AS(?=[ `\"]) ?)?{_NAME}", re.IGNORECASE)
# `WITH name (columns) AS (`.
_BEFORE = re.compile(rf"{_NAME} ?(?:\([^()]*\) ?)?AS ?\(", re.IGNORECASE)
# A name that would confuse the two above.
_TRICKY = re.compile(r"`[^`]*[()'\",;][^`]*`|``|\"[^\"]*[()'`,;][^\"]*\"|\"\"")
# What MariaDB calls a derived table that has no name.
_UNNAMED = re.compile(r"__\d+\Z")
# What MariaDB calls the database of JSON_TABLE.
_NO_DATABASE = "*any*"
# A text in double quotes may be a name.
_NAMES_STAY = Quoting(ansi_quotes=True)
_SHORT = 4096


class Sources(NamedTuple):
    """What a statement reads."""

    # The text, and the names in it that are no tables, in lower case; None if there can be any.
    text: str
    derived: frozenset[str] | None
    # No value of a table, a variable or a stored function can be in the result.
    is_tableless: bool

    def has_origin(self, field: Field) -> bool:
        """Whether a column of the result is that column of that table which the server says it is."""
        if not field.org_name or not field.org_table or self.derived is None:
            return False
        # A temporary table is in no database.
        if not field.database or field.database == _NO_DATABASE:
            return False
        if self.is_tableless:
            return True
        table = field.org_table.lower()
        if table not in self.text or _UNNAMED.match(table):
            return False
        return not {table, field.table.lower()} & self.derived


UNKNOWN = Sources("", None, False)


def sources(statement: bytes) -> Sources:
    """What can be said about `statement`."""
    return _cached(statement) if len(statement) <= _SHORT else _compute(statement)


def _compute(statement: bytes) -> Sources:
    # Where a string with a backslash ends is up to the client, who sets its sql_mode.
    if b"\\" in statement:
        return UNKNOWN
    found = fingerprint(statement, _NAMES_STAY)
    if found.is_verbatim or found.is_opaque or _INDIRECT.search(found.text):
        return UNKNOWN
    names = _BEHIND.findall(found.text) + _BEFORE.findall(found.text)
    # In another character set the server may know a name by other letters.
    if _TRICKY.search(found.text) or not all(map(str.isascii, names)):
        return UNKNOWN
    derived = frozenset(name.strip('`"').lower() for name in names)
    return Sources(found.text.lower(), derived, _is_tableless(found.text))


_cached = lru_cache(maxsize=1024)(_compute)


def _is_tableless(text: str) -> bool:
    if _METADATA.match(text):
        return ";" not in text
    if not _SELECT.match(text) or _TABLE.search(text) or _USER_VARIABLE.search(text):
        return False
    return all(name.upper() in _HARMLESS_FUNCTIONS for name in _FUNCTION.findall(text))
