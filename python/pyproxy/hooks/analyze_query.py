"""Measures queries, and prints those that are much slower than usual.

Queries are counted by backend, default database and normalized text, with the average and the standard deviation of
their query time, which ends with the first packet of the result.

| query (blanks and the case of keywords do not matter) | answer |
|---|---|
| `SELECT * FROM histogram.queries` | `query`, `COUNT(*)`, `AVG(qtime)`, `STDDEV(qtime)` (µs; NULL for a single run) |
| `DELETE FROM histogram.queries` | empties the counters |

An entry on standard output of the proxy tells of a query that took at least `min_query_time` and, after `min_queries`
queries, more than the average plus five standard deviations of all queries; with `log_slower_queries` also, after as
many runs, those of its own kind. On request EXPLAIN and SHOW FULL PROCESSLIST follow it. The commands of
`pyproxy.auto_config` (`PROXY SHOW CONFIG` ...) are answered here, too.

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

What it cannot do: prepared statements are not measured. Every client may read and empty the counters, which grow with
the number of different queries until somebody empties them. EXPLAIN runs in the client's session, on its connection, and
delays its next command; it is left out if there is a semicolon before the end of the text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pyproxy import auto_config, commands, tokenizer
from pyproxy._common.answers import query_packet, query_text, send_ok, send_rows
from pyproxy._common.lines import now, one_line, server_thread
from pyproxy._stack.traits import ANSWERS_HISTOGRAM, declare
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy, Resultset

__all__ = ["disconnect_client", "init", "read_query", "read_query_result", "settings"]

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
_CLIENT_QUERY, _PROCESSLIST, _EXPLAIN = 1, 4, 5
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
    can_be_explained: bool


class _Report:
    """The entry about a slow query, printed once the queries about it are done."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.awaited = 0


_all = _Statistics()
_kinds: dict[_Kind, _Statistics] = {}


def init(proxy: Proxy) -> None:
    """Says what it answers, to scripts that are stacked with it."""
    declare(ANSWERS_HISTOGRAM)


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    """Answers questions about the counters, and lets other queries be measured."""
    text = query_text(packet)
    if text is None:
        return None
    answer = auto_config.handle(proxy, commands.parse(packet))
    if answer is not None:
        return answer
    is_short = len(packet) <= settings.max_statement_bytes
    tokens = tokenizer.tokenize(text if is_short else "")
    normalized = tokenizer.normalize(tokens) if is_short else _LONG
    if normalized == _SELECT:
        return _send_counters(proxy)
    if normalized == _DELETE:
        _kinds.clear()
        return send_ok(proxy)
    if not settings.analyze_queries:
        return None
    connection = proxy.connection
    backend = connection.backend
    kind = _Kind(str(backend.dst) if backend else "", connection.client.default_db, normalized)
    connection.analyze_query_running = _Query(kind, _can_be_explained(text, tokens))
    proxy.queries.append(_CLIENT_QUERY, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> int | None:
    """Measures the client's query; adds the results of our own to the entry about it."""
    if inj.id == _CLIENT_QUERY:
        _measure(proxy, inj)
        return None
    report: _Report = proxy.connection.analyze_query_report
    report.lines.append("  EXPLAIN" if inj.id == _EXPLAIN else "  SHOW FULL PROCESSLIST")
    report.lines += _row_lines(inj.resultset)
    report.awaited -= 1
    if report.awaited == 0:
        _print(proxy)
    return proxy.PROXY_IGNORE_RESULT


def disconnect_client(proxy: Proxy) -> None:
    """Prints an entry that waits for results which do not come any more."""
    _print(proxy)


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
    report = _Report(_entry(proxy, inj, query.kind, of_kind, reasons))
    proxy.connection.analyze_query_report = report
    if settings.auto_processlist:
        report.awaited += 1
        proxy.queries.append(
            _PROCESSLIST, query_packet("SHOW FULL PROCESSLIST"), resultset_is_needed=True
        )
    succeeded = inj.resultset.query_status == proxy.MYSQLD_PACKET_OK
    if settings.auto_explain and query.can_be_explained and succeeded:
        report.awaited += 1
        explain = query_packet("EXPLAIN ") + inj.query[1:]
        proxy.queries.append(_EXPLAIN, explain, resultset_is_needed=True)
    if report.awaited == 0:
        _print(proxy)


def _entry(
    proxy: Proxy, inj: Injection, kind: _Kind, of_kind: _Statistics, reasons: list[str]
) -> list[str]:
    text = inj.query[1:].decode("utf-8", "surrogateescape")
    user = proxy.connection.client.username
    return [
        f"# {now()} [{server_thread(proxy.connection)}] user: {user}, db: {kind.db}",
        f"  query:        {one_line(text)}",
        f"  normalized:   {one_line(kind.normalized.rstrip())}",
        f"  query time:   {_duration(inj.query_time or 0)}",
        f"  all queries:  {_all}",
        f"  of its kind:  {of_kind}",
        f"  slower than:  {', '.join(reasons)}",
    ]


def _print(proxy: Proxy) -> None:
    report: _Report | None = getattr(proxy.connection, "analyze_query_report", None)
    if report is not None:
        print("\n".join(report.lines))
        proxy.connection.analyze_query_report = None


def _row_lines(result: Resultset) -> list[str]:
    if result.rows is None or result.fields is None:
        return ["    (failed)"]
    names = [field.name for field in result.fields]
    return [
        "    " + ", ".join(f"{name}: {_cell(cell)}" for name, cell in zip(names, row))
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


def _send_counters(proxy: Proxy) -> int:
    return send_rows(
        proxy,
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
