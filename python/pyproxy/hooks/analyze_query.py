"""Measures queries, and prints those that are much slower than usual.

Queries are counted by backend, default database and normalized text, with the average and the standard deviation of
their query time, which ends with the first packet of the result. Each execution of a prepared statement is a query with the
text that was prepared, in the database where it was.

| query (blanks and the case of keywords do not matter) | answer |
|---|---|
| `SELECT * FROM histogram.queries` | `query`, `COUNT(*)`, `AVG(qtime)`, `STDDEV(qtime)` (µs; NULL for a single run) |
| `DELETE FROM histogram.queries` | empties the counters |

An entry on standard output of the proxy tells of a query that took at least `min_query_time` and, after `min_queries`
queries, more than the average plus five standard deviations of all queries; with `log_slower_queries` also, after as
many runs, those of its own kind. On request SHOW FULL PROCESSLIST and EXPLAIN follow it, each in an entry of its
own. The commands of `pyproxy.auto_config` (`PROXY SHOW CONFIG` ...) are answered here, too.

These two run in the client's session, on its connection, in front of the client's next statement that uses a table and does
not ask about the statement before: so SHOW WARNINGS, ROW_COUNT() and the like tell of the client's own. If a further slow query
comes first, they are about that one; if the client changes its database, leaves something on its connection (a variable, a
lock), or ends, they do not run.

Settings, section `[analyze_query]`:

| setting | default | |
|---|---|---|
| `analyze_queries` | true | measure; if false, queries only pass |
| `min_queries` | 1000 | so many queries are measured before one can be called slow |
| `min_query_time` | 1000 | µs; faster ones are never printed |
| `log_slower_queries` | false | compare with queries of the same kind, too |
| `auto_explain` | false | run EXPLAIN of a slow SELECT |
| `auto_processlist` | false | run SHOW FULL PROCESSLIST after a slow query |
| `query_cutoff` | 160 | characters of a query that `histogram.queries` shows; 0: all |
| `max_statement_bytes` | 65536 | longer statements are measured together, and not explained. All clients wait while one is looked at |

What it cannot do: every client may read and empty the counters, which grow with the number of different queries until
somebody empties them. Prepared statements are not explained, nor is a text with a semicolon before its end. The list of
processes is that of a moment after the slow query.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pyproxy import COM_QUERY, COM_STMT_PREPARE, Ok, Rows, auto_config, commands, parser, tokenizer
from pyproxy._common.lines import now, one_line, server_thread
from pyproxy._common.queries import query_packet, query_text
from pyproxy._pooling.routing import route
from pyproxy._sql.prepared import Prepared
from pyproxy._stack.traits import ANSWERS_HISTOGRAM, declare
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Connection, Decision, Injection, Proxy, Resultset

__all__ = ["init", "read_query", "read_query_result", "settings"]

settings = section(
    "analyze_query",
    analyze_queries=True,
    auto_explain=False,
    auto_processlist=False,
    min_queries=1000,
    min_query_time=1000,
    query_cutoff=160,
    log_slower_queries=False,
    max_statement_bytes=1 << 16,
)

_SELECT = tokenizer.normalize("SELECT * FROM histogram.queries")
_DELETE = tokenizer.normalize("DELETE FROM histogram.queries")
# What longer statements are counted as; they are not explained.
_LONG = "(longer than max_statement_bytes)"
_CLIENT_QUERY, _PREPARE, _FOLLOW_UP = 1, 2, 3
_DEVIATIONS = 5


class _Kind(NamedTuple):
    """What is counted together."""

    backend: str
    db: str
    normalized: str


class _Statistics:
    """Running average and sample standard deviation, in the way of Welford: sums of squares of times that differ
    little would lose the difference.
    """

    def __init__(self) -> None:
        self.count = 0
        self.average = 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        before = value - self.average
        self.average += before / self.count
        self._squares += before * (value - self.average)

    @property
    def deviation(self) -> float:
        """0 for fewer than two values."""
        return math.sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0

    def is_exceeded_by(self, value: float) -> bool:
        """Whether `value` is much more than usual, and enough values tell what is usual."""
        usual = self.average + _DEVIATIONS * self.deviation
        return self.count > settings.min_queries and value > usual

    def __str__(self) -> str:
        average, deviation = _duration(self.average), _duration(self.deviation)
        return f"average {average}, deviation {deviation}, count {self.count}"


class _Query(NamedTuple):
    """The query that a connection waits for."""

    kind: _Kind
    text: str
    can_be_explained: bool


class _FollowUps(NamedTuple):
    """What is to run because of a slow query, once the client's answers do not depend on it."""

    db: str
    texts: list[str]


_all = _Statistics()
_kinds: dict[_Kind, _Statistics] = {}


def init(proxy: Proxy) -> None:
    """Says what it answers, to scripts that are stacked with it."""
    declare(ANSWERS_HISTOGRAM)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Answers questions about the counters, and lets other queries be measured."""
    connection = proxy.connection
    prepared = _prepared(connection)
    prepared.follow(packet)
    if packet[0] == COM_STMT_PREPARE:
        # Remembered even where nothing is measured: settings can change while the proxy runs.
        proxy.queries.append(_PREPARE, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    statement = prepared.run_by(packet, connection.client.default_db)
    if statement is None:
        return None
    is_short = len(statement.text) <= settings.max_statement_bytes
    text = statement.text.decode("utf-8", "surrogateescape") if is_short else ""
    tokens = tokenizer.tokenize(text)
    normalized = tokenizer.normalize(tokens) if is_short else _LONG
    is_text = packet[0] == COM_QUERY
    if is_text:
        answer = auto_config.handle(proxy, commands.parse(packet)) or _answer(proxy, normalized)
        if answer is not None:
            return answer
    if not settings.analyze_queries:
        return None
    for sql in _due_follow_ups(connection, text):
        proxy.queries.append(_FOLLOW_UP, query_packet(sql), resultset_is_needed=True)
    backend = connection.backend
    kind = _Kind(str(backend.dst) if backend else "", statement.database, normalized)
    can_be_explained = is_text and _can_be_explained(text, tokens)
    connection.analyze_query_running = _Query(kind, text, can_be_explained)
    proxy.queries.append(_CLIENT_QUERY, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Measures the client's query; prints the results of our own; takes note of a prepared statement."""
    connection = proxy.connection
    if inj.id == _FOLLOW_UP:
        title = one_line(query_text(inj.query) or "")
        print("\n".join([f"{_heading(connection)} {title}", *_row_lines(inj.resultset)]))
        return proxy.PROXY_IGNORE_RESULT
    if inj.id == _PREPARE:
        _prepared(connection).add(inj.query[1:], inj.resultset.raw, connection.client.default_db)
    else:
        _measure(proxy, inj)
    return None


def _prepared(connection: Connection) -> Prepared:
    prepared = getattr(connection, "analyze_query_prepared", None)
    if not isinstance(prepared, Prepared):
        prepared = connection.analyze_query_prepared = Prepared()
    return prepared


def _due_follow_ups(connection: Connection, text: str) -> list[str]:
    """What is to run in front of the statement `text`.

    A statement without tables does not end the warnings of the one before (MariaDB): what follows it may still ask.
    """
    follow_ups: _FollowUps | None = getattr(connection, "analyze_query_follow_ups", None)
    if follow_ups is None:
        return []
    meaning = route(commands.parse(query_packet(text)))
    is_same_session = follow_ups.db == connection.client.default_db and not meaning.ties
    if is_same_session and (
        meaning.asks_about_last or meaning.has_several or not parser.get_tables(text)
    ):
        return []
    connection.analyze_query_follow_ups = None
    return follow_ups.texts if is_same_session else []


def _measure(proxy: Proxy, inj: Injection) -> None:
    query: _Query = proxy.connection.analyze_query_running
    time = inj.query_time or 0
    of_kind = _kinds.setdefault(query.kind, _Statistics())
    of_kind.add(time)
    _all.add(time)

    reasons = []
    if _all.is_exceeded_by(time):
        reasons.append("all queries")
    if settings.log_slower_queries and of_kind.is_exceeded_by(time):
        reasons.append("queries of its kind")
    if not reasons or time < settings.min_query_time:
        return
    print("\n".join(_entry(proxy.connection, query, time, of_kind, reasons)))
    texts = ["SHOW FULL PROCESSLIST"] if settings.auto_processlist else []
    succeeded = inj.resultset.query_status == proxy.MYSQLD_PACKET_OK
    if settings.auto_explain and query.can_be_explained and succeeded:
        texts.append(f"EXPLAIN {query.text}")
    if texts:
        follow_ups = _FollowUps(proxy.connection.client.default_db, texts)
        proxy.connection.analyze_query_follow_ups = follow_ups


def _heading(connection: Connection) -> str:
    return f"# {now()} [{server_thread(connection)}]"


def _entry(
    connection: Connection, query: _Query, time: int, of_kind: _Statistics, reasons: list[str]
) -> list[str]:
    kind = query.kind
    return [
        f"{_heading(connection)} user: {connection.client.username}, db: {kind.db}",
        f"  query:        {one_line(query.text)}",
        f"  normalized:   {one_line(kind.normalized.rstrip())}",
        f"  query time:   {_duration(time)}",
        f"  all queries:  {_all}",
        f"  of its kind:  {of_kind}",
        f"  slower than:  {', '.join(reasons)}",
    ]


def _row_lines(result: Resultset) -> list[str]:
    if result.rows is None or result.fields is None:
        return ["  (failed)"]
    names = [field.name for field in result.fields]
    return [
        "  " + ", ".join(f"{name}: {_cell(cell)}" for name, cell in zip(names, row))
        for row in result.rows
    ]


def _cell(cell: object) -> str:
    return "NULL" if cell is None else one_line(str(cell))


def _can_be_explained(text: str, tokens: tokenizer.Tokens) -> bool:
    """Whether the text is one SELECT. What follows a semicolon would run a second time.

    A semicolon in a string counts, too: servers have ways to hide and to show one that no tokenizer
    outside knows.
    """
    first = tokenizer.first_stmt_token(tokens)
    is_select = first is not None and first.token_name == "TK_SQL_SELECT"
    return is_select and ";" not in text.rstrip("; \t\r\n")


def _answer(proxy: Proxy, normalized: str) -> Decision:
    """Answers a query about the counters; None for any other query."""
    if normalized == _SELECT:
        return _send_counters(proxy)
    if normalized == _DELETE:
        _kinds.clear()
        return Ok()
    return None


def _send_counters(proxy: Proxy) -> Rows:
    return Rows(
        [
            ("query", proxy.MYSQL_TYPE_STRING),
            ("COUNT(*)", proxy.MYSQL_TYPE_LONG),
            ("AVG(qtime)", proxy.MYSQL_TYPE_DOUBLE),
            ("STDDEV(qtime)", proxy.MYSQL_TYPE_DOUBLE),
        ],
        [
            (
                _cut(kind.normalized),
                times.count,
                f"{times.average:.2f}",
                f"{times.deviation:.2f}" if times.count > 1 else None,
            )
            for kind, times in _kinds.items()
        ],
    )


def _cut(text: str) -> str:
    limit = settings.query_cutoff
    return f"{text[:limit]}..." if 0 < limit < len(text) else text


def _duration(microseconds: float) -> str:
    """In the largest unit that leaves a number above 10."""
    for unit in ("us", "ms"):
        if microseconds <= 10000:
            return f"{microseconds:.2f} {unit}"
        microseconds /= 1000
    return f"{microseconds:.2f} s"
