"""SQL text as a server reads it: statements apart, comments gone, executable comments in their place.

Shared by the scripts that decide by a statement's words. Which server it will be is not known, so every comment that some
server would run is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyproxy._native import SqlToken, lex, shape
from pyproxy._sql.functions import NEEDS_PAREN
from pyproxy._sql.reading import PLAIN, Reading
from pyproxy._sql.token_cursor import RESERVED

__all__ = ["Statement", "shape_of", "statements"]

_MARKS = ("open_version", "close_version")
_NAMES = ("word", "quoted_name")
_VARIABLES = ("user_variable", "system_variable")
_WORDS = ("word", *_VARIABLES)
_QUOTE = re.compile(rb"[`'\"]")


class Statement:
    """One statement: its tokens without comments, and whether every server reads them the same."""

    def __init__(self, tokens: list[SqlToken], is_certain: bool) -> None:
        self.tokens = tokens
        # False if an executable comment was opened, which some servers run and others do not, or if it does not end well.
        self.is_certain = is_certain
        self.kinds = [token.kind for token in tokens]
        self.words = [
            token.text.upper() if kind in _WORDS else "" for token, kind in zip(tokens, self.kinds)
        ]

    def word(self, index: int) -> str:
        """The token at `index` in upper case; empty if it is quoted, no word or variable, or not there."""
        return self.words[index] if index < len(self.words) else ""

    def has(self, *words: str) -> bool:
        """Whether one of `words` stands anywhere in it."""
        return any(word in self.words for word in words)

    def calls(self) -> Iterator[tuple[int, str]]:
        """Where names stand that are called, and these in upper case, as far as they are no reserved words."""
        for index, kind in enumerate(self.kinds[:-1]):
            if self.kinds[index + 1] != "open_paren":
                continue
            # With ANSI_QUOTES; else nothing is called that begins with a double quote.
            is_ansi = kind == "string" and self.tokens[index].raw.startswith(b'"')
            if kind in _NAMES or is_ansi:
                name = self.tokens[index].text.upper()
                if kind != "word" or name not in RESERVED:
                    yield index, name

    def functions(self, start: int = 0) -> Iterator[str]:
        """The names that are called from token `start` on.

        A name with a database in front is that of a stored function, whatever is built in. So may be some of those that a
        blank follows. These are given twice, also with a dot in front.
        """
        for index, name in self.calls():
            if index < start:
                continue
            yield name
            is_qualified = index > 0 and self.kinds[index - 1] == "dot"
            is_apart = self.tokens[index].end != self.tokens[index + 1].start
            if is_qualified or (name in NEEDS_PAREN and (is_apart or not self.words[index])):
                yield f".{name}"

    def part(self, start: int, end: int) -> Statement:
        """A range of its tokens."""
        return Statement(self.tokens[start:end], self.is_certain)

    def variables(self) -> Iterator[str]:
        """The names that begin with `@`, in upper case: `@a`, `@@b`."""
        for token, kind in zip(self.tokens, self.kinds):
            if kind in _VARIABLES:
                yield token.text.upper()


def statements(sql: bytes | str, reading: Reading = PLAIN) -> list[Statement]:
    """The statements of `sql`, empty ones left out."""
    parts: list[list[SqlToken]] = [[]]
    is_certain = True
    tokens = lex(sql, charset=reading.charset, no_backslash_escapes=reading.no_backslash_escapes)
    for token in tokens:
        kind = token.kind
        # In quotes, MySQL looks for no end of a hint.
        is_odd = kind == "hint" and _QUOTE.search(token.raw)
        if is_odd or kind in _MARKS or kind in ("unterminated", "invalid"):
            is_certain = False
        if kind == "semicolon":
            parts.append([])
        elif kind not in ("comment", "hint", *_MARKS) and token.raw:
            parts[-1].append(token)
    # A comment may have a semicolon in it: if there is one, no statement of the text is certain.
    return [Statement(tokens, is_certain) for tokens in parts if tokens]


def shape_of(sql: str, reading: Reading = PLAIN) -> str:
    """A text that means the same to a script that looks at no values: many statements have the same one."""
    escapes = reading.no_backslash_escapes
    return shape(sql, charset=reading.charset, no_backslash_escapes=escapes) or sql
