"""The script `firewall` in a real proxy: learns what clients ask, and refuses the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import IS_MYSQL, PASSWORD, USER, MariaDb
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/firewall.py"
# What PyMySQL asks by itself.
CONNECTING = "*\tSET NAMES utf8mb4\n*\tSET AUTOCOMMIT = 1\n"
REFUSED = "the firewall of the proxy does not allow this"


@pytest.fixture(scope="module")
def table(mariadb: MariaDb) -> MariaDb:
    mariadb.execute(
        "CREATE TABLE test.guarded (id INT PRIMARY KEY, name VARCHAR(20)) CHARSET utf8mb4",
        "INSERT INTO test.guarded VALUES (1, 'Ada')",
    )
    return mariadb


def firewall(start_proxy: Callable[..., Proxy], mode: str, allow: Path, more: str = "") -> Proxy:
    config = f"[firewall]\nmode = {mode}\nallow_file = {allow}\n{more}"
    return start_proxy(SCRIPT, config=config)


def prepared(proxy: Proxy, sql: str, parameters: tuple[Any, ...]) -> Any:
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, database="test"
    )
    try:
        cursor = connection.cursor(prepared=True)
        cursor.execute(sql, parameters)
        return cursor.fetchall()
    finally:
        connection.close()


def test_learn_and_enforce(
    start_proxy: Callable[..., Proxy], table: MariaDb, tmp_path: Path
) -> None:
    allow = tmp_path / "allow"
    learning = firewall(start_proxy, "learn", allow)
    with learning.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM guarded WHERE id = 1")
        assert cursor.fetchall() == (("Ada",),)
    prepared(learning, "SELECT id FROM guarded WHERE name = ?", ("x",))
    assert eventually(lambda: "name = ?" in (allow.read_text() if allow.exists() else ""))
    learning.stop()
    learned = allow.read_text().splitlines()
    assert "u\tSELECT name FROM guarded WHERE id = ?" in learned
    assert "u\tSET NAMES utf8mb4" in learned

    proxy = firewall(start_proxy, "enforce", allow)
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM guarded WHERE id = 2")
        assert cursor.fetchall() == ()
        for sql in (
            "SELECT name FROM guarded WHERE id = 1 OR 1 = 1",
            "SELECT name FROM guarded WHERE id = '1'\"x\" OR 1 = 1 -- '",
            "SELECT name FROM guarded WHERE id = 1 /*! OR 1 = 1 */",
            "SELECT name FROM guarded WHERE id = 1 /*M! OR 1 = 1 */",
            "SELECT name FROM guarded",
        ):
            with pytest.raises(pymysql.OperationalError, match=REFUSED) as caught:
                cursor.execute(sql)
            assert caught.value.args[0] == 1227
        cursor.execute("SELECT name FROM guarded WHERE id = 1")
        assert cursor.fetchall() == (("Ada",),)
    assert prepared(proxy, "SELECT id FROM guarded WHERE name = ?", ("Ada",)) == [(1,)]
    with pytest.raises(mysql.connector.Error, match=REFUSED):
        prepared(proxy, "SELECT id FROM guarded WHERE id = ?", (1,))
    proxy.wait_for_log("it is not on the allow list: SELECT name FROM guarded")


def test_what_the_server_runs_is_what_was_judged(
    start_proxy: Callable[..., Proxy], table: MariaDb, tmp_path: Path
) -> None:
    """Texts that a server reads in another way than they look: without the firewall each gives the row."""
    allow = tmp_path / "allow"
    allow.write_text(CONNECTING + "*\tSELECT name FROM guarded WHERE name = '?'\n")
    attacks = [
        "SELECT name FROM guarded WHERE name = 0",
        "SELECT name FROM guarded WHERE name = 'x'\"y\" OR 1 = 1 -- '",
        "SELECT name FROM guarded WHERE name = 'x' /*! OR 1 = 1 */",
        "SELECT name FROM guarded WHERE name = 'x' # '\n OR 1 = 1",
        "SELECT name FROM guarded WHERE name = 'x\\\\' OR 1 = 1 -- '",
    ]
    if not IS_MYSQL:
        attacks += [
            "SELECT name FROM guarded WHERE name = 'x' /*M! OR 1 = 1 */",
            "EXECUTE IMMEDIATE 'SELECT name FROM guarded'",
        ]
    proxy = firewall(start_proxy, "enforce", allow)
    with proxy.connect(database="test") as guarded, table.connect(database="test") as direct:
        for sql in attacks:
            with direct.cursor() as cursor:
                cursor.execute(sql)
                assert cursor.fetchall() == (("Ada",),), f"{sql} is no attack"
            with guarded.cursor() as cursor, pytest.raises(pymysql.OperationalError, match=REFUSED):
                cursor.execute(sql)
        # A character of GBK can end in a backslash, and then the quote behind it ends the string.
        gbk = b"SELECT name FROM guarded WHERE name = '\xbf\x5c' OR 1 = 1 -- '"
        with direct.cursor() as cursor:
            cursor.execute("SET NAMES gbk")
            direct.query(gbk)
            assert direct._result is not None and direct._result.affected_rows == 1
        with pytest.raises(pymysql.OperationalError, match=REFUSED):
            guarded.query(gbk)


def test_several_statements_in_one_text(
    start_proxy: Callable[..., Proxy], table: MariaDb, tmp_path: Path
) -> None:
    allow = tmp_path / "allow"
    allow.write_text(CONNECTING + "*\tSELECT ?\n*\tSELECT ?; SELECT ?, USER()\n")
    proxy = firewall(start_proxy, "enforce", allow)
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with proxy.connect(database="test", client_flag=flag) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        with pytest.raises(pymysql.OperationalError, match=REFUSED):
            cursor.execute("SELECT 1; DROP TABLE guarded")
        cursor.execute("SELECT 1; SELECT 2, USER()")
        assert cursor.nextset()
    assert table.execute("SELECT COUNT(*) FROM test.guarded") == ((1,),)


def test_patterns_and_changed_lists(
    start_proxy: Callable[..., Proxy], table: MariaDb, tmp_path: Path
) -> None:
    block = tmp_path / "block"
    block.write_text("")
    config = f"""
    [firewall]
    mode = enforce
    allow_unlisted = true
    block_file = {block}
    [firewall_patterns]
    no_drop = (?i)\\bdrop\\s+table\\b
    """
    proxy = start_proxy(SCRIPT, config=config)
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        with pytest.raises(pymysql.OperationalError, match=REFUSED):
            cursor.execute("/*!50000 drop*/ table guarded")
        cursor.execute("SELECT name FROM guarded")
        block.write_text("u\tSELECT name FROM guarded\n")

        def is_refused() -> bool:
            try:
                cursor.execute("SELECT name FROM guarded")
            except pymysql.OperationalError:
                return True
            return False

        # The file is looked at once a second at most.
        assert eventually(is_refused)
        assert cursor.execute("SELECT name FROM guarded WHERE id = 1") == 1


def test_log_mode_and_users_that_are_off(
    start_proxy: Callable[..., Proxy], table: MariaDb, tmp_path: Path
) -> None:
    more = "[firewall_users]\nroot = off\n"
    proxy = firewall(start_proxy, "log", tmp_path / "none", more)
    with proxy.connect() as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT 'a secret'") == 1
    with proxy.connect(user="root", password="") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT 'of root'") == 1
    proxy.wait_for_log("it is not on the allow list: SELECT '?'")
    assert "a secret" not in proxy.log()
    assert "root@" not in proxy.log()
