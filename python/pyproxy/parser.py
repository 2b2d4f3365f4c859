"""Which tables a statement reads and writes.

    from pyproxy import parser

    parser.get_tables("INSERT INTO a SELECT * FROM db.b", "shop")
    # {"shop.a": "write", "db.b": "read"}

It works on tokens, not on a grammar: a statement that no server would take gets some answer, too. It does not look into
stored routines, triggers and views that a statement uses, nor into versioned comments (`/*!40000 ... */`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyproxy._native import SqlToken, lex
from pyproxy._table_scanner import WRITE, TableScanner, tablename_expand
from pyproxy.tokenizer import Token, tokens_to_query

__all__ = ["get_tables", "tablename_expand"]


def get_tables(query: str | bytes | Iterable[Token], default_db: str = "") -> dict[str, str]:
    """The tables that the statements in `query` use: `"db.table"` to `"read"` or `"write"`.

    A table that is both counts as written. `default_db` stands for the database where the text names none; without it
    the table's name alone is given. `query` can be tokens of `pyproxy.tokenizer`, which are put together again.
    """
    if not isinstance(query, (str, bytes)):
        query = tokens_to_query(list(query))
    found: dict[str, str] = {}
    for statement in _statements(query):
        for name, mode in TableScanner(statement, default_db).scan():
            if found.get(name) != WRITE:
                found[name] = mode
    return found


def _statements(query: str | bytes) -> Iterator[list[SqlToken]]:
    statement: list[SqlToken] = []
    is_versioned = False
    for token in lex(query):
        kind = token.kind
        if kind in ("open_version", "close_version"):
            is_versioned = kind == "open_version"
        elif is_versioned or kind in ("comment", "hint"):
            continue
        elif kind == "semicolon":
            yield statement
            statement = []
        else:
            statement.append(token)
    yield statement
