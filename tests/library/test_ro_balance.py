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
SERVER = "SELECT @@server_id"

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
        config = "[ro_balance]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items())
        return start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)

    return start


def assert_is_turned_away(proxy: Proxy, reason: str) -> None:
    with pytest.raises(pymysql.err.MySQLError, match=reason):
        proxy.connect()


def test_clients_go_to_a_replica_that_is_up_to_date(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=0)
    with proxy.connect() as one, proxy.connect() as two:
        for client in (one, two, one):
            assert value(client, SERVER) == REPLICA


def test_what_the_primary_writes_can_be_read(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    with start().connect() as client:
        mariadb.execute("CREATE TABLE test.replicated (a INT)", "DROP TABLE test.replicated")
        mariadb.execute("CREATE TABLE test.copied SELECT 5 AS a")
        assert eventually(lambda: rows(client, "SHOW TABLES FROM test LIKE 'copied'") != [])
        assert value(client, "SELECT a FROM test.copied") == 5
        mariadb.execute("DROP TABLE test.copied")
        assert eventually(lambda: rows(client, "SHOW TABLES FROM test LIKE 'copied'") == [])


def test_a_replica_that_is_behind_is_left(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    proxy = start(check_timeout=0, max_bytes_lag=0, retry_timeout=3600)
    client = proxy.connect()
    assert value(client, SERVER) == REPLICA
    replication.execute("STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY=3600", "START SLAVE")
    mariadb.execute("CREATE TABLE test.late (a INT)", "DROP TABLE test.late")

    def has_read_more() -> bool:
        columns = status(replication)
        return bool(columns["Read_Master_Log_Pos"] > columns["Exec_Master_Log_Pos"])

    assert eventually(has_read_more)
    with pytest.raises(pymysql.err.MySQLError, match="bytes behind"):
        rows(client, SERVER)
    with pytest.raises(pymysql.err.MySQLError):
        client.ping(reconnect=False)
    with proxy.connect() as again:
        assert value(again, SERVER) == PRIMARY


@pytest.mark.parametrize(
    ("thread", "state"), [("SQL_THREAD", "nosqlthread"), ("IO_THREAD", "noiothread")]
)
def test_a_replica_that_stopped_is_left(
    start: Start, replication: MariaDb, thread: str, state: str
) -> None:
    proxy = start(check_timeout=0)
    with proxy.connect() as client:
        replication.execute(f"STOP SLAVE {thread}")
        with pytest.raises(pymysql.err.MySQLError, match=f"in state {state}"):
            rows(client, SERVER)
    with proxy.connect() as client:
        assert value(client, SERVER) == PRIMARY


def test_a_server_that_follows_nobody_is_no_replica(start: Start) -> None:
    proxy = start(retry_timeout=3600)
    assert_is_turned_away(proxy, "in state noslave")
    for _ in range(3):
        with proxy.connect() as client:
            assert value(client, SERVER) == PRIMARY


def test_a_replica_that_recovered_is_used_again(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=0, retry_timeout=0)
    replication.execute("STOP SLAVE")
    assert_is_turned_away(proxy, "in state noiothread")
    replication.execute("START SLAVE")
    assert eventually(lambda: status(replication)["Seconds_Behind_Master"] == 0)
    with proxy.connect() as client:
        assert value(client, SERVER) == REPLICA


def test_a_transaction_is_not_interrupted(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=0)
    with proxy.connect() as client:
        rows(client, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        replication.execute("STOP SLAVE")
        assert value(client, SERVER) == REPLICA
        rows(client, "COMMIT")
        with pytest.raises(pymysql.err.MySQLError, match="in state noiothread"):
            rows(client, SERVER)


def test_an_answer_holds_for_a_while(start: Start, replication: MariaDb) -> None:
    proxy = start(check_timeout=3600)
    with proxy.connect() as client:
        replication.execute("STOP SLAVE")
        assert value(client, SERVER) == REPLICA


def test_warnings_are_those_of_the_clients_statement(start: Start, replication: MariaDb) -> None:
    with start(check_timeout=0).connect() as client:
        rows(client, "SELECT CAST('x' AS INT)")
        assert len(rows(client, "SHOW WARNINGS")) == 1
        rows(client, "SELECT SQL_CALC_FOUND_ROWS table_name FROM information_schema.tables LIMIT 1")
        assert value(client, "SELECT FOUND_ROWS()") > 1


def test_a_user_who_may_not_see_the_state_gets_the_primary(
    start: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    mariadb.execute("CREATE OR REPLACE USER v IDENTIFIED BY 'p'")
    assert eventually(
        lambda: replication.execute("SELECT COUNT(*) FROM mysql.user WHERE user = 'v'") == ((1,),)
    )
    proxy = start()
    with pytest.raises(pymysql.err.MySQLError, match="in state error"):
        proxy.connect(user="v")
    with proxy.connect(user="v") as client:
        assert value(client, SERVER) == PRIMARY
    mariadb.execute("DROP USER v")


def test_a_replica_that_is_down_is_passed_over(start_proxy: Start, mariadb: MariaDb) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[nobody])
    with proxy.connect() as client:
        assert value(client, SERVER) == PRIMARY


def test_states_are_printed_and_settings_can_be_changed(
    start_proxy: Start, mariadb: MariaDb, replication: MariaDb
) -> None:
    config = "[ro_balance]\nis_debug = true\n[auto_config]\nallowed_users = u\n"
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replication], config=config)
    with proxy.connect() as client:
        proxy.wait_for_stdout(f"[ro_balance] client to {replication.address}\n")
        proxy.wait_for_stdout(f"[ro_balance] {replication.address} Lag(state='running'")
        rows(client, "PROXY SET GLOBAL ro_balance.max_bytes_lag = 1")
        assert ("ro_balance", "max_bytes_lag", "1", "int") in rows(client, "PROXY SHOW CONFIG")
