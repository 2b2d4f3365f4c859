"""The script `active_transactions` in a real proxy, with a real deadlock and a real lock wait timeout."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/active_transactions.py"


@pytest.fixture
def table(mariadb: MariaDb) -> Iterator[str]:
    mariadb.execute(
        "CREATE TABLE test.locked (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
        "INSERT INTO test.locked VALUES (1, 0), (2, 0)",
    )
    yield "test.locked"
    mariadb.execute("DROP TABLE test.locked")


def run(connection: pymysql.Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_a_lock_wait_timeout_names_who_holds_the_lock(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, table: str
) -> None:
    proxy = start_proxy(SCRIPT)
    update = f"UPDATE {table} SET n = n + 1 WHERE id = 1"
    with proxy.connect() as holder, proxy.connect() as loser:
        run(holder, "SELECT 'over'", "BEGIN", update)
        run(loser, "SET innodb_lock_wait_timeout = 1", "BEGIN")
        with pytest.raises(pymysql.OperationalError, match="Lock wait timeout"):
            run(loser, update)
        first, second = (f"[{c.thread_id()}@{mariadb.address}]" for c in (holder, loser))
        run(holder, "COMMIT")
    assert proxy.stdout().splitlines() == [
        f"{second} ERR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction",
        f"  {first}.1: BEGIN",
        f"  {first}.2: {update}",
        f"  {second}.1: BEGIN",
        f"  {second}.2: {update}",
    ]


def test_a_deadlock_ends_the_transaction(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, table: str
) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as winner, proxy.connect() as loser:
        # The server rolls back the transaction that changed fewer rows.
        run(winner, "BEGIN", f"INSERT INTO {table} VALUES (3, 0), (4, 0), (5, 0)")
        run(winner, f"UPDATE {table} SET n = 1 WHERE id = 1")
        run(loser, "BEGIN", f"UPDATE {table} SET n = 2 WHERE id = 2")
        waiting = threading.Thread(
            target=run, args=(winner, f"UPDATE {table} SET n = 1 WHERE id = 2")
        )
        waiting.start()
        assert eventually(
            lambda: mariadb.execute("SELECT count(*) FROM information_schema.innodb_lock_waits")
            == ((1,),)
        )
        with pytest.raises(pymysql.OperationalError, match="Deadlock"):
            run(loser, f"UPDATE {table} SET n = 2 WHERE id = 1")
        waiting.join()
        # What the loser did is over; the winner's transaction is still open.
        run(loser, "SET innodb_lock_wait_timeout = 1")
        with pytest.raises(pymysql.OperationalError, match="Lock wait timeout"):
            run(loser, f"DELETE FROM {table}")
        first, second = (f"[{c.thread_id()}@{mariadb.address}]" for c in (winner, loser))
        run(winner, "ROLLBACK")
    printed = proxy.stdout()
    deadlock, timeout = printed[: printed.index("ERR 1205")], printed[printed.index("ERR 1205") :]
    assert "ERR 1213 (40001): Deadlock found" in deadlock
    assert f"{first}.4: UPDATE {table} SET n = 1 WHERE id = 2" in deadlock
    assert f"{second}.3: UPDATE {table} SET n = 2 WHERE id = 1" in deadlock
    assert f"{first}.4: UPDATE {table} SET n = 1 WHERE id = 2" in timeout
    assert f"{second}.1: DELETE FROM {table}" in timeout
    assert "SET n = 2" not in timeout


def test_other_errors_print_nothing_and_end_nothing(
    start_proxy: Callable[..., Proxy], table: str
) -> None:
    proxy = start_proxy(SCRIPT, config="[active_transactions]\nmax_statements = 2")
    with proxy.connect() as holder, proxy.connect() as loser:
        run(holder, "BEGIN", f"UPDATE {table} SET n = 1 WHERE id = 1")
        with pytest.raises(pymysql.ProgrammingError):
            run(holder, "no SQL")
        assert proxy.stdout() == ""
        run(loser, "SET innodb_lock_wait_timeout = 1")
        with pytest.raises(pymysql.OperationalError, match="Lock wait timeout"):
            run(loser, f"DELETE FROM {table}")
        run(holder, "ROLLBACK")
    # Of three statements the first is left out, and the numbers say so.
    lines = [line.split("]", 1)[1] for line in proxy.stdout().splitlines()[1:]]
    assert lines == [
        f".2: UPDATE {table} SET n = 1 WHERE id = 1",
        ".3: no SQL",
        f".1: DELETE FROM {table}",
    ]
