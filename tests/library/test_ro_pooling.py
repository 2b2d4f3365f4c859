"""The script `ro_pooling` in a real proxy: clients share server connections, all to the primary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.process import eventually
from support.proxy import Proxy
from support.whoami import prepare, rows, value, who

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/ro_pooling.py"
CONFIG = "[ro_pooling]\nmin_idle_connections = 2\nmax_idle_connections = 2\n"
PRIMARY = 1


@pytest.fixture(scope="module", autouse=True)
def data(mariadb: MariaDb, replica: MariaDb) -> Iterator[None]:
    prepare(mariadb, replica)
    yield
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb) -> Proxy:
    assert eventually(lambda: not connection_ids(mariadb))
    return start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=CONFIG)


def connection_ids(server: MariaDb) -> set[int]:
    """The server's ids of connections through proxies: the one that asks does not count."""
    sql = "SELECT id FROM information_schema.processlist WHERE user = 'u' AND id <> CONNECTION_ID()"
    return {row[0] for row in server.execute(sql)}


def test_everything_goes_to_the_primary(proxy: Proxy) -> None:
    for _ in range(3):
        with proxy.connect() as client:
            assert who(client) == PRIMARY


def test_clients_share_what_others_left(proxy: Proxy, mariadb: MariaDb) -> None:
    # One more than the pool keeps, which a client without a name cannot take.
    first = [proxy.connect() for _ in range(3)]
    ids = connection_ids(mariadb)
    assert len(ids) == 3
    clients = [proxy.connect() for _ in range(5)]
    for client in first + clients:
        assert who(client) == PRIMARY
    assert connection_ids(mariadb) == ids
    for client in first + clients:
        client.close()


def test_a_transaction_has_its_connection_for_itself(proxy: Proxy, mariadb: MariaDb) -> None:
    mariadb.execute("CREATE TABLE test.pooled (a INT)")
    with proxy.connect() as one, proxy.connect() as two:
        rows(one, "BEGIN")
        rows(one, "INSERT INTO test.pooled VALUES (1)")
        assert value(two, "SELECT COUNT(*) FROM test.pooled") == 0
        rows(two, "ROLLBACK")
        assert value(one, "SELECT COUNT(*) FROM test.pooled") == 1
        rows(one, "COMMIT")
        assert value(two, "SELECT COUNT(*) FROM test.pooled") == 1
    mariadb.execute("DROP TABLE test.pooled")


def test_each_has_its_own_database(proxy: Proxy) -> None:
    databases = ("test", "mysql", "information_schema")
    clients = [proxy.connect(database=name) for name in databases]
    for _ in range(2):
        for name, client in zip(databases, clients):
            assert value(client, "SELECT DATABASE()") == name
    for client in clients:
        client.close()


def test_surplus_connections_are_closed(proxy: Proxy, mariadb: MariaDb) -> None:
    clients = [proxy.connect() for _ in range(3)]
    for client in clients:
        rows(client, "SET @mine = 1")
    # These are tied to their connections, so new clients bring more.
    clients += [proxy.connect() for _ in range(2)]
    assert len(connection_ids(mariadb)) == 5
    for client in clients:
        client.close()
    assert eventually(lambda: len(connection_ids(mariadb)) == 2)


def test_what_one_left_behind_no_other_finds(proxy: Proxy) -> None:
    clients = [proxy.connect() for _ in range(2)]
    rows(clients[0], "SET sql_mode = 'ANSI_QUOTES'")
    assert [value(client, 'SELECT "id" FROM test.whoami') for client in clients] == [PRIMARY, "id"]
    rows(clients[0], "SET @left = 1")
    clients[0].close()
    with proxy.connect() as client:
        assert value(client, "SELECT @left") is None
        assert value(client, 'SELECT "id" FROM test.whoami') == "id"
    clients[1].close()


def test_an_error_does_not_cost_the_connection(proxy: Proxy) -> None:
    with proxy.connect() as client:
        for _ in range(3):
            with pytest.raises(pymysql.ProgrammingError, match="no_such_table"):
                rows(client, "SELECT * FROM test.no_such_table")
            assert who(client) == PRIMARY
