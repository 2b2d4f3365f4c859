"""The script `tee` in a real proxy, with two real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.process import eventually, free_port
from support.proxy import Proxy
from support.redis import VENV

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/tee.py"
StartProxy = Callable[..., Proxy]
NAMES = ("same", "late", "different", "failed", "dropped")


@pytest.fixture
def teed(
    start_proxy: StartProxy, mariadb: MariaDb, replica: MariaDb
) -> Iterator[Callable[..., Proxy]]:
    """Starts a proxy whose second server has the same table."""
    for server in (mariadb, replica):
        server.execute(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, name VARCHAR(20), raw VARBINARY(9), at DATETIME(3), f FLOAT,"
            " j JSON)",
            "INSERT INTO shop.t VALUES (1, '\N{LATIN SMALL LETTER E WITH ACUTE}', x'00ff', '2024-02-03 04:05:06.5',"
            " 1.5, '{\"a\": 1}'), (2, NULL, NULL, NULL, NULL, NULL)",
        )

    def start(lines: str = "", address: str = replica.address) -> Proxy:
        config = f"[tee]\naddress = {address}\nuser = {USER}\npassword = {PASSWORD}\n{lines}\n"
        return start_proxy(SCRIPT, config=config, options=VENV)

    yield start


def ask(connection: pymysql.Connection, sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def counters(connection: pymysql.Connection) -> dict[str, int]:
    """Those that are not 0."""
    found = dict(ask(connection, "SELECT * FROM tee.counters"))
    assert tuple(found) == NAMES
    return {name: value for name, value in found.items() if value}


def comes_to(connection: pymysql.Connection, **expected: int) -> bool:
    return eventually(lambda: counters(connection) == expected)


def test_the_same_on_both(teed: Callable[..., Proxy], mariadb: MariaDb) -> None:
    with teed().connect(database="shop") as connection:
        rows = ask(connection, "SELECT * FROM t ORDER BY id")
        with mariadb.connect(database="shop") as direct:
            assert rows == ask(direct, "SELECT * FROM t ORDER BY id")
        assert comes_to(connection, same=1)
        ask(
            connection,
            "SELECT t.id, x.name FROM t, shop.t AS x WHERE x.name = '\N{LATIN SMALL LETTER E WITH ACUTE}'",
        )
        assert comes_to(connection, same=2)
        # An error is an answer, too.
        with pytest.raises(pymysql.Error, match="Unknown column"):
            ask(connection, "SELECT nothing FROM t")
        assert comes_to(connection, same=3)


def test_what_differs_is_counted_and_logged(teed: Callable[..., Proxy], replica: MariaDb) -> None:
    replica.execute("UPDATE shop.t SET f = 2.5 WHERE id = 1")
    proxy = teed("recheck_after = 0.05")
    with proxy.connect(database="shop") as connection:
        ask(connection, "SELECT id, f FROM t")
        assert comes_to(connection, different=1)
        assert "in shop: SELECT id, f FROM t" in proxy.log()
        replica.execute("DROP TABLE shop.t")
        ask(connection, "SELECT id FROM t")
        assert comes_to(connection, different=2)
        assert ", error 1146 there, in shop: SELECT id FROM t" in proxy.log()


def test_what_arrives_later_is_late(teed: Callable[..., Proxy], replica: MariaDb) -> None:
    replica.execute("DELETE FROM shop.t WHERE id = 2")
    with teed("recheck_after = 2").connect(database="shop") as connection:
        ask(connection, "SELECT id FROM t")
        replica.execute("INSERT INTO shop.t (id) VALUES (2)")
        assert comes_to(connection, late=1)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t (id) VALUES (3)",
        "SELECT id, NOW() FROM t",
        "SELECT id FROM t FOR UPDATE",
        "SELECT @a FROM t",
        "BEGIN",
        "SELECT 1",
        "SELECT MAX(id) FROM t INTO @x",
        "CREATE TEMPORARY TABLE t (id INT)",
        "SET NAMES latin1",
    ],
)
def test_what_is_not_mirrored(teed: Callable[..., Proxy], replica: MariaDb, sql: str) -> None:
    proxy = teed()
    with proxy.connect(database="shop") as connection, proxy.connect(database="shop") as other:
        ask(connection, sql)
        if sql.split()[0] in ("BEGIN", "CREATE", "SET"):
            # Nor is anything behind it.
            ask(connection, "SELECT id FROM t")
        # Questions are asked one behind the other: with this one, all before it would have been.
        ask(other, "SELECT id FROM t WHERE id < 3")
        assert comes_to(other, same=1)
    assert replica.execute("SELECT COUNT(*) FROM shop.t") == ((2,),)


def test_settings_of_the_session_are_made_there(teed: Callable[..., Proxy]) -> None:
    with teed().connect(database="shop") as connection:
        ask(connection, "SET sql_mode = 'PIPES_AS_CONCAT'")
        assert ask(connection, "SELECT id || 'x' FROM t")[0] == ("1x",)
        assert comes_to(connection, same=1)
        ask(connection, "USE mysql")
        ask(connection, "SELECT id || 'y' FROM shop.t")
        assert comes_to(connection, same=2)


def test_prepared_statements_are_left_alone(teed: Callable[..., Proxy]) -> None:
    proxy = teed()
    connection = mysql.connector.connect(
        host="127.0.0.1",
        port=proxy.port,
        user=USER,
        password=PASSWORD,
        database="shop",
        use_pure=True,
    )
    with connection.cursor(prepared=True) as cursor:
        for n in (1, 2):
            cursor.execute("SELECT id FROM t WHERE id = ?", (n,))
            assert cursor.fetchall() == [(n,)]
    connection.close()
    with proxy.connect() as plain:
        assert counters(plain) == {}


def test_only_a_share(teed: Callable[..., Proxy]) -> None:
    with teed("share = 0").connect(database="shop") as connection:
        for _ in range(5):
            ask(connection, "SELECT id FROM t")
        assert counters(connection) == {}


def test_a_second_server_that_is_not_there(teed: Callable[..., Proxy]) -> None:
    proxy = teed("retry_after = 0", address=f"127.0.0.1:{free_port()}")
    with proxy.connect(database="shop") as connection:
        for _ in range(5):
            assert len(ask(connection, "SELECT id FROM t")) == 2
        assert comes_to(connection, failed=5)
        assert proxy.log().count("the second server does not answer") == 1


def test_connections_that_the_second_server_has_ended(
    teed: Callable[..., Proxy], replica: MariaDb
) -> None:
    proxy = teed()
    with proxy.connect(database="shop") as connection:
        for n in range(3):
            ask(connection, "SELECT id FROM t")
            assert comes_to(connection, same=n + 1)
            mine = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER = 'u'"
            for (thread,) in replica.execute(mine):
                replica.execute(f"KILL {thread}")
        assert "does not answer" not in proxy.log()


def test_a_result_that_is_too_large_passes(
    start_proxy: StartProxy, teed: Callable[..., Proxy], replica: MariaDb
) -> None:
    config = f"[tee]\naddress = {replica.address}\nuser = {USER}\npassword = {PASSWORD}\n"
    options = {**VENV, "pyproxy-max-kept-bytes": "1M"}
    proxy = start_proxy(SCRIPT, config=config, options=options)
    # The proxy logs that a result was dropped.
    proxy.criticals_expected = True
    with proxy.connect(database="shop") as connection:
        for _ in range(2):
            rows = ask(connection, "SELECT REPEAT('x', 1000000) FROM t")
            assert [len(row[0]) for row in rows] == [1_000_000] * 2
        assert len(proxy.criticals()) == 1
        assert counters(connection) == {}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("share = 2", "share: expected a number from 0 to 1"),
        ("address = nowhere", "address=nowhere: expected host:port"),
    ],
)
def test_a_setting_that_makes_no_sense(start_proxy: StartProxy, line: str, complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        start_proxy(SCRIPT, config=f"[tee]\n{line}\n", options=VENV)


def test_without_the_package(start_proxy: StartProxy) -> None:
    with pytest.raises(RuntimeError, match="needs the package aiomysql"):
        start_proxy(SCRIPT, config="[tee]\n")
