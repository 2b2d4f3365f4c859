"""The ways from a client to the servers that are measured."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Protocol

from tests.library.support.process import eventually, free_port, is_listening, spawn
from tests.library.support.proxy import Proxy
from tests.oracle.servers.node import Node

__all__ = ["Direct", "LuaScript", "Script", "Way"]

_TICKS = os.sysconf("SC_CLK_TCK")
# The fields of /proc/PID/stat behind the name: utime and stime.
_USER, _SYSTEM = 11, 12


class Way(Protocol):
    """One of them."""

    name: str
    port: int

    def begin(self) -> None:
        """New clients come."""

    def processor_seconds(self) -> float:
        """What its proxy has used so far."""

    def stop(self) -> None:
        """Ends its proxy."""


class Direct:
    """No proxy."""

    def __init__(self, primary: Node) -> None:
        self.name, self.port = "direct", primary.port

    def begin(self) -> None:
        pass

    def processor_seconds(self) -> float:
        return 0.0

    def stop(self) -> None:
        pass


class Script:
    """The plugin with a script, or with none: then everything goes to the primary."""

    def __init__(
        self, name: str, folder: Path, primary: Node, replica: Node, script: Path | None
    ) -> None:
        self.name = name
        self._proxy = Proxy(
            folder / name.replace(" ", "-"),
            script,
            backends=[primary.address],
            read_only=[replica.address] if script else [],
            options={"log-level": "warning"},
        )
        self.port = self._proxy.port

    def begin(self) -> None:
        pass

    def processor_seconds(self) -> float:
        return _processor_seconds(self._proxy.pid)

    def stop(self) -> None:
        self._proxy.stop()


class LuaScript:
    """The Lua plugin of the host that `PYPROXY_HOST` names, with a script."""

    def __init__(self, folder: Path, primary: Node, replica: Node, script: Path) -> None:
        self.name, self.port = f"Lua: {script.stem}", free_port()
        host = Path(os.environ["PYPROXY_HOST"])
        modules = host.parents[1] / "lib/mysql-proxy/lua"
        self._log = folder / "lua.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._command = [
            str(host),
            "--plugins=proxy",
            f"--plugin-dir={host.parents[1] / 'lib/mysql-proxy/plugins'}",
            f"--lua-path={modules}/?.lua",
            f"--proxy-address=127.0.0.1:{self.port}",
            f"--proxy-backend-addresses={primary.address}",
            f"--proxy-read-only-backend-addresses={replica.address}",
            f"--proxy-lua-script={script.resolve()}",
        ]

    def begin(self) -> None:
        # Its pooled connections do not always let the clients of a second run in.
        self.stop()
        self._child = spawn(self._command, self._log)
        if not eventually(lambda: is_listening(self.port)):
            raise RuntimeError(self._log.read_text())

    def processor_seconds(self) -> float:
        return _processor_seconds(self._child.pid) if self._child else 0.0

    def stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS
