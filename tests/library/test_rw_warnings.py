"""Warnings and errors of a client's last statement under `rw_splitting`, when its connection is with others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import CLIENT, COMMAND, SERVER_STATUS
from support.mariadb import IS_MYSQL, MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
READER = 2
LATIN2, UTF8MB4 = 9, 45
NO_SUCH_TABLE, NO_SUCH_COLUMN = 1146, 1054
NOBODY_KNOWS = 1105
NO_BACKSLASH_ESCAPES = 1 << 9


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    """With one idle connection in each pool."""
    config = "[rwsplit]\nmin_idle_connections = 1\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    for _ in range(2):
        proxy.connect().close()
    return proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect(database="test") as connection:
        yield connection


def fail(client: pymysql.Connection, sql: str) -> int:
    with pytest.raises(pymysql.MySQLError) as error:
        rows(client, sql)
    return int(error.value.args[0])


def charset_of(client: pymysql.Connection, sql: str) -> tuple[int, tuple[object, ...]]:
    """The character set of the first column, and the rows."""
    with client.cursor() as cursor:
        cursor.execute(sql)
        assert cursor._result is not None
        return cursor._result.fields[0].charsetnr, cursor.fetchall()


def status_behind(client: pymysql.Connection, sql: str) -> int:
    """The status in the EOF packet behind the rows."""
    client._execute_command(COMMAND.COM_QUERY, sql.encode())
    ends: list[bytes] = []
    while len(ends) < 2:
        packet = bytes(client._read_packet().get_all_data())
        ends += [packet] if packet[:1] == b"\xfe" else []
    return int.from_bytes(ends[1][3:5], "little")


@pytest.mark.skipif(IS_MYSQL, reason="SET ends the warnings of MySQL's statements")
@pytest.mark.parametrize("sql", ["SET NAMES latin2", "SET CHARSET latin2"])
def test_they_are_told_in_the_character_set_that_results_have(
    client: pymysql.Connection, sql: str
) -> None:
    assert fail(client, "SELECT * FROM test.nonsense") == NO_SUCH_TABLE
    error = ("Error", NO_SUCH_TABLE, "Table 'test.nonsense' doesn't exist")
    assert charset_of(client, "SHOW WARNINGS") == (UTF8MB4, (error,))
    rows(client, sql)
    for question in ("SHOW WARNINGS", "SHOW ERRORS LIMIT 1", "SHOW WARNINGS"):
        assert charset_of(client, question) == (LATIN2, (error,))
    assert charset_of(client, "SHOW ERRORS LIMIT 1, 1") == (LATIN2, ())


@pytest.mark.skipif(IS_MYSQL, reason="SET ends the warnings of MySQL's statements")
@pytest.mark.parametrize(
    "statements",
    [
        ["SET profiling = 0"],
        ["SET sql_quote_show_create = 0", "SELECT GET_LOCK('a', 0)"],
        ["SET @@tx_read_only = 0"],
        ["SET @a = 1", "SET @b = 2"],
    ],
)
def test_what_a_statement_left_elsewhere_is_not_that_of_the_next(
    client: pymysql.Connection, statements: list[str]
) -> None:
    fail(client, "UPDATE test.whoami SET no_such = 1")
    assert who(client) == READER
    for tying in statements:
        rows(client, tying)
    assert rows(client, "SELECT @@warning_count, @@error_count") == [(0, 0)]


@pytest.mark.skipif(IS_MYSQL, reason="each statement ends the warnings of MySQL's")
def test_nobody_knows_whether_a_lock_ended_them(client: pymysql.Connection) -> None:
    fail(client, "UPDATE test.whoami SET no_such = 1")
    # Behind it the connection is asked for the value, and forgets.
    rows(client, "SET div_precision_increment = 5")
    rows(client, "SELECT GET_LOCK('a', 0)")
    assert fail(client, "SELECT @@warning_count") == NOBODY_KNOWS


@pytest.mark.skipif(IS_MYSQL, reason="SET ends the warnings of MySQL's statements")
def test_several_settings_behind_a_read_have_no_warnings(proxy: Proxy) -> None:
    options = {"client_flag": CLIENT.MULTI_STATEMENTS}
    for _ in range(2):
        proxy.connect(**options).close()
    with proxy.connect(**options) as client, client.cursor() as cursor:
        fail(client, "UPDATE test.whoami SET no_such = 1")
        assert who(client) == READER
        cursor.execute("SET foreign_key_checks = 1; SET unique_checks = 1")
        cursor.execute("SHOW WARNINGS; SELECT 1")
        assert cursor.fetchall() == ()


@pytest.mark.skipif(IS_MYSQL, reason="SET ends the warnings of MySQL's statements")
def test_a_query_in_a_set_ends_those_of_the_statement_before(client: pymysql.Connection) -> None:
    rows(client, "SELECT id + 'y' FROM test.whoami")
    rows(client, "SET div_precision_increment = (SELECT 4)")
    assert len(rows(client, "SHOW WARNINGS")) == 1
    rows(client, "SET div_precision_increment = (SELECT COUNT(*) FROM test.whoami)")
    assert rows(client, "SHOW WARNINGS") == []


@pytest.mark.skipif(IS_MYSQL, reason="MySQL 9 has no COM_FIELD_LIST")
def test_a_list_of_columns_leaves_them(client: pymysql.Connection) -> None:
    assert fail(client, "SELECT * FROM test.nonsense") == NO_SUCH_TABLE
    client._execute_command(COMMAND.COM_FIELD_LIST, b"whoami\0")
    while bytes(client._read_packet().get_all_data())[0] != 0xFE:
        pass
    assert rows(client, "SELECT @@warning_count, ROW_COUNT()") == [(1, -1)]
    assert len(rows(client, "SHOW WARNINGS")) == 1


@pytest.mark.skipif(IS_MYSQL, reason="SET ends the warnings of MySQL's statements")
def test_their_end_tells_the_sql_mode_of_now(client: pymysql.Connection) -> None:
    assert fail(client, "SELECT * FROM test.nonsense") == NO_SUCH_TABLE
    for mode, flag in (("NO_BACKSLASH_ESCAPES", NO_BACKSLASH_ESCAPES), ("", 0)):
        rows(client, f"SET sql_mode = (SELECT '{mode}')")
        assert status_behind(client, "SHOW WARNINGS") & NO_BACKSLASH_ESCAPES == flag


@pytest.mark.skipif(IS_MYSQL, reason="COMMIT ends the warnings of MySQL's statements")
def test_their_end_tells_of_the_transaction_that_begins(client: pymysql.Connection) -> None:
    assert fail(client, "UPDATE test.whoami SET no_such = 1") == NO_SUCH_COLUMN
    rows(client, "COMMIT AND CHAIN")
    assert status_behind(client, "SHOW WARNINGS LIMIT 1") & SERVER_STATUS.SERVER_STATUS_IN_TRANS
    rows(client, "ROLLBACK")


@pytest.mark.skipif(IS_MYSQL, reason="each statement ends the warnings of MySQL's")
def test_a_prepared_statement_that_ties_leaves_them(proxy: Proxy) -> None:
    with proxy.connect() as client:
        rows(client, "SELECT CAST('2020-02-30' AS DATE)")
        # Without a default database it stays where it was prepared.
        client._execute_command(COMMAND.COM_STMT_PREPARE, b"COMMIT")
        number = bytes(client._read_packet().get_all_data())[1:5]
        client._execute_command(COMMAND.COM_STMT_EXECUTE, number + b"\0\1\0\0\0")
        client._read_packet()
        assert len(rows(client, "SHOW WARNINGS LIMIT 1")) == 1


@pytest.mark.skipif(IS_MYSQL, reason="to prepare a statement ends the warnings of MySQL's")
@pytest.mark.parametrize(
    ("sql", "count"), [("UPDATE whoami SET id = ?", 0), ("SELECT ?", 1), ("SHOW WARNINGS", 1)]
)
def test_to_prepare_what_names_a_table_ends_them(
    client: pymysql.Connection, sql: str, count: int
) -> None:
    assert fail(client, "SELECT * FROM test.nonsense") == NO_SUCH_TABLE
    client._execute_command(COMMAND.COM_STMT_PREPARE, sql.encode())
    prepared = bytes(client._read_packet().get_all_data())
    columns, params = (int.from_bytes(prepared[at : at + 2], "little") for at in (5, 7))
    for number in (params, columns):
        for _ in range(number + 1 if number else 0):
            client._read_packet()
    assert len(rows(client, "SHOW ERRORS")) == count
