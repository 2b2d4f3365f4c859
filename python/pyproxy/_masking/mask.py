"""Functions that hide the value of a cell, and the rules that say which cells."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from collections.abc import Callable
from fnmatch import translate
from typing import TYPE_CHECKING, NamedTuple, Union

if TYPE_CHECKING:
    from pyproxy import Field

__all__ = ["Rule", "rule"]

# What a mask gives for a cell: NULL, or text.
Mask = Callable[[Union[str, bytes]], Union[str, bytes, None]]

# Fewer characters and the last four would be most of the value.
_LAST4_FROM = 8


class Rule(NamedTuple):
    """A mask for the columns of a name."""

    database: re.Pattern[str]
    table: re.Pattern[str]
    column: re.Pattern[str]
    # The column as a word; None if its name has a wildcard.
    mention: re.Pattern[str] | None
    mask: Mask
    # The cells become NULL: the column can keep its type.
    is_null: bool

    def covers(self, field: Field, has_origin: bool) -> bool:
        """Whether the rule is about the column `field` of a result.

        A column without a certain origin is an expression, or comes from a derived table: there its name decides too,
        and an expression is called by its text unless the query says otherwise.
        """
        if (
            self.column.match(field.org_name)
            and self.table.match(field.org_table)
            and self.database.match(field.database)
        ):
            return True
        if has_origin:
            return False
        return bool(
            self.column.match(field.name)
            or self.column.match(field.org_name)
            or (self.mention and self.mention.search(field.name))
        )

    def apply(self, cell: object) -> str | bytes | None:
        """The cell as the client gets it."""
        if cell is None:
            return None
        return self.mask(cell if isinstance(cell, (str, bytes)) else _text(cell))


def rule(name: str, function: str, key: bytes) -> Rule:
    """The rule for `[database.]table.column`, each with `*` and `?` as wildcards. Raises ValueError.

    Functions: `null`, `last4`, `hash`, `email`, `text:` and the text. `key` is for the hashes.
    """
    parts = name.split(".")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise ValueError("expected table.column or database.table.column")
    database, table, column = parts if len(parts) == 3 else ["*", *parts]
    mention = None
    if not set(column) & set("*?["):
        mention = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)", re.IGNORECASE)
    mask = _mask(function, key)
    return Rule(
        _pattern(database), _pattern(table), _pattern(column), mention, mask, function == "null"
    )


def _pattern(wildcards: str) -> re.Pattern[str]:
    return re.compile(translate(wildcards), re.IGNORECASE)


def _mask(function: str, key: bytes) -> Mask:
    if function.startswith("text:"):
        text = function[len("text:") :]
        return lambda cell: text
    if function == "null":
        return lambda cell: None
    if function == "last4":
        return _on_text(_last4)
    if function == "email":
        return _on_text(_email)
    if function == "hash":
        return lambda cell: _hash(cell, key)
    raise ValueError("expected null, last4, hash, email or text:...")


def _on_text(function: Callable[[str], str]) -> Mask:
    """A function of text, for data too: there a byte counts as a character, and data comes out."""

    def mask(cell: str | bytes) -> str | bytes:
        if isinstance(cell, str):
            return function(cell)
        return function(cell.decode("latin-1")).encode("latin-1")

    return mask


def _last4(text: str) -> str:
    shown = text[-4:] if len(text) >= _LAST4_FROM else ""
    return "*" * (len(text) - len(shown)) + shown


def _email(text: str) -> str:
    name, at, domain = text.rpartition("@")
    if not at or not name or not domain:
        return "***"
    return f"{name[0]}***@{domain}"


def _hash(cell: str | bytes, key: bytes) -> str:
    data = cell.encode("utf-8", "surrogateescape") if isinstance(cell, str) else cell
    return hmac.new(key, data, hashlib.sha256).hexdigest()[:32]


def _text(cell: object) -> str:
    """A value of the binary protocol as the text protocol has it."""
    if not isinstance(cell, datetime.timedelta):
        return str(cell)
    micros = cell // datetime.timedelta(microseconds=1)
    seconds, fraction = divmod(abs(micros), 1_000_000)
    sign = "-" if micros < 0 else ""
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:06}" if fraction else text
