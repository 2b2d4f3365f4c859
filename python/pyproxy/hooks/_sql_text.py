"""SQL text as a server reads it: statements apart, comments gone, executable comments in their place.

The tokenizer gives what the text has; this gives what runs. Shared by the scripts that decide by a statement's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    at = 0
    while at < len(text):
        tokens, at = _up_to_comment(text, at)
        for token in tokens:
            if token.token_name in ("TK_COMMENT", "TK_COMMENT_MYSQL"):
                version = _VERSION.match(token.raw)
                if version is not None:
                    yield None
                    yield from tokenize(token.raw[version.end() :].removesuffix(b"*/"))
            else:
                yield token


def _up_to_comment(text: bytes, start: int) -> tuple[Sequence[Token], int]:
    """The tokens from `start` on, up to a comment that `#` begins, and where the line behind it starts.

    To the tokenizer it is no comment: what it makes of the rest of the line is void. So only a part of the text is
    given to it, twice as much while the `#` in it are in quotes; no byte behind a `#` changes the tokens before it.
    """
    mark = text.find(b"#", start)
    if mark < 0:
        return tokenize(text[start:]), len(text)
    end = mark + 1
    while True:
        tokens = tokenize(text[start:end])
        for index, token in enumerate(tokens):
            if token.token_name == "TK_UNKNOWN" and token.raw == b"#":
                line = text.find(b"\n", start + token.span[1])
                return tokens[:index], len(text) if line < 0 else line + 1
        if end >= len(text):
            return tokens, len(text)
        end += end - start


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
