"""A position in the tokens of a statement, and the reading of words, names and tables there."""

from __future__ import annotations

from pyproxy.tokenizer import Token

__all__ = ["TableReference", "TokenCursor", "is_alias", "is_name"]

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

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._references: list[TableReference] = []

    # Looking at tokens.

    def _token(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _word(self, ahead: int = 0) -> str:
        """The token as an upper-case word; empty for quoted names, values, symbols and at the end."""
        token = self._token(ahead)
        if token is None or not _is_word(token):
            return ""
        return token.text.upper()

    def _is(self, token_name: str, ahead: int = 0) -> bool:
        token = self._token(ahead)
        return token is not None and token.token_name == token_name

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
        if self._is("TK_DOT") and not self._is("TK_STAR", 1):
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
        text = token.text
        if token.raw[:1] in (b"`", b'"'):
            return text
        # The tokenizer knows ASCII letters only: a name with others, or with a dollar sign, comes in pieces.
        pieces, end = [token.raw], token.span[1]
        while (token := self._token()) is not None and token.span[0] == end and _is_piece(token):
            pieces.append(token.raw)
            end = token.span[1]
            self._at += 1
        return b"".join(pieces).decode("utf-8", "surrogateescape")


def _is_word(token: Token) -> bool:
    """Whether it is a word without quotes: a keyword, a function or a name."""
    name = token.token_name
    return (
        name == "TK_FUNCTION"
        or name.startswith("TK_SQL_")
        or (name == "TK_LITERAL" and token.raw[:1] != b"`")
    )


def is_name(token: Token) -> bool:
    """Whether it can be a name. One in double quotes is a name with ANSI_QUOTES, and elsewhere no table stands so."""
    if token.token_name == "TK_STRING":
        return token.raw[:1] == b'"'
    if token.token_name == "TK_UNKNOWN":
        return token.raw >= b"\x80" or token.raw == b"$"
    return (_is_word(token) or token.token_name == "TK_LITERAL") and not token.text.startswith("@")


def is_alias(token: Token) -> bool:
    """Whether it is an alias, given that it stands behind a table."""
    return token.token_name == "TK_STRING" or (
        token.token_name == "TK_LITERAL"
        and (token.raw[:1] == b"`" or token.text.upper() not in _NO_ALIAS)
    )


def _is_piece(token: Token) -> bool:
    return token.token_name == "TK_INTEGER" or (
        is_name(token) and token.raw[:1] not in (b"`", b'"')
    )
