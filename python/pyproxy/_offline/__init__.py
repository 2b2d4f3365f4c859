"""The objects that scripts see, in plain Python, for use outside the proxy.

Same names, same behaviour, same errors as the plugin's. `pyproxy` takes them from here when the plugin's are not
there; `pyproxy.testing` makes them and runs hook functions with them.
"""

from __future__ import annotations

from .connection import Connection, Socket
from .constants import CONSTANTS
from .process import Backend, Backends, Config, Globals, Pool, Queue, Users
from .proxy import Proxy, Queries, Response
from .result import Injection, Resultset, RowIterator, Rows
from .values import Address, Auth, Field, Flags

_CLASSES = [
    Address,
    Auth,
    Backend,
    Backends,
    Config,
    Connection,
    Field,
    Flags,
    Globals,
    Injection,
    Pool,
    Proxy,
    Queries,
    Queue,
    Response,
    Resultset,
    RowIterator,
    Rows,
    Socket,
    Users,
]
for _class in _CLASSES:
    # They are known by the name that scripts import them by.
    _class.__module__ = "pyproxy"

globals().update(CONSTANTS)
__all__ = [*(_class.__name__ for _class in _CLASSES), *CONSTANTS]  # noqa: PLE0604 - all are str
