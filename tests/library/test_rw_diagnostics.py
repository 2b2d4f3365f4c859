"""What clients of `rw_splitting` are told of their last statement: the same as on a connection of their own, while another client uses
the server connections in between.
"""

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
from support.whoami import prepare, rows

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
CONFIG = "[rwsplit]\nmin_idle_connections = 1\n"
PREPARE = "PREPARE of what is no statement"
PING, UNKNOWN = "PING", "EXECUTE of a number that no statement has"
NOWHERE = "INIT_DB of no database"
COMMANDS = {
    PING: (COMMAND.COM_PING, b""),
    PREPARE: (COMMAND.COM_STMT_PREPARE, b"SELEC ?"),
    NOWHERE: (COMMAND.COM_INIT_DB, b"nowhere"),
    UNKNOWN: (COMMAND.COM_STMT_EXECUTE, struct.pack("<IBI", 4711, 0, 1)),
}
TWO_WARNINGS = "SELECT CAST('x' AS SIGNED), CAST('y' AS SIGNED)"
COUNTS = "SELECT @@warning_count, @@error_count"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    for server in (mariadb, replica):
        server.execute(
            "CREATE TABLE test.several (a INT PRIMARY KEY)",
            "INSERT INTO test.several VALUES (1), (2), (3)",
        )
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami, test.several")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    """With one idle connection in each pool."""
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=CONFIG)
    for _ in range(2):
        proxy.connect().close()
    return proxy


@pytest.fixture
def clients(proxy: Proxy) -> Iterator[tuple[pymysql.Connection, pymysql.Connection]]:
    """Two that take turns on the connections."""
    with proxy.connect(database="test") as one, proxy.connect(database="test") as other:
        yield one, other


def said(client: Any, step: str) -> Any:
    """Everything that a client is told: rows or the error, and how many warnings there were."""
    try:
        if step in COMMANDS:
            client._execute_command(*COMMANDS[step])
            return client._read_ok_packet().warning_count
        found = rows(client, step)
        return found, client._result.warning_count
    except pymysql.MySQLError as error:
        return error.args


@pytest.mark.parametrize(
    "steps",
    [
        (TWO_WARNINGS, "SHOW COUNT(*) WARNINGS", "SHOW WARNINGS", PING, COUNTS),
        (TWO_WARNINGS, COUNTS, COUNTS, "SHOW COUNT(*) WARNINGS", "SHOW WARNINGS"),
        ("SELECT no_such", "SELECT @@error_count", "SELECT @@error_count", PING),
        ("SELECT no_such", "SHOW COUNT(*) ERRORS", "SHOW ERRORS", "SELECT @@error_count"),
        (TWO_WARNINGS, PING, "SHOW WARNINGS", PING, "SHOW WARNINGS"),
        (TWO_WARNINGS, UNKNOWN, PING, UNKNOWN, "SHOW WARNINGS", COUNTS),
        (TWO_WARNINGS, COUNTS, UNKNOWN, "SHOW WARNINGS", COUNTS),
        (
            "SELECT 1",
            "SELECT FOUND_ROWS()",
            UNKNOWN,
            "SHOW WARNINGS",
            UNKNOWN,
            "SELECT ROW_COUNT()",
        ),
        ("SELECT 1", UNKNOWN, COUNTS, "SELECT FOUND_ROWS()"),
        ("INSERT INTO several VALUES (1); SELECT 2", "SHOW WARNINGS", "SELECT @@warning_count"),
        (PREPARE, UNKNOWN, "SHOW COUNT(*) ERRORS", "SHOW ERRORS", COUNTS),
        ("SELECT no_such", NOWHERE, PING, "SHOW ERRORS", COUNTS),
        (TWO_WARNINGS, "SHOW WARNINGS", NOWHERE, PING, NOWHERE, PING, UNKNOWN, PING),
        (TWO_WARNINGS, NOWHERE, PING, "SELECT ROW_COUNT(), FOUND_ROWS()"),
        (
            "SELECT 1",
            PING,
            "SELECT FOUND_ROWS()",
            "SHOW WARNINGS LIMIT 1",
            "SELECT @@warning_count",
        ),
    ],
)
def test_warnings_are_those_of_a_connection_of_its_own(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb, steps: tuple[str, ...]
) -> None:
    client, other = clients
    with mariadb.connect(database="test") as direct:
        for step in steps:
            said(other, "SELECT CAST('z' AS SIGNED)")
            said(other, "SELECT @@session.sql_mode")
            assert said(client, step) == said(direct, step), step


@pytest.mark.parametrize(
    ("tie", "sql"),
    [
        ("DO 1", "CALL nowhere()"),
        ("DO 1", "SELECT nowhere(1)"),
        ("DO 1", "SELECT 1; SELECT 2"),
        # An error behind a row.
        (
            "DO 1",
            "SELECT a, (SELECT b.a FROM several b WHERE b.a <= c.a) FROM several c ORDER BY a",
        ),
        ("DO @x := 1", "CALL nowhere()"),
        ("DO @x := 1", "SELECT nowhere(1)"),
    ],
)
def test_what_does_not_run_finds_nothing(
    clients: tuple[pymysql.Connection, pymysql.Connection],
    mariadb: MariaDb,
    tie: str,
    sql: str,
) -> None:
    client, other = clients
    with mariadb.connect(database="test") as direct:
        for step in (tie, "SELECT 1 UNION SELECT 2", sql, "SELECT FOUND_ROWS()"):
            assert said(client, step) == said(direct, step), step
            said(other, "SELECT @@session.sql_mode")
            said(other, "SELECT 1")


@pytest.mark.skipif(not IS_MYSQL, reason="MariaDB tells at once")
@pytest.mark.parametrize("kind", ["TEMPORARY TABLE", "TABLE"])
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM several WHERE a > 9",
        "EXPLAIN SELECT 1",
        "INSERT IGNORE INTO several VALUES (1)",
        "SHOW GRANTS",
        "SET @x = 1",
    ],
)
def test_what_is_told_later(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb, kind: str, sql: str
) -> None:
    client, other = clients
    with mariadb.connect(database="test") as direct:
        for number, each in enumerate((client, direct)):
            rows(each, "SELECT 1 UNION SELECT 2")
            rows(each, f"CREATE {kind} found{number} SELECT a FROM several")
        for step in ("SHOW CREATE TABLE several", sql, sql, "SELECT FOUND_ROWS()"):
            assert said(client, step) == said(direct, step), step
            said(other, "SELECT @@session.sql_mode")
        for number, each in enumerate((client, direct)):
            rows(each, f"DROP {kind} found{number}")


@pytest.mark.skipif(not IS_MYSQL, reason="the warning is MySQL's")
def test_a_question_in_other_words_uses_nothing_up(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb
) -> None:
    with mariadb.connect(database="test") as direct:
        for step in (
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "SELECT DATABASE()",
            "GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT",
            # With a warning: it is none at this level.
            "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        ):
            assert said(clients[0], step) == said(direct, step), step


def test_a_prepared_question_behind_a_reset_of_it(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb
) -> None:
    def counts(client: Any) -> bytes:
        client._execute_command(COMMAND.COM_STMT_PREPARE, b"SELECT ROW_COUNT(), FOUND_ROWS()")
        number = client._read_packet().get_all_data()[1:5]
        for _ in range(3):
            client._read_packet()
        rows(client, "SELECT 1 UNION SELECT 2")
        client._execute_command(COMMAND.COM_STMT_RESET, number)
        client._read_ok_packet()
        client._execute_command(COMMAND.COM_STMT_EXECUTE, number + b"\0\1\0\0\0")
        packets = [client._read_packet().get_all_data() for _ in range(6)]
        return bytes(packets[4])

    with mariadb.connect(database="test") as direct:
        assert counts(clients[0]) == counts(direct)


def test_a_question_begins_no_transaction(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb
) -> None:
    with mariadb.connect(database="test") as direct:
        for step in (
            "SET autocommit = 0",
            "SELECT a FROM several",
            "ROLLBACK",
            "SELECT FOUND_ROWS() + 1",
            # An error in one.
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        ):
            assert said(clients[0], step) == said(direct, step), step


@pytest.mark.skipif(not IS_MYSQL, reason="the warning is MySQL's")
def test_what_a_prepared_statement_is_warned_of(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb
) -> None:
    def warned(client: Any) -> object:
        # On a replica, and what comes on the primary.
        rows(client, "SELECT a FROM several")
        client._execute_command(COMMAND.COM_STMT_PREPARE, b"SELECT FOUND_ROWS()")
        for _ in range(3):
            client._read_packet()
        return said(client, "SHOW WARNINGS")

    with mariadb.connect(database="test") as direct:
        assert warned(clients[0]) == warned(direct)


@pytest.mark.skipif(not IS_MYSQL, reason="a new session of MariaDB has those of an old one")
def test_a_new_client_has_found_nothing(
    clients: tuple[pymysql.Connection, pymysql.Connection], proxy: Proxy
) -> None:
    for client in clients:
        said(client, "SHOW TABLES FROM information_schema")
    with proxy.connect() as client:
        # It has only said what its character set is.
        assert said(client, "SELECT FOUND_ROWS()") == ([(0,)], 1)


@pytest.mark.skipif(not IS_MYSQL, reason="MariaDB is asked in another way")
def test_found_rows_that_a_tied_connection_does_not_know(
    clients: tuple[pymysql.Connection, pymysql.Connection], mariadb: MariaDb
) -> None:
    client, other = clients
    with mariadb.connect(database="test") as direct:
        for step in (
            "SELECT 1 UNION SELECT 2 UNION SELECT 3",
            # It ties, and finds nothing.
            "SET @a = 1",
            "SHOW CREATE TABLE whoami",
            "SELECT ROW_COUNT(), FOUND_ROWS()",
            "BEGIN",
            PING,
            "SELECT ROW_COUNT(), FOUND_ROWS(), @@warning_count",
        ):
            assert said(client, step) == said(direct, step), step
            said(other, "SELECT 1 UNION SELECT 2")
            said(other, "DO 1")
