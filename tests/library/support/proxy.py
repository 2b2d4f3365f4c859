"""A host with the plugin and a script."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pymysql

from .mariadb import PASSWORD, USER
from .process import PATIENCE, eventually, free_port, is_listening, spawn


class Proxy:
    """A running mysql-proxy.

    The plugin is that of `PYPROXY_PLUGIN`, the host that of `PYPROXY_HOST`; `PYPROXY_TEST_EVENT_LOOP` (own or chassis)
    is its loop unless the test sets one.
    """

    def __init__(
        self,
        folder: Path,
        script: str | Path | None,
        *,
        backends: Sequence[str],
        read_only: Sequence[str] = (),
        options: Mapping[str, object] | None = None,
        config: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        """`script` is a path or a source text. `config` is the text of the file of settings; `files` lie beside it."""
        self.folder = folder
        self.port = free_port()
        # Whether lines of level critical are what the test is about.
        self.criticals_expected = False
        (folder / "plugins").mkdir(parents=True)
        (folder / "plugins" / "libpyproxy.so").symlink_to(_required("PYPROXY_PLUGIN"))
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(dedent(text))
        entries: dict[str, object] = {
            "plugins": "pyproxy",
            "plugin-dir": folder / "plugins",
            "basedir": folder,
            "log-file": folder / "log",
            "log-level": "debug",
            "pyproxy-event-loop": os.environ.get("PYPROXY_TEST_EVENT_LOOP", "own"),
            "pyproxy-address": f"127.0.0.1:{self.port}",
            # What a test leaves behind has no time to end by itself.
            "pyproxy-drain-timeout": "0",
            "pyproxy-backend-addresses": ",".join(backends),
        }
        if read_only:
            entries["pyproxy-readonly-backend-address"] = ",".join(read_only)
        if isinstance(script, str):
            (folder / "script.py").write_text(dedent(script))
            script = folder / "script.py"
        if script is not None:
            entries["pyproxy-python-script"] = script
        if config is not None:
            (folder / "config.ini").write_text(dedent(config))
            entries["pyproxy-script-config"] = folder / "config.ini"
        entries.update(options or {})
        ini = folder / "proxy.ini"
        ini.write_text("[mysql-proxy]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items()))
        ini.chmod(0o600)
        self._command = [str(_required("PYPROXY_HOST")), f"--defaults-file={ini}"]
        self._child = spawn(self._command, folder / "stdout")
        up = eventually(lambda: self._child.poll() is not None or is_listening(self.port))
        if not up or self._child.poll() is not None:
            self.stop()
            raise RuntimeError(f"the proxy does not start:\n{self.log()}{self.stdout()}")

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._child.pid

    def connect(self, **options: Any) -> pymysql.Connection:
        """A connection through the proxy, with PyMySQL's options."""
        settings = {"user": USER, "password": PASSWORD, "autocommit": True, **options}
        return pymysql.connect(host="127.0.0.1", port=self.port, **settings)

    def stdout(self) -> str:
        """What the script printed."""
        return (self.folder / "stdout").read_text(errors="replace")

    def log(self) -> str:
        """The host's log."""
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def wait_for_stdout(self, text: str) -> None:
        """Waits until the script has printed `text`."""
        assert eventually(lambda: text in self.stdout()), f"{text!r} is not in:\n{self.stdout()}"

    def wait_for_log(self, text: str) -> None:
        """Waits until the log has `text`."""
        assert eventually(lambda: text in self.log()), f"{text!r} is not in:\n{self.log()}"

    def criticals(self) -> list[str]:
        """The lines of level critical, but for the one that the host writes about each plugin."""
        return [
            line
            for line in self.log().splitlines()
            if "(critical)" in line and not line.endswith(" started")
        ]

    def take_over(self) -> int:
        """Starts another process with the same options, pyproxy-takeover among them, and waits for the end of the one before.

        Gives its exit status.
        """
        before = self._child
        self._child = spawn(self._command, self.folder / "stdout")
        return before.wait(PATIENCE)

    def kill(self) -> None:
        """Ends the host without a word."""
        self._child.kill()
        self._child.wait()

    def stop(self) -> int:
        """Stops the host and waits for its end; gives its exit status. Twice is fine."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        return self._child.returncode


def _required(variable: str) -> Path:
    """The file that an environment variable names."""
    value = os.environ.get(variable)
    if not value:
        raise RuntimeError(f"{variable} must be set: scripts/test.sh does that")
    return Path(value).resolve(strict=True)
