"""A position in the tokens of a statement, and the reading of words, names and tables there."""

from __future__ import annotations

from pyproxy._native import TOKEN_NAMES, SqlToken

__all__ = ["RESERVED", "TableReference", "TokenCursor", "is_name"]

RESERVED = frozenset(
    name.removeprefix("TK_SQL_") for name in TOKEN_NAMES if name.startswith("TK_SQL_")
)
"""Words that are no name unless they are quoted."""

# Words that follow a table and are no alias of it.
_NO_ALIAS = frozenset(("PARTITION", "WINDOW", "EXCEPT", "INTERSECT", "RETURNING", "TABLESAMPLE"))


class TableReference:
    """A table where one is used: its parts, the name that the statement gives it, and what is done to it."""

    def __init__(self, db: str, table: str, mode: str) -> None:
        self.db, self.table, self.mode = db, table, mode
        self.alias: str | None = None

    def called(self) -> str:
        """What the statement calls it, in lower case."""
        return (self.alias or self.table).lower()


class TokenCursor:
    """The tokens of a statement, and how far they are read: `_at` is the position of the next one."""

    def __init__(self, tokens: list[SqlToken]) -> None:
        self._tokens = tokens
        self._at = 0
        self._references: list[TableReference] = []

    # Looking at tokens.

    def _token(self, ahead: int = 0) -> SqlToken | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _word(self, ahead: int = 0) -> str:
        """The token as an upper-case word; empty for quoted names, values, symbols and at the end."""
        token = self._token(ahead)
        return "" if token is None else token.word

    def _is(self, kind: str, ahead: int = 0) -> bool:
        token = self._token(ahead)
        return token is not None and token.kind == kind

    def _is_star(self, ahead: int) -> bool:
        token = self._token(ahead)
        return token is not None and token.raw == b"*"

    def _is_function(self, ahead: int = 0) -> bool:
        """Whether the token is a word that is called."""
        token, following = self._token(ahead), self._token(ahead + 1)
        return (
            token is not None
            and following is not None
            and token.kind == "word"
            and following.kind == "open_paren"
            and token.end == following.start
        )

    def _take(self, *words: str) -> bool:
        """Steps over the next token if it is one of `words`."""
        if self._word() in words:
            self._at += 1
            return True
        return False

    def _skip_words(self, words: frozenset[str]) -> None:
        while self._word() in words:
            self._at += 1

    def _skip_to(self, *words: str) -> bool:
        """Steps over everything up to and including one of `words`; False at the end of the statement."""
        while self._token() is not None:
            if self._take(*words):
                return True
            self._at += 1
        return False

    # Names.

    def _add_table(self, mode: str) -> None:
        reference = self._name(mode)
        if reference is not None:
            self._references.append(reference)

    def _name(self, mode: str) -> TableReference | None:
        """`table` or `db.table`; None, and no step, if there is no name."""
        first = self._name_part()
        if first is None:
            return None
        if self._is("dot") and not self._is_star(1):
            self._at += 1
            second = self._name_part()
            if second is not None:
                return TableReference(first, second, mode)
        return TableReference("", first, mode)

    def _name_part(self) -> str | None:
        token = self._token()
        if token is None or not is_name(token):
            return None
        self._at += 1
        return token.text

    def _alias(self) -> str | None:
        """The alias that stands behind a table; None, and no step, if there is none."""
        token = self._token()
        if token is None or not _is_alias(token) or self._is_function():
            return None
        return token.text


def is_name(token: SqlToken) -> bool:
    """Whether it can be a name. One in double quotes is a name with ANSI_QUOTES, and elsewhere no table stands so."""
    return token.kind in ("word", "quoted_name") or token.raw[:1] == b'"'


def _is_alias(token: SqlToken) -> bool:
    """Whether it is an alias, given that it stands behind a table."""
    if token.kind == "word":
        return token.word not in RESERVED and token.word not in _NO_ALIAS
    return token.kind in ("quoted_name", "string")
