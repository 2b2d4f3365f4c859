"""All that runs: a primary and its replica, Redis, proxies, and HAProxy before these."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pymysql

from tests.library.support.process import eventually, free_port
from tests.library.support.proxy import Proxy
from tests.library.support.redis import VENV, RedisServer
from tests.oracle.servers.node import Node
from tests.oracle.servers.replication import Replication

from . import accounts
from .haproxy import HaProxy
from .slow_log import SlowLog
from .template import proxy_settings

__all__ = ["Fleet"]

_HOOKS = Path(__file__).parents[2] / "python/pyproxy/hooks"
# The servers believe only HAProxy's machine, and the proxies', who the client is.
_TRUSTS = ["--proxy-protocol-networks=127.0.0.1"]
# What a test's proxy has of its own.
_OWN = ("plugins", "log-file", "pyproxy-address", "pyproxy-python-script", "pyproxy-script-config")


class Fleet:
    """Three proxies, p1 to p3, and what is before and behind them. More can be added."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Any] = []
        self._http_ports: dict[str, int] = {}
        self.proxies: dict[str, Proxy] = {}
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.primary = self._node("primary", 1)
        self.replica = self._node("replica", 2)
        self.replication = Replication(self.primary, self.replica)
        for sql in accounts.SCHEMA:
            self.primary.run(sql)
        self.replication.catch_up()
        self.redis = RedisServer(self._folder / "redis")
        self._running.append(self.redis)
        for name in ("p1", "p2", "p3"):
            self._start_proxy(name)
        ports = {name: self._ports(name) for name in self.proxies}
        self.haproxy = HaProxy(self._folder / "haproxy", ports)
        self._running.append(self.haproxy)
        for name in self.proxies:
            self._wait_until_up(name)

    def _node(self, name: str, server_id: int) -> Node:
        node = Node(self._folder / name, server_id, name, _TRUSTS)
        self._running.append(node)
        return node

    def add(self, name: str) -> None:
        """One more proxy, and HAProxy is told of it."""
        self._start_proxy(name)
        self.haproxy.add(name, *self._ports(name))
        self._wait_until_up(name)

    def connect(self, account: accounts.Account, **options: Any) -> pymysql.Connection:
        """A client, through HAProxy."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.haproxy.port,
            bind_address=account.address,
            user=account.user,
            password=accounts.PASSWORD,
            database="shop",
            **{"autocommit": True, **options},
        )

    def slow_log(self, name: str) -> SlowLog:
        """All commands that a proxy has served."""
        return SlowLog(self.proxies[name].folder / "slow.log")

    def stop(self) -> dict[str, int]:
        """Ends everything; gives the status of each proxy."""
        statuses = {name: proxy.stop() for name, proxy in self.proxies.items()}
        for each in reversed(self._running):
            if isinstance(each, Node):
                each.leave()
            each.stop()
        self._running.clear()
        return statuses

    def _start_proxy(self, name: str) -> None:
        http_port = free_port()
        folder = self._folder / name
        options, config = proxy_settings(
            {
                "0.0.0.0:9104": f"127.0.0.1:{http_port}",
                "-from = 10.0.0.10\n": "-from = 127.0.0.1\n",
                "10.0.0.21:3306": self.primary.address,
                "10.0.0.22:3306": self.replica.address,
                "10.0.0.30:6379": f"127.0.0.1:{self.redis.port}",
                # On a busy machine nobody is to take Redis for away: then less is promised.
                "timeout = 2\n": "timeout = 20\n",
                "/run/pyproxy/takeover.sock": str(folder / "takeover.sock"),
            }
        )
        script = _HOOKS / Path(options["pyproxy-python-script"]).name
        own = {key: value for key, value in options.items() if key not in _OWN}
        # Every command is slow: the log tells who was served where.
        slow = {"pyproxy-slow-query": "0.000001", "pyproxy-slow-log": folder / "slow.log"}
        proxy = Proxy(
            folder,
            script,
            backends=[],
            options={**own, **VENV, "pyproxy-event-loop": "own", **slow},
            config=config,
        )
        self.proxies[name] = proxy
        self._http_ports[name] = http_port

    def _ports(self, name: str) -> tuple[int, int]:
        return self.proxies[name].port, self._http_ports[name]

    def _wait_until_up(self, name: str) -> None:
        if not eventually(lambda: self.haproxy.is_up(name)):
            print(self.proxies[name].log(), file=sys.stderr)
            raise RuntimeError(f"HAProxy does not take {name} for ready")
