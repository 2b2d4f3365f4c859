"""Private MariaDB servers: own data, loopback only, gone after the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pymysql

from .process import eventually, free_port, spawn

# A user that may do everything, and its password.
USER = "u"
PASSWORD = "p"

_INIT = """\
CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('p');
GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION;
"""


class MariaDb:
    """A running server. Servers differ in `@@server_id`; each writes a binary log, so that one can follow another."""

    def __init__(self, folder: Path, server_id: int) -> None:
        self._folder = folder
        self.server_id = server_id
        self.port = free_port()
        folder.mkdir(parents=True)
        # The server refuses to run as root unless told to.
        user = ["--user=root"] if os.geteuid() == 0 else []
        (folder / "tmp").mkdir()
        # Temporary files apart, too: other servers of this machine may clean up what they take for theirs.
        data = [f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'tmp'}"]
        subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", *data, "--skip-test-db"]
            + ["--auth-root-authentication-method=normal", *user],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (folder / "init.sql").write_text(_INIT)
        self._log = folder / "log"
        self._child = spawn(
            [_program("mariadbd"), "--no-defaults", *data, f"--socket={self.socket}"]
            + [f"--pid-file={folder / 'pid'}", f"--init-file={folder / 'init.sql'}"]
            + [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
            + [f"--server-id={server_id}", f"--log-bin={folder / 'binlog'}"]
            + ["--local-infile=1", "--max-connections=600", "--max-connect-errors=1000000"]
            + ["--max-allowed-packet=256M", "--innodb-buffer-pool-size=32M"]
            + ["--innodb-flush-log-at-trx-commit=0", "--innodb-use-native-aio=0", *user],
            self._log,
        )
        up = eventually(lambda: self._child.poll() is not None or self._answers())
        if not up or self._child.poll() is not None:
            raise RuntimeError(f"mariadbd does not come up:\n{self._log.read_text()}")

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def socket(self) -> Path:
        """Its unix socket."""
        return self._folder / "sock"

    def connect(self, **options: Any) -> pymysql.Connection:
        """A connection that does not go through a proxy, with PyMySQL's options."""
        settings = {"user": USER, "password": PASSWORD, "autocommit": True, **options}
        return pymysql.connect(host="127.0.0.1", port=self.port, **settings)

    def execute(self, *statements: str) -> tuple[tuple[Any, ...], ...]:
        """Runs the statements on a connection of their own; gives the rows of the last one."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def stop(self) -> None:
        """Kills it: its data is thrown away."""
        self._child.kill()
        self._child.wait()

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.Error:
            return False
        return True


def _program(name: str) -> str:
    """Debian keeps the server in a folder that is not on an ordinary user's PATH."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/libexec")
    if found is None:
        raise RuntimeError(f"{name} not found; install mariadb-server")
    return found
