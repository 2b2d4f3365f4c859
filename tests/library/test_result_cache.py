"""The script `result_cache` in a real proxy, with a real Redis."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.process import eventually
from support.proxy import Proxy
from support.redis import VENV, RedisServer

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/result_cache.py"
StartProxy = Callable[..., Proxy]


class Shop:
    """A database with a table, and a proxy that keeps what is asked of it."""

    def __init__(
        self, start_proxy: StartProxy, mariadb: MariaDb, redis_server: RedisServer
    ) -> None:
        self._start = start_proxy
        self.server = mariadb
        self.redis = redis_server
        mariadb.execute(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.t (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(8,2), at DATETIME(3))",
            "INSERT INTO shop.t VALUES (1, 'one', 1.50, '2024-02-03 04:05:06.789'), (2, NULL, 2, NULL)",
            "CREATE TABLE shop.other (id INT PRIMARY KEY)",
        )

    def proxy(
        self, more: str = "", timeout: float = 5, options: Mapping[str, object] | None = None
    ) -> Proxy:
        config = f"[result_cache]\nredis = {self.redis.url}\ntimeout = {timeout}\n{more}"
        return self._start(SCRIPT, config=config, options={**VENV, **(options or {})})

    def change_unseen(self) -> None:
        """Changes the table past every proxy: who still sees the old row got it from the cache."""
        self.server.execute("UPDATE shop.t SET name = 'unseen' WHERE id = 1")


@pytest.fixture
def shop(start_proxy: StartProxy, mariadb: MariaDb, redis_server: RedisServer) -> Iterator[Shop]:
    yield Shop(start_proxy, mariadb, redis_server)


def ask(connection: pymysql.Connection, sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


NAME = "SELECT name FROM t WHERE id = 1"


def is_kept(connection: pymysql.Connection, sql: str) -> bool:
    """Whether the second answer to `sql` comes from the cache."""
    before = dict(ask(connection, "SELECT * FROM result_cache.counters"))
    for _ in range(2):
        ask(connection, sql)
    after = dict(ask(connection, "SELECT * FROM result_cache.counters"))
    return bool(after.get("hits", 0) - before.get("hits", 0))


def test_what_was_asked_before_is_answered_by_the_cache(shop: Shop) -> None:
    proxy = shop.proxy()
    with proxy.connect(database="shop") as first, proxy.connect(database="shop") as second:
        everything = ask(first, "SELECT * FROM t ORDER BY id")
        shop.change_unseen()
        assert ask(first, "SELECT * FROM t ORDER BY id") == everything
        # Another client of the same user, and another proxy.
        assert ask(second, "SELECT * FROM t ORDER BY id") == everything
        with shop.proxy().connect(database="shop") as third:
            assert ask(third, "SELECT * FROM t ORDER BY id") == everything
        # The text is another one.
        assert ask(first, "SELECT * FROM t ORDER  BY id")[0][1] == "unseen"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE t SET price = 3 WHERE id = 2",
        "INSERT INTO shop.t (id) VALUES (3)",
        "DELETE x FROM other AS o JOIN t AS x WHERE x.id = 2",
        "REPLACE INTO t (id) VALUES (2)",
        "ALTER TABLE t ADD COLUMN more INT",
        "TRUNCATE t",
        "CREATE OR REPLACE TABLE other LIKE t",
        "RENAME TABLE t TO s, s TO t",
        "GRANT SELECT ON shop.* TO u",
        "UPDATE t SET nonsense = 1",
        "SET @a = 1; UPDATE t SET price = 4",
        "/*!40000 UPDATE t SET price = 5 */",
        "EXECUTE IMMEDIATE 'UPDATE t SET price = 6'",
    ],
)
def test_a_change_ends_what_depends_on_the_table(shop: Shop, change: str) -> None:
    proxy, another = shop.proxy(), shop.proxy()
    multi = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with (
        proxy.connect(database="shop") as reader,
        another.connect(database="shop", client_flag=multi) as writer,
    ):
        assert ask(reader, NAME) == (("one",),)
        shop.change_unseen()
        assert ask(reader, NAME) == (("one",),)
        with writer.cursor() as cursor:
            try:
                cursor.execute(change)
                while cursor.nextset():
                    pass
            except pymysql.Error:
                assert "nonsense" in change
        assert ask(reader, NAME) in ((("unseen",),), ())


def test_changes_of_other_tables_end_nothing(shop: Shop) -> None:
    with shop.proxy().connect(database="shop") as connection:
        assert ask(connection, NAME) == (("one",),)
        shop.change_unseen()
        for sql in (
            "INSERT INTO other VALUES (1)",
            "INSERT INTO other SELECT id + 10 FROM t",
            "SET NAMES utf8mb4",
            "BEGIN",
            "COMMIT",
            "SHOW TABLES",
        ):
            ask(connection, sql)
        with shop.proxy().connect(database="shop") as another:
            assert ask(another, NAME) == (("one",),)


def test_a_transaction_comes_to_light_when_it_is_committed(shop: Shop) -> None:
    proxy = shop.proxy()
    with proxy.connect(database="shop") as reader, proxy.connect(database="shop") as writer:
        ask(writer, "BEGIN")
        ask(writer, "UPDATE t SET name = 'new' WHERE id = 1")
        # The writer sees it, nobody else, and what it sees is not kept.
        assert ask(writer, NAME) == (("new",),)
        assert ask(reader, NAME) == ask(reader, NAME) == (("one",),)
        ask(writer, "COMMIT")
        assert ask(reader, NAME) == (("new",),)
        ask(writer, "BEGIN")
        ask(writer, "UPDATE t SET name = 'newer' WHERE id = 1")
        assert ask(reader, NAME) == (("new",),)
        # DDL commits.
        ask(writer, "CREATE TABLE third (a INT)")
        assert ask(reader, NAME) == (("newer",),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT NOW(), id FROM t",
        "SELECT id, CURRENT_TIMESTAMP FROM t",
        "SELECT RAND() FROM t",
        "SELECT CONNECTION_ID() FROM t",
        "SELECT id FROM t FOR UPDATE",
        "SELECT id FROM t LOCK IN SHARE MODE",
        "SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 1",
        "SELECT SQL_NO_CACHE id FROM t",
        "SELECT @a, id FROM t",
        "SELECT @a := id FROM t",
        "SELECT @@sql_mode FROM t",
        "SELECT id FROM v",
        "SELECT f(id) FROM t",
        "SELECT TABLE_NAME FROM information_schema.TABLES LIMIT 1",
        "SELECT User FROM mysql.user LIMIT 1",
        "SELECT 1",
        "SELECT id + 'x' FROM t",
        "SELECT /*!40000 id, */ name FROM t",
        "WITH c AS (SELECT id FROM t) SELECT * FROM c",
        "SELECT * FROM memory",
        "SHOW TABLES",
    ],
)
def test_what_may_be_another_result_each_time_is_not_kept(shop: Shop, sql: str) -> None:
    shop.server.execute(
        "CREATE VIEW shop.v AS SELECT * FROM shop.t",
        "CREATE FUNCTION shop.f(a INT) RETURNS INT DETERMINISTIC RETURN a",
        "CREATE TABLE shop.memory (a INT) ENGINE = MEMORY",
    )
    with shop.proxy().connect(database="shop") as connection:
        assert not is_kept(connection, sql)
        # A function may have left anything on the connection.
        assert is_kept(connection, "SELECT id FROM t") == ("f(id)" not in sql)


@pytest.mark.parametrize(
    "before",
    [
        "BEGIN",
        "SET autocommit = 0",
        "CREATE TEMPORARY TABLE t (id INT, name VARCHAR(20))",
        "CALL p()",
        "SET @@sql_mode = (SELECT 'ANSI')",
        "LOCK TABLES t READ",
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        "SET ROLE NONE",
    ],
)
def test_a_session_of_its_own_kind_is_not_served(shop: Shop, before: str) -> None:
    shop.server.execute("CREATE PROCEDURE shop.p() SET @a = 1")
    with shop.proxy().connect(database="shop") as connection:
        assert is_kept(connection, NAME)
        ask(connection, before)
        assert not is_kept(connection, NAME)


def test_settings_of_the_session_are_part_of_the_key(shop: Shop) -> None:
    proxy = shop.proxy()
    sql = "SELECT name || 'x' FROM t WHERE id = 1"
    with proxy.connect(database="shop") as plain, proxy.connect(database="shop") as other:
        assert ask(plain, sql) == ask(plain, sql)
        ask(other, "SET sql_mode = 'PIPES_AS_CONCAT'")
        assert ask(other, sql) == ask(other, sql) == (("onex",),)
        assert ask(plain, sql) != (("onex",),)
        ask(other, "USE test")
        with pytest.raises(pymysql.Error):
            ask(other, sql)


def test_no_user_gets_the_rows_of_another(shop: Shop) -> None:
    shop.server.execute(
        "CREATE USER IF NOT EXISTS 'poor'@'%' IDENTIFIED BY 'p'",
        "GRANT SELECT ON shop.other TO 'poor'@'%'",
    )
    proxy = shop.proxy()
    with (
        proxy.connect(database="shop") as rich,
        proxy.connect(user="poor", database="shop") as poor,
    ):
        assert ask(rich, NAME) == ask(rich, NAME) == (("one",),)
        with pytest.raises(pymysql.Error, match="denied"):
            ask(poor, NAME)
        # What is taken away through the proxy is gone at once.
        assert is_kept(poor, "SELECT * FROM other")
        ask(rich, "REVOKE SELECT ON shop.other FROM 'poor'@'%'")
        with pytest.raises(pymysql.Error, match="denied"):
            ask(poor, "SELECT * FROM other")


def test_a_view_and_foreign_keys_change_other_tables(shop: Shop) -> None:
    shop.server.execute(
        "CREATE VIEW shop.V AS SELECT * FROM shop.t",
        "CREATE TABLE shop.child (id INT, FOREIGN KEY (id) REFERENCES shop.t (id) ON DELETE CASCADE)",
        "CREATE TABLE shop.grandchild (id INT PRIMARY KEY, CONSTRAINT c FOREIGN KEY (id)"
        " REFERENCES child (id) ON UPDATE CASCADE ON DELETE CASCADE)",
        "INSERT INTO shop.child VALUES (1), (2)",
        "INSERT INTO shop.grandchild VALUES (1), (2)",
    )
    with shop.proxy().connect(database="shop") as connection:
        count = "SELECT COUNT(*) FROM grandchild"
        assert is_kept(connection, count)
        ask(connection, "DELETE FROM t WHERE id = 2")
        assert ask(connection, count) == ((1,),)
        assert ask(connection, NAME) == ask(connection, NAME) == (("one",),)
        ask(connection, "UPDATE V SET name = 'through the view' WHERE id = 1")
        assert ask(connection, NAME) == (("through the view",),)


def test_effects_that_are_told(shop: Shop) -> None:
    shop.server.execute(
        "CREATE TRIGGER shop.after_other AFTER INSERT ON shop.other FOR EACH ROW"
        " UPDATE shop.t SET name = 'triggered' WHERE id = 1"
    )
    proxy = shop.proxy("[result_cache_effects]\nshop.OTHER = shop.t\n")
    with proxy.connect(database="shop") as connection:
        assert is_kept(connection, NAME)
        ask(connection, "INSERT INTO other VALUES (5)")
        assert ask(connection, NAME) == (("triggered",),)


def test_what_is_asked_about_the_last_statement(shop: Shop) -> None:
    with shop.proxy().connect(database="shop") as connection:
        ask(connection, "SELECT id FROM t")
        ask(connection, NAME)
        # The server was asked for one row last, the client for two.
        assert len(ask(connection, "SELECT id FROM t")) == 2
        assert ask(connection, "SELECT FOUND_ROWS()") == ((2,),)


def test_every_type_comes_as_it_was(shop: Shop) -> None:
    with shop.proxy().connect(database="shop") as connection:
        first = ask(connection, "SELECT *, id IS NULL, price * 2e0, x'00ff' FROM t")
        shop.change_unseen()
        assert ask(connection, "SELECT *, id IS NULL, price * 2e0, x'00ff' FROM t") == first
        assert first[0][2] == decimal.Decimal("1.50")


def prepared(proxy: Proxy) -> Any:
    return mysql.connector.connect(
        host="127.0.0.1",
        port=proxy.port,
        user=USER,
        password=PASSWORD,
        database="shop",
        autocommit=True,
        use_pure=True,
    )


def test_prepared_statements(shop: Shop) -> None:
    connection = prepared(shop.proxy())
    with connection.cursor(prepared=True) as cursor:

        def execute(*params: object) -> list[Any]:
            cursor.execute("SELECT id, name, price, at FROM t WHERE id = ? OR name = ?", params)
            return list(cursor.fetchall())

        one = execute(1, "x")
        two = execute(2, "x")
        assert one[0][1] == "one" and two[0][0] == 2
        shop.change_unseen()
        assert execute(1, "x") == one
        # The types of the parameters are others, also on the server's side.
        assert execute("1", "x")[0][1] == "unseen"
        assert execute(1, "x") == one
        assert execute(2, "x") == two
        assert execute(1, "y")[0][1] == "unseen"
        # The text form of the same rows is a result of its own.
        with connection.cursor() as plain:
            plain.execute("SELECT id, name, price, at FROM t WHERE id = 1 OR name = 'x'")
            assert plain.fetchall()[0][1] == "unseen"
    with connection.cursor(prepared=True) as cursor:
        cursor.execute("UPDATE t SET name = ? WHERE id = ?", ("changed", 1))
    with connection.cursor(prepared=True) as cursor:
        cursor.execute("SELECT id, name, price, at FROM t WHERE id = ? OR name = ?", (1, "x"))
        assert cursor.fetchall()[0][1] == "changed"
    connection.close()


def test_without_redis_queries_pass(shop: Shop) -> None:
    proxy = shop.proxy("retry_after = 0.1\n")
    with proxy.connect(database="shop") as connection:
        assert is_kept(connection, NAME)
        shop.redis.stop()
        shop.change_unseen()
        for _ in range(20):
            assert ask(connection, NAME) == (("unseen",),)
        ask(connection, "UPDATE t SET name = 'meanwhile' WHERE id = 1")
        assert ask(connection, NAME) == (("meanwhile",),)
        assert proxy.log().count("Redis does not answer") == 1
        shop.redis.start()
        assert eventually(lambda: is_kept(connection, NAME))
        assert proxy.log().count("Redis answers again") == 1


def test_a_change_that_redis_was_not_told_of_is_told_later(shop: Shop) -> None:
    proxy = shop.proxy("retry_after = 0.05\n", timeout=0.3)
    with proxy.connect(database="shop") as connection:
        assert eventually(lambda: is_kept(connection, NAME))
        shop.redis.pause()
        ask(connection, "UPDATE t SET name = 'meanwhile' WHERE id = 1")
        shop.redis.resume()
        # It never sees the row of before: while Redis is not told, it is asked nothing else.
        for _ in range(20):
            assert ask(connection, NAME) == (("meanwhile",),)
        assert eventually(lambda: is_kept(connection, NAME))
        assert ask(connection, NAME) == (("meanwhile",),)


def test_without_redis_changes_may_be_refused(shop: Shop) -> None:
    proxy = shop.proxy("on_failure = refuse\nretry_after = 60\n")
    with proxy.connect(database="shop") as connection:
        ask(connection, "UPDATE t SET name = 'a' WHERE id = 1")
        shop.redis.stop()
        with pytest.raises(pymysql.Error, match="result cache cannot be told"):
            ask(connection, "UPDATE t SET name = 'b' WHERE id = 1")
        assert ask(connection, NAME) == (("a",),)


def test_a_large_result_is_not_kept(shop: Shop) -> None:
    with shop.proxy("max_result_bytes = 1000\n").connect(database="shop") as connection:
        assert not is_kept(connection, "SELECT REPEAT('x', 1000) FROM t")
        assert is_kept(connection, NAME)


def test_a_result_that_is_too_large_passes(shop: Shop) -> None:
    proxy = shop.proxy(options={"pyproxy-max-kept-bytes": "1M"})
    # The proxy logs that a result was dropped.
    proxy.criticals_expected = True
    with proxy.connect(database="shop") as connection:
        for _ in range(2):
            rows = ask(connection, "SELECT REPEAT('x', 1000000) FROM t")
            assert [len(row[0]) for row in rows] == [1_000_000] * 2
        assert len(proxy.criticals()) == 1


def test_only_the_tables_that_are_listed(shop: Shop) -> None:
    with shop.proxy("tables = shop.o*, crm.*\n").connect(database="shop") as connection:
        assert not is_kept(connection, NAME)
        assert is_kept(connection, "SELECT * FROM other")


def test_a_result_ends_with_its_time(shop: Shop) -> None:
    with shop.proxy("ttl = 1\n").connect(database="shop") as connection:
        assert ask(connection, NAME) == (("one",),)
        shop.change_unseen()
        assert eventually(lambda: ask(connection, NAME) == (("unseen",),))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("on_failure = maybe", "on_failure: expected pass or refuse"),
        ("redis = http://x", "redis=http://x"),
        ("ttl = 0", "ttl: expected"),
    ],
)
def test_a_setting_that_makes_no_sense(start_proxy: StartProxy, line: str, complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        start_proxy(SCRIPT, config=f"[result_cache]\n{line}\n", options=VENV)


def test_without_the_package(start_proxy: StartProxy) -> None:
    with pytest.raises(RuntimeError, match="needs the package redis"):
        start_proxy(SCRIPT, config="[result_cache]\n")
