"""The proxy as a process: its script, its servers, its log."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _native
from ..settings import check_sections, use_file
from . import event_loop
from .clock import Clock
from .script import Script, ScriptSource, describe
from .server import FakeServer, ServerConnection
from .server_command import ServerCommand
from .surroundings import Surroundings

if TYPE_CHECKING:
    from concurrent.futures import Future

    from .pending import Pending

__all__ = ["LogEntry", "Options", "Process"]

_FIRST_PORT = 3306


class LogEntry(NamedTuple):
    """A line of the proxy's log. The level is "critical", "warning", "message", "info" or "debug"."""

    level: str
    text: str


class Options(NamedTuple):
    """The plugin options that change what hooks meet."""

    on_script_error: str = "reject"
    profiling: bool = True
    pool_change_user: bool = True
    max_kept_bytes: int = 256 << 20
    hook_timeout: float = 30.0
    query_stats: int = 0
    clock: str = "real"


class Process:
    """A proxy with its script loaded. Ends with `stop`."""

    def __init__(
        self,
        script: ScriptSource,
        backends: list[FakeServer],
        read_only: list[FakeServer],
        options: Options,
        config: Mapping[str, Any],
        script_config: str | None,
        raise_errors: bool,
        patience: float,
    ) -> None:
        if options.on_script_error not in ("reject", "forward"):
            raise ValueError("on_script_error is 'reject' or 'forward'")
        if options.clock not in ("real", "fake"):
            raise ValueError("clock is 'real' or 'fake'")
        self.raise_errors = raise_errors
        self.patience = patience
        self.pending: list[Pending] = []
        self.clock = Clock(options.clock == "fake", patience, self._go_on)
        self.native = _native.Process(
            options.on_script_error == "reject",
            options.profiling,
            options.pool_change_user,
            options.max_kept_bytes,
            options.hook_timeout,
            options.query_stats,
        )
        self.script = Script(script)
        self._surroundings = Surroundings(self.native, self.script)
        self.server_commands: list[ServerCommand] = []
        self._servers = backends + read_only
        self._log: list[LogEntry] = []
        addresses = [f"127.0.0.1:{_FIRST_PORT + ndx}" for ndx in range(len(self._servers))]
        for ndx, address in enumerate(addresses):
            self.native.add_backend(address, ndx >= len(backends))
        self._configure(options, addresses[: len(backends)], addresses[len(backends) :])
        self.config.script_config = script_config
        for name, value in config.items():
            setattr(self.config, name, value)
        self._surroundings.begin()
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        event_loop.owners.append(self._tasks)
        try:
            self._load(script_config)
        except BaseException:
            self._end_tasks()
            self._forget()
            raise

    @property
    def config(self) -> Any:
        """`proxy.globals.config`."""
        return self.native.globals.config

    def _configure(
        self, options: Options, addresses: list[str], read_only_addresses: list[str]
    ) -> None:
        config = self.config
        config.address = ":4045"
        config.backend_addresses = tuple(addresses)
        config.read_only_backend_addresses = tuple(read_only_addresses)
        config.python_script = self.script.path
        config.profiling = options.profiling
        config.start_proxy = True
        config.pool_change_user = options.pool_change_user
        config.connect_timeout = 2.0
        config.read_timeout = config.write_timeout = 8 * 3600.0
        config.on_script_error = options.on_script_error
        config.max_kept_bytes = options.max_kept_bytes
        config.server_version = None
        config.reload = False
        config.venv = None
        config.event_loop = "own"
        config.drain_timeout = 5.0
        config.takeover, config.takeover_timeout = None, 3600.0
        config.check_interval = 0.0
        config.check_user = None
        config.hook_warn = 1.0
        config.hook_timeout = options.hook_timeout
        config.login_timeout = 10.0
        config.query_timeout = config.idle_timeout = None
        config.max_connections = config.max_connections_per_address = 0
        config.max_connections_per_user = 0
        config.backend_max_connections = 0
        config.proxy_protocol_from = ()
        config.backend_proxy_protocol = None
        config.tls = config.compression = "mirror"
        config.tls_cert = config.tls_key = config.tls_ca = None
        config.tls_client_certificates = "optional"
        config.tls_versions = config.tls_ciphers = config.tls_ciphersuites = None
        config.backend_tls = config.backend_tls_ca = None
        config.backend_tls_cert = config.backend_tls_key = None
        config.http_address = None
        config.http_shows_queries = config.slow_log_shows_queries = True
        config.query_stats = options.query_stats
        config.slow_query = 0.0
        config.slow_log = None

    def _load(self, script_config: str | None) -> None:
        with self.running():
            if script_config is not None:
                use_file(script_config)
            with _native.Permission():
                self.script.load()
                self._wait_for("init", self.native.load(self.script.namespace, describe))
                check_sections()

    def _wait_for(self, name: str, future: Future[object] | None) -> None:
        """Waits for `init` or `shutdown`, if that waits."""
        if future is None:
            return
        if not self.clock.wait(future):
            raise RuntimeError(f"{name} has not ended after {self.patience} s")
        future.result()

    def begin_to_wait(self, still: Callable[[], bool]) -> None:
        """A client waits for a hook that waits, as long as this is true."""
        self.clock.begin_to_wait(still)

    def end_to_wait(self, still: Callable[[], bool]) -> None:
        """Not any more."""
        self.clock.end_to_wait(still)

    def when_idle(self, callback: Callable[[float | None], object]) -> None:
        """Calls this when the hooks that wait can do nothing."""
        event_loop.running().when_idle(callback)

    def _go_on(self) -> None:
        """Lets the clients that wait get what they can."""
        self.pending = [pending for pending in self.pending if not pending.done]

    @property
    def servers(self) -> list[FakeServer]:
        """The servers, in the order of the backends. What a script added is down until the test says otherwise."""
        missing = self.native.backend_count - len(self._servers)
        self._servers.extend(FakeServer(down=True) for _ in range(missing))
        return self._servers

    def connect(self, ndx: int) -> ServerConnection | None:
        """A new connection to a backend; None if it is down."""
        server = self.servers[ndx]
        return None if server.down else server.accept(ndx, self.server_commands)

    def enter(self) -> None:
        """A hook runs from now on."""
        self._surroundings.enter()

    def leave(self) -> None:
        """It has returned."""
        self._surroundings.leave()

    @property
    def log(self) -> list[LogEntry]:
        """The lines of the log so far."""
        self._log.extend(LogEntry(*entry) for entry in self.native.take_log())
        return self._log

    def stop(self) -> None:
        """Calls `shutdown(proxy)` of the script and forgets the script."""
        try:
            with self.running():
                try:
                    self._wait_for("shutdown", self.native.shutdown())
                finally:
                    self._end_tasks()
        except BaseException as error:
            self.native.write_log("critical", f"shutdown failed:\n{describe(error)}")
            if self.raise_errors:
                raise
        finally:
            self._forget()

    def _forget(self) -> None:
        self.clock.stop()
        self._surroundings.end()
        self.script.unload()

    def _end_tasks(self) -> None:
        """What the script left running ends with the proxy."""
        # Sets are equal if they have the same members.
        event_loop.owners[:] = [one for one in event_loop.owners if one is not self._tasks]
        loop = event_loop.started()
        if loop is not None:
            self.clock.wait(loop.cancel(tuple(self._tasks)))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Code of the script runs in the `with` block, with all that is there for it."""
        self.native.enter()
        self.enter()
        try:
            yield
        finally:
            self.leave()
            self.native.leave()
