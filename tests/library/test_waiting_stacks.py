"""Scripts that wait, in a stack with masking: no row gets past it, whatever was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.policy import PolicyService
from support.process import eventually
from support.proxy import Proxy
from support.redis import VENV, RedisServer

StartProxy = Callable[..., Proxy]

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/load_multi.py"
SELECT = "SELECT secret FROM stacked"


@pytest.fixture(scope="module", autouse=True)
def table(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    for server in (mariadb, replica):
        server.execute(
            "CREATE TABLE test.stacked (secret VARCHAR(20))",
            "INSERT INTO test.stacked VALUES ('x')",
        )
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.stacked")


def stack(start_proxy: StartProxy, folder: Path, scripts: str, config: str) -> Proxy:
    (folder / "empty").mkdir()
    config += f"\n[load_multi]\nscripts = {scripts}\ndirectory = {folder / 'empty'}\n"
    config += "[masking_rules]\n*.secret = text:hidden\n[masking]\nunmasked_users = root\n"
    return start_proxy(SCRIPT, config=config, options=VENV)


def ask(connection: pymysql.Connection, sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def hits(connection: pymysql.Connection) -> int:
    return int(dict(ask(connection, "SELECT * FROM result_cache.counters"))["hits"])


@pytest.mark.parametrize("scripts", ["masking, result_cache", "result_cache, masking"])
def test_what_is_kept_is_masked(
    start_proxy: StartProxy, redis_server: RedisServer, tmp_path: Path, scripts: str
) -> None:
    config = f"[result_cache]\nredis = {redis_server.url}\ntimeout = 5"
    proxy = stack(start_proxy, tmp_path, scripts, config)
    with (
        proxy.connect(database="test") as connection,
        proxy.connect(user="root", password="", database="test") as root,
    ):
        for n in range(3):
            assert ask(connection, SELECT) == (("hidden",),)
            assert ask(root, SELECT) == (("x",),)
            assert hits(root) == 2 * n
        ask(root, "UPDATE stacked SET secret = 'y'")
        assert ask(root, SELECT) == (("y",),)
        assert ask(connection, SELECT) == (("hidden",),)
        ask(root, "UPDATE stacked SET secret = 'x'")
    with mysql.connector.connect(
        host="127.0.0.1",
        port=proxy.port,
        user=USER,
        password=PASSWORD,
        database="test",
        autocommit=True,
        use_pure=True,
    ) as connection:
        with connection.cursor(prepared=True) as cursor:
            for _ in range(3):
                cursor.execute("SELECT secret FROM stacked WHERE secret = %s", ("x",))
                assert cursor.fetchall() == [("hidden",)]
        with proxy.connect() as plain:
            assert hits(plain) == 6


@pytest.mark.parametrize("scripts", ["masking, tee", "tee, masking"])
def test_a_mirrored_query_is_masked(
    start_proxy: StartProxy, replica: MariaDb, tmp_path: Path, scripts: str
) -> None:
    config = f"[tee]\naddress = {replica.address}\nuser = {USER}\npassword = {PASSWORD}\nrecheck_after = 0"
    proxy = stack(start_proxy, tmp_path, scripts, config)
    # In front of masking it compares what is masked with what is not.
    outcome = "same" if scripts.startswith("masking") else "different"
    with proxy.connect(database="test") as connection:
        assert ask(connection, SELECT) == (("hidden",),)

        def value() -> int:
            return int(dict(ask(connection, "SELECT * FROM tee.counters"))[outcome])

        assert eventually(lambda: value() == 1)


@pytest.mark.parametrize("scripts", ["masking, quota", "quota, masking"])
def test_a_quota_and_masking(
    start_proxy: StartProxy, redis_server: RedisServer, tmp_path: Path, scripts: str
) -> None:
    config = f"[quota]\nredis = {redis_server.url}\ntimeout = 5\n[quota_users]\n"
    config += "u = queries_per_second=0.0001 burst=10"
    with stack(start_proxy, tmp_path, scripts, config).connect(database="test") as connection:
        with pytest.raises(pymysql.OperationalError, match="queries_per_second"):
            for _ in range(20):
                assert ask(connection, SELECT) == (("hidden",),)


@pytest.mark.parametrize("scripts", ["masking, http_policy", "http_policy, masking"])
def test_a_policy_and_masking(start_proxy: StartProxy, tmp_path: Path, scripts: str) -> None:
    service = PolicyService()
    service.decide = lambda question: {"allow": "DROP" not in question["sql"]}
    try:
        config = f"[http_policy]\nurl = {service.url}\ntimeout = 10"
        with stack(start_proxy, tmp_path, scripts, config).connect(database="test") as connection:
            assert ask(connection, SELECT) == (("hidden",),)
            with pytest.raises(pymysql.OperationalError, match="the policy does not allow it"):
                ask(connection, "DROP TABLE stacked")
            assert service.asked(SELECT) == 1
    finally:
        service.stop()
