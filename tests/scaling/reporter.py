"""Clients with a quota, who ask for more than they get."""

from __future__ import annotations

import time

import pymysql

from .client import REFUSED_BY_QUOTA, Client, Lost

__all__ = ["Reporter"]

# Of all proxies together they want many times what they may have.
_PAUSE = 0.002


class Reporter(Client):
    """Counts what it is let through, the commands of its login included."""

    passed = 0
    refused = 0

    def work(self) -> None:
        """A query."""
        try:
            self.query("SELECT 1", "reading")
            self.passed += 1
        except pymysql.OperationalError as error:
            self._note_refusal(error)
        time.sleep(_PAUSE)

    def _connect(self) -> None:
        is_new = self._connection is None
        try:
            super()._connect()
        except pymysql.OperationalError as error:
            self._note_refusal(error)
            raise Lost("refused") from error
        # When it connects PyMySQL says SET NAMES.
        self.passed += is_new

    def _note_refusal(self, error: pymysql.OperationalError) -> None:
        if error.args[0] != REFUSED_BY_QUOTA:
            raise error
        self.refused += 1
