"""C follows B, by GTIDs; what C has of its own is found."""

from __future__ import annotations

import re
import time

from tests.library.support.mariadb import IS_MYSQL, PASSWORD, USER
from tests.library.support.process import PATIENCE

from .node import Node

__all__ = ["Replication", "ReplicationBroken", "WrittenOnReplica"]

# Seconds that the replica may take for what a step has written.
_PATIENCE = 5
# Everything that was ever written there, whoever it was.
_WRITTEN = "@@GLOBAL.gtid_executed" if IS_MYSQL else "@@GLOBAL.gtid_binlog_state"
_CLIENTS_LOCK_WAIT, _APPLIERS_LOCK_WAIT = 1, 3600


class ReplicationBroken(Exception):
    """The replica does not follow any more."""


class WrittenOnReplica(ReplicationBroken):
    """The replica has GTIDs of its own."""


class Replication:
    """The link from the primary to the replica."""

    def __init__(self, primary: Node, replica: Node) -> None:
        self._primary = primary
        self._replica = replica
        self._seen: str | None = None
        self._checked: str | None = None
        self.is_lagging = False
        self._own = str(primary.value("SELECT @@server_uuid" if IS_MYSQL else "SELECT @@server_id"))
        for node in (primary, replica):
            node.run("RESET BINARY LOGS AND GTIDS" if IS_MYSQL else "RESET MASTER")
        self._begin()

    def position(self) -> str:
        """Everything that the primary has written, as GTIDs."""
        sql = "SELECT @@GLOBAL.gtid_executed" if IS_MYSQL else "SELECT @@GLOBAL.gtid_binlog_pos"
        return str(self._primary.value(sql) or "").replace("\n", "")

    def catch_up(self) -> None:
        """Waits until the replica has everything, and sees to it that nobody else has written there."""
        wanted = self.position()
        if wanted == self._seen:
            state = self._replica.value(f"SELECT {_WRITTEN}")
        else:
            waits = "WAIT_FOR_EXECUTED_GTID_SET" if IS_MYSQL else "MASTER_GTID_WAIT"
            sql = f"SELECT {waits}('{wanted}', {_PATIENCE}), {_WRITTEN}"
            outcome, state = self._replica.rows(sql)[0]
            if outcome != "0":
                self._check(str(state))
                raise ReplicationBroken(self.error() or self._state())
            self._seen = wanted
        self._check(str(state))

    def error(self) -> str:
        """Why the replica stands still; empty if it does not say."""
        found = self._replica.named("SHOW REPLICA STATUS" if IS_MYSQL else "SHOW SLAVE STATUS")
        return " / ".join(
            str(v) for k, v in found.items() if re.match("Last_(IO|SQL)_Error$", k) and v
        )

    def _check(self, state: str) -> None:
        """Raises if GTIDs of the replica are not the primary's."""
        if state == self._checked:
            return
        sets = [each.strip() for each in state.split(",") if each]
        if IS_MYSQL:
            foreign = [each for each in sets if not each.startswith(self._own)]
        else:
            foreign = [each for each in sets if each.split("-")[1] != self._own]
        if foreign:
            raise WrittenOnReplica(",".join(foreign))
        self._checked = state

    def _state(self) -> str:
        """What the replica is at."""
        sql = (
            "SELECT CONCAT_WS(' ', id, user, command, state, info) FROM information_schema.processlist"
            " WHERE command <> 'Sleep' AND info NOT LIKE '%processlist%' OR user = 'system user'"
        )
        return " / ".join(str(row[0]) for row in self._replica.rows(sql))

    def lag(self) -> None:
        """From now on the replica applies nothing."""
        self._replica.run(_sql("STOP REPLICA SQL_THREAD"))
        self.is_lagging = True

    def go_on(self) -> None:
        """The replica applies again."""
        if self.is_lagging:
            self._start(_sql("START REPLICA SQL_THREAD"))
            self.is_lagging = False

    def reconnect(self) -> None:
        """The primary was away: the replica is not to wait before it tries again."""
        self._replica.run(_sql("STOP REPLICA"))
        self._start(_sql("START REPLICA"))
        self.is_lagging = False

    def rebuild(self, databases: list[str]) -> None:
        """Throws away what the replica has, and follows from here on; the primary's databases must be made anew."""
        self._replica.run(_sql("STOP REPLICA"))
        self._replica.run(_sql("RESET REPLICA ALL"))
        drop = ";".join(f"DROP DATABASE IF EXISTS {name}" for name in databases)
        self._primary.run(drop)
        self._replica.run(drop)
        if IS_MYSQL:
            self._replica.run("RESET BINARY LOGS AND GTIDS")
            self._replica.run(f"SET GLOBAL gtid_purged = '{self.position()}'")
        else:
            self._replica.run("RESET MASTER")
            self._replica.run(f"SET GLOBAL gtid_slave_pos = '{self.position()}'")
        self._begin()

    def _begin(self) -> None:
        host = f"HOST='127.0.0.1', {{0}}PORT={self._primary.port}, {{0}}USER='{USER}', {{0}}PASSWORD='{PASSWORD}'"
        if IS_MYSQL:
            prefix = "SOURCE_"
            more = "SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1"
            change = "CHANGE REPLICATION SOURCE TO"
        else:
            prefix = "MASTER_"
            more = "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
            change = "CHANGE MASTER TO"
        self._replica.run(f"{change} {prefix}{host.format(prefix)}, {more}")
        self._start(_sql("START REPLICA"))
        self._seen = self._checked = None
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.catch_up()
                return
            except ReplicationBroken:
                if time.monotonic() > deadline:
                    raise

    def _start(self, sql: str) -> None:
        """The applier waits for locks as long as it takes; clients do not."""
        self._replica.run(f"SET GLOBAL lock_wait_timeout = {_APPLIERS_LOCK_WAIT}")
        self._replica.run(sql)
        self._replica.run(f"SET GLOBAL lock_wait_timeout = {_CLIENTS_LOCK_WAIT}")


def _sql(text: str) -> str:
    return text if IS_MYSQL else text.replace("REPLICA", "SLAVE")
