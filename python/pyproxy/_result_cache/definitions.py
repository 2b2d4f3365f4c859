"""What the server says about tables, asked on the client's own connection and remembered for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pyproxy import proto
from pyproxy._result_cache.changes import EVERYTHING
from pyproxy._result_cache.session import Request
from pyproxy._result_cache.tables import NO_TABLE, Definition, parse, show
from pyproxy.settings import Section

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["Definitions"]

_MOST_REMEMBERED = 10_000
# A table with more ancestors is not kept.
_MOST_PARENTS = 32
_clock = time.monotonic


class Definitions:
    """What is known of tables. What one user may ask another may not, so each has answers of its own."""

    def __init__(self, settings: Section) -> None:
        self._settings = settings
        # By user, server, table and version of the table; None: it cannot be known. With the moment at which that ends.
        self._known: dict[tuple[str | None, ...], tuple[float, Definition | None]] = {}

    async def parents(
        self, proxy: Proxy, versions: Mapping[str, str], tables: Iterable[str]
    ) -> frozenset[str] | None:
        """All tables whose changes go on to `tables`; None if what these have in them may change in other ways."""
        found: set[str] = set()
        left = list(tables)
        while left:
            table = left.pop()
            definition = await self._of(proxy, table, versions.get(table.lower()))
            if definition is None or not definition.is_steady or len(found) > _MOST_PARENTS:
                return None
            left.extend(definition.parents - found)
            found |= definition.parents
        return frozenset(found)

    async def changed(self, proxy: Proxy, request: Request) -> frozenset[str]:
        """The tables that `request` changes: a view stands for tables that it does not name."""
        if request.changes == EVERYTHING or not request.changes:
            return request.changes
        if request.route.asks_about_last:
            # Nothing may be asked in between.
            return EVERYTHING
        for table in request.changes:
            definition = await self._of(proxy, table, None)
            if definition is None or not definition.is_table:
                return EVERYTHING
        return request.changes

    async def _of(self, proxy: Proxy, table: str, version: str | None) -> Definition | None:
        server = proxy.connection.server
        if server is None:
            return None
        key = (server.username, str(server.dst), table, version)
        until, definition = self._known.get(key, (0.0, None))
        if until > _clock():
            return definition
        definition = await _ask(proxy, table)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (_clock() + self._settings.ttl, definition)
        return definition


async def _ask(proxy: Proxy, table: str) -> Definition | None:
    result = await proxy.query(show(table))
    if result.error is not None:
        is_missing = proto.from_err_packet(result.error).errcode == NO_TABLE
        return Definition(is_table=True) if is_missing else None
    rows = list(result.rows or ())
    if not rows or len(rows[0]) < 2:
        return None
    database = table.partition(".")[0]
    return parse(result.columns or (), str(rows[0][1]), database)
