"""Asks a second server what the first one was asked, and compares: before a migration, or an upgrade.

    [tee]
    address = 10.0.0.9:3306
    user = mirror
    password = ...

The client gets the answer of its own server, and waits for nothing else. In the background the second server gets the same query, on a read-only
connection of `user`. Compared are the number of rows and a checksum of them, in whatever order they come, or the number of the
error. If they differ the second server is asked again after `recheck_after` seconds, as a change may have come in between. What
still differs is counted and logged.

Mirrored is a single SELECT whose text alone tells that it gives the same until its tables change: no variables, no functions of
the moment (`NOW()`, `RAND()`), none that is stored, no locks; outside of transactions; on a connection without temporary tables. What the session has
SET is set there, too.

Settings, section `[tee]`:

| setting | default | |
|---|---|---|
| `address` | | the second server: `host:port`, or the path of a socket |
| `user`, `password` | | its account there |
| `share` | 1.0 | how many of the queries are mirrored, from 0 to 1; by chance |
| `max_waiting` | 1000 | queries that wait for the second server; what comes on top is not mirrored |
| `max_connections` | 4 | connections to it |
| `timeout` | 10.0 | seconds that it may take |
| `retry_after` | 5.0 | seconds without a question after it has not answered |
| `recheck_after` | 1.0 | seconds until it is asked again; 0: it is not |
| `max_result_bytes` | 1048576 | of larger results only the rows are counted |
| `max_logged` | 60 | differences that are logged in a minute |

| command | columns |
|---|---|
| `SELECT * FROM tee.counters` | `counter`, `value` |

The counters are `same`, `late` (the same when asked again), `different`, `failed` (no answer), `dropped` (too many waited). The log says once that the second
server does not answer, and once that it answers again.

What it cannot do:

* Results that are compared are kept in memory, as a whole, before the client gets them. A query whose result is larger than
  `pyproxy-max-kept-bytes` is run twice when it is first met, and not mirrored again.
* Prepared statements are not mirrored; neither is anything behind a SET NAMES of a character set that is none of UTF-8.
* It compares what servers write: versions that format a number in two ways differ.
* Who may read the log sees the texts of queries, and `user` must be allowed to read what all users may.
"""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyproxy
from pyproxy import ResultTooLarge, Rows, commands, proto
from pyproxy._pooling.routing import route
from pyproxy._pooling.session import ClientSession, Outcome
from pyproxy._pooling.steady import steady_tables
from pyproxy._tee.mirror import Mirror
from pyproxy._tee.second_server import Question, SecondServer
from pyproxy._tee.summary import Summary, of_error, of_rows
from pyproxy.settings import SettingsError, require, section

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy, Resultset

__all__ = ["init", "read_query", "read_query_result", "settings", "shutdown"]

settings = section(
    "tee",
    address="",
    user="",
    password="",
    share=1.0,
    max_waiting=1000,
    max_connections=4,
    timeout=10.0,
    retry_after=5.0,
    recheck_after=1.0,
    max_result_bytes=1 << 20,
    max_logged=60,
)

_log = logging.getLogger("pyproxy.tee")

_COMMAND = 1
_ANEW = (pyproxy.COM_CHANGE_USER, pyproxy.COM_RESET_CONNECTION)
_COUNTERS = b"SELECT * FROM TEE.COUNTERS"
_COUNTER_NAMES = ("same", "late", "different", "failed", "dropped")
_VARCHAR, _LONGLONG = 253, 8
# Settings about character sets: the connections to the second server have UTF-8 for all.
_NAMES = re.compile(r"\s*SET\s+(?:NAMES\b|.*\b(?:CHARACTER_SET|COLLATION)_)", re.I | re.DOTALL)
_UTF8_NAMES = re.compile(r"\s*SET\s+NAMES\s+['\"]?utf8(?:mb[34])?\b", re.IGNORECASE)

_MOST_TOO_LARGE = 10_000

_counters: Counter[str] = Counter()
# Queries whose results were larger than what is kept in memory.
_too_large: set[int] = set()
_chance = random.Random()
_server: Any = None
_mirror: Any = None


def init(proxy: Proxy) -> None:
    """Reads the settings; what is wrong with them stops the start."""
    global _server, _mirror
    require("tee", "tee")
    if not 0 <= settings.share <= 1:
        raise SettingsError("[tee] share: expected a number from 0 to 1")
    try:
        _server = SecondServer(
            settings.address,
            settings.user,
            settings.password,
            settings.timeout,
            max(1, settings.max_connections),
        )
    except ValueError as error:
        raise SettingsError(f"[tee] address={settings.address}: {error}") from None
    _mirror = Mirror(_server.ask, settings, _counters, _log)


async def shutdown(proxy: Proxy) -> None:
    """Ends the connections to the second server."""
    if _server is not None:
        _server.close()


def read_query(proxy: Proxy, packet: bytes) -> Any:
    """Keeps the result of what is to be mirrored."""
    if packet[0] in _ANEW:
        proxy.connection.tee_ties = _session(proxy).outlasts_reset
        proxy.connection.tee = None
        return None
    if packet[0] == proxy.COM_QUERY and packet[1:].strip(b" ;\n").upper() == _COUNTERS:
        return Rows(
            [("counter", _VARCHAR), ("value", _LONGLONG)],
            [(name, _counters[name]) for name in _COUNTER_NAMES],
        )
    session = _session(proxy)
    session.note_sent(route(commands.parse(packet)))
    if packet[0] not in (proxy.COM_QUERY, proxy.COM_INIT_DB):
        return None
    question = _question(proxy, session, packet) if packet[0] == proxy.COM_QUERY else None
    if question is not None and hash(question) not in _too_large and _mirror.has_room():
        return _teed(proxy, session, packet, question)
    proxy.queries.append(_COMMAND, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> None:
    """Follows the session."""
    if inj.id == _COMMAND:
        _session(proxy).note_result(_outcome(inj.query, inj.resultset))


async def _teed(proxy: Proxy, session: ClientSession, packet: bytes, question: Question) -> Any:
    try:
        result = await proxy.query(packet)
    except ResultTooLarge:
        # It is run once more, and goes through without being kept.
        if len(_too_large) >= _MOST_TOO_LARGE:
            _too_large.clear()
        _too_large.add(hash(question))
        return None
    session.note_result(_outcome(packet, result))
    pyproxy.spawn(_mirror.compare(question, _summary(result)))
    return result


def _session(proxy: Proxy) -> ClientSession:
    connection = proxy.connection
    session = getattr(connection, "tee", None)
    if not isinstance(session, ClientSession):
        session = ClientSession(connection.client.default_db)
        session.ties |= getattr(connection, "tee_ties", frozenset())
        connection.tee = session
    return session


def _question(proxy: Proxy, session: ClientSession, packet: bytes) -> Question | None:
    """What the second server is to be asked; None if it is not."""
    server = proxy.connection.server
    flags = None if server is None else server.flags
    if flags is None or flags.in_trans or not flags.auto_commit or not session.is_plain:
        return None
    if not steady_tables(packet[1:], session.database, flags.no_backslash_escapes):
        return None
    if settings.share < 1 and _chance.random() >= settings.share:
        return None
    own = session.settings
    if any(_NAMES.match(one) and not _UTF8_NAMES.match(one) for one in own):
        return None
    sql = proxy.command.sql
    if sql is None or not sql.isascii() and not _is_text(sql):
        return None
    return Question(sql, session.database, tuple(one for one in own if not _NAMES.match(one)))


def _is_text(sql: str) -> bool:
    """Whether it could be decoded as a whole."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return True


def _summary(result: Resultset) -> Summary:
    if result.error is not None:
        return of_error(proto.from_err_packet(result.error).errcode)
    if result.bytes > settings.max_result_bytes or result.rows is None:
        return Summary(result.row_count)
    # Text rows: cells are texts, bytes or NULL.
    rows: Any = result.rows
    return of_rows(rows)


def _outcome(packet: bytes, result: Resultset) -> Outcome:
    is_error = result.error is not None
    if is_error or packet[0] != pyproxy.COM_QUERY:
        return Outcome(is_error)
    return Outcome(
        is_error,
        in_transaction=result.flags.in_trans,
        auto_commit=result.flags.auto_commit,
        insert_id=result.insert_id or 0,
    )
