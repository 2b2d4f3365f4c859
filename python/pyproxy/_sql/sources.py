"""Where the columns of a result can come from, as far as the text of the statement tells.

A server names a derived table, or a WITH, as if it were a table of its own. So the names that a text gives to such tables
must be known before the origin of a column is believed.

The text is read once, token by token, and no token is looked at again: the time grows with the length, whatever the text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pyproxy._sql.fingerprint import Quoting, pieces

if TYPE_CHECKING:
    from pyproxy import Field

__all__ = ["UNKNOWN", "Sources", "sources"]

_METADATA = frozenset("SHOW DESCRIBE DESC EXPLAIN HELP".split())
# Statements that run a text which is stored elsewhere.
_INDIRECT = frozenset("CALL EXECUTE BEGIN".split())
_TABLE = frozenset("FROM TABLE VALUES INTO PROCEDURE NEXT PREVIOUS".split())
_HARMLESS_FUNCTIONS = frozenset(
    (
        "CONNECTION_ID CURDATE CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER"
        " CURTIME DATABASE FOUND_ROWS LAST_INSERT_ID LOCALTIME LOCALTIMESTAMP NOW ROW_COUNT SCHEMA"
        " SESSION_USER SLEEP SYSDATE SYSTEM_USER UNIX_TIMESTAMP USER UTC_DATE UTC_TIME UTC_TIMESTAMP"
        " UUID VERSION"
    ).split()
)
_USER_VARIABLE = re.compile(r"(?<!@)@(?!@)")
_BETWEEN_NAMES = re.compile(r"[.@]")
# What MariaDB calls a derived table that has no name.
_UNNAMED = re.compile(r"__\d+\Z")
# What MariaDB calls the database of JSON_TABLE.
_NO_DATABASE = "*any*"
# A text in double quotes may be a name.
_NAMES_STAY = Quoting(ansi_quotes=True)
_SHORT = 4096


class Sources(NamedTuple):
    """What a statement reads."""

    # The words and names of the text, in lower case.
    mentioned: frozenset[str]
    # Those that are no tables, in lower case; None if there can be any.
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
        if table not in self.mentioned or _UNNAMED.match(table):
            return False
        return table not in self.derived and field.table.lower() not in self.derived


UNKNOWN = Sources(frozenset(), None, False)


def sources(statement: bytes) -> Sources:
    """What can be said about `statement`."""
    return _cached(statement) if len(statement) <= _SHORT else _compute(statement)


def _compute(statement: bytes) -> Sources:
    # Where a string with a backslash ends is up to the client, who sets its sql_mode.
    if b"\\" in statement:
        return UNKNOWN
    reader = _Reader()
    for kind, text in pieces(statement, _NAMES_STAY):
        if kind is None:
            return UNKNOWN
        if kind != "blank":
            reader.take(kind, text)
    return reader.found()


_cached = lru_cache(maxsize=1024)(_compute)


class _Token(NamedTuple):
    """What has to be known of the tokens before the present one."""

    # The word in upper case, or the symbol; empty for what is quoted and for values.
    word: str = ""
    # The names in it, in lower case: several if there are dots between.
    names: tuple[str, ...] = ()


_VALUE = _Token()


class _Reader:
    """Reads the tokens of a statement in their order."""

    def __init__(self) -> None:
        self._first: _Token | None = None
        self._last = self._before_last = _VALUE
        # What stood in front of the parenthesis that was opened last, and of the one that was closed last if there
        # was no other inside: `name (columns)`.
        self._opened: _Token | None = None
        self._closed: _Token | None = None
        self._ends = self._has_several = False
        # The different tokens: a long statement has most of its words again and again.
        self._tokens: dict[bytes, _Token] = {}
        self._mentioned: set[str] = set()
        self._derived: set[str] = set()
        self._words: set[str] = set()
        self._reads_more = False

    def take(self, kind: str, text: bytes) -> None:
        """The next token."""
        if kind == "semicolon":
            self._ends = True
            return
        if self._ends:
            self._has_several = True
        if kind in ("single", "number"):
            token = _VALUE
        else:
            token = self._tokens.get(text) or self._new_token(kind, text)
        last = self._last
        if token.word == "(":
            self._open()
        elif token.word == ")":
            self._closed, self._opened = self._opened, None
        # `(SELECT ...) AS name`, and more than that: an alias of an expression does no harm.
        elif token.names and (
            last.word == ")" or (last.word == "AS" and self._before_last.word == ")")
        ):
            self._derived.update(token.names)
        if self._first is None:
            self._first = token
        self._before_last, self._last = last, token

    def found(self) -> Sources:
        """What was found when all is read."""
        # In another character set the server may know a name by other letters.
        if self._words & _INDIRECT or not all(map(str.isascii, self._derived)):
            return UNKNOWN
        return Sources(frozenset(self._mentioned), frozenset(self._derived), self._is_tableless())

    def _new_token(self, kind: str, raw: bytes) -> _Token:
        text = raw.decode("utf-8", "surrogateescape")
        if kind == "symbol":
            token = _Token(text)
        elif kind == "word":
            names = tuple(part for part in _BETWEEN_NAMES.split(text.lower()) if part)
            token = _Token(text.upper(), names)
            self._words.update(map(str.upper, names))
            # What a dot joins to the name in front of it is no function that everybody knows.
            if text[0] == "." or text[-1] == "." or _USER_VARIABLE.search(text):
                self._reads_more = True
        else:
            quote = text[0]
            token = _Token("", (text[1:-1].replace(quote * 2, quote).lower(),))
        self._mentioned.update(token.names)
        self._tokens[raw] = token
        return token

    def _open(self) -> None:
        # `WITH name (columns) AS (`.
        if self._last.word == "AS":
            named = self._closed if self._before_last.word == ")" else self._before_last
            if named is not None:
                self._derived.update(named.names)
        if self._last.names and self._last.word not in _HARMLESS_FUNCTIONS:
            self._reads_more = True
        self._opened, self._closed = self._last, None

    def _is_tableless(self) -> bool:
        if self._has_several or self._first is None:
            return False
        if self._first.word in _METADATA:
            return True
        return self._first.word == "SELECT" and not (self._reads_more or self._words & _TABLE)
