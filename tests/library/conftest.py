"""Fixtures: servers that all tests share, and proxies that each test starts for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy
from support.redis import RedisServer


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A server with the user `u`, password `p`, and the empty database `test`."""
    server = MariaDb(tmp_path_factory.mktemp("mariadb") / "server", 1)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A second server; it follows the first one only if a test tells it to."""
    server = MariaDb(tmp_path_factory.mktemp("replica") / "server", 2)
    yield server
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    server = RedisServer(tmp_path / "redis")
    yield server
    server.stop()


@pytest.fixture
def start_proxy(tmp_path: Path, mariadb: MariaDb) -> Iterator[Callable[..., Proxy]]:
    """Starts proxies; at the end of the test they are stopped and must have been well.

    Takes the script and the keywords of `Proxy`. `backends` and `read_only` are servers or addresses; without
    `backends` it is the shared server.
    """
    started: list[Proxy] = []

    def start(script: str | Path | None, **options: Any) -> Proxy:
        for name in ("backends", "read_only"):
            options[name] = _addresses(options.get(name, [mariadb] if name == "backends" else []))
        started.append(Proxy(tmp_path / f"proxy{len(started)}", script, **options))
        return started[-1]

    yield start
    endings = [(proxy.stop(), proxy) for proxy in started]
    for status, proxy in endings:
        assert status == 0, f"the proxy ended with status {status}:\n{proxy.log()}"
        assert proxy.criticals_expected or not proxy.criticals(), proxy.log()


def _addresses(servers: Sequence[MariaDb | str]) -> list[str]:
    return [server if isinstance(server, str) else server.address for server in servers]
