"""The script `ro_balance` without a proxy: which replica a client gets, and when it has to go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.ro_balance"
STATUS = "SHOW SLAVE STATUS"
PRIMARY, ONE, TWO = 0, 1, 2
COLUMNS = {
    "Master_Host": "primary",
    "Master_Log_File": "log.1",
    "Read_Master_Log_Pos": 1000,
    "Relay_Master_Log_File": "log.1",
    "Exec_Master_Log_Pos": 1000,
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Seconds_Behind_Master": 0,
}


def be_behind(server: FakeServer, seconds: int | None = 0, bytes: int = 0, **more: Any) -> None:
    columns = {
        **COLUMNS,
        "Exec_Master_Log_Pos": 1000 - bytes,
        "Seconds_Behind_Master": seconds,
        **more,
    }
    server.on(STATUS, Result(list(columns), [tuple(columns.values())]))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock: one number, to be changed."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def session(now: list[float]) -> Iterator[Session]:
    """Two replicas that are up to date."""
    replicas = [FakeServer(), FakeServer()]
    for server in replicas:
        be_behind(server)
    with Session(SCRIPT, backends=[FakeServer()], read_only=replicas) as session:
        yield session
    assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def where(client: Session) -> int:
    """The backend that answers a query of the client."""
    answer = client.query("SELECT 1")
    assert answer.error is None, answer.error
    return client.server_queries[-1].backend


def check_all(session: Session) -> None:
    """Has each replica looked at, by a client that leaves again."""
    for _ in session.servers[1:]:
        client = session.new_client()
        client.query("SELECT 1")
        client.quit()


def asked(session: Session) -> int:
    """How often a state was asked for."""
    return [query.text for query in session.server_queries].count(STATUS)


def test_replicas_that_nobody_looked_at_come_first(session: Session) -> None:
    assert where(session.new_client()) == ONE
    assert where(session.new_client()) == TWO
    assert asked(session) == 2


def test_of_equals_the_one_with_fewest_clients(session: Session) -> None:
    check_all(session)
    assert [where(session.new_client()) for _ in range(4)] == [ONE, TWO, ONE, TWO]


def test_the_one_that_is_least_behind(session: Session) -> None:
    be_behind(session.servers[ONE], seconds=3)
    be_behind(session.servers[TWO], seconds=2, bytes=5000)
    check_all(session)
    assert [where(session.new_client()) for _ in range(3)] == [TWO, TWO, TWO]
    # Of those that are as old, bytes decide.
    be_behind(session.servers[ONE], seconds=2, bytes=10)
    session.globals.lag.clear()
    check_all(session)
    assert [where(session.new_client()) for _ in range(2)] == [ONE, ONE]


def test_a_state_holds_for_the_check_timeout(session: Session, now: list[float]) -> None:
    where(session)
    now[0] += 1.9
    where(session)
    assert asked(session) == 1
    now[0] += 0.2
    where(session)
    assert asked(session) == 2


def test_the_state_is_not_the_clients_answer(session: Session) -> None:
    session.servers[ONE].on("SELECT a", Result(["a"], [("x",)]))
    answer = session.query("SELECT a")
    assert answer.rows == [("x",)]
    assert len(answer.results) == 1


@pytest.mark.parametrize(
    ("behind", "reason"),
    [
        ({"seconds": 11}, "11 seconds and 0 bytes behind"),
        ({"bytes": 999}, "0 seconds and 999 bytes behind"),
        ({"seconds": None}, "None seconds and 0 bytes behind"),
        ({"Slave_IO_Running": "No"}, "replication is in state noiothread"),
        ({"Slave_SQL_Running": "No"}, "replication is in state nosqlthread"),
        ({"Master_Host": ""}, "replication is in state noslave"),
    ],
)
def test_a_replica_that_will_not_do(session: Session, behind: dict[str, Any], reason: str) -> None:
    session.script.settings.max_bytes_lag = 998
    be_behind(session.servers[ONE], **behind)
    answer = session.query("SELECT 1")
    assert answer.error is not None
    assert answer.error.sqlstate == "08S01"
    assert answer.error.message.endswith(reason)
    assert session.closed
    assert "SELECT 1" not in [query.text for query in session.server_queries]
    for _ in range(2):
        assert where(session.new_client()) == TWO


def test_a_replica_that_does_not_tell(session: Session) -> None:
    session.servers[ONE].on(STATUS, Error(1227, "42000", "Access denied"))
    answer = session.query("SELECT 1")
    assert answer.error is not None
    assert answer.error.message.endswith("replication is in state error")


def test_a_server_without_replication(session: Session) -> None:
    session.servers[ONE].on(STATUS, Result(list(COLUMNS), []))
    answer = session.query("SELECT 1")
    assert answer.error is not None
    assert answer.error.message.endswith("replication is in state noslave")


def test_without_a_fit_replica_the_primary_serves(session: Session) -> None:
    for server in session.servers[1:]:
        be_behind(server, seconds=99)
    check_all(session)
    client = session.new_client()
    assert where(client) == PRIMARY
    before = asked(session)
    where(client)
    assert asked(session) == before


def test_an_unfit_replica_is_tried_again(session: Session, now: list[float]) -> None:
    be_behind(session.servers[ONE], seconds=99)
    check_all(session)
    be_behind(session.servers[ONE])
    now[0] += 29
    assert where(session.new_client()) == TWO
    now[0] += 2
    assert where(session.new_client()) == ONE


def test_a_retry_that_fails_costs_one_client(session: Session, now: list[float]) -> None:
    be_behind(session.servers[ONE], seconds=99)
    check_all(session)
    now[0] += 31
    clients = [session.new_client() for _ in range(3)]
    for client in clients:
        client.connect()
    errors = [client.query("SELECT 1").error is not None for client in clients]
    assert errors == [True, False, False]


@pytest.mark.parametrize("leaves", ["refused", "without a command", "asking about the last one"])
def test_a_client_that_finds_out_nothing_is_no_retry(
    session: Session, now: list[float], leaves: str
) -> None:
    replica = session.servers[ONE]
    be_behind(replica, seconds=99)
    check_all(session)
    be_behind(replica)
    now[0] += 31
    client = session.new_client()
    if leaves == "refused":
        replica.users = {}
        assert client.connect().error is not None
        replica.users = None
    else:
        client.connect()
        if leaves == "asking about the last one":
            client.query("SHOW WARNINGS")
        client.disconnect()
    assert asked(session) == 2
    assert where(session.new_client()) == ONE


def test_a_client_that_leaves_late_ends_no_later_retry(session: Session, now: list[float]) -> None:
    be_behind(session.servers[ONE], seconds=99)
    check_all(session)
    now[0] += 31
    first, second = session.new_client(), session.new_client()
    first.connect()
    now[0] += 31
    second.connect()
    first.disconnect()
    # The second one is finding out.
    assert where(session.new_client()) == TWO


def test_a_transaction_goes_on(session: Session, now: list[float]) -> None:
    session.query("BEGIN")
    be_behind(session.servers[ONE], seconds=99)
    now[0] += 100
    assert where(session) == ONE
    assert session.query("COMMIT").error is None
    assert session.query("SELECT 1").error is not None
    assert session.closed


@pytest.mark.parametrize("sql", ["SHOW WARNINGS", "SELECT FOUND_ROWS()"])
def test_nothing_comes_between_a_statement_and_what_asks_about_it(
    session: Session, now: list[float], sql: str
) -> None:
    where(session)
    now[0] += 100
    before = asked(session)
    session.query(sql)
    assert asked(session) == before


def test_new_servers_are_asked_in_the_new_words(now: list[float]) -> None:
    replica = FakeServer(version="8.4.0")
    columns = {
        name.replace("Master", "Source").replace("Slave", "Replica"): value
        for name, value in COLUMNS.items()
    }
    replica.on("SHOW REPLICA STATUS", Result(list(columns), [tuple(columns.values())]))
    with Session(SCRIPT, backends=[FakeServer()], read_only=[replica]) as session:
        assert where(session) == 1


def test_a_client_that_only_leaves_asks_nothing(session: Session) -> None:
    session.connect()
    session.quit()
    assert asked(session) == 0


def test_debug_output(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.script.settings.is_debug = True
    where(session)
    output = capsys.readouterr().out
    assert output.startswith("[ro_balance] client to ")
    assert "state='running'" in output
