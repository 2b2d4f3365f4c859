"""A session: one client of a proxy with a script, and fake servers behind it."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _native, chassis
from .client import CAPABILITIES, Client
from .clock import Clock
from .connection import Connection
from .pending import Pending
from .process import LogEntry, Options, Process
from .script import ScriptSource
from .server import FakeServer
from .server_command import ServerCommand

if TYPE_CHECKING:
    import pyproxy

__all__ = ["Session"]


class Session(Client):
    """One client of a proxy that runs `script`.

    `script` is a path, source text, the dotted name of a module, or a module or mapping with hook functions; None for
    no script. `server` is the only backend; `backends` (read-write) and `read_only` are lists of several. Without any
    there is one `FakeServer`, `session.server`.

    `config` are attributes of `proxy.globals.config`: settings of the script, `{"rwsplit": {"min_idle": 2}}`.
    `script_config` is the path or the text of an ini file, as for the option `pyproxy-script-config`.
    `on_script_error` ("reject" or "forward"), `profiling`, `pool_change_user`, `max_kept_bytes`, `hook_timeout` (0: none) and
    `query_stats` are the plugin's options.

    Hooks that wait run in the thread of an event loop, with the time of the world. With `clock="fake"` no test has to wait for
    `asyncio.sleep`, for a time-out or for `hook_timeout`: see `clock`. A hook that has not ended after `patience` seconds of the
    world is an error.

    What a hook raises is raised by the call that led to it, once the client has its answer. With `raise_errors=False` it
    is in the log only, as in the proxy.

    Usable as a context manager: at the end the client disconnects and `shutdown(proxy)` is called. What loading the
    script raises is raised here.
    """

    def __init__(
        self,
        script: ScriptSource = None,
        *,
        server: FakeServer | None = None,
        backends: Sequence[FakeServer] | None = None,
        read_only: Sequence[FakeServer] = (),
        user: str = "u",
        password: str = "p",
        database: str = "",
        capabilities: int = CAPABILITIES,
        config: Mapping[str, Any] | None = None,
        script_config: str | os.PathLike[str] | None = None,
        on_script_error: str = "reject",
        profiling: bool = True,
        pool_change_user: bool = True,
        max_kept_bytes: int = 256 << 20,
        hook_timeout: float = 30.0,
        query_stats: int = 0,
        clock: str = "real",
        patience: float = 10.0,
        raise_errors: bool = True,
    ) -> None:
        if backends is None:
            backends = [server if server is not None else FakeServer()]
        elif server is not None:
            raise TypeError("give either server or backends")
        options = Options(
            *(on_script_error, profiling, pool_change_user, max_kept_bytes, hook_timeout),
            *(query_stats, clock),
        )
        with _as_file(script_config) as path:
            self._process = Process(
                *(script, list(backends), list(read_only), options),
                *(config or {}, path, raise_errors, patience),
            )
        self._owns_process = True
        self._start(user, password, database, capabilities)

    def _start(self, user: str, password: str, database: str, capabilities: int) -> None:
        super().__init__(user, password, database, capabilities)
        self._connection: Connection | None = None
        self._others: list[Session] = []

    def _open(self) -> Connection:
        self._connection = Connection(self._process)
        return self._connection

    def new_client(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        database: str | None = None,
        capabilities: int | None = None,
    ) -> Session:
        """Another client of the same proxy, by default like this one. It ends with this session at the latest."""
        other = Session.__new__(Session)
        other._process = self._process
        other._owns_process = False
        other._start(
            self._user if user is None else user,
            self._password if password is None else password,
            self._database if database is None else database,
            self._capabilities if capabilities is None else capabilities,
        )
        self._others.append(other)
        return other

    def begin_query(self, sql: str | bytes, attributes: Mapping[str, Any] | None = None) -> Pending:
        """Sends a query like `query`, and does not wait for the answer: goes on until a hook waits for something that does not
        happen by itself.
        """
        return self.begin_command(self._query(sql, attributes))

    def begin_command(self, packet: bytes) -> Pending:
        """Sends a command like `command`, and does not wait for the answer."""
        self._connected()
        connection = self._connection
        assert connection is not None
        self._cursors.sent(packet)
        read = functools.partial(self._read, packet)
        pending = Pending(connection, connection.begin(packet), read)
        self._process.pending.append(pending)
        return pending

    # --- what can be looked at

    @property
    def clock(self) -> Clock:
        """The clock of hooks that wait; `clock.advance(seconds)` moves a fake one."""
        return self._process.clock

    @property
    def log(self) -> list[LogEntry]:
        """The lines of the proxy's log so far, of all its clients."""
        return self._process.log

    @property
    def stats(self) -> dict[str, int]:
        """The counters of the proxy, as `chassis.get_stats()` gives them to the script."""
        with self._process.running():
            return chassis.get_stats()

    @property
    def server(self) -> FakeServer:
        """The first backend."""
        return self._process.servers[0]

    @property
    def servers(self) -> list[FakeServer]:
        """The backends, in the order of `proxy.globals.backends`."""
        return self._process.servers

    @property
    def server_queries(self) -> list[ServerCommand]:
        """The commands that the servers got from the proxy's clients, in order."""
        return self._process.server_commands

    @property
    def script(self) -> Any:
        """The script's module: its globals are attributes."""
        return self._process.script.namespace

    @property
    def globals(self) -> pyproxy.Globals:
        """`proxy.globals`. Its backends can be looked at in `inspect` only."""
        return self._process.native.globals

    @property
    def shutdown_requested(self) -> bool:
        """Whether the script called `chassis.set_shutdown()`."""
        return self._process.native.shutdown_requested

    @contextlib.contextmanager
    def inspect(self) -> Iterator[pyproxy.Proxy]:
        """The `proxy` of this client, to be looked at inside the `with` block as if in a hook.

        Without a client there is `proxy.globals` only.
        """
        connection = self._connection
        is_there = connection is not None and not self.closed
        with self._process.running(), _native.Permission():
            proxy = connection.proxy if connection and is_there else None
            yield self._process.native.proxy if proxy is None else proxy

    # --- the end

    def close(self) -> None:
        """The client disconnects; with the session that made the proxy, the proxy ends.

        All of it happens, whatever the script raises; the first exception is raised behind it. If the test was told of one
        before, those of the last hooks are in the log only.
        """
        steps = [other.close for other in self._others]
        if self._connection is not None:
            steps.append(self._connection.hush)
        steps.append(self.quit)
        if self._owns_process:
            self._owns_process = False
            steps.append(self._process.stop)
        failures = []
        for step in steps:
            try:
                step()
            except BaseException as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def _as_file(config: str | os.PathLike[str] | None) -> Iterator[str | None]:
    """The path of an ini file that is given by its path or its text."""
    if config is None or isinstance(config, os.PathLike) or "\n" not in config:
        yield None if config is None else os.fspath(config)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "script.cnf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        yield path
