"""What a statement that fails leaves under `rw_splitting`: nothing, so its client goes on sharing its server connection."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pymysql.constants import COMMAND
from support.mariadb import IS_MYSQL, MariaDb
from support.proxy import Proxy
from support.whoami import rows, value

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
# How long a client waits that finds nothing.
CONFIG = "[rwsplit]\nmin_idle_connections = 1\nwait_seconds = 0.2\n"
ON_THE_PRIMARY = "SELECT a FROM test.made FOR UPDATE"
NO_CONNECTION = 1040


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute("CREATE TABLE test.made (a INT)", "INSERT INTO test.made VALUES (1)")
    mariadb.execute(
        "CREATE PROCEDURE test.leaves() BEGIN SET @left = 7; SIGNAL SQLSTATE '45000'; END"
    )
    yield
    mariadb.execute("DROP TABLE test.made", "DROP PROCEDURE test.leaves")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb) -> Proxy:
    """With one server connection for all clients."""
    options = {"pyproxy-event-loop": "own", "pyproxy-backend-max-connections": 1}
    return start_proxy(SCRIPT, backends=[mariadb], config=CONFIG, options=options)


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC 1",
        "CREATE TABLE test.made (b INT)",
        "DROP TABLE test.nowhere",
        "SHOW CREATE TABLE test.nowhere",
        "EXPLAIN SELECT nowhere FROM test.made",
    ],
)
def test_nothing_is_left(proxy: Proxy, sql: str) -> None:
    with proxy.connect(database="test") as client, proxy.connect(database="test") as other:
        rows(client, "SET SESSION completion_type = CHAIN")
        for _ in range(2):
            with pytest.raises(pymysql.MySQLError) as error:
                rows(client, sql)
            assert error.value.args[0] != NO_CONNECTION
            assert value(other, ON_THE_PRIMARY) > 0
        if not IS_MYSQL:
            assert value(client, "SELECT @@in_transaction") == 0


def test_what_a_program_leaves_that_fails_stays(proxy: Proxy) -> None:
    with proxy.connect(database="test") as client, proxy.connect(database="test") as other:
        with pytest.raises(pymysql.MySQLError):
            rows(client, "CALL leaves()")
        with pytest.raises(pymysql.MySQLError) as error:
            rows(other, ON_THE_PRIMARY)
        assert error.value.args[0] == NO_CONNECTION
        assert value(client, "SELECT @left") == 7


def test_values_that_find_no_connection_are_the_error_of_their_execution(proxy: Proxy) -> None:
    with proxy.connect(database="test") as client, proxy.connect(database="test") as other:
        sender: Any = client
        sender._execute_command(COMMAND.COM_STMT_PREPARE, b"INSERT INTO made (a) VALUES (?)")
        number = sender._read_packet().get_all_data()[1:5]
        for _ in range(2):
            sender._read_packet()
        other.begin()
        assert value(other, ON_THE_PRIMARY) > 0
        for _ in range(2):
            sender._execute_command(COMMAND.COM_STMT_SEND_LONG_DATA, number + b"\0\0" + b"5")
        types = struct.pack("<BBB", 0, 1, 0xFD) + b"\0"
        sender._execute_command(COMMAND.COM_STMT_EXECUTE, number + b"\0\1\0\0\0" + types)
        with pytest.raises(pymysql.MySQLError) as error:
            sender._read_packet()
        assert error.value.args[0] == NO_CONNECTION
        other.rollback()
