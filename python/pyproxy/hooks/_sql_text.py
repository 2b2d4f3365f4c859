"""SQL text as a server reads it: statements apart, comments gone, executable comments in their place.

The tokenizer gives what the text has; this gives what runs. Shared by the scripts that decide by a statement's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pyproxy.tokenizer import Token, tokenize

__all__ = ["Statement", "statements"]

# What stands in front of the text that `/*!` and `/*M!` comments run: the version from which on they do.
_VERSION = re.compile(rb"/\*M?!\d{0,6}")


class Statement:
    """One statement: its tokens without comments, and whether every server reads them the same."""

    def __init__(self, tokens: list[Token], is_certain: bool) -> None:
        self.tokens = tokens
        # False if an executable comment was unfolded: some servers run it, others do not.
        self.is_certain = is_certain
        self.words = [_word(token) for token in tokens]

    def word(self, index: int) -> str:
        """The token at `index` in upper case; empty if it is quoted, no word, or not there."""
        return self.words[index] if index < len(self.words) else ""

    def has(self, *words: str) -> bool:
        """Whether one of `words` stands anywhere in it."""
        return any(word in self.words for word in words)

    def functions(self) -> Iterator[str]:
        """The names that are called, in upper case, as far as they are no reserved words."""
        for index, token in enumerate(self.tokens):
            opens = self._is_opening(index + 1)
            if token.token_name == "TK_FUNCTION" and not _is_reserved(token.text.upper()):
                yield token.text.upper()
            elif token.token_name == "TK_LITERAL" and opens:
                yield token.text.upper()

    def variables(self) -> Iterator[str]:
        """The names that begin with `@`, in upper case: `@a`, `@@b`. Quoted ones have the name `@`."""
        for token in self.tokens:
            if token.token_name == "TK_LITERAL" and token.raw[:1] == b"@":
                yield token.text.upper()

    def _is_opening(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].token_name == "TK_OBRACE"


def statements(sql: bytes | str) -> list[Statement]:
    """The statements of `sql`, empty ones left out."""
    parts: list[list[Token]] = [[]]
    is_certain = True
    for token in _running(sql):
        if token is None:
            is_certain = False
        elif token.token_name == "TK_SEMICOLON":
            parts.append([])
        else:
            parts[-1].append(token)
    # A comment may have a semicolon in it: if there is one, no statement of the text is certain.
    return [Statement(tokens, is_certain) for tokens in parts if tokens]


def _running(sql: bytes | str) -> Iterator[Token | None]:
    """The tokens that run; None where an executable comment begins."""
    text = sql.encode("utf-8", "surrogateescape") if isinstance(sql, str) else sql
    while text:
        rest = b""
        for token in tokenize(text):
            if token.token_name in ("TK_COMMENT", "TK_COMMENT_MYSQL"):
                version = _VERSION.match(token.raw)
                if version is not None:
                    yield None
                    yield from tokenize(token.raw[version.end() :].removesuffix(b"*/"))
            elif token.token_name == "TK_UNKNOWN" and token.raw == b"#":
                # To the tokenizer it is no comment: what it made of the rest of the line is void.
                rest = text[token.span[1] :].partition(b"\n")[2]
                break
            else:
                yield token
        text = rest


def _word(token: Token) -> str:
    name = token.token_name
    is_word = name == "TK_FUNCTION" or name.startswith("TK_SQL_")
    if is_word or (name == "TK_LITERAL" and token.raw[:1] != b"`"):
        return token.text.upper()
    return ""


@lru_cache(maxsize=1024)
def _is_reserved(name: str) -> bool:
    """Whether a function of this name is none of the user's, as the word is a keyword."""
    return tokenize(name)[0].token_name.startswith("TK_SQL_")
