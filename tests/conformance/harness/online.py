"""A scenario in the real plugin, in a real host, with sockets on both sides."""

from __future__ import annotations

import re
from pathlib import Path

import support.proxy
from pyproxy.testing import FakeServer
from pyproxy.testing.client import CAPABILITIES

from .record import Record, RecordedClient, normalize
from .scenario import Scenario
from .socket_client import SocketClient
from .socket_server import SocketServer

__all__ = ["run"]

# The beginning of an entry of the host's log: time, level, and our own prefix.
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: \((\w+)\) (pyproxy: )?")
# What the proxy tells of itself and of its connections: `pyproxy.testing` leaves it out.
_NEWS = re.compile(
    r"\(message\) (Python \d|listening on |\S+: hooks: |TLS: a certificate was made)"
    r"|\(message\) backend \S+: (marked \w+|added|removed), by the script"
    r"|\(warning\) TLS: servers are not verified"
    r"|\(warning\) \S+: there is no hook in this script"
    r"|\((message|debug)\) connection \d+( \(.*\))?: "
    r"(a client from|connected to|user .* is in$|over$|refused: |backend .* is reachable|the client left)"
)
_OPTIONS = {
    "on_script_error": lambda value: ("pyproxy-on-script-error", value),
    "profiling": lambda value: ("pyproxy-skip-profiling", str(not value).lower()),
    "pool_change_user": lambda value: ("pyproxy-pool-no-change-user", str(not value).lower()),
    "max_kept_bytes": lambda value: ("pyproxy-max-kept-bytes", str(value)),
}


class _World:
    def __init__(self, proxy: support.proxy.Proxy, servers: list[SocketServer], record: Record):
        self._proxy = proxy
        self._servers = servers
        self._record = record
        self._clients: list[SocketClient] = []

    @property
    def servers(self) -> list[FakeServer]:
        return [server.server for server in self._servers]

    def client(
        self,
        user: str = "u",
        password: str = "p",
        database: str = "",
        capabilities: int | None = None,
    ) -> RecordedClient:
        bits = CAPABILITIES if capabilities is None else capabilities
        client = SocketClient(self._proxy.port, user, password, database, bits)
        self._clients.append(client)
        return RecordedClient(client, len(self._clients), self._record, client.rest)

    def hang_up(self, ndx: int) -> None:
        self._servers[ndx].hang_up()

    def finish(self) -> None:
        """As the end of a session: the clients quit, in the order they came."""
        for client in self._clients:
            client.quit()


def run(scenario: Scenario, folder: Path) -> Record:
    """Runs the scenario with the host and the plugin that the environment names."""
    record = Record()
    backends, read_only = list(scenario.servers()), list(scenario.read_only())
    servers = [SocketServer(server, ndx) for ndx, server in enumerate(backends + read_only)]
    addresses = [server.address for server in servers]
    options = dict(_OPTIONS[name](value) for name, value in scenario.options.items())
    proxy = support.proxy.Proxy(
        folder / "proxy",
        scenario.script,
        backends=addresses[: len(backends)],
        read_only=addresses[len(backends) :],
        options={"pyproxy-read-timeout": "60", **options},
    )
    try:
        world = _World(proxy, servers, record)
        scenario.steps(world)
        world.finish()
    finally:
        status = proxy.stop()
        for server in servers:
            server.stop()
    assert status == 0, f"the host ended with status {status}:\n{proxy.log()}"
    record.note_servers(server.server for server in servers)
    record.note_log(_entries(proxy.log()))
    record.output = normalize(proxy.stdout())
    return record


def _entries(log: str) -> list[str]:
    """The entries that pyproxy wrote, without the host's own."""
    entries: list[str] = []
    is_ours = False
    for line in log.splitlines():
        start = _ENTRY.match(line)
        if start:
            line = f"({start[1]}) {line[start.end() :]}"
            is_ours = start[2] is not None and not _NEWS.match(line)
            entries += [line] if is_ours else []
        elif is_ours:
            entries[-1] += "\n" + line
    return [entry.rstrip("\n") for entry in entries]
