"""The script `quota` in real proxies that share a real Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER
from support.process import eventually
from support.proxy import Proxy
from support.redis import VENV, RedisServer

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/quota.py"
# So slow that no token comes back while a test runs.
SLOW = "queries_per_second = 0.0001"
StartProxy = Callable[..., Proxy]


@pytest.fixture
def limited(start_proxy: StartProxy, redis_server: RedisServer) -> Callable[..., Proxy]:
    def start(lines: str, timeout: float = 5) -> Proxy:
        config = f"[quota]\nredis = {redis_server.url}\ntimeout = {timeout}\n{lines}\n"
        return start_proxy(SCRIPT, config=config, options=VENV)

    return start


def passes(connection: pymysql.Connection) -> bool:
    """Whether a query is let through; the limit is the only reason why not."""
    try:
        connection.query("SELECT 1")
    except pymysql.OperationalError as error:
        assert error.args[0] == 1226
        return False
    return True


def test_proxies_share_the_tokens(limited: Callable[..., Proxy]) -> None:
    # What the client asks by itself when it connects costs, too: one token with PyMySQL and autocommit.
    first = limited(f"{SLOW}\nburst = 10").connect(autocommit=None)
    second = limited(f"{SLOW}\nburst = 10").connect(autocommit=None)
    passed = sum(passes(one) for _ in range(10) for one in (first, second))
    assert 0 < passed <= 10
    assert not passes(first) and not passes(second)
    first.ping(reconnect=False)
    second.close()


def test_users_have_buckets_of_their_own(limited: Callable[..., Proxy]) -> None:
    proxy = limited(f"{SLOW}\nburst = 5\n[quota_users]\nroot = queries_per_second=0")
    with proxy.connect() as connection, proxy.connect(user="root", password="") as free:
        assert eventually(lambda: not passes(connection))
        with pytest.raises(
            pymysql.OperationalError, match="'u' has exceeded the 'queries_per_second'"
        ):
            connection.query("SELECT 1")
        assert all(passes(free) for _ in range(20))


def test_prepared_statements_cost_too(limited: Callable[..., Proxy]) -> None:
    proxy = limited(f"{SLOW}\nburst = 20")
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, use_pure=True
    )
    with connection.cursor(prepared=True) as cursor:
        with pytest.raises(mysql.connector.Error, match="queries_per_second") as caught:
            for n in range(25):
                cursor.execute("SELECT ?", (n,))
                assert cursor.fetchall() == [(n,)]
        assert caught.value.errno == 1226
        assert n > 5


def test_a_bucket_fills_again(limited: Callable[..., Proxy]) -> None:
    with limited("queries_per_second = 5\nburst = 5").connect() as connection:
        assert eventually(lambda: not passes(connection))
        assert eventually(lambda: passes(connection))


def test_a_command_may_wait_for_its_token(limited: Callable[..., Proxy]) -> None:
    proxy = limited("queries_per_second = 10\nburst = 1\nmax_wait = 20")
    with proxy.connect() as connection, proxy.connect(user="root", password="") as other:
        began = time.monotonic()
        assert all(passes(connection) for _ in range(10))
        # Without the wait they would be refused; that it waits is what takes the time.
        assert time.monotonic() - began > 0.7
        assert passes(other)


def test_without_redis_queries_pass(
    limited: Callable[..., Proxy], redis_server: RedisServer
) -> None:
    proxy = limited(f"{SLOW}\nburst = 3\nretry_after = 0.05")
    with proxy.connect() as connection:
        assert eventually(lambda: not passes(connection))
        redis_server.stop()
        assert all(passes(connection) for _ in range(10))
        assert proxy.log().count("Redis does not answer") == 1
        redis_server.start()
        assert eventually(lambda: not passes(connection))
        assert proxy.log().count("Redis answers again") == 1


def test_without_redis_queries_may_be_refused(
    limited: Callable[..., Proxy], redis_server: RedisServer
) -> None:
    proxy = limited(f"{SLOW}\nburst = 1000\non_failure = refuse", timeout=0.2)
    with proxy.connect() as connection:
        assert passes(connection)
        redis_server.pause()
        assert not passes(connection)
        redis_server.resume()
        assert eventually(lambda: passes(connection))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("on_failure = maybe", "on_failure: expected allow or refuse"),
        ("max_wait = 1000", "max_wait is not shorter than pyproxy-hook-timeout"),
        ("[quota_users]\nu = burst=many", "quota_users. u: burst=many: expected a number"),
    ],
)
def test_a_setting_that_makes_no_sense(
    limited: Callable[..., Proxy], line: str, complaint: str
) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        limited(line)
