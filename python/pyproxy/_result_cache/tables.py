"""What SHOW CREATE TABLE tells about a table: whether its rows are its own, and who else changes them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Definition", "NO_TABLE", "parse", "show"]

# Engines whose tables change by statements alone, and outlast the server.
_ENGINES = ("InnoDB", "MyISAM", "Aria", "RocksDB")
_ENGINE = re.compile(r"^\) ENGINE=(\w+)", re.MULTILINE)
_NAME = r"`((?:[^`]|``)+)`"
_PARENT = re.compile(rf"\bFOREIGN KEY \(.*?\) REFERENCES {_NAME}(?:\.{_NAME})? \(")
# What a change of the parent does to the rows that refer to it.
_CASCADES = re.compile(r"\bON (?:DELETE|UPDATE) (?:CASCADE|SET)\b")
NO_TABLE = 1146
"""The error for a table that is not there."""


class Definition(NamedTuple):
    """What was found."""

    is_table: bool
    """It is a table: a statement that writes to it changes its rows, and not those of others as with a view."""
    is_steady: bool = False
    """Nothing but statements that name it, or its parents, changes its rows."""
    parents: frozenset[str] = frozenset()
    """Tables whose changes go on to this one (foreign keys), as `database.table`."""


def show(table: str) -> str:
    """The statement to ask about `database.table`."""
    database, _, name = table.partition(".")
    return f"SHOW CREATE TABLE `{_quoted(database)}`.`{_quoted(name)}`"


def parse(columns: tuple[str, ...], text: str, database: str) -> Definition:
    """What `text` says, which came in columns of these names. `database` is that of the table."""
    if columns[:1] != ("Table",) or not text.startswith(("CREATE TABLE ", "CREATE TEMPORARY")):
        return Definition(is_table=columns[:1] == ("Table",) and text.startswith("CREATE "))
    engine = _ENGINE.search(text)
    is_steady = (
        text.startswith("CREATE TABLE ")
        and engine is not None
        and engine[1] in _ENGINES
        and " SEQUENCE=1" not in text
        # MariaDB lets a column that is not stored be computed with NOW().
        and not re.search(r"\bAS \(.*\) VIRTUAL", text)
    )
    parents = set()
    for line in text.splitlines():
        if not _CASCADES.search(line):
            continue
        parent = _PARENT.search(line)
        if parent is None:
            # The words in a comment, or names in other quotes.
            return Definition(is_table=True)
        first, second = (part and part.replace("``", "`") for part in parent.groups())
        parents.add(f"{first}.{second}" if second else f"{database}.{first}")
    return Definition(True, is_steady, frozenset(parents))


def _quoted(name: str) -> str:
    return name.replace("`", "``")
