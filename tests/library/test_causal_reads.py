"""The script `read_your_writes` between a primary (server id 1) and a real replica (server id 2), which follows it by GTIDs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pymysql
import pytest
from support.mariadb import IS_MYSQL, PASSWORD, USER, MariaDb
from support.process import eventually
from support.proxy import Proxy
from support.whoami import rows, value

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/read_your_writes.py"
PRIMARY, REPLICA = 1, 2
# Reads behind writes; more of them by hand.
READS = int(os.environ.get("PYPROXY_TEST_CAUSAL_READS", "200"))
WITH_GTIDS = ["--gtid-mode=ON", "--enforce-gtid-consistency=ON"] if IS_MYSQL else []

Start = Callable[..., Proxy]


class Pair(NamedTuple):
    """Two servers, of which the second follows the first."""

    primary: MariaDb
    replica: MariaDb

    def follow(self) -> None:
        """From where the primary is now."""
        if IS_MYSQL:
            executed = self.primary.execute("SELECT @@global.gtid_executed")[0][0]
            self.replica.execute(
                "RESET BINARY LOGS AND GTIDS",
                f"SET GLOBAL gtid_purged = '{executed}'",
                f"CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={self.primary.port}, "
                f"SOURCE_USER='{USER}', SOURCE_PASSWORD='{PASSWORD}', SOURCE_AUTO_POSITION=1, "
                "GET_SOURCE_PUBLIC_KEY=1",
                "START REPLICA",
            )
        else:
            position = self.primary.execute("SELECT @@global.gtid_binlog_pos")[0][0]
            self.replica.execute(
                "RESET MASTER",
                f"SET GLOBAL gtid_slave_pos = '{position}'",
                f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, "
                f"MASTER_USER='{USER}', MASTER_PASSWORD='{PASSWORD}', MASTER_USE_GTID=slave_pos",
                "START SLAVE",
            )

    def hold_back(self, seconds: int) -> None:
        """The replica applies what it gets so much later."""
        stop, start, option = (
            ("STOP REPLICA", "START REPLICA", "REPLICATION SOURCE TO SOURCE_DELAY")
            if IS_MYSQL
            else ("STOP SLAVE", "START SLAVE", "MASTER TO MASTER_DELAY")
        )
        self.replica.execute(stop, f"CHANGE {option}={seconds}", start)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("causal")
    pair = Pair(
        MariaDb(folder / "primary", PRIMARY, WITH_GTIDS),
        MariaDb(folder / "replica", REPLICA, WITH_GTIDS),
    )
    pair.follow()
    pair.primary.execute(
        "CREATE TABLE test.numbers (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
        "CREATE TABLE test.other (a INT)",
        "CREATE FUNCTION test.write_it(b INT) RETURNS INT DETERMINISTIC BEGIN "
        "INSERT INTO test.numbers (a) VALUES (b); RETURN b; END",
    )
    assert eventually(lambda: pair.replica.execute("SHOW FUNCTION STATUS LIKE 'write_it'") != ())
    yield pair
    pair.replica.stop()
    pair.primary.stop()


@pytest.fixture
def lagging(pair: Pair) -> Iterator[Pair]:
    pair.hold_back(3600)
    yield pair
    pair.hold_back(0)


@pytest.fixture
def start(start_proxy: Start, pair: Pair) -> Start:
    def start(**settings: object) -> Proxy:
        values = {"min_idle_connections": 2, "seconds": 3600, **settings}
        config = "[read_your_writes]\n" + "".join(f"{k} = {v}\n" for k, v in values.items())
        proxy = start_proxy(
            SCRIPT, backends=[pair.primary], read_only=[pair.replica], config=config
        )
        for client in [proxy.connect() for _ in range(4)]:
            client.close()
        return proxy

    return start


def insert(client: pymysql.Connection, number: int) -> int:
    with client.cursor() as cursor:
        cursor.execute(f"INSERT INTO test.numbers (a) VALUES ({number})")
        return int(cursor.lastrowid)


def read(client: pymysql.Connection, row: int) -> tuple[int, int | None]:
    """Which server answered, and what was in the row."""
    # A stored program's variable could be meant by @@server_id, but not by @@global.server_id.
    found = rows(
        client,
        "SELECT @@global.server_id, (SELECT a FROM test.numbers WHERE id = " + str(row) + ")",
    )
    return found[0][0], found[0][1]


def test_a_replica_that_has_it_answers(start: Start) -> None:
    proxy = start(catch_up_seconds=60)
    with proxy.connect() as client:
        for number in range(50):
            assert read(client, insert(client, number)) == (REPLICA, number)


def test_a_replica_that_lacks_it_does_not(start: Start, lagging: Pair) -> None:
    proxy = start(catch_up_seconds=0.1)
    with proxy.connect() as client, proxy.connect() as other:
        row = insert(client, 5)
        assert read(client, row) == (PRIMARY, 5)
        # It has not written, so what the replica has is good enough.
        assert read(other, row) == (REPLICA, None)
        lagging.hold_back(0)
        assert eventually(lambda: read(client, row) == (REPLICA, 5))


def test_nobody_reads_what_is_older_than_what_it_wrote(start: Start, pair: Pair) -> None:
    pair.hold_back(5)
    proxy = start(catch_up_seconds=0.05, min_idle_connections=8)

    def work(number: int) -> int:
        stale = 0
        with proxy.connect() as client:
            row = insert(client, 0)
            for count in range(READS // 4):
                rows(client, f"UPDATE test.numbers SET a = {count + 1} WHERE id = {row}")
                stale += read(client, row)[1] != count + 1
        return stale

    with ThreadPoolExecutor(4) as executor:
        assert sum(executor.map(work, range(4))) == 0
    pair.hold_back(0)


def test_a_transaction_counts_with_its_end(start: Start, lagging: Pair) -> None:
    with start(catch_up_seconds=0.05).connect() as client:
        rows(client, "BEGIN")
        row = insert(client, 8)
        rows(client, "COMMIT")
        assert read(client, row) == (PRIMARY, 8)


def test_what_a_function_writes_counts(start: Start, lagging: Pair) -> None:
    with start(catch_up_seconds=0.05).connect() as client:
        assert value(client, "SELECT test.write_it(4711)") == 4711
        count = "SELECT COUNT(*) FROM test.numbers WHERE a = 4711"
        assert value(client, count) == 1


def test_what_changes_nothing_needs_no_wait(start: Start, lagging: Pair) -> None:
    """As soon as the primary has told a GTID, that it tells none says that nothing changed."""
    proxy = start()
    with proxy.connect() as writer, proxy.connect() as client:
        insert(writer, 9)
        rows(client, "DO 0")
        assert read(client, 1)[0] == REPLICA


def test_per_user_others_see_it_as_well(start: Start, lagging: Pair) -> None:
    proxy = start(catch_up_seconds=0.05, per_user="true")
    with proxy.connect() as client, proxy.connect() as other:
        row = insert(client, 6)
        assert read(other, row) == (PRIMARY, 6)
