"""How a server reads the texts of one client, as far as it matters for where strings and names end."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PLAIN", "Reading", "reading"]


class Reading(NamedTuple):
    """What a text is read with."""

    charset: str = "utf8mb4"
    """The name of `character_set_client`."""
    no_backslash_escapes: bool = False
    """A backslash in a string is a character like others."""


PLAIN = Reading()
"""What most texts are read like."""

# Collations of character sets whose characters may end in a byte that looks like a backslash or a quote, by the numbers that logins have.
_CHARSETS = {
    **dict.fromkeys((1, 84), "big5"),
    **dict.fromkeys((13, 88), "sjis"),
    **dict.fromkeys((95, 96), "cp932"),
    **dict.fromkeys((28, 87), "gbk"),
    **dict.fromkeys((248, 249, 250), "gb18030"),
}


def reading(charset: str | None, collation: int | None, no_backslash_escapes: bool) -> Reading:
    """That of a client with this `character_set_client`, or, if it never named one, with this collation in its login."""
    name = charset or _CHARSETS.get(collation or 0, PLAIN.charset)
    return Reading(name, no_backslash_escapes)
