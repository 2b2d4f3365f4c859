"""The script `ro_balance` in a real proxy, with a real replica (server id 2) of the primary (server id 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.process import eventually, free_port
from support.proxy import Proxy
from support.whoami import rows, value

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/ro_balance.py"
PRIMARY, REPLICA = 1, 2
# Replicated, as the table of `support.whoami` would be; this tells servers apart all the same.
SERVER = "SELECT @@global.server_id"

Start = Callable[..., Proxy]


def status(replica: MariaDb) -> dict[str, Any]:
    with replica.connect(cursorclass=pymysql.cursors.DictCursor) as connection:
        found: list[Any] = rows(connection, "SHOW SLAVE STATUS")
    return found[0] if found else {}


@pytest.fixture
def replication(mariadb: MariaDb, replica: MariaDb) -> Iterator[MariaDb]:
    """The replica follows the primary, and has all that it wrote."""
    file, position = mariadb.execute("SHOW MASTER STATUS")[0][:2]
    replica.execute(
        f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={mariadb.port}, "
        f"MASTER_USER='{USER}', MASTER_PASSWORD='{PASSWORD}', MASTER_LOG_FILE='{file}', "
        f"MASTER_LOG_POS={position}, MASTER_USE_GTID=no",
        "START SLAVE",
    )
    assert eventually(lambda: status(replica)["Seconds_Behind_Master"] == 0)
    yield replica
    replica.execute("STOP SLAVE", "RESET SLAVE ALL")


@pytest.fixture
def start(start_proxy: Start, mariadb: MariaDb, replica: MariaDb) -> Start:
    def start(**settings: object) -> Proxy:
        settings = {"min_idle_connections": 1, **settings}
        config = "[ro_balance]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items())
        proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
        for _ in range(2):
            # Each brings a connection.
            proxy.connect().close()
        return proxy

    return start


def where(client: pymysql.Connection) -> int:
    """The server that answers a read."""
    return int(value(client, SERVER))


def test_reads_go_to_a_replica_that_is_up_to_date(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=0)
    with proxy.connect() as one, proxy.connect() as two:
        assert [where(client) for client in (one, two, one)] == [REPLICA] * 3


def test_what_the_primary_writes_can_be_read(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    with start().connect() as client:
        rows(client, "CREATE TABLE test.copied SELECT 5 AS a")
        assert mariadb.execute("SELECT a FROM test.copied") == ((5,),)
        assert eventually(lambda: replication.execute("SHOW TABLES FROM test LIKE 'copied'") != ())
        assert (value(client, "SELECT a FROM test.copied"), where(client)) == (5, REPLICA)
        rows(client, "DROP TABLE test.copied")
        assert eventually(lambda: replication.execute("SHOW TABLES FROM test LIKE 'copied'") == ())


def test_a_replica_that_is_behind_does_not_answer(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    proxy = start(check_timeout=0, max_bytes_lag=0, retry_timeout=3600)
    with proxy.connect() as client:
        assert where(client) == REPLICA
        replication.execute("STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY=3600", "START SLAVE")
        mariadb.execute("CREATE TABLE test.late (a INT)", "DROP TABLE test.late")

        def has_read_more() -> bool:
            columns = status(replication)
            return bool(columns["Read_Master_Log_Pos"] > columns["Exec_Master_Log_Pos"])

        assert eventually(has_read_more)
        assert [where(client) for _ in range(3)] == [PRIMARY] * 3


@pytest.mark.parametrize("thread", ["SQL_THREAD", "IO_THREAD"])
def test_a_replica_that_stopped_does_not_answer(
    start: Start, replication: MariaDb, thread: str
) -> None:
    proxy = start(check_timeout=0)
    with proxy.connect() as client:
        assert where(client) == REPLICA
        replication.execute(f"STOP SLAVE {thread}")
        assert where(client) == PRIMARY


def test_another_replica_answers(
    start_proxy: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    """The primary, as a read-only backend, follows nobody."""
    config = "[ro_balance]\nmin_idle_connections = 1\nis_debug = true\n"
    follows_nobody = str(mariadb.socket)
    readers = [follows_nobody, replication]
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=readers, config=config)
    for _ in range(3):
        proxy.connect().close()
    with proxy.connect() as client:
        assert [where(client) for _ in range(2)] == [REPLICA] * 2
        proxy.wait_for_stdout(f"{follows_nobody} Lag(state='noslave'")
        proxy.wait_for_stdout(f"[ro_balance] {replication.address} Lag(state='running'")


def test_a_server_that_follows_nobody_is_no_replica(start: Start) -> None:
    with start(retry_timeout=3600).connect() as client:
        assert [where(client) for _ in range(3)] == [PRIMARY] * 3


def test_a_replica_that_recovered_is_used_again(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=0, retry_timeout=0)
    with proxy.connect() as client:
        replication.execute("STOP SLAVE")
        assert where(client) == PRIMARY
        replication.execute("START SLAVE")
        assert eventually(lambda: status(replication)["Seconds_Behind_Master"] == 0)
        assert where(client) == REPLICA


def test_an_answer_holds_for_a_while(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=3600)
    with proxy.connect() as client:
        assert where(client) == REPLICA
        replication.execute("STOP SLAVE")
        assert where(client) == REPLICA


def test_warnings_are_those_of_the_clients_statement(start: Start, replication: MariaDb) -> None:
    with start(check_timeout=0).connect() as client:
        for stop in ("DO 1", "STOP SLAVE"):
            replication.execute(stop)
            rows(client, "SELECT CAST('x' AS INT)")
            assert len(rows(client, "SHOW WARNINGS")) == 1
            rows(
                client,
                "SELECT SQL_CALC_FOUND_ROWS table_name FROM information_schema.tables LIMIT 1",
            )
            assert value(client, "SELECT FOUND_ROWS()") > 1


def test_a_user_who_may_not_see_the_state_reads_from_the_primary(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    mariadb.execute("CREATE OR REPLACE USER v IDENTIFIED BY 'p'")
    assert eventually(
        lambda: replication.execute("SELECT COUNT(*) FROM mysql.user WHERE user = 'v'") == ((1,),)
    )
    proxy = start()
    with proxy.connect(user="v") as client, proxy.connect(user="v") as other:
        assert [where(one) for one in (client, other, client)] == [PRIMARY] * 3
    assert proxy.log().count("does not tell user v its state") == 1
    with proxy.connect() as client:
        assert where(client) == REPLICA
    mariadb.execute("DROP USER v")


def test_a_replica_that_is_down_is_passed_over(start_proxy: Start, mariadb: MariaDb) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[nobody])
    with proxy.connect() as client:
        assert where(client) == PRIMARY


def test_settings_can_be_changed(
    start_proxy: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    config = "[auto_config]\nallowed_users = u\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replication], config=config)
    with proxy.connect() as client:
        rows(client, "PROXY SET GLOBAL ro_balance.max_bytes_lag = 1")
        assert ("ro_balance", "max_bytes_lag", "1", "int") in rows(client, "PROXY SHOW CONFIG")
