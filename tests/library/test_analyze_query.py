"""The script `analyze_query` in a real proxy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.proxy import Proxy

# A busy machine makes queries of milliseconds slow; the ones that are meant sleep for a second.
CONFIG = "[analyze_query]\nmin_queries = 50\nmin_query_time = 500000\n"
SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/analyze_query.py"


def rows(connection: pymysql.Connection, sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def make_usual(connection: pymysql.Connection) -> None:
    """Enough equal queries that one slow one is more than five deviations off, itself counted."""
    for _ in range(100):
        rows(connection, "SELECT 1")


def test_counters(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, backends=[mariadb, replica])
    # The second connection goes to the server with fewer clients: each kind is counted for each.
    with proxy.connect(database="test") as first, proxy.connect(database="test") as second:
        for connection in (first, first, second):
            rows(connection, "SELECT SLEEP(0.01)")
        found = [row for row in rows(first, "SELECT * FROM histogram.queries") if "SLEEP" in row[0]]
        assert sorted(row[1] for row in found) == [1, 2]
        for _, count, average, deviation in found:
            assert average >= 10_000
            assert (deviation is None) == (count == 1)
        rows(second, "DELETE FROM histogram.queries")
        assert rows(second, "SELECT * FROM histogram.queries") == []


def test_a_slow_query_is_printed(start_proxy: Callable[..., Proxy], mariadb: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG)
    with proxy.connect(database="test") as connection:
        make_usual(connection)
        assert proxy.stdout() == ""
        assert rows(connection, "SELECT SLEEP(1)") == [(0,)]
        thread = connection.thread_id()
    proxy.wait_for_stdout("slower than")
    lines = proxy.stdout().splitlines()
    assert lines[0].endswith(f" [{thread}@{mariadb.address}] user: u, db: test")
    assert lines[1:3] == [
        "  query:        SELECT SLEEP(1)",
        "  normalized:   SELECT SLEEP( ? )",
    ]
    assert lines[3].startswith("  query time:   1")
    assert lines[3].endswith(" ms")
    assert lines[-1] == "  slower than:  all queries"


def test_processlist_and_explain_follow(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "auto_explain = on\nauto_processlist = on")
    with proxy.connect(database="test") as connection:
        make_usual(connection)
        assert rows(connection, "SELECT SLEEP(1) FROM mysql.global_priv LIMIT 1") == [(0,)]
        # The client sees nothing of what comes in front of its next one.
        assert rows(connection, "SELECT 2 FROM mysql.global_priv LIMIT 1") == [(2,)]
    proxy.wait_for_stdout("EXPLAIN")
    printed = proxy.stdout()
    assert "] SHOW FULL PROCESSLIST\n  Id: " in printed
    assert "Info: SHOW FULL PROCESSLIST" in printed
    assert (
        "] EXPLAIN SELECT SLEEP(1) FROM mysql.global_priv LIMIT 1\n"
        "  id: 1, select_type: SIMPLE, table: global_priv"
    ) in printed
    assert printed.count("slower than") == 1


def test_the_client_can_ask_about_its_slow_statement(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "auto_explain = on\nauto_processlist = on")
    mariadb.execute("CREATE TABLE test.slow SELECT 'x' AS a UNION SELECT 'y'")
    with proxy.connect(database="test") as connection:
        make_usual(connection)
        rows(connection, "SELECT SLEEP(0.5), CAST(a AS INT) FROM slow")
        # A statement without tables leaves the warnings as they are.
        rows(connection, "SELECT 1")
        assert len(rows(connection, "SHOW WARNINGS")) == 2
        rows(connection, "UPDATE slow SET a = 'z' WHERE SLEEP(0.5) = 0")
        proxy.wait_for_stdout("EXPLAIN")
        assert rows(connection, "SELECT ROW_COUNT()") == [(2,)]
    mariadb.execute("DROP TABLE test.slow")


def test_prepared_statements_are_measured(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG)
    with (
        proxy.connect(database="test") as client,
        mysql.connector.connect(
            host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, database="test"
        ) as other,
        other.cursor(prepared=True) as cursor,
    ):
        make_usual(client)
        cursor.execute("SELECT SLEEP(?)", (1,))
        assert cursor.fetchall() == [(0,)]
        counts = {row[0]: row[1] for row in rows(client, "SELECT * FROM histogram.queries")}
    assert counts["SELECT SLEEP( ? ) "] == 1
    proxy.wait_for_stdout("  query:        SELECT SLEEP(?)\n")


def test_explain_runs_nothing_twice(start_proxy: Callable[..., Proxy], mariadb: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "auto_explain = on")
    mariadb.execute("CREATE TABLE test.twice (id INT)")
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with proxy.connect(database="test", client_flag=flag) as connection:
        make_usual(connection)
        rows(connection, "SELECT SLEEP(1) FROM DUAL; INSERT INTO twice VALUES (1)")
        rows(connection, "SELECT id FROM twice")
    proxy.wait_for_stdout("slower than")
    assert mariadb.execute("SELECT count(*) FROM test.twice") == ((1,),)
    assert "EXPLAIN" not in proxy.stdout()
    mariadb.execute("DROP TABLE test.twice")


@pytest.mark.parametrize(
    "config",
    [
        "[analyze_query]\nmin_queries = 50\nmin_query_time = 60000000",
        CONFIG + "analyze_queries = off",
        CONFIG.replace("50", "1000"),
    ],
)
def test_what_is_not_printed(start_proxy: Callable[..., Proxy], config: str) -> None:
    proxy = start_proxy(SCRIPT, config=config)
    with proxy.connect() as connection:
        make_usual(connection)
        rows(connection, "SELECT SLEEP(1)")
        rows(connection, "SELECT 1")
    assert proxy.stop() == 0
    assert proxy.stdout() == ""
