"""What all clients of the load have: a connection that is made again when it is lost."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

import pymysql

from .accounts import Account
from .fleet import Fleet

__all__ = ["REFUSED_BY_QUOTA", "Client", "Lost"]

REFUSED_BY_QUOTA = 1226
# The connection is gone: of the client library (2003, 2006, 2013), told by the proxy (1053: it stops), by HAProxy, or 1040: the
# command has waited in vain for a pooled connection.
_LOST = frozenset((0, 2003, 2006, 2013, 1040, 1053))
# A new connection goes to whichever proxy has the fewest: so each gets some.
_WORKS_OF_A_CONNECTION = 10


class Lost(Exception):
    """The connection is gone, and what it was doing has no answer."""


class Client(threading.Thread, ABC):
    """A client that works until it is told to stop. What goes wrong with it is in `faults`."""

    def __init__(self, fleet: Fleet, account: Account, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.account = account
        self.faults: list[str] = []
        self.lost: Counter[str] = Counter()
        """How often the connection was lost, by what was being done."""
        self.works = 0
        """What was done, and had its answer."""
        self._fleet = fleet
        self._stopping = threading.Event()
        self._connection: pymysql.Connection | None = None
        self._left = 0

    @abstractmethod
    def work(self) -> None:
        """One piece of work. Lost: it was not answered, and is done again with the next connection."""

    def begin(self) -> None:
        """The connection is new."""

    def run(self) -> None:
        """Works."""
        while not self._stopping.is_set():
            try:
                self._connect()
                self.work()
                self.works += 1
                self._left -= 1
                if self._left <= 0:
                    self._leave()
            except Lost as lost:
                self.lost[str(lost)] += 1
                self._connection = None
                # Others are on their way, too.
                time.sleep(0.01)
            except Exception as error:
                self.faults.append(f"{self.name}: {error!r}")
                return
        self._leave()

    def stop(self) -> None:
        """Waits for the end of what it does. In between it does nothing more."""
        self._stopping.set()
        self.join()

    def query(self, sql: str, doing: str) -> tuple[tuple[Any, ...], ...]:
        """Rows of a query. Raises Lost, or what the server says."""
        assert self._connection is not None
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        except (pymysql.OperationalError, pymysql.InterfaceError) as error:
            if error.args[0] in _LOST:
                raise Lost(doing) from error
            raise

    def _connect(self) -> None:
        if self._connection is not None:
            return
        try:
            self._connection = self._fleet.connect(self.account)
        except pymysql.OperationalError as error:
            if error.args[0] in _LOST:
                raise Lost("connecting") from error
            raise
        self._left = _WORKS_OF_A_CONNECTION
        self.begin()

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
