"""Read/write splitting over replicas that are up to date.

    pyproxy-python-script = .../pyproxy/hooks/ro_balance.py
    pyproxy-backend-addresses = primary:3306
    pyproxy-readonly-backend-address = replica1:3306,replica2:3306

It is `rw_splitting`, which see, but for this: a read goes to a replica only when that is not too far behind. In front of a read a replica is
asked for its state (SHOW REPLICA STATUS, or SHOW SLAVE STATUS), if that was longer ago than `check_timeout`. If it is too far behind, or
does not replicate, the read goes to another replica, or to the primary if none will do, and for `retry_timeout` nobody asks it again.

Settings, section `ro_balance`:

| name | default | meaning |
|---|---|---|
| `max_seconds_lag` | 10 | a replica may be so many seconds behind |
| `max_bytes_lag` | 10240 | and have so many bytes of the primary's log read and not applied |
| `check_timeout` | 2.0 | seconds for which an answer about the state holds |
| `retry_timeout` | 30.0 | seconds for which a replica that would not do is left alone |
| `min_idle_connections` | 4 | new clients open connections until each pool has so many of each kind |
| `max_idle_connections` | 8 | when a client leaves, its connection is closed if the pool has so many of its kind |
| `wait_seconds` | 2.0 | how long a command waits for a connection; 0: not at all |
| `is_debug` | false | prints each state, and the backend of each command |

`proxy.globals.lag` has the states, by the address of the backend.

**What it cannot do.** A client's user needs the right to see the state (REPLICATION CLIENT, or REPLICA MONITOR in MariaDB); else its
reads go to the primary, and the log says so. The state tells of what the replica has received: it does not notice that the primary has more
to send. Of several replication channels the default one counts. A client may not see what it has just written: see `read_your_writes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyproxy._splitting.splitter import POOL_SETTINGS, Splitter
from pyproxy._splitting.up_to_date import UpToDate
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyproxy import Auth, Decision, Injection, Proxy

settings = section(
    "ro_balance",
    max_seconds_lag=10,
    max_bytes_lag=10240,
    check_timeout=2.0,
    retry_timeout=30.0,
    **POOL_SETTINGS,
)

_splitter = Splitter("ro_balance", settings, freshness=UpToDate("ro_balance", settings))


def init(proxy: Proxy) -> None:
    """Nothing is known of any replica. Says what it decides, to scripts that are stacked with it."""
    proxy.globals.lag = {}
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
