"""Settings by value: what is asked of a server behind a SET, and what the answer is as SQL.

The text of a SET says which variables changed. What they are then, only the server knows: `SET sql_mode = CONCAT(...)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyproxy

if TYPE_CHECKING:
    from pyproxy import Resultset

__all__ = ["ISOLATION", "READ_ONLY", "learned", "of_names", "question", "variables"]

READ_ONLY = "transaction_read_only"
"""The variable that makes every transaction of a session read only."""

ISOLATION = "transaction_isolation"
"""The isolation level of a session's transactions."""

_NAMES = ("character_set_client", "character_set_results", "collation_connection")
# One is what the other says and more.
_COLLATIONS = {
    "character_set_connection": "collation_connection",
    "character_set_database": "collation_database",
    "character_set_server": "collation_server",
}
# What they are called by MariaDB before 11.1, and by MySQL before 5.7.20: the plugin sets them by these names there.
_OLD_NAMES = {
    ISOLATION: "tx_isolation",
    READ_ONLY: "tx_read_only",
}
_NEW_NAMES = {old: new for new, old in _OLD_NAMES.items()}
_NUMBERS = (
    pyproxy.MYSQL_TYPE_TINY,
    pyproxy.MYSQL_TYPE_SHORT,
    pyproxy.MYSQL_TYPE_LONG,
    pyproxy.MYSQL_TYPE_LONGLONG,
    pyproxy.MYSQL_TYPE_INT24,
    pyproxy.MYSQL_TYPE_FLOAT,
    pyproxy.MYSQL_TYPE_DOUBLE,
    pyproxy.MYSQL_TYPE_DECIMAL,
    pyproxy.MYSQL_TYPE_NEWDECIMAL,
)


def variables(names: Iterable[str]) -> tuple[str, ...]:
    """The system variables, in lower case, that a SET of these names changes. NAMES stands for three."""
    found: dict[str, None] = {}
    for name in names:
        lower = name.lower()
        if lower == "names":
            found.update(dict.fromkeys(_NAMES))
        else:
            lower = _COLLATIONS.get(lower, lower)
            found[_NEW_NAMES.get(lower, lower)] = None
    return tuple(found)


def question(names: Iterable[str], has_old_names: bool) -> str:
    """What asks a server for their values."""
    called = _OLD_NAMES if has_old_names else {}
    return "SELECT " + ", ".join(f"@@session.{called.get(name, name)}" for name in names)


def learned(names: Iterable[str], result: Resultset) -> dict[str, str] | None:
    """The values in the answer as SQL; None if they cannot be given to another connection like this."""
    if result.error is not None or result.rows is None or result.fields is None:
        return None
    values: dict[str, str] = {}
    for row in result.rows:
        for name, field, cell in zip(names, result.fields, row):
            literal = _literal(cell, field.type)
            if literal is None:
                return None
            values[name] = literal
    return values or None


def of_names(values: dict[str, str]) -> dict[str, str]:
    """The values behind SET NAMES, as it takes them: which collation it named counts, and no variable tells that."""
    charset, results, collation = (values[name] for name in _NAMES)
    others = {name: value for name, value in values.items() if name not in _NAMES}
    if not collation.startswith((charset[:-1] + "_", "'binary'")):
        # Another collation was set besides.
        return {**others, **{name: values[name] for name in _NAMES}}
    if results != charset:
        others["character_set_results"] = results
    return {**others, "names": f"{charset} COLLATE {collation}"}


def _literal(cell: object, type: int) -> str | None:
    if cell is None:
        return "NULL"
    text = cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else str(cell)
    if type in _NUMBERS:
        return text
    # How a backslash is read depends on the sql_mode.
    return None if "\\" in text else "'" + text.replace("'", "''") + "'"
