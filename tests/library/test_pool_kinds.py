"""Clients of several kinds before one proxy: connections are shared by those of one user with the same capabilities.

The server for writes (id 1) and the one for reads (id 2) do not replicate, so which of them answered is seen in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymysql.constants import CLIENT
from support.mariadb import MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows, who

HOOKS = Path(__file__).parents[2] / "python/pyproxy/hooks"
SCRIPT = HOOKS / "rw_splitting.py"
PRIMARY, READER = 1, 2
# What the clients of a kind have in common.
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "found rows": {"client_flag": CLIENT.FOUND_ROWS},
    "several statements": {"client_flag": CLIENT.MULTI_STATEMENTS},
    "in a database": {"database": "test", "client_flag": CLIENT.IGNORE_SPACE},
    "another user": {"user": "v"},
}
UNFIT = "fits this client"


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    for server in (mariadb, replica):
        server.execute(
            "CREATE TABLE test.written (a INT)",
            "CREATE USER IF NOT EXISTS v IDENTIFIED BY 'p'",
            "GRANT ALL ON test.* TO v",
        )
        server.let_in("v", "p")
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.written, test.whoami", "DROP USER v")


def start(start_proxy: Callable[..., Proxy], *servers: MariaDb, least: int, most: int) -> Proxy:
    config = f"[rwsplit]\nmin_idle_connections = {least}\nmax_idle_connections = {most}\n"
    primary, *readers = servers
    # A connection is asked about the statement before when its client has the answer already: the next one waits for it.
    options = {"pyproxy-event-loop": "own"}
    return start_proxy(
        SCRIPT, backends=[primary], read_only=readers, config=config, options=options
    )


@pytest.mark.parametrize("least", [1, 3])
def test_each_kind_reads_from_replicas(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb, least: int
) -> None:
    proxy = start(start_proxy, mariadb, replica, least=least, most=8)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(proxy.connect(**kind))
            for kind in KINDS.values()
            for _ in range(2 * least)
        ]
        for _ in range(3):
            assert [who(client) for client in clients] == [READER] * len(clients)
            for client in clients:
                rows(client, "INSERT INTO test.written VALUES (1)")
    assert UNFIT not in proxy.log()


def test_kinds_that_come_in_turns_are_all_served(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start(start_proxy, mariadb, replica, least=2, most=2)
    seen: dict[str, list[int]] = {name: [] for name in KINDS}
    for _ in range(6):
        for name, kind in KINDS.items():
            with proxy.connect(**kind) as client:
                seen[name].append(who(client))
                rows(client, "INSERT INTO test.written VALUES (1)")
    # The first of a kind brings the connection to the primary, the second one that to the replica.
    assert {name: found[1:] for name, found in seen.items()} == {
        name: [READER] * 5 for name in KINDS
    }
    assert UNFIT not in proxy.log()


def test_a_full_replica_makes_room_for_another_kind(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    proxy = start_proxy(
        SCRIPT,
        backends=[mariadb],
        read_only=[replica],
        config="[rwsplit]\nmin_idle_connections = 1\n",
        options={"pyproxy-backend-max-connections": 2, "pyproxy-event-loop": "own"},
    )
    for _ in range(3):
        for name in ("plain", "found rows", "another user"):
            with proxy.connect(**KINDS[name]) as first, proxy.connect(**KINDS[name]) as second:
                assert [who(client) for client in (first, second)] == [READER] * 2, name
                rows(first, "INSERT INTO test.written VALUES (1)")
    assert replica_connections(replica) <= 2


def replica_connections(server: MariaDb) -> int:
    found = server.execute(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER IN ('u', 'v')"
    )
    # The one that asks is there, too.
    return int(found[0][0]) - 1


def test_a_kind_without_connections_is_told_of_once(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    script = """
        def connect_server(proxy):
            proxy.connection.backend_ndx = 0

        def read_query(proxy, packet):
            proxy.connection.backend_ndx = 1
    """
    proxy = start_proxy(script, backends=[mariadb], read_only=[replica])
    with proxy.connect() as client:
        for _ in range(20):
            assert who(client) == PRIMARY
    assert proxy.log().count(UNFIT) == 1


def test_what_the_pools_have_for_each_kind(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    script = """
        import pyproxy

        def connect_server(proxy):
            proxy.connection.backend_ndx = 0

        def count(proxy):
            return [proxy.connection.idle_connections(ndx) for ndx in range(3)]

        def read_auth(proxy):
            connection = proxy.connection
            print("at the login:", count(proxy), [connection.can_log_in_to(ndx) for ndx in range(3)])

        def read_auth_result(proxy, auth):
            proxy.connection.backend_ndx = -1
            print("behind it:", count(proxy))

        def read_query(proxy, packet):
            # What PyMySQL says first; a server would be attached for it.
            return pyproxy.Ok()
    """
    proxy = start_proxy(script, backends=[mariadb], read_only=[replica])
    first = proxy.connect()
    second = proxy.connect(client_flag=CLIENT.FOUND_ROWS)
    third = proxy.connect()
    for client in (first, second, third):
        client.close()
    # The other backend has greeted nobody yet.
    can = "[True, False, False]"
    proxy.wait_for_stdout(
        f"at the login: [0, 0, 0] {can}\nbehind it: [1, 0, 0]\n" * 2
        + f"at the login: [1, 0, 0] {can}\nbehind it: [2, 0, 0]\n"
    )
