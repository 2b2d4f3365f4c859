"""The script `ro_balance` without a proxy: which replica answers a read, and when it is asked for its state."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.ro_balance"
STATUS = "SHOW SLAVE STATUS"
PRIMARY, ONE, TWO = 0, 1, 2
REPLICAS = (ONE, TWO)
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


def start(*replicas: FakeServer, idle: int = 1) -> Session:
    """A session whose proxy has `idle` connections in each pool, all of one user."""
    servers = [FakeServer(tracks=True), *replicas]
    for server in servers:
        server.on(re.compile("^SELECT . FROM t"), Result([("x", 8)], [("1",)]))
    config = {"ro_balance": {"min_idle_connections": idle}}
    session = Session(SCRIPT, backends=servers[:1], read_only=servers[1:], config=config)
    for _ in range(len(servers) * idle - 1):
        session.new_client().connect()
    session.connect()
    return session


@pytest.fixture
def session(now: list[float]) -> Iterator[Session]:
    """Two replicas that are up to date."""
    replicas = [FakeServer(tracks=True), FakeServer(tracks=True)]
    for server in replicas:
        be_behind(server)
    with start(*replicas) as session:
        yield session
    assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def where(client: Session, sql: str = "SELECT a FROM t") -> int:
    """The backend that answers a read of the client."""
    before = len(client.server_queries)
    answer = client.query(sql)
    assert answer.error is None, answer.error
    found = [query.backend for query in client.server_queries[before:] if query.text == sql]
    assert len(found) == 1
    return found[0]


def asked(session: Session) -> list[int]:
    """The replicas that were asked for their states, one after the other."""
    return [query.backend for query in session.server_queries if query.text == STATUS]


def test_reads_and_writes_part(session: Session) -> None:
    assert where(session) == ONE
    assert session.query("INSERT INTO t VALUES (1)").error is None
    assert session.server_queries[-1].backend == PRIMARY
    assert session.query("BEGIN").error is None
    assert where(session) == PRIMARY
    assert session.query("COMMIT").error is None
    assert where(session) == ONE


def test_a_state_holds_for_the_check_timeout(session: Session, now: list[float]) -> None:
    where(session)
    now[0] += 1.9
    where(session)
    assert asked(session) == [ONE]
    now[0] += 0.2
    where(session)
    assert asked(session) == [ONE, ONE]


def test_a_state_holds_for_all_clients(session: Session) -> None:
    other = session.new_client()
    assert [where(client) for client in (session, other, session)] == [ONE] * 3
    assert asked(session) == [ONE]


def test_the_state_is_not_the_clients_answer(session: Session) -> None:
    answer = session.query("SELECT a FROM t")
    assert answer.rows == [("1",)]
    assert len(answer.results) == 1


def test_writes_ask_nothing(session: Session) -> None:
    for sql in ("INSERT INTO t VALUES (1)", "BEGIN", "SELECT a FROM t", "COMMIT", "SET a = 1"):
        session.query(sql)
    assert asked(session) == []


@pytest.mark.parametrize(
    "behind",
    [
        {"seconds": 11},
        {"bytes": 999},
        {"seconds": None},
        {"Slave_IO_Running": "No"},
        {"Slave_SQL_Running": "No"},
        {"Master_Host": ""},
    ],
)
def test_in_place_of_a_replica_that_will_not_do_another_one_answers(
    session: Session, now: list[float], behind: dict[str, Any]
) -> None:
    session.script.settings.max_bytes_lag = 998
    be_behind(session.servers[ONE], **behind)
    assert where(session) == TWO
    assert asked(session) == [ONE, TWO]
    now[0] += 29
    assert where(session) == TWO
    assert asked(session) == [ONE, TWO, TWO]


def test_what_is_allowed_will_do(session: Session) -> None:
    be_behind(session.servers[ONE], seconds=10, bytes=1000)
    assert where(session) == ONE


def test_without_a_fit_replica_the_primary_answers(session: Session) -> None:
    for ndx in REPLICAS:
        be_behind(session.servers[ndx], seconds=99)
    assert [where(session) for _ in range(3)] == [PRIMARY] * 3
    assert asked(session) == [ONE, TWO]
    assert not session.closed


def test_a_server_without_replication_will_not_do(session: Session) -> None:
    session.servers[ONE].on(STATUS, Result(list(COLUMNS), []))
    assert where(session) == TWO
    with session.inspect() as proxy:
        address = str(proxy.globals.backends[ONE].dst)
        assert proxy.globals.lag[address].state == "noslave"


def test_an_unfit_replica_is_tried_again(session: Session, now: list[float]) -> None:
    be_behind(session.servers[ONE], seconds=99)
    assert where(session) == TWO
    be_behind(session.servers[ONE])
    now[0] += 31
    assert where(session) == ONE


def test_a_read_asks_each_replica_once(session: Session) -> None:
    session.script.settings.check_timeout = session.script.settings.retry_timeout = 0.0
    for ndx in REPLICAS:
        be_behind(session.servers[ndx], seconds=99)
    assert [where(session) for _ in range(2)] == [PRIMARY] * 2
    assert asked(session) == [ONE, TWO] * 2


def test_a_retry_that_fails_is_one_question(session: Session, now: list[float]) -> None:
    be_behind(session.servers[ONE], seconds=99)
    where(session)
    now[0] += 31
    other = session.new_client()
    assert [where(client) for client in (session, other, session)] == [TWO] * 3
    assert asked(session).count(ONE) == 2


def test_a_user_who_is_not_told_reads_elsewhere(now: list[float]) -> None:
    replica = FakeServer(tracks=True)
    with start(replica) as session:
        replica.on(STATUS, Error(1227, "42000", "Access denied"))
        assert [where(session) for _ in range(3)] == [PRIMARY] * 3
        assert asked(session) == [ONE]
        (warning,) = [entry for entry in session.log if entry.level == "warning"]
        assert "does not tell user u its state" in warning.text
        # Others may see it.
        be_behind(replica)
        others = [session.new_client(user="v") for _ in range(2)]
        for client in others:
            client.connect()
        assert where(others[0]) == ONE
        assert where(session) == PRIMARY
        now[0] += 31
        assert where(session) == ONE


def test_new_servers_are_asked_in_the_new_words(now: list[float]) -> None:
    replica = FakeServer(version="8.4.0", tracks=True)
    columns = {
        name.replace("Master", "Source").replace("Slave", "Replica"): value
        for name, value in COLUMNS.items()
    }
    replica.on("SHOW REPLICA STATUS", Result(list(columns), [tuple(columns.values())]))
    with start(replica) as session:
        assert where(session) == ONE


@pytest.mark.parametrize("sql", ["SHOW WARNINGS", "SELECT FOUND_ROWS()", "SELECT ROW_COUNT()"])
def test_questions_about_the_statement_before_ask_nothing(
    session: Session, now: list[float], sql: str
) -> None:
    where(session)
    now[0] += 100
    session.query(sql)
    assert asked(session) == [ONE]


def test_debug_output(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.script.settings.is_debug = True
    be_behind(session.servers[ONE], seconds=99)
    where(session)
    lines = capsys.readouterr().out.splitlines()
    assert any("seconds_lag=99" in line and line.endswith("will not do") for line in lines)
    assert any("seconds_lag=0" in line for line in lines)
