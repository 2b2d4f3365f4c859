"""The script `histogram` in a real proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/histogram.py"


@pytest.fixture
def tables(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute("CREATE TABLE test.one (id INT)", "CREATE TABLE test.two (id INT)")
    yield
    mariadb.execute("DROP TABLE test.one, test.two")


def rows(connection: pymysql.Connection, sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


@pytest.mark.usefixtures("tables")
def test_queries_and_tables_of_all_connections(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect(database="test") as first, proxy.connect(database="mysql") as second:
        rows(first, "SELECT * FROM one WHERE id = 5")
        rows(second, "select * from test.one where id = 17")
        rows(second, "SELECT test.one.id FROM test.one JOIN test.two USING (id)")
        rows(first, "INSERT INTO two VALUES (1)")
        times = {row[0]: row[1:] for row in rows(first, "SELECT * FROM histogram.queries")}
        used = sorted(rows(second, "select *  from `histogram`.tables"))
    assert times["SELECT * FROM `one` WHERE `id` = ? "][0] == 1
    assert times["SELECT * FROM `test` . `one` WHERE `id` = ? "][0] == 1
    assert times["INSERT INTO `two` VALUES ( ? ) "][0] == 1
    for count, longest, average in times.values():
        assert 0 < average <= longest
        assert count >= 1
    assert used == [("test.one", 3, 0), ("test.two", 1, 1)]


@pytest.mark.usefixtures("tables")
def test_prepared_statements_count(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with (
        proxy.connect(database="test") as client,
        mysql.connector.connect(
            host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, database="test"
        ) as other,
        other.cursor(prepared=True) as cursor,
    ):
        for number in (1, 2, 3):
            cursor.execute("INSERT INTO two VALUES (?)", (number,))
        cursor.execute("SELECT * FROM two WHERE id > ?", (1,))
        assert cursor.fetchall() == [(2,), (3,)]
        counts = {row[0]: row[1] for row in rows(client, "SELECT * FROM histogram.queries")}
        assert ("test.two", 1, 3) in rows(client, "SELECT * FROM histogram.tables")
    assert counts["INSERT INTO `two` VALUES ( ? ) "] == 3
    assert counts["SELECT * FROM `two` WHERE `id` > ? "] == 1


def test_the_longest_time_and_the_average(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as connection:
        rows(connection, "DO SLEEP(0.2)")
        rows(connection, "DO SLEEP(0)")
        ((_, count, longest, average),) = [
            row for row in rows(connection, "SELECT * FROM histogram.queries") if "SLEEP" in row[0]
        ]
    assert count == 2
    assert longest >= 200_000
    assert longest / 2 <= average < longest


@pytest.mark.usefixtures("tables")
def test_the_counters_can_be_emptied(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect(database="test") as connection:
        rows(connection, "SELECT * FROM one")
        rows(connection, "DELETE FROM histogram.queries")
        assert rows(connection, "SELECT * FROM histogram.queries") == []
        assert rows(connection, "SELECT * FROM histogram.tables") == [("test.one", 1, 0)]
        rows(connection, "DELETE FROM histogram.tables")
        assert rows(connection, "SELECT * FROM histogram.tables") == []


@pytest.mark.usefixtures("tables")
def test_what_is_not_collected(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[histogram]\ncollect_queries = off")
    with proxy.connect(database="test") as connection:
        rows(connection, "SELECT * FROM one")
        assert rows(connection, "SELECT * FROM histogram.queries") == []
        assert rows(connection, "SELECT * FROM histogram.tables") == [("test.one", 1, 0)]
