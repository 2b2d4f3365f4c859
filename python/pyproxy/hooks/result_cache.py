"""Results of queries, kept in Redis: a query that was asked before is answered without the server.

    [result_cache]
    redis = redis://127.0.0.1:6379/0
    ttl = 60

All proxies with the same Redis and `prefix` share the results, of text queries and of prepared statements, each in its
own form. A statement that changes tables ends the results that depend on these, before its client has the answer. So
does the COMMIT of a transaction. Statements of which it is not clear what they change (CALL, GRANT, ...) end all results.

Kept is what a single SELECT gives whose text alone tells that it gives the same until its tables change: no variables, no
functions of the moment (`NOW()`, `RAND()`, `CONNECTION_ID()`) and none that is stored, no locks, no `SQL_NO_CACHE`; on tables, not on
views or system tables; outside of transactions; on a connection without temporary tables. A result belongs to
the user, the server, the default database, the character set and whatever the client has SET.

Settings, section `[result_cache]`:

| setting | default | |
|---|---|---|
| `redis` | redis://127.0.0.1:6379/0 | the address, `rediss://` and `unix://` too; with user and password |
| `prefix` | pyproxy:cache: | what the keys begin with; another one for each group of servers |
| `ttl` | 60 | seconds that a result is kept at most |
| `tables` | | the tables whose results are kept: `shop.*, crm.customers`; empty: all |
| `max_result_bytes` | 1048576 | larger results are not kept |
| `timeout` | 0.25 | seconds that Redis may take for an answer |
| `retry_after` | 1.0 | seconds without a question after it has not answered |
| `on_failure` | pass | `refuse`: while Redis is away, what changes tables is refused with `ERROR 1105` |

Section `[result_cache_effects]` tells what triggers and the like change: `shop.orders = shop.stock, shop.journal`. Foreign
keys that cascade are found out.

| command | columns |
|---|---|
| `SELECT * FROM result_cache.counters` | `counter`, `value`: `hits`, `misses`, results that were `kept`, `changes` that were told |

While Redis is away queries go to the server, and what was changed is told to it when it is back, before
anything else. Other proxies may give results from before such a change until then, `ttl` at most.

What it cannot do:

* Changes that no proxy with this Redis sees (events, replication, other clients) are seen after `ttl`. So are those by
  triggers that are not in `[result_cache_effects]`, and privileges that are taken away elsewhere.
* A result that may be kept is read as a whole before the client gets it. So is the answer to what changes tables. A query
  whose result is larger than `pyproxy-max-kept-bytes` is run twice when it is first met.
* It keeps nothing of read-only backends: they may lag behind. Queries that it answers are not seen by
  scripts that come after it in a stack.
* Of a statement longer than 64 KiB it is not clear what it changes.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyproxy
from pyproxy import Error, Raw, ResultTooLarge, Rows
from pyproxy._pooling.session import Outcome
from pyproxy._pooling.steady import steady_tables
from pyproxy._redis.service import Service
from pyproxy._result_cache.cache import Cache
from pyproxy._result_cache.definitions import Definitions
from pyproxy._result_cache.entry import FORM
from pyproxy._result_cache.session import Request, Session
from pyproxy.settings import SettingsError, raw, require, section

if TYPE_CHECKING:
    from pyproxy import Decision, Flags, Injection, Proxy, Resultset

__all__ = [
    "disconnect_client",
    "init",
    "read_query",
    "read_query_result",
    "settings",
    "shutdown",
]

settings = section(
    "result_cache",
    redis="redis://127.0.0.1:6379/0",
    prefix="pyproxy:cache:",
    ttl=60,
    tables=(),
    max_result_bytes=1 << 20,
    timeout=0.25,
    retry_after=1.0,
    on_failure="pass",
)

_COMMAND = 1
_UNANSWERED = (pyproxy.COM_STMT_CLOSE, pyproxy.COM_STMT_SEND_LONG_DATA)
_ANEW = (pyproxy.COM_CHANGE_USER, pyproxy.COM_RESET_CONNECTION)
_EXECUTIONS = (pyproxy.COM_STMT_EXECUTE, pyproxy.COM_STMT_BULK_EXECUTE)
_FOLLOWED = (
    pyproxy.COM_QUERY,
    pyproxy.COM_STMT_PREPARE,
    *_EXECUTIONS,
    pyproxy.COM_STMT_RESET,
    pyproxy.COM_INIT_DB,
    pyproxy.COM_SET_OPTION,
    pyproxy.COM_CREATE_DB,
    pyproxy.COM_DROP_DB,
    pyproxy.COM_REFRESH,
)
_COUNTERS = b"SELECT * FROM RESULT_CACHE.COUNTERS"
_COUNTER_NAMES = ("hits", "misses", "kept", "changes")
_VARCHAR, _LONGLONG = 253, 8
# Capabilities that decide about the form of a result: PROTOCOL_41, SESSION_TRACK, DEPRECATE_EOF, optional metadata, and those of
# MariaDB.
_FORM_BITS = 1 << 9 | 1 << 23 | 1 << 24 | 1 << 25 | 0xFFFFFFFF << 32
_MARIADB_CACHE_METADATA = 1 << 36
# What the status of a kept result may have in it: autocommit, which it must have, and what is about the query itself or part
# of the key. https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html
_AUTOCOMMIT = 2
_STATUS_BITS = _AUTOCOMMIT | 16 | 32 | 512 | 2048
# Keys of results that are not kept in memory either.
_MOST_TOO_LARGE = 10_000

_counters: Counter[str] = Counter()
_effects: dict[str, frozenset[str]] = {}
_too_large: set[str] = set()
_definitions = Definitions(settings)
_service: Any = None
_cache: Any = None


def init(proxy: Proxy) -> None:
    """Reads the settings; what is wrong with them stops the start."""
    global _service, _cache
    require("result_cache", "result_cache")
    if settings.on_failure not in ("pass", "refuse"):
        raise SettingsError("[result_cache] on_failure: expected pass or refuse")
    if settings.ttl < 1:
        raise SettingsError("[result_cache] ttl: expected a number from 1 on")
    _effects.clear()
    for name, text in raw("result_cache_effects").items():
        _effects[name.lower()] = frozenset(part.strip().lower() for part in text.split(","))
    for name in (*_effects, *(each for group in _effects.values() for each in group)):
        if name.count(".") != 1:
            raise SettingsError(f"[result_cache_effects] {name}: expected database.table")
    _service = Service("result_cache", settings.redis, settings.timeout, settings.retry_after)
    _cache = Cache(_service, settings.prefix, settings.ttl)


async def shutdown(proxy: Proxy) -> None:
    """Ends the connections to Redis."""
    if _service is not None:
        await _service.close()


def read_query(proxy: Proxy, packet: bytes) -> Any:
    """Answers what is kept, and tells of what changes."""
    session = _session(proxy)
    if packet[0] in _UNANSWERED:
        session.note_unanswered(packet)
        return None
    if packet[0] in _ANEW:
        return _begin_anew(proxy, session)
    if packet[0] not in _FOLLOWED:
        return None
    if packet[0] == proxy.COM_QUERY and packet[1:].strip(b" ;\n").upper() == _COUNTERS:
        rows = [(name, _counters[name]) for name in _COUNTER_NAMES]
        return Rows([("counter", _VARCHAR), ("value", _LONGLONG)], rows)
    flags = _flags(proxy)
    request = session.request(packet, flags is None or flags.no_backslash_escapes)
    tables = _tables(proxy, session, request, flags)
    if tables:
        return _from_cache(proxy, session, request, tables)
    if request.changes or (request.route.asks_about_last and session.served):
        return _prepared_for(proxy, session, request)
    return _forward(proxy, session, request)


def read_query_result(proxy: Proxy, inj: Injection) -> Any:
    """Tells of what was changed before the client knows."""
    if inj.id != _COMMAND:
        return None
    session = _session(proxy)
    session.note_result(_outcome(inj.query, inj.resultset))
    if inj.query[0] == proxy.COM_STMT_PREPARE:
        session.note_prepared(inj.query, inj.resultset.raw)
    return _tell(session) if session.has_news else None


def disconnect_client(proxy: Proxy) -> None:
    """Of the last command it may not be known whether it changed anything."""
    session = getattr(proxy.connection, "result_cache", None)
    if session is not None and session.changed:
        pyproxy.spawn(_cache.note_changes(session.changed))


async def _from_cache(
    proxy: Proxy, session: Session, request: Request, tables: frozenset[str]
) -> Decision:
    key = _key(proxy, session, request)
    entry, versions = await _cache.look_up(key, sorted(tables))
    if entry is not None:
        _counters["hits"] += 1
        session.note_served(request)
        return Raw(entry.packets)
    _counters["misses"] += 1
    if versions is None or key in _too_large:
        return _forward(proxy, session, request)
    parents = await _definitions.parents(proxy, versions, tables)
    if parents:
        more = await _cache.versions(sorted(parents))
        versions = None if more is None else {**more, **versions}
    if versions is None or parents is None:
        return _forward(proxy, session, request)
    session.note_sent(request)
    try:
        result = await proxy.query(request.packet)
    except ResultTooLarge:
        if len(_too_large) >= _MOST_TOO_LARGE:
            _too_large.clear()
        _too_large.add(key)
        return _forward(proxy, session, request)
    session.note_result(_outcome(request.packet, result))
    if _is_kept(proxy, request, result):
        _counters["kept"] += 1
        await _cache.keep(key, versions, result.packets or ())
    return result


async def _prepared_for(proxy: Proxy, session: Session, request: Request) -> Decision:
    """Sends a command behind what has to be done before."""
    if request.route.asks_about_last and session.served:
        # About what the server was not asked: now it is.
        await proxy.query(session.served)
    changes = await _definitions.changed(proxy, request)
    for name in changes:
        changes |= _effects.get(name.lower(), frozenset())
    if changes and not await _cache.note_changes(changes) and settings.on_failure == "refuse":
        return Error("The result cache cannot be told of the change: Redis does not answer")
    return _forward(proxy, session, request._replace(changes=changes))


def _forward(proxy: Proxy, session: Session, request: Request) -> int:
    session.note_sent(request)
    # The answer to a PREPARE has the number of the statement; that of a change waits until it is told.
    is_needed = request.packet[0] == proxy.COM_STMT_PREPARE or session.has_news
    proxy.queries.append(_COMMAND, request.packet, is_needed)
    return proxy.PROXY_SEND_QUERY


async def _tell(session: Session) -> None:
    changed = session.changed
    _counters["changes"] += 1
    await _cache.note_changes(changed)
    session.note_told(changed)


def _begin_anew(proxy: Proxy, session: Session) -> None:
    disconnect_client(proxy)
    proxy.connection.result_cache = None
    proxy.connection.result_cache_ties = session.outlasts_reset


def _session(proxy: Proxy) -> Session:
    connection = proxy.connection
    session = getattr(connection, "result_cache", None)
    if not isinstance(session, Session):
        client = connection.client
        ties: frozenset[str] = getattr(connection, "result_cache_ties", frozenset())
        session = Session(client.default_db, client.capabilities, ties)
        connection.result_cache = session
    return session


def _flags(proxy: Proxy) -> Flags | None:
    server = proxy.connection.server
    return None if server is None else server.flags


def _tables(
    proxy: Proxy, session: Session, request: Request, flags: Flags | None
) -> frozenset[str]:
    """The tables of a command whose result may be kept; none if it may not."""
    nothing: frozenset[str] = frozenset()
    is_query = request.packet[0] == proxy.COM_QUERY
    if request.text is None or not (is_query or request.params is not None):
        return nothing
    if flags is None or flags.in_trans or not flags.auto_commit or not session.is_plain:
        return nothing
    tables = steady_tables(request.text, request.database, flags.no_backslash_escapes)
    if not tables or proxy.command.attributes:
        return nothing
    if settings.tables and not all(map(_is_wanted, tables)):
        return nothing
    connection = proxy.connection
    server, backend = connection.server, connection.backend
    if server is None or backend is None or backend.type != proxy.BACKEND_TYPE_RW:
        return nothing
    difference = (connection.client.capabilities or 0) ^ (server.capabilities or 0)
    return nothing if difference & _FORM_BITS else tables


def _is_wanted(table: str) -> bool:
    return any(fnmatch.fnmatchcase(table.lower(), pattern.lower()) for pattern in settings.tables)


def _key(proxy: Proxy, session: Session, request: Request) -> str:
    """What a result belongs to."""
    client, server = proxy.connection.client, proxy.connection.server
    assert server is not None
    # Elsewhere servers see the proxy's address, whoever the client is.
    is_seen = proxy.globals.config.backend_proxy_protocol not in (None, "off")
    parts = (
        FORM,
        (client.username, server.username, str(server.dst)),
        client.src.address if is_seen and client.src is not None else None,
        (client.charset, client.capabilities, request.database),
        (session.settings, request.settings, server.flags and server.flags.no_backslash_escapes),
        (request.packet[0], request.text, request.params),
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _is_kept(proxy: Proxy, request: Request, result: Resultset) -> bool:
    status = int(result.flags)
    if result.error is not None or result.fields is None or result.warning_count:
        return False
    if status & ~_STATUS_BITS or not status & _AUTOCOMMIT:
        return False
    if sum(map(len, result.packets or ())) > settings.max_result_bytes:
        return False
    capabilities = proxy.connection.client.capabilities or 0
    if request.packet[0] == proxy.COM_STMT_EXECUTE and capabilities & _MARIADB_CACHE_METADATA:
        # The columns are left out for a client that knows them.
        return (result.raw or b"")[-1:] == b"\x01"
    return True


def _outcome(packet: bytes, result: Resultset) -> Outcome:
    is_error = result.error is not None
    if is_error or packet[0] not in (pyproxy.COM_QUERY, *_EXECUTIONS):
        return Outcome(is_error)
    return Outcome(
        is_error,
        in_transaction=result.flags.in_trans,
        auto_commit=result.flags.auto_commit,
        insert_id=result.insert_id or 0,
    )
