"""What client libraries make of it when the proxy stops while they are idle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER
from support.proxy import Proxy

ER_SERVER_SHUTDOWN = 1053
CR_SERVER_LOST = 2013


def by_pymysql(port: int) -> Any:
    return pymysql.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD)


def by_connector(port: int) -> Any:
    options = {"host": "127.0.0.1", "port": port, "user": USER, "password": PASSWORD}
    return mysql.connector.connect(**options, use_pure=True)


# PyMySQL says so of every ERR that comes without a command.
@pytest.mark.parametrize(
    ("connect", "code"), [(by_pymysql, CR_SERVER_LOST), (by_connector, ER_SERVER_SHUTDOWN)]
)
def test_the_next_query_says_that_the_connection_is_gone(
    start_proxy: Callable[..., Proxy], connect: Callable[[int], Any], code: int
) -> None:
    proxy = start_proxy(None, options={"pyproxy-event-loop": "own"})
    connection = connect(proxy.port)
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    assert list(cursor.fetchall()) == [(1,)]
    proxy.stop()
    with pytest.raises((pymysql.Error, mysql.connector.Error)) as raised:
        cursor.execute("SELECT 2")
    assert raised.value.args[0] == code
