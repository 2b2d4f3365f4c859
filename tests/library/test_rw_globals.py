"""SET GLOBAL under `rw_splitting`: a client's session keeps what it began with, on connections that other clients use in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import IS_MYSQL, MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows, value, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rw_splitting.py"
CONFIG = "[rwsplit]\nmin_idle_connections = 1\n"
PRIMARY, READER = 1, 2
RESET_CONNECTION = 31
LENGTH, DIGITS = "group_concat_max_len", "div_precision_increment"
SEVENTH = "SELECT 1 / 7 FROM test.whoami"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.fixture(autouse=True)
def globals_as_they_were(mariadb: MariaDb) -> Iterator[None]:
    names = (LENGTH, DIGITS, "transaction_read_only" if IS_MYSQL else "tx_read_only")
    before = [mariadb.execute(f"SELECT @@GLOBAL.{name}")[0][0] for name in names]
    yield
    mariadb.execute(*(f"SET GLOBAL {name} = {old}" for name, old in zip(names, before)))


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    """All clients share one connection to each server."""
    options = {"pyproxy-event-loop": "own", "pyproxy-backend-max-connections": 1}
    proxy = start_proxy(
        SCRIPT, backends=[mariadb], read_only=[replica], config=CONFIG, options=options
    )
    for _ in range(2):
        proxy.connect().close()
    return proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect() as connection:
        yield connection


@pytest.fixture
def other(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect() as connection:
        yield connection


def seventh(client: Any) -> int:
    """How many digits a division has behind the point, by a read."""
    return len(str(value(client, SEVENTH))) - len("0.")


def session_value(client: Any, name: str) -> Any:
    return value(client, f"SELECT @@SESSION.{name}")


def test_who_came_before_keeps_what_it_had(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    length, digits = session_value(client, LENGTH), session_value(client, DIGITS)
    rows(other, f"SET GLOBAL {LENGTH} = 500, GLOBAL {DIGITS} = {digits + 5}")
    for each in (client, other, client, other):
        assert (session_value(each, LENGTH), session_value(each, DIGITS)) == (length, digits)
        assert seventh(each) == digits
        assert who(each) == READER
    assert value(client, f"SELECT @@GLOBAL.{LENGTH}, @@GLOBAL.{DIGITS}") == 500


def test_who_comes_later_has_the_primarys_values_everywhere(
    proxy: Proxy, client: pymysql.Connection, other: pymysql.Connection
) -> None:
    digits = session_value(client, DIGITS)
    rows(client, f"SET @@GLOBAL.{DIGITS} = {digits + 5}")
    with proxy.connect() as late:
        for _ in range(2):
            assert session_value(late, DIGITS) == digits + 5
            assert seventh(late) == digits + 5
            assert who(late) == READER
            assert value(late, f"SELECT @@GLOBAL.{DIGITS}") == digits + 5
            assert seventh(other) == digits
        rows(client, f"SET GLOBAL {DIGITS} = {digits + 7}")
        assert (seventh(late), session_value(late, DIGITS)) == (digits + 5, digits + 5)
        late._execute_command(31, b"")
        late._read_ok_packet()
        assert (seventh(late), session_value(late, DIGITS)) == (digits + 7, digits + 7)


def test_what_a_client_sets_itself_counts(
    client: pymysql.Connection, other: pymysql.Connection
) -> None:
    digits = session_value(client, DIGITS)
    rows(other, f"SET GLOBAL {DIGITS} = {digits + 5}")
    rows(client, f"SET {DIGITS} = {digits + 1}")
    assert (session_value(client, DIGITS), seventh(client)) == (digits + 1, digits + 1)
    assert (session_value(other, DIGITS), seventh(other)) == (digits, digits)
    # This one keeps the connection.
    rows(client, f"SET {DIGITS} = DEFAULT")
    assert (session_value(client, DIGITS), seventh(client)) == (digits + 5, digits + 5)


def test_a_mode_of_all_transactions(
    proxy: Proxy, client: pymysql.Connection, other: pymysql.Connection
) -> None:
    rows(client, "CREATE TABLE test.written (a INT)")
    rows(other, "SET GLOBAL TRANSACTION READ ONLY")
    for each in (client, other, client):
        assert who(each) == READER
        rows(each, "INSERT INTO test.written VALUES (1)")
    with proxy.connect() as late:
        assert who(late) == READER
        with pytest.raises(pymysql.MySQLError, match="READ ONLY"):
            rows(late, "INSERT INTO test.written VALUES (1)")
    rows(other, "SET GLOBAL TRANSACTION READ WRITE")
    rows(client, "DROP TABLE test.written")


def test_what_a_user_may_not_set_is_the_servers(
    proxy: Proxy, mariadb: MariaDb, replica: MariaDb
) -> None:
    """max_allowed_packet cannot be set for a session; the client goes on all the same."""
    old = mariadb.execute("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    with proxy.connect() as client, proxy.connect() as other:
        rows(other, f"SET GLOBAL max_allowed_packet = {old // 2}")
        for each in (client, other, client):
            assert who(each) == READER
            assert session_value(each, "sql_mode") is not None
        rows(other, f"SET GLOBAL max_allowed_packet = {old}, GLOBAL max_connections = 500")
        assert session_value(client, "sql_mode") is not None
    mariadb.execute("SET GLOBAL max_connections = 600")


def test_a_session_begins_anew_with_its_reset(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb
) -> None:
    # A client that has reset its session has its connection until the next command.
    config = "[rwsplit]\nmin_idle_connections = 3\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], config=config)
    with proxy.connect() as client, proxy.connect() as other:
        length = session_value(client, LENGTH)
        for step in (7, 14):
            client._execute_command(RESET_CONNECTION, b"")
            client._read_packet()
            before = value(other, f"SELECT @@GLOBAL.{LENGTH}")
            rows(other, f"SET GLOBAL {LENGTH} = {length + step}")
            assert session_value(client, LENGTH) == before
