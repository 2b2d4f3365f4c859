"""The script `active_queries` in a real proxy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/active_queries.py"


def snapshots(proxy: Proxy) -> list[list[str]]:
    """The printed snapshots, each as its lines without the time."""
    found: list[list[str]] = []
    for line in proxy.stdout().splitlines():
        if line.startswith("  "):
            found[-1].append(line.strip())
        else:
            found.append([])
    return found


def test_start_and_end_of_a_query_are_shown(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        thread = connection.thread_id()
        cursor.execute("SELECT 'looked for'")
    proxy.wait_for_stdout("#connections: 0")
    server = f"[{thread}@{mariadb.address}]"
    started = [
        "#connections: 1, #active trx: 1, max(active trx): 1",
        f"{server} (u@test) (COM_QUERY) \"SELECT 'looked for'\" (state=started)",
    ]
    idle = ["#connections: 1, #active trx: 0, max(active trx): 1"]
    found = snapshots(proxy)
    where = found.index(started)
    assert found[where + 1] == idle
    assert found[-1] == ["#connections: 0, #active trx: 0, max(active trx): 1"]


def test_open_transactions_are_active(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("ROLLBACK")
    proxy.wait_for_stdout("#connections: 0")
    states = [lines[1].rsplit("(")[-1] for lines in snapshots(proxy) if len(lines) > 1]
    assert states[-3:] == ["state=started)", "state=in_trans)", "state=started)"]


def test_idle_connections_on_request(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[active_queries]\nshow_idle_connections = on")
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    proxy.wait_for_stdout("#connections: 0")
    assert snapshots(proxy)[-2][1].endswith("(u@) (state=idle)")


def test_equal_thread_ids_of_two_servers_are_two_connections(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT, backends=[mariadb, replica])
    connections = connect_with_equal_thread_ids(proxy, mariadb, replica)
    for connection in connections:
        connection.cursor().execute("BEGIN")
    proxy.wait_for_stdout("max(active trx): 2")
    thread = connections[0].thread_id()
    lines = next(lines for lines in snapshots(proxy) if "#active trx: 2" in lines[0])
    assert {line.split()[0] for line in lines[1:]} == {
        f"[{thread}@{server.address}]" for server in (mariadb, replica)
    }
    for connection in connections:
        connection.close()


def connect_with_equal_thread_ids(
    proxy: Proxy, one: MariaDb, other: MariaDb
) -> list[pymysql.Connection]:
    """A connection to each server, to which both gave the same thread id."""
    connections = [connect_to(server, proxy) for server in (one, other)]
    behind, ahead = sorted(connections, key=lambda connection: connection.thread_id())
    missing = ahead.thread_id() - behind.thread_id()
    if missing:
        server = one if behind is connections[0] else other
        behind.close()
        for _ in range(missing - 1):
            server.connect().close()
        behind = connect_to(server, proxy)
    assert behind.thread_id() == ahead.thread_id(), "somebody else connects to the server"
    return [behind, ahead]


def connect_to(server: MariaDb, proxy: Proxy) -> pymysql.Connection:
    """The proxy takes the server with fewer clients, as soon as it knows who left."""
    found = []

    def attempt() -> bool:
        connection = proxy.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@server_id")
            if cursor.fetchone() == (server.server_id,):
                found.append(connection)
                return True
        connection.close()
        return False

    assert eventually(attempt)
    return found[0]


def test_clients_that_leave_early_and_commands_without_answer(
    start_proxy: Callable[..., Proxy],
) -> None:
    proxy = start_proxy(SCRIPT)
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        proxy.connect(password="wrong")
    with proxy.connect() as connection:
        connection.ping(reconnect=False)
    proxy.wait_for_stdout("#connections: 0")
    assert '(COM_PING) ""' in proxy.stdout()
    assert "COM_QUIT" not in proxy.stdout()


def test_settings_at_run_time(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config="[auto_config]\nallowed_users = u")
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("PROXY SET GLOBAL active_queries.show_idle_connections = true")
        cursor.execute("SELECT 1")
    proxy.wait_for_stdout("(state=idle)")
