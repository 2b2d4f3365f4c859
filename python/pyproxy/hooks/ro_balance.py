"""Balancing readers over replicas that are up to date.

    pyproxy-python-script = .../pyproxy/hooks/ro_balance.py
    pyproxy-backend-addresses = primary:3306
    pyproxy-readonly-backend-address = replica1:3306,replica2:3306

A client that connects is sent to the replica that is least behind (of equals, to the one with the fewest clients), and
stays there. If no replica will do, it is sent to a read-write backend. A replica is asked for its state before a command,
if that was longer ago than `check_timeout`. If it turns out to be too far behind, or not to replicate, the client gets
error 1105, state 08S01, and is disconnected, unless it is in a transaction; when it connects again, it is sent elsewhere. After
`retry_timeout` one client is sent there again; if it ends without having found out (its login was refused), the next one is.

Settings, section `ro_balance`:

| name | default | meaning |
|---|---|---|
| `max_seconds_lag` | 10 | a replica may be so many seconds behind |
| `max_bytes_lag` | 10240 | and have so many bytes of the primary's log read and not applied |
| `check_timeout` | 2.0 | seconds for which an answer about the state holds |
| `retry_timeout` | 30.0 | seconds after which a client is sent to a replica that would not do |
| `is_debug` | false | prints each state and each choice |

`proxy.globals.lag` has the states, by the address of the backend. `PROXY ...` commands: see `pyproxy.auto_config`.

**What it cannot do.** It is for clients that only read: a write goes to the replica, which has to refuse it
(`read_only`). A client's user needs the right to see the state (REPLICATION CLIENT, or REPLICA MONITOR in MariaDB); else its
replicas count as unfit. The state tells of what the replica has received: it does not notice that the primary has more
to send. Of several replication channels the default one counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from pyproxy import (
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_CHANGE_USER,
    COM_QUIT,
    COM_STMT_CLOSE,
    COM_STMT_SEND_LONG_DATA,
    COM_TABLE_DUMP,
    Error,
    auto_config,
    commands,
)
from pyproxy._common.queries import query_packet
from pyproxy._pooling.replica_lag import Lag, lag_of, status_query
from pyproxy._pooling.routing import route
from pyproxy._stack.traits import CHOOSES_BACKENDS, declare
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Backend, Decision, Injection, Proxy

settings = section(
    "ro_balance",
    max_seconds_lag=10,
    max_bytes_lag=10240,
    check_timeout=2.0,
    retry_timeout=30.0,
    is_debug=False,
)

_COMMAND, _STATUS = 1, 2
# Commands with no answer, or one that a queue cannot wait for.
_AS_THEY_ARE = (
    COM_QUIT,
    COM_STMT_CLOSE,
    COM_STMT_SEND_LONG_DATA,
    COM_CHANGE_USER,
    COM_BINLOG_DUMP,
    COM_BINLOG_DUMP_GTID,
    COM_TABLE_DUMP,
)


class _Retry(NamedTuple):
    """A client that finds out whether an unfit replica will do now."""

    lag: Lag
    checked: float
    begun: float


def init(proxy: Proxy) -> None:
    """Nothing is known of any replica."""
    declare(CHOOSES_BACKENDS)
    proxy.globals.lag = {}


def connect_server(proxy: Proxy) -> None:
    """Chooses the backend."""
    backend = _choose(proxy)
    if backend is not None:
        _trace("client to", backend.dst)
        proxy.connection.backend_ndx = backend.ndx


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Asks for the state of the client's replica, if it is time, and queues the command behind that."""
    command = commands.parse(packet)
    decision = auto_config.handle(proxy, command)
    if decision is not None:
        return decision
    backend, server = proxy.connection.backend, proxy.connection.server
    if backend is None or server is None or backend.type != proxy.BACKEND_TYPE_RO:
        return None
    # Any other statement in between would change what SHOW WARNINGS and the like tell.
    if command.type in _AS_THEY_ARE or route(command).asks_about_last:
        return None
    lag = _lags(proxy).get(str(backend.dst))
    if (
        lag is not None
        and _is_fit(lag)
        and time.monotonic() - lag.check_ts < settings.check_timeout
    ):
        return None
    proxy.queries.append(_STATUS, query_packet(status_query(server.mysqld_version or 0)), True)
    proxy.queries.append(_COMMAND, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Keeps the state, and turns the client away if it should be elsewhere."""
    backend = proxy.connection.backend
    if inj.id != _STATUS or backend is None:
        return None
    lag = _read_status(inj)
    _lags(proxy)[str(backend.dst)] = lag
    _trace(backend.dst, lag)
    if _is_fit(lag) or inj.resultset.flags.in_trans:
        return proxy.PROXY_IGNORE_RESULT
    proxy.queries.reset()
    proxy.connection.connection_close = True
    return Error(f"ro_balance: replica {backend.dst}: {_reason(lag)}", 1105, "08S01")


def disconnect_client(proxy: Proxy) -> None:
    """Leaves it to the next client to find out about a replica, if this one was to and has not: its login was refused, say."""
    retry: _Retry | None = getattr(proxy.connection, "ro_balance_retry", None)
    if retry is not None and retry.lag.check_ts == retry.begun:
        retry.lag.check_ts = retry.checked


def _choose(proxy: Proxy) -> Backend | None:
    lags, now = _lags(proxy), time.monotonic()
    fit: list[tuple[tuple[float, float], int, Backend]] = []
    unfit: list[tuple[Lag, Backend]] = []
    primaries: list[Backend] = []
    for backend in proxy.globals.backends:
        if backend.state == proxy.BACKEND_STATE_DOWN:
            continue
        if backend.type == proxy.BACKEND_TYPE_RW:
            primaries.append(backend)
            continue
        lag = lags.get(str(backend.dst))
        if lag is None:
            return backend
        if _is_fit(lag):
            fit.append((lag.order, backend.connected_clients, backend))
        else:
            unfit.append((lag, backend))
    for lag, backend in unfit:
        if now - lag.check_ts >= settings.retry_timeout:
            # This client finds out. The next ones need not.
            proxy.connection.ro_balance_retry = _Retry(lag, lag.check_ts, now)
            lag.check_ts = now
            return backend
    if fit:
        return min(fit, key=lambda item: item[:2])[2]
    return min(primaries, key=lambda backend: backend.connected_clients, default=None)


def _lags(proxy: Proxy) -> dict[str, Lag]:
    lags: dict[str, Lag] = proxy.globals.lag
    return lags


def _is_fit(lag: Lag) -> bool:
    return lag.is_within(settings.max_seconds_lag, settings.max_bytes_lag)


def _read_status(inj: Injection) -> Lag:
    result, now = inj.resultset, time.monotonic()
    if result.error is not None or result.fields is None:
        return Lag("error", now)
    names = [field.name for field in result.fields]
    for row in result.rows or ():
        return lag_of(
            {name: None if cell is None else str(cell) for name, cell in zip(names, row)}, now
        )
    return lag_of(None, now)


def _reason(lag: Lag) -> str:
    if lag.state != "running":
        return f"replication is in state {lag.state}"
    return f"{lag.seconds_lag} seconds and {lag.slave_bytes_lag} bytes behind"


def _trace(*words: object) -> None:
    if settings.is_debug:
        print("[ro_balance]", *words)
