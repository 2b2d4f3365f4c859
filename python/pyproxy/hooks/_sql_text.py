"""SQL text as a server reads it: statements apart, comments gone, executable comments in their place.

Shared by the scripts that decide by a statement's words. Which server it will be is not known, so every comment that some
server would run is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyproxy._native import SqlToken, lex
from pyproxy._token_cursor import RESERVED

__all__ = ["Statement", "statements"]

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

    def functions(self) -> Iterator[str]:
        """The names that are called, in upper case, as far as they are no reserved words."""
        for index, token in enumerate(self.tokens):
            if self.kinds[index] in _NAMES and self.kinds[index + 1 : index + 2] == ["open_paren"]:
                name = token.text.upper()
                if self.kinds[index] == "quoted_name" or name not in RESERVED:
                    yield name

    def variables(self) -> Iterator[str]:
        """The names that begin with `@`, in upper case: `@a`, `@@b`."""
        for token, kind in zip(self.tokens, self.kinds):
            if kind in _VARIABLES:
                yield token.text.upper()


def statements(sql: bytes | str) -> list[Statement]:
    """The statements of `sql`, empty ones left out."""
    parts: list[list[SqlToken]] = [[]]
    is_certain = True
    for token in lex(sql):
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
