"""Read/write splitting whose clients see what they wrote, however far replicas are behind.

    pyproxy-python-script = .../pyproxy/hooks/read_your_writes.py
    pyproxy-backend-addresses = primary:3306
    pyproxy-readonly-backend-address = replica:3306

It is `rw_splitting`, which see, but for this: a read goes to a replica only when that has what the client has written. The primary
reports the GTID of each transaction; before the client's next read, a replica is asked to wait for it (MASTER_GTID_WAIT, or
WAIT_FOR_EXECUTED_GTID_SET in MySQL), once for each replica and write. If it takes longer than `catch_up_seconds`, the primary answers,
and for as long nobody else waits for that replica: reads that need what it lacks go to others, or the primary.

Where servers have no GTIDs (without a binary log, or `gtid_mode = OFF` in MySQL), and behind a write that failed, the clock decides: for
`seconds` the client's reads go to the primary.

Settings, section `read_your_writes`:

| name | default | meaning |
|---|---|---|
| `catch_up_seconds` | 1.0 | how long a read waits for a replica that lacks what the client wrote |
| `seconds` | 2.0 | how long reads stay on the primary behind a write whose GTID is not known |
| `per_user` | false | a write counts for all connections of the same user name, not for the one only |
| `min_idle_connections` | 4 | new clients open connections until each pool has so many of each kind |
| `max_idle_connections` | 8 | when a client leaves, its connection is closed if the pool has so many of its kind |
| `wait_seconds` | 2.0 | how long a command waits for a connection; 0: not at all |
| `is_debug` | false | prints the backend of each command |

What it cannot do: it knows nothing of writes that other programs made; with `per_user` off, a client that connects anew is as one that
never wrote. It needs a server that reports GTIDs to clients: MariaDB 10.2 (`last_gtid`), MySQL 5.7.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pyproxy._splitting.causal import Causal, Writes
from pyproxy._splitting.splitter import POOL_SETTINGS, Splitter
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyproxy import Auth, Decision, Injection, Proxy

settings = section(
    "read_your_writes", catch_up_seconds=1.0, seconds=2.0, per_user=False, **POOL_SETTINGS
)

_writes_of_users: dict[str, Writes] = {}


def _writes(proxy: Proxy) -> Writes:
    if settings.per_user:
        return _writes_of_users.setdefault(proxy.connection.client.username or "", Writes())
    try:
        return cast(Writes, proxy.connection.read_your_writes_writes)
    except AttributeError:
        proxy.connection.read_your_writes_writes = writes = Writes()
        return writes


_splitter = Splitter("read_your_writes", settings, freshness=Causal(settings, _writes))


def init(proxy: Proxy) -> None:
    """Says what it decides, to scripts that are stacked with it."""
    _splitter.init(proxy)


def connect_server(proxy: Proxy) -> int | None:
    """Chooses a backend whose pool is to be filled, or takes a pooled connection."""
    return _splitter.connect_server(proxy)


def read_auth(proxy: Proxy) -> None:
    """Takes the login to a backend that has too few connections for such a client."""
    _splitter.read_auth(proxy)


def read_auth_result(proxy: Proxy, auth: Auth) -> None:
    """Puts the new connection into the pool."""
    _splitter.read_auth_result(proxy, auth)


def read_query(proxy: Proxy, packet: bytes) -> Decision | Coroutine[Any, Any, Decision]:
    """Chooses a connection for the command and makes it the client's."""
    return _splitter.read_query(proxy, packet)


def read_query_result(proxy: Proxy, inj: Injection) -> Decision | Coroutine[Any, Any, Decision]:
    """Learns from the result, and gives the connection back if nothing ties the client to it."""
    return _splitter.read_query_result(proxy, inj)


def disconnect_client(proxy: Proxy) -> None:
    """Leaves the connection to others, if they may have it."""
    _splitter.disconnect_client(proxy)
