"""A real HAProxy with the configuration of docs/scaling."""

from __future__ import annotations

import csv
import io
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from tests.library.support.process import eventually, free_port, is_listening, spawn

from .template import DOCS, replaced

__all__ = ["BACKEND", "HaProxy"]

BACKEND = "pyproxy"
_SOCKET = "/run/haproxy/admin.sock"


class HaProxy:
    """A running HAProxy. Servers are known by the names of the configuration: p1, p2, p3."""

    def __init__(self, folder: Path, servers: Mapping[str, tuple[int, int]]) -> None:
        """`servers`: by name, the ports for clients and for HTTP; the configuration has the same names."""
        program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None:
            raise RuntimeError("haproxy not found; install it")
        folder.mkdir(parents=True)
        self.port = free_port()
        self._socket = folder / "admin.sock"
        changes = {
            "log /dev/log local0": "log stdout format raw local0",
            _SOCKET: str(self._socket),
            "bind 0.0.0.0:3306": f"bind 127.0.0.1:{self.port}",
        }
        for number, (client_port, http_port) in enumerate(servers.values(), 11):
            changes[f"10.0.0.{number}:4045 check port 9104"] = (
                f"127.0.0.1:{client_port} check port {http_port}"
            )
        configuration = folder / "haproxy.cfg"
        configuration.write_text(replaced(DOCS / "haproxy.cfg", changes))
        self.log = folder / "log"
        self._child = spawn([program, "-db", "-f", str(configuration)], self.log)
        up = eventually(lambda: self._child.poll() is not None or is_listening(self.port))
        if not up or self._child.poll() is not None:
            raise RuntimeError(f"HAProxy does not start:\n{self.log.read_text()}")

    def ask(self, command: str) -> str:
        """A command on its admin socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(command.encode() + b"\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return answer.decode()

    def servers(self) -> dict[str, dict[str, str]]:
        """What it counts of each server, by its name: `status`, `scur`, `stot` and so on."""
        table = self.ask(f"show stat {BACKEND} 4 -1").lstrip("# ")
        return {row["svname"]: row for row in csv.DictReader(io.StringIO(table))}

    def is_up(self, name: str) -> bool:
        """Whether it sends clients there."""
        return self.servers()[name]["status"].startswith("UP")

    def clients(self, name: str) -> int:
        """How many connections it has there."""
        return int(self.servers()[name]["scur"])

    def add(self, name: str, client_port: int, http_port: int) -> None:
        """Adds a server while it runs; as the configuration has the others, whose defaults do not hold for it."""
        options = f"send-proxy-v2 check port {http_port} inter 1s fastinter 200ms fall 2 rise 1"
        server = f"{BACKEND}/{name}"
        answer = self.ask(f"add server {server} 127.0.0.1:{client_port} {options}")
        if "registered" not in answer:
            raise RuntimeError(f"HAProxy does not take another server: {answer}")
        self.ask(f"enable health {server}; enable server {server}")

    def stop(self) -> None:
        """Ends it, and all connections."""
        self._child.kill()
        self._child.wait()
