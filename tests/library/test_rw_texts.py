"""Texts under `rw_splitting` that sessions read in different ways: what a statement leaves is seen in each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows, value, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
PRIMARY, READER = 1, 2
# The string ends behind the backslash, and two user variables are set.
LEAVES = b"SELECT 'a\\', 7 INTO @a, @x -- '"
# The backslash is the second half of a character.
LEAVES_IN_GBK = b"SELECT '\xbf\\', 7 INTO @a, @x -- '"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.fixture
def connect(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> Callable[..., pymysql.Connection]:
    """Connects to a proxy with one idle connection in each pool."""
    config = "[rwsplit]\nmin_idle_connections = 1\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    for _ in range(2):
        proxy.connect().close()

    def connect(**options: Any) -> pymysql.Connection:
        return proxy.connect(database="test", **options)

    return connect


def run(client: pymysql.Connection, sql: bytes) -> None:
    client.query(sql)


def test_a_backslash_is_read_as_the_sql_mode_has_it(
    connect: Callable[..., pymysql.Connection],
) -> None:
    with connect() as client:
        rows(client, "SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
        run(client, LEAVES)
        assert who(client) == PRIMARY
        assert rows(client, "SELECT @a, @x") == [("a\\", 7)]
    with connect() as other:
        # One string, with a quote in it.
        run(other, LEAVES)
        assert who(other) == READER


@pytest.mark.parametrize("how", ["login", "SET NAMES gbk", "SET character_set_client = gbk"])
def test_halves_of_characters_are_no_backslashes(
    connect: Callable[..., pymysql.Connection], how: str
) -> None:
    with connect(charset="gbk" if how == "login" else "utf8mb4") as client:
        if how != "login":
            rows(client, how)
        run(client, LEAVES_IN_GBK)
        assert who(client) == PRIMARY
        assert value(client, "SELECT @x") == 7


def test_names_in_double_quotes_are_called(connect: Callable[..., pymysql.Connection]) -> None:
    with connect() as client:
        rows(client, "SET sql_mode = 'ANSI_QUOTES'")
        assert value(client, "SELECT \"GET_LOCK\"('rw_texts', 0)") == 1
        assert who(client) == PRIMARY
        assert value(client, "SELECT IS_USED_LOCK('rw_texts') = CONNECTION_ID()") == 1
