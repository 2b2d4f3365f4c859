"""Who the clients are, and their tables.

Each account is of one address, as firewalls and grants have it: who comes as the proxy, or as HAProxy, is refused.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BOARD", "CLERKS", "PASSWORD", "REPORT", "SCHEMA", "STRANGER", "Account"]

PASSWORD = "secret"


class Account(NamedTuple):
    """A user, and the address that its clients come from."""

    user: str
    address: str


CLERKS = (Account("clerk", "127.0.0.3"), Account("clerk", "127.0.0.4"))
REPORT = Account("report", "127.0.0.5")
BOARD = Account("board", "127.0.0.6")
STRANGER = Account("clerk", "127.0.0.9")
"""Knows the password, and is at an address that no account has."""

SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.debits (id BIGINT PRIMARY KEY, client VARCHAR(64) NOT NULL)",
    "CREATE TABLE shop.credits (id BIGINT PRIMARY KEY, client VARCHAR(64) NOT NULL)",
    "CREATE TABLE shop.board (id INT PRIMARY KEY, n BIGINT NOT NULL)",
    "INSERT INTO shop.board VALUES (1, 0)",
    *(
        sql
        for user, address in (*CLERKS, REPORT, BOARD)
        for sql in (
            f"CREATE USER '{user}'@'{address}' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON shop.* TO '{user}'@'{address}'",
        )
    ),
)
