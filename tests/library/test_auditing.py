"""The script `auditing` in a real proxy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from support.mariadb import IS_MYSQL, MariaDb
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/auditing.py"
# MySQL's caching_sha2_password says that it knows the password, before the OK.
ROUNDS = ["login: another round (0x01)"] if IS_MYSQL else []


def test_a_session_is_told_from_handshake_to_end(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1\nAS one")
        assert cursor.fetchall() == ((1,),)
    lines = lines_of("u", proxy)
    assert re.fullmatch(rf"connected: 127\.0\.0\.1:\d+ to 127\.0\.0\.1:{mariadb.port}", lines[0])
    assert lines[1 : 3 + len(ROUNDS)] == ["user: u", *ROUNDS, "login: ok"]
    assert "query: SELECT 1\\nAS one" in lines
    assert lines[-1] == "closed"


def test_a_failed_login(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        proxy.connect(password="wrong")
    # Nobody knows a wrong password yet: the server asks for it, and the client for the server's key.
    rounds = ROUNDS * 2
    assert lines_of("u", proxy)[1:] == ["user: u", *rounds, "login: failed", "closed"]


def test_connections_at_the_same_time_are_told_apart(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as first, proxy.connect(user="root", password="") as second:
        second.cursor().execute("SELECT 'second'")
        first.cursor().execute("SELECT 'first'")
    assert "query: SELECT 'first'" in lines_of("u", proxy)
    assert "query: SELECT 'second'" not in lines_of("u", proxy)
    assert "query: SELECT 'second'" in lines_of("root", proxy)


def lines_of(user: str, proxy: Proxy) -> list[str]:
    """The lines about the only connection of this user, to its end, without the number."""
    proxy.wait_for_stdout(f"user: {user}\n")
    (number,) = re.findall(rf"^(\[\d+\]) user: {user}$", proxy.stdout(), re.MULTILINE)
    proxy.wait_for_stdout(f"{number} closed\n")
    lines = proxy.stdout().splitlines()
    return [line[len(number) + 1 :] for line in lines if line.startswith(number)]
