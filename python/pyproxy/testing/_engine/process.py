"""The proxy as a process: its script, backends, log and counters."""

from __future__ import annotations

import builtins
import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..._former_names import install as install_former_names
from ..._offline import chassis
from ..._offline.access import host_call
from ..._offline.process import Config, Globals
from ..._offline.proxy import Proxy
from ..._offline.state import READ_ONLY, READ_WRITE, Shared
from ..._offline.values import address_of
from ...settings import use_file
from ..server import FakeServer, ServerCommand, ServerConnection
from .script import HOOKS, Script, ScriptSource, describe

__all__ = ["LogEntry", "Options", "Process"]

_COUNTERS = (
    "connections",
    "queries",
    "queued_queries",
    "malformed_packets",
    "panics",
    "python_wait_micros",
)
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
    ) -> None:
        if options.on_script_error not in ("reject", "forward"):
            raise ValueError("on_script_error is 'reject' or 'forward'")
        self.options = options
        self.log: list[LogEntry] = []
        self.counters = dict.fromkeys(_COUNTERS, 0)
        for hook in HOOKS:
            self.counters.update(dict.fromkeys((f"{hook}.calls", f"{hook}.errors"), 0))
            self.counters[f"{hook}.micros"] = 0
        self.shutdown_requested = False
        self.servers: list[FakeServer] = []
        self.server_commands: list[ServerCommand] = []
        self.shared = Shared(
            self.write_log,
            pool_change_user=options.pool_change_user,
            max_kept_bytes=options.max_kept_bytes,
        )
        self.shared.on_add = lambda backend: self.servers.append(FakeServer(down=True))
        addresses: dict[int, list[str]] = {READ_WRITE: [], READ_ONLY: []}
        for kind, servers in ((READ_WRITE, backends), (READ_ONLY, read_only)):
            for server in servers:
                address = f"127.0.0.1:{_FIRST_PORT + len(self.servers)}"
                addresses[kind].append(address)
                self.shared.add(address_of(address), kind)
                self.servers[-1] = server
        self.script = Script(script)
        self.config = self._config(addresses, script_config)
        for name, value in config.items():
            setattr(self.config, name, value)
        self.globals = Globals(self.shared, self.config)
        self.proxy = Proxy(self.globals)
        try:
            self._load(script_config)
        except BaseException:
            self.script.unload()
            raise

    def _load(self, script_config: str | None) -> None:
        with self.running():
            if script_config is not None:
                use_file(script_config)
            with host_call():
                self.script.load(lambda text: self.write_log("warning", text))
                self._call("init")

    def _config(self, addresses: dict[int, list[str]], script_config: str | None) -> Config:
        config = Config()
        config.address = ":4045"
        config.backend_addresses = tuple(addresses[READ_WRITE])
        config.read_only_backend_addresses = tuple(addresses[READ_ONLY])
        config.python_script = self.script.path
        config.script_config = script_config
        config.profiling = self.options.profiling
        config.start_proxy = True
        config.pool_change_user = self.options.pool_change_user
        config.connect_timeout = 2.0
        config.read_timeout = config.write_timeout = 8 * 3600.0
        config.on_script_error = self.options.on_script_error
        config.max_kept_bytes = self.options.max_kept_bytes
        config.reload = False
        config.venv = None
        return config

    def _call(self, name: str) -> None:
        function = self.script.functions.get(name)
        if function is not None:
            function(self.proxy)

    def connect(self, ndx: int) -> ServerConnection:
        """A new connection to a backend. Raises Refused if it is down."""
        return self.servers[ndx].accept(ndx, self.server_commands)

    def write_log(self, level: str, text: str) -> None:
        """Adds a line to the log."""
        self.log.append(LogEntry(level, text))

    def stop(self) -> None:
        """Calls `shutdown(proxy)` of the script and forgets the script."""
        with self.running():
            try:
                self._call("shutdown")
            except BaseException as error:
                self.write_log("critical", f"shutdown failed:\n{describe(error)}")
        self.script.unload()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The surroundings of a script: the builtin `proxy`, its folder on the path, logging, the chassis."""
        install_former_names()
        missing = object()
        previous = getattr(builtins, "proxy", missing)
        folder, arguments = self.script.folder, sys.argv
        handler = _LogHandler(self)
        root, level = logging.root, logging.root.level
        builtins.proxy = self.proxy  # type: ignore[attr-defined] # scripts use it so
        if folder is not None:
            sys.path.insert(0, folder)
            sys.argv = [str(self.script.path)]
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        chassis.enter(chassis.Host(self.write_log, lambda: dict(self.counters), self._shut_down))
        try:
            yield
        finally:
            chassis.leave()
            sys.argv = arguments
            root.setLevel(level)
            root.removeHandler(handler)
            if folder is not None and folder in sys.path:
                sys.path.remove(folder)
            if previous is missing:
                del builtins.proxy  # type: ignore[attr-defined]
            else:
                builtins.proxy = previous  # type: ignore[attr-defined]

    def _shut_down(self) -> None:
        self.shutdown_requested = True


class _LogHandler(logging.Handler):
    """Python's logging goes to the proxy's log."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        level = "debug"
        for lowest, name in (
            (logging.ERROR, "critical"),
            (logging.WARNING, "warning"),
            (logging.INFO, "info"),
        ):
            if record.levelno >= lowest:
                level = name
                break
        self._process.write_log(level, self.format(record))
