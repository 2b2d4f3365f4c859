"""All servers of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.library.support.mariadb import IS_MYSQL

from ..generator import fixtures
from ..generator.dialect import Dialect
from ..run.data import Objects
from .node import Node
from .proxy import Splitter
from .replication import Replication

__all__ = ["GLOBALS", "World"]

GLOBALS = (
    "div_precision_increment",
    "max_error_count",
    "group_concat_max_len",
    "default_week_format",
)
"""What sessions change with SET GLOBAL."""


class World:
    """A alone; B, its replica C, and the proxy before them. A and B are the same."""

    def __init__(
        self,
        folder: Path,
        script: Path | None,
        options: Sequence[str] = (),
        settings: Sequence[str] = (),
    ) -> None:
        """`options` are the proxy's, `settings` the script's: `name=value`."""
        self.identities = fixtures.IDENTITIES
        self.alone = Node(folder / "a", 1, "A")
        self.primary = Node(folder / "b", 2, "B")
        self.replica = Node(folder / "c", 3, "C")
        self.dialect = Dialect.of(str(self.alone.value("SELECT @@version")))
        self.replication = Replication(self.primary, self.replica)
        self.objects = Objects(self.dialect)
        for node in (self.alone, self.primary):
            for sql in fixtures.accounts(self.dialect):
                node.run(sql)
            self.objects.make(node)
        self.replication.catch_up()
        self._let_in()
        self.globals = self.alone.global_values(GLOBALS)
        self.splitter = Splitter(
            folder / "proxy", script, self.primary, self.replica, self.identities, options, settings
        )

    def primary_down(self) -> None:
        """The primary is gone, without a word."""
        # Counters of rows that were rolled back are in the log, too.
        self.primary.run("FLUSH ENGINE LOGS")
        self.primary.leave()
        self.primary.stop()

    def primary_up(self) -> None:
        """The primary is there again, and clients can write."""
        self.primary.start()
        self._let_in()
        self.replication.reconnect()
        self.replication.catch_up()
        self.splitter.wait_for_primary()

    def stop(self) -> int:
        """Ends everything; gives the status of the proxy."""
        status = self.splitter.proxy.stop()
        for node in (self.alone, self.primary, self.replica):
            node.leave()
            node.stop()
        return status

    def _let_in(self) -> None:
        if IS_MYSQL:
            for node in (self.alone, self.primary, self.replica):
                node.let_clients_in(list(self.identities))
