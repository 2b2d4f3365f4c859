"""One private server, with GTIDs, and an administrator's connection to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.library.support import mariadb
from tests.library.support.mariadb import IS_MYSQL, MariaDb

from ..wire.answers import Answer, Err, Lost, Rows, column
from ..wire.codec import Cap, Reader
from ..wire.connection import Connection
from ..wire.login import Identity

__all__ = ["ADMIN", "CAPABILITIES", "Node", "cells"]

CAPABILITIES = (
    Cap.LONG_PASSWORD
    | Cap.LONG_FLAG
    | Cap.PROTOCOL_41
    | Cap.TRANSACTIONS
    | Cap.SECURE_CONNECTION
    | Cap.MULTI_RESULTS
    | Cap.PS_MULTI_RESULTS
    | Cap.PLUGIN_AUTH
)
"""What every client has."""

ADMIN = Identity(mariadb.USER, mariadb.PASSWORD, CAPABILITIES | Cap.MULTI_STATEMENTS)

# Nothing of it is written to the binary log: each server has it from the start.
_INIT = f"""\
SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS '{mariadb.USER}'@'%' IDENTIFIED BY '{mariadb.PASSWORD}';
GRANT ALL ON *.* TO '{mariadb.USER}'@'%' WITH GRANT OPTION;
"""

# A statement that waits for a lock of another client fails soon: clients of a session run one after the other, so nobody
# would free it. Everything else is as it comes.
_OPTIONS = (
    "--binlog-format=ROW",
    "--innodb-lock-wait-timeout=1",
    # Another wait_timeout for clients that say that they are interactive.
    "--interactive-timeout=1800",
    "--lock-wait-timeout=1",
    "--innodb-flush-log-at-trx-commit=1",
    "--sync-binlog=1",
    "--log-bin-trust-function-creators=1",
    # Numbers that were reserved and not used are forgotten by a server that crashes: none are.
    "--innodb-autoinc-lock-mode=0",
)
_MARIADB_OPTIONS = (
    "--gtid-strict-mode=1",
    "--log-slave-updates=1",
    "--slave-net-timeout=30",
    "--performance-schema=OFF",
    "--innodb-log-file-size=8M",
)
_MYSQL_OPTIONS = (
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--replica-parallel-workers=1",
    "--performance-schema=ON",
    "--skip-replica-start",
)


class Node(MariaDb):
    """A server of the oracle."""

    def __init__(
        self, folder: Path, server_id: int, name: str, options: Sequence[str] = ()
    ) -> None:
        """`options` are further ones of the server's command line."""
        self.name = name
        init = folder.parent / f"{folder.name}.sql"
        folder.parent.mkdir(parents=True, exist_ok=True)
        init.write_text(_INIT)
        own = [*_OPTIONS, *(_MYSQL_OPTIONS if IS_MYSQL else _MARIADB_OPTIONS)]
        super().__init__(folder, server_id, [*own, f"--init-file={init}", *options])
        self._admin: Connection | None = None

    # As the administrator.

    def answer(self, sql: str) -> Answer:
        """Runs one or more statements as the administrator; a connection that has ended is replaced."""
        for attempt in (1, 2):
            if self._admin is None:
                self._admin = Connection(str(self.socket), ADMIN)
            answer = self._admin.query(sql)
            if not isinstance(answer[-1], Lost):
                break
            self._admin.close()
            self._admin = None
            if attempt == 2:
                raise RuntimeError(f"{self.name}: {answer[-1]}: {sql}")
        return answer

    def run(self, sql: str) -> Answer:
        """As `answer`; an error raises RuntimeError."""
        answer = self.answer(sql)
        last = answer[-1]
        if isinstance(last, Err) or (isinstance(last, Rows) and isinstance(last.end, Err)):
            raise RuntimeError(f"{self.name}: {last}: {sql}; in a transaction: {self._busy()}")
        return answer

    def _busy(self) -> str:
        """Who may hold what somebody waits for."""
        trx = "trx_mysql_thread_id, trx_state, trx_started, trx_query"
        return " ".join(
            str(self.answer(sql))
            for sql in (
                f"SELECT {trx} FROM information_schema.innodb_trx",
                "XA RECOVER",
                "SELECT id, user, command, time, info FROM information_schema.processlist",
            )
        )

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        """The rows of the last result set, as texts."""
        for result in reversed(self.run(sql)):
            if isinstance(result, Rows):
                return [cells(row) for row in result.rows]
        return []

    def named(self, sql: str) -> dict[str, str | None]:
        """The first row of a result set, by the names of its columns."""
        for result in self.run(sql):
            if isinstance(result, Rows) and result.rows:
                names = [bytes(column(each)["name"]).decode() for each in result.columns]
                return dict(zip(names, cells(result.rows[0])))
        return {}

    def value(self, sql: str) -> str | None:
        """The first cell."""
        found = self.rows(sql)
        return found[0][0] if found else None

    def global_values(self, names: tuple[str, ...]) -> tuple[str | None, ...]:
        """The global values of variables."""
        return self.rows("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in names))[0]

    def leave(self) -> None:
        """Ends the administrator's connection."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def clients(self) -> dict[str, int]:
        """How many connections each user has, but for the administrator and replicas."""
        sql = (
            "SELECT user, COUNT(*) FROM information_schema.processlist WHERE user LIKE 'client%'"
            " GROUP BY user"
        )
        return {str(user): int(count or 0) for user, count in self.rows(sql)}

    def threads(self, user: str | None = None) -> list[int]:
        """The numbers of the connections of a user, or of all clients."""
        name = f"= '{user}'" if user else "LIKE 'client%'"
        sql = f"SELECT id FROM information_schema.processlist WHERE user {name} ORDER BY id"
        return [int(row[0] or 0) for row in self.rows(sql)]

    def kill(self, user: str | None = None) -> int:
        """Kills all connections of a user, or of all clients. How many there were."""
        threads = self.threads(user)
        for thread in threads:
            # It may have ended by itself.
            self.answer(f"KILL {thread}")
        return len(threads)

    def let_clients_in(self, identities: list[Identity]) -> None:
        """Logs each in once, on the unix socket: MySQL lets them in without TLS afterwards."""
        for identity in identities:
            self.let_in(identity.user, identity.password)


def cells(row: bytes) -> tuple[str | None, ...]:
    """A row of the text protocol."""
    reader = Reader(row)
    found: list[str | None] = []
    while reader.left:
        cell = reader.lenenc_bytes()
        found.append(None if cell is None else cell.decode("utf-8", "backslashreplace"))
    return tuple(found)
