"""How the texts of a client are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyproxy._sql.reading import PLAIN, Reading, reading

if TYPE_CHECKING:
    from pyproxy import Proxy
    from pyproxy._splitting.state import SplitState

__all__ = ["has_no_backslash_escapes", "reading_of"]

_QUOTED = re.compile(r"'([^']*)'")


def has_no_backslash_escapes(proxy: Proxy) -> bool:
    """Whether a backslash in a string is a character like others, as the attached connection said last."""
    server = proxy.connection.server
    flags = server.flags if server is not None else None
    return flags is not None and flags.no_backslash_escapes


def reading_of(proxy: Proxy, state: SplitState, sql: str | None) -> Reading:
    """How the client's server reads `sql`."""
    if not sql or (sql.isascii() and "\\" not in sql):
        # Each does it the same.
        return PLAIN
    settings = proxy.connection.client_session.settings
    # A SET NAMES takes the place of the variable that was set before.
    named = settings.get("character_set_client") or settings.get("names") or ""
    charset = _QUOTED.match(named)
    return reading(
        charset.group(1) if charset is not None else None,
        proxy.connection.client.charset,
        state.no_backslash_escapes,
    )
