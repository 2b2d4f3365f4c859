"""Whether a statement does nothing but read, as far as its text says."""

from __future__ import annotations

from pyproxy._sql.functions import HARMLESS
from pyproxy._sql.text import Statement

__all__ = ["reads_only"]

_SEQUENCES = ("NEXTVAL", "CURRVAL", "LASTVAL", "PREVIOUS")


def reads_only(statement: Statement, functions: frozenset[str], variables: frozenset[str]) -> bool:
    """Whether another copy of the data may answer it, which calls these functions and names these variables. It may still leave something
    on its connection, or ask for what another statement left."""
    first = next((word for word in statement.words if word), "")
    if not statement.is_certain or first not in ("SELECT", "WITH"):
        return False
    if any(kind != "open_paren" for kind in statement.kinds[: statement.words.index(first)]):
        return False
    if first == "WITH" and statement.has("INSERT", "UPDATE", "DELETE", "REPLACE"):
        return False
    return not (
        statement.has("INTO", "LOCK", "PROCEDURE", *_SEQUENCES)
        or _locks_rows(statement)
        or "assign" in statement.kinds
        or functions - HARMLESS
        or any(name != "@@GLOBAL" for name in variables)
    )


def _locks_rows(statement: Statement) -> bool:
    """FOR UPDATE and FOR SHARE; FOR stands in index hints, too. NEXT VALUE FOR takes a number of a sequence."""
    return any(
        word == "FOR" and statement.word(index + 1) not in ("JOIN", "ORDER", "GROUP")
        for index, word in enumerate(statement.words)
    )
