"""`USE db` as text: the one statement whose effect the proxy follows without being told by the server."""

from __future__ import annotations

import re

__all__ = ["database"]

# Spaces and comments; what stands in a comment of the form /*! or /*M! is run.
_BLANK = rb"(?:[\x20\t\n\f\r]|/\*(?!M?!)(?s:.*?)\*/|(?:#|--[\x20\t\n])[^\n]*\n)"
_NAME = rb"`(?P<tick>(?:[^`]|``)*)`|\"(?P<quote>(?:[^\"]|\"\")*)\"|(?P<bare>[\w$\x80-\xff]+)"
_USE = re.compile(
    _BLANK + rb"*use(?:" + _BLANK + rb"+|(?=[`\"]))(?:" + _NAME + rb")", re.IGNORECASE
)


def database(sql: bytes) -> bytes | None:
    """The database that a query changes to with its first statement, if that is `USE`."""
    match = _USE.match(sql)
    if match is None:
        return None
    if match["tick"] is not None:
        return match["tick"].replace(b"``", b"`")
    if match["quote"] is not None:
        return match["quote"].replace(b'""', b'"')
    return match["bare"]
