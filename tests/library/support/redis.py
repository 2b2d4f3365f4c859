"""A private Redis: own folder, loopback only, gone after the tests."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import redis

from .process import eventually, free_port, spawn

# The proxy's Python finds the packages of the tests there.
VENV: Mapping[str, object] = {"pyproxy-venv": sys.prefix}


class RedisServer:
    """A running server. It keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        folder.mkdir(parents=True)
        self.start()

    @property
    def url(self) -> str:
        """For settings."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A connection to look at what is kept."""
        return redis.Redis(host="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Starts it, empty."""
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("redis-server not found; install it")
        self._child = spawn(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
            + ["--save", "", "--appendonly", "no", "--daemonize", "no"],
            self._folder / "log",
        )
        if not eventually(lambda: self._child.poll() is not None or self._answers()):
            raise RuntimeError(f"Redis does not come up:\n{(self._folder / 'log').read_text()}")

    def pause(self) -> None:
        """From now on it takes connections and says nothing."""
        self._child.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self._child.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kills it with all that it has."""
        self._child.kill()
        self._child.wait()

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False
