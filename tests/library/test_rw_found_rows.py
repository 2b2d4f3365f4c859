"""FOUND_ROWS() under `rw_splitting`, when the connection that knows it is with others."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import CLIENT, COMMAND
from support.mariadb import IS_MYSQL, MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
OUT_OF_RANGE = "SELECT 0 - 1, CAST(0 AS UNSIGNED) - 1"
FOUND = "SELECT FOUND_ROWS() AS n"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    for server in (mariadb, replica):
        server.execute(
            "CREATE TABLE test.found (a INT PRIMARY KEY)",
            "INSERT INTO test.found VALUES (1), (2), (3)",
        )
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami, test.found")


@pytest.fixture
def client(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> Iterator[pymysql.Connection]:
    """Of a proxy with one idle connection in each pool."""
    config = "[rwsplit]\nmin_idle_connections = 1\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    for _ in range(2):
        with proxy.connect(autocommit=None) as first:
            rows(first, "SELECT 1 UNION SELECT 2")
    options = {"autocommit": None, "client_flag": CLIENT.MULTI_STATEMENTS}
    with proxy.connect(database="test", **options) as connection:
        yield connection


def several(client: pymysql.Connection, sql: str) -> None:
    """Runs several statements; the last one may fail."""
    with client.cursor() as cursor:
        cursor.execute(sql)
        try:
            while cursor.nextset():
                pass
        except pymysql.MySQLError:
            assert "nonsense" in sql


@pytest.mark.parametrize("limit", ["LIMIT 2", "of the session"])
def test_rows_that_a_limit_leaves_out_of_several_queries(
    client: pymysql.Connection, limit: str
) -> None:
    if limit == "of the session":
        rows(client, "SET sql_select_limit = 2")
        limit = ""
    sql = f"SELECT a FROM test.found UNION ALL SELECT a + 3 FROM test.found {limit}"
    assert len(rows(client, sql)) == 2
    # MariaDB counts those that it would have had.
    assert rows(client, FOUND) == [(2 if IS_MYSQL else 6,)]


def test_a_session_has_found_none(client: pymysql.Connection) -> None:
    rows(client, "SET NAMES latin1")
    with pytest.raises(pymysql.MySQLError, match="nonsense"):
        rows(client, "SELECT * FROM nonsense")
    assert rows(client, FOUND) == [(0,)]


def test_a_query_that_fails_while_it_runs_has_found_nothing_or_is_not_counted(
    client: pymysql.Connection,
) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    with pytest.raises(pymysql.MySQLError, match="out of range"):
        rows(client, OUT_OF_RANGE)
    if IS_MYSQL:
        assert rows(client, FOUND) == [(3,)]
    else:
        with pytest.raises(pymysql.MySQLError, match="with other clients"):
            rows(client, FOUND)


@pytest.mark.skipif(not IS_MYSQL, reason="MariaDB counts no rows in front of an error")
def test_rows_in_front_of_an_error_are_counted_behind_another_statement(
    client: pymysql.Connection,
) -> None:
    with pytest.raises(pymysql.MySQLError, match="more than 1 row"):
        rows(client, "SELECT a, (SELECT b.a FROM found b WHERE b.a <= c.a) FROM found c ORDER BY a")
    rows(client, "DELETE FROM found WHERE a > 99")
    with pytest.raises(pymysql.MySQLError, match="with other clients"):
        rows(client, FOUND)


def test_a_reset_session_has_found_what_it_had(client: pymysql.Connection) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    client._execute_command(31, b"")
    client._read_packet()
    rows(client, "SET @a = 1")
    assert rows(client, FOUND) == [(3,)]


@pytest.mark.parametrize("sql", ["ROLLBACK; BEGIN; COMMIT", "BEGIN; COMMIT; SET nonsense = 1"])
def test_several_statements_that_find_nothing_change_nothing(
    client: pymysql.Connection, sql: str
) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    several(client, sql)
    assert rows(client, FOUND) == [(3,)]


def test_the_last_of_several_that_finds_rows_counts(client: pymysql.Connection) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    several(client, "SELECT 1 UNION SELECT 2; COMMIT")
    assert rows(client, FOUND) == [(2,)]


def test_nobody_knows_which_of_several_were_run(client: pymysql.Connection) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    several(client, "COMMIT; SET nonsense = 1; SELECT 1 UNION SELECT 2")
    with pytest.raises(pymysql.MySQLError, match="with other clients"):
        rows(client, FOUND)
    assert len(rows(client, "SELECT a FROM found")) == 3
    assert rows(client, FOUND) == [(3,)]


@pytest.mark.parametrize(
    "sql", ["SET @a = (SELECT MAX(a) FROM found)", "DO (SELECT MAX(a) FROM found)"]
)
def test_nobody_knows_whether_a_subquery_was_run(client: pymysql.Connection, sql: str) -> None:
    assert len(rows(client, "SELECT a FROM found")) == 3
    rows(client, sql)
    if IS_MYSQL:
        assert rows(client, FOUND) == [(3 if "SET" in sql else 1,)]
    else:
        with pytest.raises(pymysql.MySQLError, match="with other clients"):
            rows(client, FOUND)


def test_a_prepared_question_of_a_tied_client(client: pymysql.Connection) -> None:
    def packets_until_eof(client: pymysql.Connection, count: int) -> list[bytes]:
        """All packets, with so many EOFs."""
        found: list[bytes] = []
        while sum(packet[0] == 0xFE for packet in found) < count:
            found.append(bytes(client._read_packet().get_all_data()))
        return found

    assert len(rows(client, "SELECT a FROM found")) == 3
    rows(client, "SET @tied = 1")
    client._execute_command(COMMAND.COM_STMT_PREPARE, b"SELECT FOUND_ROWS(), ROW_COUNT()")
    number = packets_until_eof(client, 1)[0][1:5]
    for expected in ((3, 0), (1, -1)):
        client._execute_command(COMMAND.COM_STMT_EXECUTE, number + b"\0\1\0\0\0")
        *_, row, _ = packets_until_eof(client, 2)
        assert struct.unpack("<qq", row[2:18]) == expected


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("SELECT 1; COMMIT", 0),
        ("COMMIT; SELECT 1", -1),
        (
            "SELECT 1; UPDATE found SET a = a + 10 WHERE a = 3; UPDATE found SET a = 3 WHERE a = 13",
            1,
        ),
    ],
)
def test_the_last_of_several_has_changed_rows(
    client: pymysql.Connection, sql: str, count: int
) -> None:
    several(client, sql)
    assert rows(client, "SELECT ROW_COUNT()") == [(count,)]
