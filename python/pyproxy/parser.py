"""Which tables a statement reads and writes.

    from pyproxy import parser, tokenizer

    parser.get_tables(tokenizer.tokenize("INSERT INTO a SELECT * FROM db.b"), "shop")
    # {"shop.a": "write", "db.b": "read"}

It works on tokens, not on a grammar: a statement that no server would take gets some answer, too. It does not look into
stored routines, triggers and views that a statement uses, nor into versioned comments (`/*!40000 ... */`).
"""

from __future__ import annotations

from collections.abc import Iterable

from pyproxy._table_scanner import WRITE, TableScanner, tablename_expand
from pyproxy.tokenizer import Token, tokens_without_comments

__all__ = ["get_tables", "tablename_expand"]


def get_tables(tokens: Iterable[Token], default_db: str = "") -> dict[str, str]:
    """The tables that the statements in `tokens` use: `"db.table"` to `"read"` or `"write"`.

    A table that is both counts as written. `default_db` stands for the database where the text names none; without it
    the table's name alone is given.
    """
    found: dict[str, str] = {}
    for statement in _statements(tokens):
        for name, mode in TableScanner(statement, default_db).scan():
            if found.get(name) != WRITE:
                found[name] = mode
    return found


def _statements(tokens: Iterable[Token]) -> Iterable[list[Token]]:
    statement: list[Token] = []
    for token in tokens_without_comments(tokens):
        if token.token_name == "TK_SEMICOLON":
            yield statement
            statement = []
        elif token.token_name != "TK_COMMENT_MYSQL":
            statement.append(token)
    yield statement
