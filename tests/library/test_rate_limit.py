"""The script `rate_limit` in a real proxy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/rate_limit.py"
# So slow that no token comes back while a test runs.
SLOW = "queries_per_second = 0.000001"


def test_a_client_that_is_too_quick(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config=f"[rate_limit]\n{SLOW}\nburst = 5\n")
    with proxy.connect() as connection, connection.cursor() as cursor:
        # What the client asks by itself when it connects costs, too.
        left = 0
        with pytest.raises(pymysql.OperationalError) as caught:
            while left < 5:
                cursor.execute("SELECT 1")
                assert cursor.fetchall() == ((1,),)
                left += 1
        assert 1 <= left < 5
        assert caught.value.args[0] == 1226
        assert "'queries_per_second'" in caught.value.args[1]
        with pytest.raises(pymysql.OperationalError):
            cursor.execute("SELECT 1")
        connection.ping(reconnect=False)
        # Other users are not concerned.
        with proxy.connect(user="root", password="") as other:
            assert other.cursor().execute("SELECT 1") == 1


def test_a_bucket_fills_again(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[rate_limit]\nqueries_per_second = 5\nburst = 5\n")
    with proxy.connect() as connection, connection.cursor() as cursor:

        def passes() -> bool:
            try:
                cursor.execute("SELECT 1")
            except pymysql.OperationalError:
                return False
            return True

        assert eventually(lambda: not passes())
        assert eventually(passes)


def test_too_many_connections(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[rate_limit_users]\nu = max_connections=2\n")
    first, second = proxy.connect(), proxy.connect()
    with pytest.raises(pymysql.OperationalError) as caught:
        proxy.connect()
    assert caught.value.args[0] == 1226
    assert "'max_connections'" in caught.value.args[1]
    proxy.connect(user="root", password="").close()
    second.close()

    def lets_in() -> bool:
        try:
            proxy.connect().close()
        except pymysql.OperationalError:
            return False
        return True

    # The proxy learns of the end when it gets to it.
    assert eventually(lets_in)
    first.close()


def test_wrong_passwords_do_not_lock_a_user_out(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[rate_limit]\nmax_connections = 1\n")
    for _ in range(3):
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            proxy.connect(password="wrong")
    proxy.connect().close()


def test_a_setting_that_makes_no_sense(start_proxy: Callable[..., Proxy]) -> None:
    with pytest.raises(RuntimeError, match="rate_limit_users. u: burst=many: expected a number"):
        start_proxy(SCRIPT, config="[rate_limit_users]\nu = burst=many\n")
