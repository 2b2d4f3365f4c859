"""The script `commit_obfuscator` in a real proxy: what the server has after a commit that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/commit_obfuscator.py"


@pytest.fixture
def table(mariadb: MariaDb) -> Iterator[str]:
    mariadb.execute("CREATE TABLE test.obfuscated (id INT PRIMARY KEY) ENGINE=InnoDB")
    yield "test.obfuscated"
    mariadb.execute("DROP TABLE test.obfuscated")


def commit(connection: pymysql.Connection, table: str, number: int, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"INSERT INTO {table} VALUES ({number})")
        cursor.execute(text)


def test_a_failed_commit_is_rolled_back(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, table: str
) -> None:
    proxy = start_proxy(SCRIPT, config="[commit_obfuscator]\nprobability = 1")
    with proxy.connect() as connection:
        with pytest.raises(pymysql.OperationalError) as error:
            commit(connection, table, 1, "Commit")
        assert error.value.args == (
            1205,
            "Lock wait timeout exceeded; try restarting transaction",
        )
        # The connection goes on, and only exact commits are touched.
        commit(connection, table, 2, "COMMIT WORK")
    assert mariadb.execute(f"SELECT id FROM {table}") == ((2,),)


def test_probability_0_touches_nothing(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, table: str
) -> None:
    proxy = start_proxy(SCRIPT, config="[commit_obfuscator]\nprobability = 0")
    with proxy.connect() as connection:
        commit(connection, table, 1, "COMMIT")
    assert mariadb.execute(f"SELECT id FROM {table}") == ((1,),)


def test_the_server_has_what_the_client_was_told(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, table: str
) -> None:
    proxy = start_proxy(SCRIPT, config="[commit_obfuscator]\nseed = 7")
    succeeded = []
    with proxy.connect() as connection:
        for number in range(40):
            try:
                commit(connection, table, number, "COMMIT")
            except pymysql.OperationalError:
                continue
            succeeded.append((number,))
    assert 5 < len(succeeded) < 35
    assert mariadb.execute(f"SELECT id FROM {table} ORDER BY id") == tuple(succeeded)
