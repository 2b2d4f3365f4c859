"""Prepared statements of the protocol under `rw_splitting`: they go where they are executed, between a server for writes (id 1) and
one for reads (id 2), which other clients use in between.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from pymysql.constants import COMMAND
from support.mariadb import PASSWORD, USER, MariaDb
from support.proxy import Proxy
from support.whoami import WHO, prepare, rows, value, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
PRIMARY, READER = 1, 2
CONFIG = "[rwsplit]\nmin_idle_connections = 1\n"
FETCH = 0x1C
UNKNOWN_STATEMENT, NO_SUCH_TABLE, NO_CURSOR = 1243, 1146, 1421
TOO_MANY_STATEMENTS = 1461
LONG = 8


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    for server in (mariadb, replica):
        server.execute(
            "CREATE DATABASE other",
            "CREATE TABLE other.place (id INT)",
            f"INSERT INTO other.place VALUES ({server.server_id * 10})",
            "CREATE TABLE test.made (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20))",
            "CREATE TABLE test.several (a INT)",
            "INSERT INTO test.several VALUES (1), (2), (3), (4), (5)",
        )
    yield
    for server in (mariadb, replica):
        server.execute("DROP DATABASE other", "DROP TABLE test.whoami, test.made, test.several")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    """With one idle connection in each pool: clients take turns on them."""
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=CONFIG)
    for _ in range(2):
        proxy.connect().close()
    return proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect(database="test") as connection:
        yield connection


@pytest.fixture
def other(proxy: Proxy) -> Iterator[pymysql.Connection]:
    """Uses the same server connections."""
    with proxy.connect(database="test") as connection:
        yield connection


class Statement:
    """A prepared statement by hand, as a program uses it that sends the types of its parameters once."""

    def __init__(self, client: Any, sql: str) -> None:
        self.client = client
        client._execute_command(COMMAND.COM_STMT_PREPARE, sql.encode())
        ok = self.packet()
        self.number, columns, self.params = struct.unpack("<IHH", ok[1:9])
        for count in (self.params, columns):
            for _ in range(count + 1 if count else 0):
                self.packet()

    def packet(self) -> bytes:
        return bytes(self.client._read_packet().get_all_data())

    def send(self, command: int, rest: bytes = b"") -> None:
        self.client._execute_command(command, struct.pack("<I", self.number) + rest)

    def long_data(self, data: bytes) -> None:
        self.send(COMMAND.COM_STMT_SEND_LONG_DATA, struct.pack("<H", 0) + data)

    def execute(
        self,
        number: int | None = None,
        *,
        typed: bool = True,
        unsigned: bool = False,
        ahead: bool = False,
        cursor: int = 0,
    ) -> list[bytes] | None:
        """Executes with the parameter, a number, if it has any. Gives the last cell of each row; None: it has no rows."""
        rest = struct.pack("<BI", cursor, 1)
        if ahead:
            rest += b"\0\1\xfc\0"
        elif number is not None:
            sign = b"\x80" if unsigned else b"\0"
            rest += b"\0\1\x08" + sign if typed else b"\0\0"
            rest += struct.pack("<q", number)
        self.send(COMMAND.COM_STMT_EXECUTE, rest)
        count = self.packet()[0]
        if count == 0:
            return None
        for _ in range(count + 1):
            end = self.packet()
        return [] if cursor else self.rows(end)

    def fetch(self, count: int) -> list[bytes]:
        self.send(FETCH, struct.pack("<I", count))
        return self.rows(b"")

    def rows(self, packet: bytes) -> list[bytes]:
        found = []
        while (packet := self.packet())[0] != 0xFE:
            found.append(packet[2:])
        return found

    def reset(self) -> None:
        self.send(COMMAND.COM_STMT_RESET)
        self.packet()

    def close(self) -> None:
        self.send(COMMAND.COM_STMT_CLOSE)


def cell(number: int) -> list[bytes]:
    return [struct.pack("<I", number)]


@contextmanager
def transaction(client: pymysql.Connection) -> Iterator[None]:
    rows(client, "BEGIN")
    yield
    rows(client, "COMMIT")


def test_a_read_goes_to_the_reader_and_in_a_transaction_to_the_primary(
    client: pymysql.Connection,
) -> None:
    statement = Statement(client, WHO)
    for _ in range(2):
        assert statement.execute() == cell(READER)
        with transaction(client):
            assert statement.execute() == cell(PRIMARY)
    assert who(client) == READER


def test_types_that_were_sent_once_go_along(client: pymysql.Connection) -> None:
    statement = Statement(client, "SELECT id + ? FROM whoami")
    assert statement.execute(5) == [struct.pack("<q", READER + 5)]
    with transaction(client):
        assert statement.execute(7, typed=False) == [struct.pack("<q", PRIMARY + 7)]
        assert statement.execute(8, typed=False) == [struct.pack("<q", PRIMARY + 8)]
    assert statement.execute(9, typed=False) == [struct.pack("<q", READER + 9)]


def test_types_that_were_sent_anew_go_along(client: pymysql.Connection) -> None:
    statement = Statement(client, "SELECT CONCAT(id, ' ', ?) FROM whoami")

    def says(text: str) -> list[bytes]:
        return [bytes([len(text)]) + text.encode()]

    assert statement.execute(-1) == says(f"{READER} -1")
    with transaction(client):
        assert statement.execute(-1, unsigned=True) == says(f"{PRIMARY} {2**64 - 1}")
    assert statement.execute(-1, typed=False) == says(f"{READER} {2**64 - 1}")


def test_they_take_no_more_than_may_be_kept(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start_proxy(
        SCRIPT,
        backends=[mariadb],
        read_only=[replica],
        config=CONFIG,
        options={"pyproxy-max-kept-bytes": "64K"},
    )
    for _ in range(2):
        proxy.connect().close()
    long = f"SELECT id /* {'x' * 3_000} */ FROM whoami"
    with proxy.connect(database="test") as client:

        def prepared() -> list[Statement]:
            made = []
            with pytest.raises(pymysql.OperationalError, match="pyproxy-max-kept-bytes") as error:
                for _ in range(100):
                    made.append(Statement(client, long))
            assert error.value.args[0] == TOO_MANY_STATEMENTS
            return made

        statements = prepared()
        assert 10 <= len(statements) <= 65_536 // 3_000
        # Nothing else is touched, and one that is closed makes room for another.
        assert all(statement.execute() == cell(READER) for statement in statements)
        assert who(client) == READER
        statements.pop().close()
        statements += prepared()
        assert all(statement.execute() == cell(READER) for statement in statements)
        client._execute_command(31, b"")
        client._read_packet()
        assert len(prepared()) == len(statements)


def test_clients_that_take_turns_execute_their_own(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    mine = [Statement(client, f"SELECT id * 100 + {number} FROM whoami") for number in range(3)]
    theirs = [Statement(other, f"SELECT id * 200 + {number} FROM whoami") for number in range(3)]
    assert [each.number for each in mine] == [each.number for each in theirs]
    for _ in range(3):
        for number, (first, second) in enumerate(zip(mine, theirs)):
            assert first.execute() == [struct.pack("<q", READER * 100 + number)]
            assert second.execute() == [struct.pack("<q", READER * 200 + number)]


def test_writes_and_their_ids(
    client: pymysql.Connection, other: pymysql.Connection, mariadb: MariaDb
) -> None:
    statement = Statement(client, "INSERT INTO made (a) VALUES (?)")
    for number in range(3):
        assert statement.execute(number) is None
        assert who(other) == READER
        assert value(other, "SELECT id FROM whoami FOR UPDATE") == PRIMARY
        (last,) = mariadb.execute("SELECT MAX(id) FROM test.made")[0]
        assert value(client, "SELECT ROW_COUNT()") == 1
        assert value(client, "SELECT LAST_INSERT_ID()") == last
    assert who(client) == READER


def test_a_statement_means_what_it_meant_when_it_was_prepared(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    text = Statement(client, 'SELECT "id" FROM whoami')
    assert text.execute() == [b"\x02id"]
    rows(client, "SET sql_mode = 'ANSI_QUOTES'")
    column = Statement(client, 'SELECT "id" FROM whoami')
    for _ in range(2):
        who(other)
        assert text.execute() == [b"\x02id"]
        assert column.execute() == cell(READER)
        who(other)
        with transaction(client):
            assert text.execute() == [b"\x02id"]
            assert value(client, 'SELECT "id" FROM whoami') == PRIMARY
        assert value(client, "SELECT @@sql_mode") == "ANSI_QUOTES"


def test_a_statement_keeps_its_default_database(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    client.select_db("other")
    place = Statement(client, "SELECT id FROM place")
    client.select_db("test")
    me = Statement(client, "SELECT id FROM whoami")
    for _ in range(2):
        who(other)
        assert place.execute() == cell(READER * 10)
        assert me.execute() == cell(READER)
        assert value(client, "SELECT DATABASE()") == "test"
    with transaction(client):
        who(other)
        assert place.execute() == cell(PRIMARY * 10)
        assert me.execute() == cell(PRIMARY)
        assert value(client, "SELECT DATABASE()") == "test"


def test_what_cannot_be_prepared_elsewhere_is_the_error_of_its_execution(
    client: pymysql.Connection, other: pymysql.Connection, mariadb: MariaDb
) -> None:
    mariadb.execute("CREATE TABLE test.gone (a INT)")
    with transaction(client):
        statement = Statement(client, "SELECT a FROM gone")
        assert statement.execute() == []
    for _ in range(2):
        with pytest.raises(pymysql.ProgrammingError) as error:
            statement.execute()
        assert error.value.args[0] == NO_SUCH_TABLE
        assert who(client) == who(other) == READER
    with transaction(client):
        assert statement.execute() == []
    mariadb.execute("DROP TABLE test.gone")


def test_values_sent_ahead_reach_their_execution(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    statement = Statement(client, "SELECT CONCAT(id, ?) FROM whoami")
    for _ in range(2):
        assert who(client) == READER
        for piece in (b"-long", b"-data"):
            statement.long_data(piece)
        assert who(other) == READER
        assert statement.execute(ahead=True) == [b"\x0b" + b"1-long-data"]
    # Those that a reset takes away.
    statement.long_data(b"nothing")
    statement.reset()
    assert statement.execute(7) == [b"\x02" + b"27"]


def test_an_open_cursor_stays(client: pymysql.Connection, other: pymysql.Connection) -> None:
    statement = Statement(client, "SELECT a FROM several ORDER BY a")
    for _ in range(2):
        assert statement.execute(cursor=1) == []
        assert statement.fetch(2) == cell(1) + cell(2)
        # It can write between the rows.
        assert value(client, "SELECT id FROM whoami FOR UPDATE") == PRIMARY
        assert statement.fetch(9) == cell(3) + cell(4) + cell(5)
        statement.reset()
        assert who(client) == who(other) == READER
    with pytest.raises(pymysql.OperationalError) as error:
        statement.fetch(1)
    assert error.value.args[0] == NO_CURSOR


def test_a_closed_statement_is_closed_everywhere(
    client: pymysql.Connection, replica: MariaDb
) -> None:
    first = Statement(client, WHO)
    assert first.execute() == cell(READER)
    with transaction(client):
        assert first.execute() == cell(PRIMARY)
        first.close()
    second = Statement(client, "SELECT 7")
    second.execute()
    for _ in range(2):
        with pytest.raises(pymysql.OperationalError) as error:
            first.execute()
        assert error.value.args[0] == UNKNOWN_STATEMENT
    open_statements = replica.execute("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
    assert int(open_statements[0][1]) <= 1


def test_a_reset_session_has_no_statements(client: pymysql.Connection) -> None:
    statement = Statement(client, WHO)
    client._execute_command(31, b"")
    client._read_packet()
    with pytest.raises(pymysql.OperationalError) as error:
        statement.execute()
    assert error.value.args[0] == UNKNOWN_STATEMENT
    assert Statement(client, WHO).execute() == cell(READER)


def test_without_a_default_database_it_stays_while_it_is_open(proxy: Proxy) -> None:
    with proxy.connect() as client:
        statement = Statement(client, WHO)
        assert who(client) == PRIMARY
        assert statement.execute() == cell(PRIMARY)
        statement.close()
        assert who(client) == READER


def test_what_it_leaves_ties(client: pymysql.Connection) -> None:
    for sql in ("SELECT @a := 5", "SET @a = 5", "DO @a := 5"):
        statement = Statement(client, sql)
        assert who(client) == PRIMARY
        statement.close()
        client._execute_command(31, b"")
        client._read_packet()
        assert who(client) == READER


def test_a_connector_with_prepared_cursors(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=CONFIG)

    def connect() -> Any:
        return mysql.connector.connect(
            host="127.0.0.1",
            port=proxy.port,
            user=USER,
            password=PASSWORD,
            database="test",
            autocommit=True,
            use_pure=True,
        )

    for _ in range(2):
        connect().close()
    with (
        connect() as client,
        connect() as other,
        client.cursor(prepared=True) as cursor,
        other.cursor() as others,
    ):
        for number in range(5):
            cursor.execute("SELECT id, ? FROM whoami", (number,))
            assert cursor.fetchall() == [(READER, number)]
            others.execute("SELECT id FROM whoami")
            assert others.fetchall() == [(READER,)]
            cursor.execute("INSERT INTO made (a) VALUES (?)", (f"row {number}",))
            assert cursor.lastrowid
            assert cursor.rowcount == 1
