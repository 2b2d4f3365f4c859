"""A number that one client raises and others read: what is cached must not be older than what was acknowledged."""

from __future__ import annotations

from .accounts import BOARD, CLERKS
from .client import Client
from .fleet import Fleet

__all__ = ["CACHED", "BoardReader", "BoardWriter"]

CACHED = "SELECT n FROM shop.board WHERE id = 1"


class BoardWriter(Client):
    """Raises the number that is there."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        # Not of the readers, who keep their connections: it would wait for theirs.
        super().__init__(fleet, CLERKS[0], "board writer")
        self.acknowledged = number

    def work(self) -> None:
        """One more. If it is not known whether it was written, the same number again."""
        number = self.acknowledged + 1
        # What a proxy that was killed has sent may be executed late: never behind a higher number.
        self.query(f"UPDATE shop.board SET n = {number} WHERE id = 1 AND n < {number}", "writing")
        self.acknowledged = number
        # Between two changes there is something to cache.
        self._stopping.wait(0.05)


class BoardReader(Client):
    """Reads it, on whatever proxy."""

    def __init__(self, fleet: Fleet, writer: BoardWriter, name: str) -> None:
        super().__init__(fleet, BOARD, name)
        self._writer = writer
        self.hits = 0
        """The most that a proxy said it had answered from the cache."""

    def begin(self) -> None:
        """Nothing of replicas is cached; who has a variable reads where it is, on the primary."""
        self.query("SET @application = 'board'", "beginning")
        counters = dict(self.query("SELECT * FROM result_cache.counters", "reading"))
        self.hits = max(self.hits, int(counters["hits"]))

    def work(self) -> None:
        """It may be newer than what was acknowledged before the question, but not older."""
        before = self._writer.acknowledged
        ((number,),) = self.query(CACHED, "reading")
        if number < before:
            self.faults.append(f"{self.name} reads {number} although {before} is acknowledged")
