"""A table that tells which server answered a query, for tests with a primary and a server for reads."""

from __future__ import annotations

from typing import Any

import pymysql

from .mariadb import MariaDb

# A plain read, as any script that looks at statements must see it.
WHO = "SELECT id FROM test.whoami"


def prepare(*servers: MariaDb) -> None:
    """Makes `test.whoami` with one row, the server's id, on each."""
    for server in servers:
        server.execute(
            "DROP TABLE IF EXISTS test.whoami",
            "CREATE TABLE test.whoami (id INT)",
            f"INSERT INTO test.whoami VALUES ({server.server_id})",
        )


def rows(connection: pymysql.Connection, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a query; none if it has no result set."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def value(connection: pymysql.Connection, sql: str) -> Any:
    """The first cell of a query."""
    return rows(connection, sql)[0][0]


def who(connection: pymysql.Connection) -> int:
    """The id of the server that answers a read."""
    return int(value(connection, WHO))
