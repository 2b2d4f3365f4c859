"""Counts queries and the use of tables, and answers questions about them.

| query (blanks and the case of keywords do not matter) | answer |
|---|---|
| `SELECT * FROM histogram.queries` | `query` (normalized), `count`, `max_query_time`, `avg_query_time` (µs) |
| `SELECT * FROM histogram.tables` | `table`, `reads`, `writes` |
| `DELETE FROM histogram.queries` | empties the first |
| `DELETE FROM histogram.tables` | empties the second |

A query time ends with the first packet of the result. Each execution of a prepared statement is a query with the text that
was prepared, in the database where it was. The counters are those of all clients and all backends. The
commands of `pyproxy.auto_config` (`PROXY SHOW CONFIG` ...) are answered here, too.

Settings, section `[histogram]`:

| setting | default | |
|---|---|---|
| `collect_queries` | true | count queries |
| `collect_tables` | true | count the use of tables |
| `max_statement_bytes` | 65536 | longer statements are counted together, and their tables are not. All clients wait while one is looked at |

What it cannot do: every client may read and empty the counters. They grow with
the number of different queries until somebody empties them, and end with the process. Failed queries count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyproxy import COM_QUERY, COM_STMT_PREPARE, Ok, Rows, auto_config, commands, parser, tokenizer
from pyproxy._sql.prepared import Prepared
from pyproxy._stack.traits import ANSWERS_HISTOGRAM, declare
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Connection, Decision, Injection, Proxy

__all__ = ["init", "read_query", "read_query_result", "settings"]

settings = section(
    "histogram", collect_queries=True, collect_tables=True, max_statement_bytes=1 << 16
)

# What longer statements are counted as.
_LONG = "(longer than max_statement_bytes)"

_COUNTED, _PREPARE = 1, 2
_SELECT_QUERIES, _SELECT_TABLES, _DELETE_QUERIES, _DELETE_TABLES = (
    tokenizer.normalize(f"{verb} FROM histogram.{table}")
    for verb in ("SELECT *", "DELETE")
    for table in ("queries", "tables")
)


@dataclass
class _Times:
    """Query times in microseconds."""

    count: int = 0
    total: int = 0
    longest: int = 0

    def add(self, time: int) -> None:
        self.count += 1
        self.total += time
        self.longest = max(self.longest, time)


@dataclass
class _Uses:
    """Queries that read a table and that write it."""

    reads: int = 0
    writes: int = 0


_queries: dict[str, _Times] = {}
_tables: dict[str, _Uses] = {}


def init(proxy: Proxy) -> None:
    """Says what it answers, to scripts that are stacked with it."""
    declare(ANSWERS_HISTOGRAM)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Answers questions about the counters, and lets other queries be counted."""
    connection = proxy.connection
    prepared = _prepared(connection)
    prepared.follow(packet)
    if packet[0] == COM_STMT_PREPARE:
        # Remembered even where nothing is counted: settings can change while the proxy runs.
        proxy.queries.append(_PREPARE, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    statement = prepared.run_by(packet, connection.client.default_db)
    if statement is None:
        return None
    is_short = len(statement.text) <= settings.max_statement_bytes
    normalized = tokenizer.normalize(statement.text) if is_short else _LONG
    if packet[0] == COM_QUERY:
        answer = auto_config.handle(proxy, commands.parse(packet)) or _answer(proxy, normalized)
        if answer is not None:
            return answer
    if not (settings.collect_queries or settings.collect_tables):
        return None
    tables = parser.get_tables(statement.text, statement.database) if is_short else {}
    connection.histogram_query = (normalized, tables)
    proxy.queries.append(_COUNTED, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> None:
    """Counts the query; takes note of a prepared statement."""
    connection = proxy.connection
    if inj.id == _PREPARE:
        _prepared(connection).add(inj.query[1:], inj.resultset.raw, connection.client.default_db)
        return
    normalized, tables = connection.histogram_query
    if settings.collect_queries:
        _queries.setdefault(normalized, _Times()).add(inj.query_time or 0)
    if settings.collect_tables:
        for table, use in tables.items():
            uses = _tables.setdefault(table, _Uses())
            if use == "read":
                uses.reads += 1
            else:
                uses.writes += 1


def _prepared(connection: Connection) -> Prepared:
    prepared = getattr(connection, "histogram_prepared", None)
    if not isinstance(prepared, Prepared):
        prepared = connection.histogram_prepared = Prepared()
    return prepared


def _answer(proxy: Proxy, normalized: str) -> Decision:
    """Answers one of the queries about the counters; None for any other query."""
    if normalized == _SELECT_QUERIES:
        return Rows(
            [
                ("query", proxy.MYSQL_TYPE_STRING),
                ("count", proxy.MYSQL_TYPE_LONG),
                ("max_query_time", proxy.MYSQL_TYPE_LONG),
                ("avg_query_time", proxy.MYSQL_TYPE_FLOAT),
            ],
            [
                (query, times.count, times.longest, times.total / times.count)
                for query, times in _queries.items()
            ],
        )
    if normalized == _SELECT_TABLES:
        return Rows(
            [
                ("table", proxy.MYSQL_TYPE_STRING),
                ("reads", proxy.MYSQL_TYPE_LONG),
                ("writes", proxy.MYSQL_TYPE_LONG),
            ],
            [(table, uses.reads, uses.writes) for table, uses in _tables.items()],
        )
    if normalized == _DELETE_QUERIES:
        _queries.clear()
    elif normalized == _DELETE_TABLES:
        _tables.clear()
    else:
        return None
    return Ok()
