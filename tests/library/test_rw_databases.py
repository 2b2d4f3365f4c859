"""Default databases under `rw_splitting` that are dropped by others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy
from support.whoami import rows, value

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
UNKNOWN_DATABASE = 1049
RESET_CONNECTION = 31
CONNECTION = "SELECT CONNECTION_ID() FROM test.one FOR UPDATE"


@pytest.fixture(autouse=True)
def data(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute("CREATE TABLE test.one (a INT)", "INSERT INTO test.one VALUES (1)")
    yield
    mariadb.execute("DROP TABLE test.one", "DROP DATABASE IF EXISTS passing")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb) -> Proxy:
    """With one server connection for all clients, whose default database is `test`."""
    proxy = start_proxy(SCRIPT, backends=[mariadb], config="[rwsplit]\nmin_idle_connections = 1\n")
    proxy.connect(database="test").close()
    return proxy


@pytest.fixture
def client(proxy: Proxy, mariadb: MariaDb) -> Iterator[pymysql.Connection]:
    """Its default database is dropped by another client, which used the server connection last."""
    mariadb.execute("CREATE DATABASE passing")
    with proxy.connect(database="test") as connection:
        connection.select_db("passing")
        assert value(connection, "SELECT DATABASE()") == "passing"
        with proxy.connect(database="test") as other:
            rows(other, "DROP DATABASE passing")
        yield connection


def test_a_database_that_is_gone_is_an_error_and_nobody_loses_a_connection(
    client: pymysql.Connection, proxy: Proxy
) -> None:
    with proxy.connect(database="test") as other:
        before = value(other, CONNECTION)
        for _ in range(3):
            with pytest.raises(pymysql.MySQLError) as error:
                rows(client, "SELECT a FROM test.one")
            assert error.value.args[0] == UNKNOWN_DATABASE
            assert value(other, CONNECTION) == before


@pytest.mark.parametrize("sql", ["CREATE DATABASE passing", "CREATE SCHEMA IF NOT EXISTS passing"])
def test_it_can_be_made_again(client: pymysql.Connection, sql: str) -> None:
    rows(client, sql)
    rows(client, "CREATE TABLE there (a INT)")
    assert value(client, "SELECT DATABASE()") == "passing"
    assert rows(client, "SHOW TABLES") == [("there",)]


def test_another_can_be_chosen(client: pymysql.Connection) -> None:
    rows(client, "USE test")
    assert value(client, "SELECT DATABASE()") == "test"
    assert rows(client, "SELECT a FROM one") == [(1,)]


def test_another_can_be_chosen_by_command(client: pymysql.Connection) -> None:
    with pytest.raises(pymysql.MySQLError) as error:
        client.select_db("passing")
    assert error.value.args[0] == UNKNOWN_DATABASE
    client.select_db("test")
    assert rows(client, "SELECT a FROM one") == [(1,)]


def test_dropping_another_than_that_of_the_connection_leaves_it(
    client: pymysql.Connection, proxy: Proxy, mariadb: MariaDb
) -> None:
    mariadb.execute("CREATE DATABASE passing", "CREATE TABLE passing.here (a INT)")
    rows(client, "DROP DATABASE IF EXISTS nonsense")
    assert rows(client, "SHOW TABLES") == [("here",)]


def test_behind_a_reset_it_has_the_character_set_of_the_server(
    proxy: Proxy, mariadb: MariaDb
) -> None:
    mariadb.execute("CREATE DATABASE passing CHARACTER SET latin2")
    with (
        proxy.connect(database="passing") as client,
        proxy.connect(database="test") as other,
        mariadb.connect(database="passing") as direct,
    ):
        for each in (client, direct):
            assert value(each, "SELECT @@character_set_database") == "latin2"
            sender: Any = each
            sender._execute_command(RESET_CONNECTION, b"")
            sender._read_ok_packet()
        for _ in range(2):
            rows(other, CONNECTION)
            expected = value(direct, "SELECT @@character_set_database")
            assert value(client, "SELECT @@character_set_database") == expected
