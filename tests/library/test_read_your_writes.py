"""The script `read_your_writes` in a real proxy, between a server for writes (id 1) and one for reads (id 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.process import eventually
from support.proxy import Proxy
from support.whoami import prepare, rows, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/read_your_writes.py"
PRIMARY, READER = 1, 2
WRITE = "INSERT INTO test.notes VALUES (1)"

Start = Callable[..., Proxy]


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    mariadb.execute("CREATE TABLE test.notes (a INT)", "CREATE PROCEDURE test.nothing() DO 0")
    yield
    mariadb.execute("DROP TABLE test.notes, test.made", "DROP PROCEDURE test.nothing")
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.fixture
def start(start_proxy: Start, mariadb: MariaDb, replica: MariaDb) -> Start:
    def start(**settings: object) -> Proxy:
        values = {"min_idle_connections": 1, **settings}
        config = "[read_your_writes]\n" + "".join(f"{k} = {v}\n" for k, v in values.items())
        proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
        for _ in range(2):
            proxy.connect().close()
        return proxy

    return start


@pytest.mark.parametrize(
    "sql",
    [
        WRITE,
        "UPDATE test.notes SET a = 2 WHERE a = 17",
        "CREATE TABLE IF NOT EXISTS test.made (a INT)",
        "/* no comment */ DELETE FROM test.notes WHERE a = 17",
    ],
)
def test_after_a_write_reads_stay_on_the_primary(start: Start, sql: str) -> None:
    proxy = start(seconds=3600)
    with proxy.connect() as client, proxy.connect() as other:
        assert who(client) == READER
        rows(client, sql)
        assert who(client) == PRIMARY
        assert who(client) == PRIMARY
        assert who(other) == READER


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT id FROM test.whoami FOR UPDATE",
        "SET sql_mode = ''",
        "USE test",
        "SHOW TABLES FROM test",
    ],
)
def test_what_writes_nothing_keeps_nobody(start: Start, sql: str) -> None:
    with start(seconds=3600).connect() as client:
        rows(client, sql)
        assert who(client) == READER


def test_a_transaction_counts_from_its_end(start: Start) -> None:
    with start(seconds=3600).connect() as client:
        rows(client, "BEGIN")
        rows(client, "SELECT id FROM test.whoami")
        rows(client, "COMMIT")
        assert who(client) == READER
        rows(client, "BEGIN")
        rows(client, WRITE)
        rows(client, "COMMIT")
        assert who(client) == PRIMARY


def test_a_failed_write_counts_as_well(start: Start) -> None:
    with start(seconds=3600).connect() as client:
        with pytest.raises(pymysql.ProgrammingError):
            rows(client, "INSERT INTO test.no_such_table VALUES (1)")
        assert who(client) == PRIMARY


def test_the_time_ends(start: Start) -> None:
    """Behind a failed write, whose GTID is not known; the two servers here do not follow each other."""
    with start(seconds=0.05).connect() as client:
        with pytest.raises(pymysql.ProgrammingError):
            rows(client, "INSERT INTO test.no_such_table VALUES (1)")
        assert eventually(lambda: who(client) == READER)


def test_per_user_all_connections_of_the_user_stay(start: Start, mariadb: MariaDb) -> None:
    proxy = start(seconds=3600, per_user="true")
    with proxy.connect() as client, proxy.connect() as other:
        assert who(other) == READER
        rows(client, WRITE)
        assert who(client) == who(other) == PRIMARY
    with proxy.connect() as later:
        assert who(later) == PRIMARY
