"""`proxy`: the first argument of every hook, with its queue and its response."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Union

from .access import Slot, alive, change
from .connection import Connection
from .constants import CONSTANTS
from .process import Globals
from .state import QueuedQuery, SessionState
from .text import to_bytes

__all__ = ["Proxy", "Queries", "Response"]

_Needed = Union[bool, int, Mapping[str, Union[bool, int, None]], None]


class Queries:
    """The packets that run instead of the client's command, if `read_query` returns `PROXY_SEND_QUERY`.

    Iterating gives tuples `(id, packet, resultset_is_needed)`.
    """

    __slots__ = ("_slot",)

    def __init__(self, slot: Slot[SessionState]) -> None:
        self._slot = slot

    def append(self, id: int, packet: str | bytes, resultset_is_needed: _Needed = None) -> None:
        """Queues a packet behind the others.

        `id` comes back as `inj.id`. `packet` starts with the command byte. With `resultset_is_needed` (a bool,
        or a mapping with that key) the whole result is kept for `read_query_result`, which can then read,
        replace or drop it.
        """
        query = _query(id, packet, resultset_is_needed)
        change(self._slot).queries.append(query)

    def prepend(self, id: int, packet: str | bytes, resultset_is_needed: _Needed = None) -> None:
        """Queues a packet in front of the others; the arguments are those of `append`."""
        query = _query(id, packet, resultset_is_needed)
        change(self._slot).queries.appendleft(query)

    def reset(self) -> None:
        """Empties the queue."""
        change(self._slot).queries.clear()

    def len(self) -> int:
        """Number of packets in the queue; the same as `len(queries)`."""
        return len(self)

    def __len__(self) -> int:
        return len(alive(self._slot).queries)

    def __iter__(self) -> Iterator[tuple[int, bytes, bool]]:
        queries = alive(self._slot).queries
        return iter([(query.id, query.packet, query.resultset_is_needed) for query in queries])

    def __repr__(self) -> str:
        try:
            return f"<pyproxy.Queries, {len(self)} queued>"
        except ReferenceError:
            return "<pyproxy.Queries (gone)>"


def _query(id: int, packet: str | bytes, needed: _Needed) -> QueuedQuery:
    number = operator.index(id)
    data = to_bytes(packet, "packet")
    is_needed = _is_needed(needed)
    if not data:
        raise ValueError("the packet is empty: it must start with a command byte")
    return QueuedQuery(number, data, is_needed)


def _is_needed(argument: _Needed) -> bool:
    """The third argument: a truth value, or a mapping that may have it under its own name."""
    value: object = argument
    if isinstance(argument, Mapping):
        value = argument.get("resultset_is_needed")
    if value is not None and not isinstance(value, int):
        raise TypeError(
            "resultset_is_needed must be a bool or a mapping with that key, not "
            f"{type(value).__name__}"
        )
    return bool(value)


class Response:
    """The answer that is sent when a hook returns `PROXY_SEND_RESULT`.

    Set its attributes, or assign a mapping to `proxy.response`. `type` is one of `MYSQLD_PACKET_OK` (with
    `resultset`, or with `affected_rows`, `insert_id`, `warnings`, `server_status`), `MYSQLD_PACKET_ERR` (with
    `errmsg`, `errcode`, `sqlstate`) and `MYSQLD_PACKET_RAW` (with `packets`). What is not set is None. Emptied
    before each `read_query`.
    """

    __slots__ = ("__members", "__slot")

    _KNOWN = (
        "type",
        "resultset",
        "affected_rows",
        "insert_id",
        "warnings",
        "server_status",
        "errmsg",
        "errcode",
        "sqlstate",
        "packets",
    )

    def __init__(self, slot: Slot[SessionState]) -> None:
        object.__setattr__(self, "_Response__slot", slot)
        object.__setattr__(self, "_Response__members", {})

    def __getattr__(self, name: str, /) -> Any:
        if not name.startswith("__"):
            alive(self.__slot)
        if name in self.__members:
            return self.__members[name]
        if name in self._KNOWN:
            return None
        raise AttributeError(f'proxy.response has no "{name}"')

    def __setattr__(self, name: str, value: Any, /) -> None:
        change(self.__slot)
        self.__members[name] = value

    def __delattr__(self, name: str, /) -> None:
        change(self.__slot)
        if name not in self.__members:
            raise AttributeError(name)
        del self.__members[name]

    def __dir__(self) -> list[str]:
        return list(dict.fromkeys([*self._KNOWN, *self.__members]))

    def __repr__(self) -> str:
        return f"<pyproxy.Response {self.__members!r}>"


def members_of(response: Response) -> dict[str, Any]:
    """What is set in a response: the dictionary itself."""
    members: dict[str, Any] = object.__getattribute__(response, "_Response__members")
    return members


def _assign(response: Response, value: Any) -> None:
    change(object.__getattribute__(response, "_Response__slot"))
    if isinstance(value, Response):
        copy = dict(members_of(value))
    elif isinstance(value, Mapping):
        copy = dict(value)
    elif value is None:
        copy = {}
    else:
        raise TypeError("proxy.response takes a mapping")
    if not all(isinstance(key, str) for key in copy):
        raise TypeError("the keys of proxy.response must be str")
    members = members_of(response)
    members.clear()
    members.update(copy)


class Proxy:
    """What a hook works with. One object per connection, the same in all its hooks.

    The `proxy` that `init` and `shutdown` get, and the builtin of that name, belong to no connection: they have
    the constants and `globals` only, the rest is None.
    """

    __slots__ = ("__connection", "__dict__", "__globals", "__queries", "__response", "__weakref__")

    def __init__(self, globals: Globals, slot: Slot[SessionState] | None = None) -> None:
        self.__globals = globals
        self.__connection = Connection(slot) if slot is not None else None
        self.__queries = Queries(slot) if slot is not None else None
        self.__response = Response(slot) if slot is not None else None

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...
        def __setattr__(self, name: str, value: Any, /) -> None: ...

    @property
    def connection(self) -> Connection | None:
        """The client connection, with its two sides."""
        return self.__connection

    @property
    def globals(self) -> Globals:
        """What all connections share."""
        return self.__globals

    @property
    def queries(self) -> Queries | None:
        """The packets to run instead of the client's command."""
        return self.__queries

    @property
    def response(self) -> Any:
        """The answer to send for `PROXY_SEND_RESULT`. Assign a mapping, or set its attributes."""
        return self.__response

    @response.setter
    def response(self, value: Any) -> None:
        if self.__response is None:
            raise ReferenceError("this proxy belongs to no connection")
        _assign(self.__response, value)

    def __repr__(self) -> str:
        if self.__connection is None:
            return "<pyproxy.Proxy>"
        return f"<pyproxy.Proxy {self.__connection!r}>"


for _name, _value in CONSTANTS.items():
    setattr(Proxy, _name, _value)


def clear(proxy: Proxy) -> None:
    """Lets go of everything that a script attached, at the end of the connection."""
    vars(proxy).clear()
    if proxy.connection is not None:
        object.__getattribute__(proxy.connection, "__dict__").clear()
        members_of(proxy.response).clear()
