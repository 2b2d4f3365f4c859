"""The SQL tokenizer: queries as tokens, and what can be done with these.

    >>> from pyproxy import tokenizer
    >>> tokens = tokenizer.tokenize("SELECT name FROM users WHERE id = 5 -- why")
    >>> tokens[0].token_name, tokens[1].text
    ('TK_SQL_SELECT', 'name')
    >>> tokenizer.normalize(tokens)
    'SELECT `name` FROM `users` WHERE `id` = ? '

Any text is a query and none is an error. `str` stands for UTF-8; a query in another character set
is passed as bytes, and comes back with surrogates in place of the bytes that are no UTF-8. The
tokenizer does not know the server's character set, SQL mode, or words reserved after MySQL 5.1:
never decide about permission by tokens alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyproxy._native import TOKEN_NAMES, Token, Tokens, normalize, rebuild, tokenize

__all__ = [
    "TOKEN_NAMES",
    "Token",
    "Tokens",
    "bare_tokens",
    "first_stmt_token",
    "normalize",
    "tokenize",
    "tokens_to_query",
    "tokens_without_comments",
]

Sequence.register(Tokens)

# A comment that the server ignores. A versioned one, /*! ... */, is not: the server runs what is in
# it.
_COMMENT = TOKEN_NAMES.index("TK_COMMENT")
_STRING = TOKEN_NAMES.index("TK_STRING")


def first_stmt_token(tokens: Iterable[Token]) -> Token | None:
    """The first token that is no plain comment: usually the word that says what the statement does.

    None if there is no such token.
    """
    return next((token for token in tokens if token.token_id != _COMMENT), None)


def tokens_without_comments(tokens: Iterable[Token]) -> list[Token]:
    """The tokens that are no plain comments."""
    return [token for token in tokens if token.token_id != _COMMENT]


def bare_tokens(tokens: Iterable[Token], quote_strings: bool = False) -> list[str]:
    """The texts of the tokens that are no plain comments.

    With `quote_strings` a string is as it stands in the query, quotes included.
    """
    return [
        token.raw.decode("utf-8", "surrogateescape")
        if quote_strings and token.token_id == _STRING
        else token.text
        for token in tokens_without_comments(tokens)
    ]


def tokens_to_query(
    tokens: Tokens | Sequence[Token], first: int = 0, last: int | None = None
) -> str:
    """The text of `tokens[first:last]` without plain comments.

    It is the query's own text, so quotes, escapes and versioned comments stay what they are. Blanks
    between two tokens stay; whatever else was between them, a comment or tokens that were taken
    out, becomes one blank, or a line end if it had one.
    """
    return rebuild(tokens[first:last])
