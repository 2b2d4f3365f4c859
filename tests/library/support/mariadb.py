"""Private servers: own data, loopback only, gone after the tests.

They are the system's MariaDB, or what the environment variable `PYPROXY_TEST_SERVER` names: a folder that
`scripts/servers.sh` made, such as `target/servers/mysql`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql
import pytest

from .process import eventually, free_port, spawn

# A user that may do everything, and its password.
USER = "u"
PASSWORD = "p"

_INIT = """\
CREATE DATABASE IF NOT EXISTS test;
CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED BY 'p';
CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';
GRANT ALL ON *.* TO 'u'@'%' WITH GRANT OPTION;
GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;
"""

_GIVEN = os.environ.get("PYPROXY_TEST_SERVER")
_FOLDER = Path(_GIVEN).resolve(strict=True) if _GIVEN else None
# Whether the servers are MySQL's, not MariaDB's.
IS_MYSQL = _FOLDER is not None and (_FOLDER / "mysqld").exists()
# MariaDB has tables of numbers; MySQL gets those that the tests use.
_SEQUENCES = (3, 600, 20_000)


def mariadb_has(what: str) -> pytest.MarkDecorator:
    """Marks a test of something that MySQL does not have."""
    return pytest.mark.skipif(IS_MYSQL, reason=f"MySQL has no {what}")


class MariaDb:
    """A running server. Servers differ in `@@server_id`; each writes a binary log, so that one can follow another."""

    def __init__(self, folder: Path, server_id: int, options: Sequence[str] = ()) -> None:
        """`options` are further ones of the server's command line; they win."""
        self._folder = folder
        self.server_id = server_id
        self.port = free_port()
        folder.mkdir(parents=True)
        # The server refuses to run as root unless told to.
        user = ["--user=root"] if os.geteuid() == 0 else []
        (folder / "tmp").mkdir()
        # Temporary files apart, too: other servers of this machine may clean up what they take for theirs.
        data = [f"--datadir={folder / 'data'}", f"--tmpdir={folder / 'tmp'}"]
        if _FOLDER is None:
            program = _program("mariadbd")
            subprocess.run(
                [_program("mariadb-install-db"), "--no-defaults", *data, "--skip-test-db"]
                + ["--auth-root-authentication-method=normal", *user],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        else:
            program = str(_FOLDER / ("mysqld" if IS_MYSQL else "mariadbd"))
            # In auto.cnf MySQL keeps an id, of which no two servers may have the same.
            without_id = shutil.ignore_patterns("auto.cnf")
            shutil.copytree(_FOLDER / "data", folder / "data", ignore=without_id)
        more = (
            ["--mysqlx=OFF", f"--cte-max-recursion-depth={max(_SEQUENCES)}"]
            if IS_MYSQL
            else ["--innodb-use-native-aio=0"]
        )
        (folder / "init.sql").write_text(_INIT + (_sequences() if IS_MYSQL else ""))
        self._log = folder / "log"
        self._command = (
            [program, "--no-defaults", *data, f"--socket={self.socket}"]
            + [f"--pid-file={folder / 'pid'}", f"--init-file={folder / 'init.sql'}"]
            + [f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
            + [f"--server-id={server_id}", f"--log-bin={folder / 'binlog'}"]
            + ["--local-infile=1", "--max-connections=600", "--max-connect-errors=1000000"]
            + ["--max-allowed-packet=256M", "--innodb-buffer-pool-size=32M"]
            + ["--innodb-flush-log-at-trx-commit=0", *more, *user, *options]
        )
        self.start()

    def start(self) -> None:
        """Starts it, with the data that it had when it was stopped."""
        self._child = spawn(self._command, self._log)
        up = eventually(lambda: self._child.poll() is not None or self._answers())
        if not up or self._child.poll() is not None:
            raise RuntimeError(f"the server does not come up:\n{self._log.read_text()}")

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

    def let_in(self, user: str, password: str) -> None:
        """Logs a user in on the unix socket, where a password may be sent as it is.

        MySQL then lets it in with the short exchange of caching_sha2_password, which all clients can do without TLS.
        """
        pymysql.connect(unix_socket=str(self.socket), user=user, password=password).close()

    def stop(self) -> None:
        """Kills it."""
        self._child.kill()
        self._child.wait()

    def _answers(self) -> bool:
        try:
            self.let_in(USER, PASSWORD)
            self.connect().close()
        except pymysql.Error:
            return False
        return True


def _sequences() -> str:
    return "".join(
        f"CREATE DEFINER = '{USER}'@'%' VIEW test.seq_1_to_{last} AS WITH RECURSIVE s (seq) AS"
        f" (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < {last}) SELECT seq FROM s;\n"
        for last in _SEQUENCES
    )


def _program(name: str) -> str:
    """Debian keeps the server in a folder that is not on an ordinary user's PATH."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/libexec")
    if found is None:
        raise RuntimeError(f"{name} not found; install mariadb-server")
    return found
