"""Clients that book: each transaction writes two rows, and counts as soon as its COMMIT is answered."""

from __future__ import annotations

import itertools

import pymysql

from .accounts import Account
from .client import Client, Lost
from .fleet import Fleet

__all__ = ["COMMITTING", "IN_TRANSACTION", "STARTING", "Clerk"]

STARTING, IN_TRANSACTION, COMMITTING = "BEGIN", "in a transaction", "COMMIT"
_DUPLICATE, _LOCK_WAIT = 1062, 1205


class Clerk(Client):
    """Books one id after the other. One that was not acknowledged is booked again, with the same id."""

    _numbers = itertools.count(1)

    def __init__(self, fleet: Fleet, account: Account) -> None:
        number = next(self._numbers)
        super().__init__(fleet, account, f"clerk {number}")
        self.acknowledged: list[int] = []
        """The ids whose COMMIT was answered; or of which the server said, when they were booked again, that it has them."""
        self.found = 0
        """How many there were already when they were booked again: the answer to COMMIT was lost, not the transaction."""
        self._ids = itertools.count(number * 1_000_000)
        self._id = next(self._ids)
        self._was_tried = False

    @property
    def pending(self) -> int:
        """The id that is not acknowledged yet."""
        return self._id

    def begin(self) -> None:
        """The servers know its own address, wherever it is asked."""
        ((user,),) = self.query("SELECT USER()", STARTING)
        if user != f"{self.account.user}@{self.account.address}":
            self.faults.append(f"{self.name} is {user} to the server")

    def work(self) -> None:
        """A transaction, and a read of it."""
        booked, client, was_tried = self._id, self.name, self._was_tried
        self._was_tried = True
        try:
            self.query("BEGIN", STARTING)
            for table in ("debits", "credits"):
                row = f"({booked}, '{client}')"
                self.query(f"INSERT INTO shop.{table} VALUES {row}", IN_TRANSACTION)
            self.query("COMMIT", COMMITTING)
        except pymysql.IntegrityError as error:
            if error.args[0] != _DUPLICATE:
                raise
            self.found += 1
            if not was_tried:
                self.faults.append(f"{client} has booked {booked} once, and it is there twice")
            self.query("ROLLBACK", IN_TRANSACTION)
        except pymysql.OperationalError as error:
            if error.args[0] != _LOCK_WAIT:
                raise
            # The server has not rolled back yet what it was doing for a connection that is lost.
            self.query("ROLLBACK", IN_TRANSACTION)
            return
        self.acknowledged.append(booked)
        self._id, self._was_tried = next(self._ids), False
        try:
            rows = self.query(f"SELECT id FROM shop.credits WHERE id = {booked}", "reading")
        except Lost as lost:
            # What is acknowledged is not done again.
            self.lost[str(lost)] += 1
            self._connection = None
            return
        if rows != ((booked,),):
            self.faults.append(f"{client} does not read what it wrote, {booked}: {rows}")
