"""Read/write splitting with pooling: reads go to the read-only backends, everything else to a read-write one.

    pyproxy-python-script = .../pyproxy/hooks/rw_splitting.py
    pyproxy-backend-addresses = primary:3306
    pyproxy-readonly-backend-address = replica1:3306,replica2:3306

**What is a read.** A single SELECT (or WITH ... SELECT) outside a transaction, with autocommit on, that locks nothing,
writes no file, names no variable but `@@global` ones that nobody has set, and calls built-in functions only: a stored function may write.
It goes to the read-only backend with the fewest clients that has an idle connection, else to the primary.

**What a replica gets.** Transactions on replicas are read only. What writes all the same, by a view for example, fails there and runs on the
primary once more.

**What goes along.** A client's next command may run on another connection, which is made the client's own before: it gets the values of
the client's settings, the last insert id, the default database, and the character set of the login. Where somebody has SET GLOBAL since, it also gets
what its session began with, as far as its user may set it. `globals.track_sessions` is on for
that.

**Prepared statements.** A client's prepared statements have numbers of its own, and are prepared where they are executed: a SELECT on a replica, in a
transaction on the primary. Those that may leave something, and those of a client without a default database, keep it on its connection until they are closed.

**What stays together.** A client stays on its connection in a transaction, with autocommit off, and from the first statement on that leaves
something there which another connection cannot be told: an open cursor, a temporary table, a lock (GET_LOCK, LOCK TABLES until UNLOCK TABLES, HANDLER, XA), a user variable, a value
of a sequence, what CALL, EXECUTE and stored functions may have left, a setting that is of the moment, and whatever the server
reports that the statement does not explain. A role (`SET ROLE`) stays on its connection whatever resets it: the client keeps the
connection, and nobody gets it afterwards. So it is with what may have set a role unseen: CALL, EXECUTE, anonymous blocks, stored
functions.

**Questions about the statement before**: ROW_COUNT(), FOUND_ROWS(), SHOW WARNINGS and their like are answered from memory, for which the connection
was asked before it was given back. What asks for more in one statement, or prepares such a one, is refused with error 1105.

**Pooling.** A client that connects is sent to the backend with the fewest idle connections, read-write ones first, if that has fewer than
`min_idle_connections`. Between its commands a client has none, so others can use it. A client gets connections of its own kind only: of its user,
with the capabilities of its login. So each kind has connections of its own in each pool: a login goes to another backend than the one that greeted
the client if that has too few of its kind. A command for which there is none waits until another client gives one back, who came first before
others. So a backend with `pyproxy-backend-max-connections = 8` serves hundreds of clients that are idle most of the time.

Settings, section `rwsplit`:

| name | default | meaning |
|---|---|---|
| `min_idle_connections` | 4 | new clients open connections until each pool has so many of each kind |
| `max_idle_connections` | 8 | when a client leaves, its connection is closed if the pool has so many of its kind |
| `wait_seconds` | 2.0 | how long a command waits for a connection; 0: not at all. Needs `pyproxy-event-loop = own` |
| `is_debug` | false | prints the backend of each command |

`PROXY ...` commands: see `pyproxy.auto_config`. `SHOW PROXY SPLIT` tells a client where its session is, why it stays there, and what was counted.

**What it cannot do.** Users and their passwords must be the same on all backends, as a client's login may fill the pool of
any. A read may see older data than the client has written: see `read_your_writes` and `ro_balance`. Connections are
opened by clients that connect and by nothing else: a client whose command waited in vain gets error 1040 and is
disconnected, and connects anew. Needs servers that know COM_RESET_CONNECTION (MySQL 5.7.3, MariaDB 10.2). Where a server does not report
changes of its sessions, most statements that are not plain ones tie. The connection's number that
a client learns at its login is soon another client's: it must not be used for KILL, as the mysql client does on Ctrl-C.
A role that a trigger sets is not noticed, and the next client may have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyproxy._splitting.splitter import POOL_SETTINGS, Splitter
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pyproxy import Auth, Decision, Injection, Proxy

settings = section("rwsplit", **POOL_SETTINGS)
_splitter = Splitter("rw_splitting", settings)


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
