"""What all connections share: `proxy.globals`, its backends and their pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from . import text
from .access import in_hook
from .sequence import get
from .state import DOWN, READ_ONLY, READ_WRITE, UNKNOWN, UP, BackendState, Shared
from .values import Address, address_of

__all__ = ["Backend", "Backends", "Config", "Globals", "Pool", "Queue", "Users"]

_STATE_NAMES = {UNKNOWN: "Unknown", UP: "Up", DOWN: "Down"}


class Config:
    """The effective options as attributes, and whatever a script adds."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...
        def __setattr__(self, name: str, value: Any, /) -> None: ...

    def __repr__(self) -> str:
        return f"<pyproxy.Config {vars(self)!r}>"


class Globals:
    """What all connections share: the backends, the configuration, and whatever a script sets."""

    __slots__ = ("__dict__", "__weakref__", "_backends", "_config")

    def __init__(self, shared: Shared, config: Config) -> None:
        self._backends = Backends(shared)
        self._config = config

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...
        def __setattr__(self, name: str, value: Any, /) -> None: ...

    @property
    def backends(self) -> Backends:
        """The backends."""
        return self._backends

    @property
    def config(self) -> Config:
        """The effective options."""
        return self._config

    def __repr__(self) -> str:
        return "<pyproxy.Globals>"


class Backends:
    """The backends: a sequence, read-write ones first, each kind in the order of the options."""

    __slots__ = ("_shared",)

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def __len__(self) -> int:
        in_hook(self._shared.unguarded)
        return len(self._shared.backends)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Backend: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[Backend]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> Backend | list[Backend]:
        return get(index, len(self), lambda ndx: Backend(self._shared, ndx))

    def __iter__(self) -> Iterator[Backend]:
        return iter([Backend(self._shared, ndx) for ndx in range(len(self))])

    def add(self, address: str, type: int = READ_WRITE) -> Backend:
        """Adds a backend and gives it. A host name is looked up, which blocks the proxy meanwhile."""
        if type not in (READ_WRITE, READ_ONLY):
            raise ValueError("type must be proxy.BACKEND_TYPE_RW or _RO")
        in_hook(self._shared.unguarded)
        if self._shared.add(address_of(address), type) is None:
            raise ValueError(f"{text.quoted(address)} is a backend already")
        return Backend(self._shared, len(self._shared.backends) - 1)

    def __repr__(self) -> str:
        try:
            return f"<pyproxy.Backends, {len(self)} of them>"
        except ReferenceError:
            return "<pyproxy.Backends>"


class _OfBackend:
    """An object that is known by its backend's index: equal ones are the same thing."""

    __slots__ = ("_ndx", "_shared")

    def __init__(self, shared: Shared, ndx: int) -> None:
        self._shared = shared
        self._ndx = ndx

    def _state(self) -> BackendState:
        in_hook(self._shared.unguarded)
        if self._ndx >= len(self._shared.backends):
            raise ReferenceError("the backend is gone")
        return self._shared.backends[self._ndx]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._ndx == getattr(other, "_ndx", None)

    def __hash__(self) -> int:
        return self._ndx


class Backend(_OfBackend):
    """A MySQL server that the proxy can connect to."""

    __slots__ = ()

    @property
    def dst(self) -> Address | None:
        """The configured address."""
        return self._state().address

    @property
    def state(self) -> int:
        """`BACKEND_STATE_UNKNOWN`, `_UP` or `_DOWN`."""
        return self._state().state

    @state.setter
    def state(self, value: int) -> None:
        if value not in _STATE_NAMES:
            raise ValueError("state must be one of proxy.BACKEND_STATE_*")
        self._state().set_state(int(value))

    @property
    def type(self) -> int:
        """`BACKEND_TYPE_RW` or `_RO`."""
        return self._state().type

    @property
    def connected_clients(self) -> int:
        """Client connections that use this backend now. Idle pooled connections are not counted."""
        return self._state().connected_clients

    @property
    def uuid(self) -> str | None:
        """A text for scripts; None if empty."""
        return text.to_str(self._state().uuid) or None

    @uuid.setter
    def uuid(self, value: str | bytes | None) -> None:
        data = b"" if value is None else text.to_bytes(value, "uuid")
        self._state().uuid = data

    @property
    def pool(self) -> Pool:
        """The idle server connections."""
        return Pool(self._shared, self._ndx)

    @property
    def ndx(self) -> int:
        """Index in `proxy.globals.backends`."""
        return self._ndx

    def __repr__(self) -> str:
        try:
            backend = self._state()
        except ReferenceError:
            return f"<pyproxy.Backend {self._ndx}>"
        return f"<pyproxy.Backend {self._ndx} {backend.address} {_STATE_NAMES[backend.state]}>"


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{type(value).__name__!r} object cannot be interpreted as an integer")
    if not 0 <= value < 1 << 32:
        raise OverflowError("out of range integral type conversion attempted")
    return int(value)


class Pool(_OfBackend):
    """The idle server connections of a backend."""

    __slots__ = ()

    @property
    def users(self) -> Users:
        """The queues of idle connections, by user name."""
        return Users(self._shared, self._ndx)

    @property
    def min_idle_connections(self) -> int:
        """For scripts: how many idle connections to keep at least."""
        return self._state().min_idle_connections

    @min_idle_connections.setter
    def min_idle_connections(self, value: int) -> None:
        self._state().min_idle_connections = _count(value)

    @property
    def max_idle_connections(self) -> int:
        """For scripts: how many idle connections to keep at most."""
        return self._state().max_idle_connections

    @max_idle_connections.setter
    def max_idle_connections(self, value: int) -> None:
        self._state().max_idle_connections = _count(value)

    def __repr__(self) -> str:
        try:
            return f"<pyproxy.Pool of backend {self._ndx}, {len(self._state().idle())} idle>"
        except ReferenceError:
            return f"<pyproxy.Pool of backend {self._ndx}>"


class Users(_OfBackend):
    """A mapping from user name to the queue of that user's idle connections.

    `users[""]` means any user. A user without idle connections has an empty queue, and is not `in` the mapping.
    """

    __slots__ = ()
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def _names(self) -> list[bytes]:
        return self._state().users()

    def __getitem__(self, name: str | bytes, /) -> Queue:
        return Queue(self._shared, self._ndx, text.to_bytes(name, "a user name"))

    def __contains__(self, name: object, /) -> bool:
        return len(Queue(self._shared, self._ndx, text.to_bytes(name, "a user name"))) > 0

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The user names, sorted."""
        return [text.to_str(name) for name in self._names()]

    def values(self) -> list[Queue]:
        """The queues, in the order of the names."""
        return [Queue(self._shared, self._ndx, name) for name in self._names()]

    def items(self) -> list[tuple[str, Queue]]:
        """Pairs of name and queue."""
        return list(zip(self.keys(), self.values()))

    def __repr__(self) -> str:
        try:
            names = ", ".join(text.quoted(name) for name in self.keys())
        except ReferenceError:
            names = ""
        return f"<pyproxy.Users [{names}]>"


class Queue(_OfBackend):
    """The idle connections of one user, or of all."""

    __slots__ = ("_user",)

    def __init__(self, shared: Shared, ndx: int, user: bytes) -> None:
        super().__init__(shared, ndx)
        self._user = user

    @property
    def cur_idle_connections(self) -> int:
        """Number of idle connections that are logged in and alive."""
        return len(self._state().idle_of(self._user or None))

    def __len__(self) -> int:
        return self.cur_idle_connections

    def __repr__(self) -> str:
        user = text.quoted(self._user.decode("utf-8", "replace"))
        try:
            return f"<pyproxy.Queue of {user}, {len(self)} idle>"
        except ReferenceError:
            return f"<pyproxy.Queue of {user}>"

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self._user == getattr(other, "_user", None)

    def __hash__(self) -> int:
        return hash((self._ndx, self._user))
