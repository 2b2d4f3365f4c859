"""The script `read_your_writes` without a proxy, and with a clock of the test's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyproxy.testing import Changes, Error, FakeServer, Ok, Result, Session

PRIMARY, READER = 0, 1
SCRIPT = "pyproxy.hooks.read_your_writes"

Start = Callable[..., Session]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Session] = []

    def start(**settings: Any) -> Session:
        """A session with one idle connection in each pool."""
        config = {"read_your_writes": {"min_idle_connections": 1, **settings}}
        session = Session(SCRIPT, backends=[FakeServer()], read_only=[FakeServer()], config=config)
        started.append(session)
        session.connect()
        session.new_client().connect()
        return session

    yield start
    for session in started:
        session.close()
        assert [e for e in session.log if e.level in ("critical", "warning")] == []


def where(client: Session) -> int:
    """The backend that answers a read."""
    assert client.query("SELECT 1").error is None
    return client.server_queries[-1].backend


def test_reads_stay_for_the_time_that_is_set(start: Start, clock: Clock) -> None:
    session = start(seconds=1.5)
    assert where(session) == READER
    session.query("INSERT INTO t VALUES (1)")
    assert where(session) == PRIMARY
    clock.now += 1.4
    assert where(session) == PRIMARY
    clock.now += 0.2
    assert where(session) == READER


def test_the_default_is_two_seconds(start: Start, clock: Clock) -> None:
    session = start()
    session.query("DELETE FROM t")
    clock.now += 1.9
    assert where(session) == PRIMARY
    clock.now += 0.2
    assert where(session) == READER


def test_a_transaction_counts_from_its_end(start: Start, clock: Clock) -> None:
    session = start()
    session.query("BEGIN")
    session.query("INSERT INTO t VALUES (1)")
    clock.now += 100
    session.query("COMMIT")
    clock.now += 1.9
    assert where(session) == PRIMARY
    clock.now += 0.2
    assert where(session) == READER


def test_a_transaction_without_a_write_does_not_count(start: Start, clock: Clock) -> None:
    session = start()
    for sql in ("BEGIN", "SELECT 1", "COMMIT"):
        session.query(sql)
    assert where(session) == READER


def test_a_failed_write_counts(start: Start, clock: Clock) -> None:
    session = start()
    session.server.on("INSERT INTO t VALUES (1)", Error(1062, "23000", "Duplicate"))
    session.query("INSERT INTO t VALUES (1)")
    assert where(session) == PRIMARY


@pytest.mark.parametrize(
    ("sql", "backend"), [("UPDATE t SET a = ?", PRIMARY), ("SELECT ?", READER)]
)
def test_prepared_statements_count_by_their_text(
    start: Start, clock: Clock, sql: str, backend: int
) -> None:
    session = start()
    statement = session.prepare(sql)
    clock.now += 100
    session.execute(statement, [1])
    session.close_statement(statement)
    assert where(session) == backend


@pytest.mark.parametrize("per_user", [True, False])
def test_whose_writes_count(start: Start, clock: Clock, per_user: bool) -> None:
    session = start(per_user=per_user)
    other = session.new_client()
    other.connect()
    session.query("INSERT INTO t VALUES (1)")
    assert where(other) == (PRIMARY if per_user else READER)
    clock.now += 100
    assert where(other) == READER


GTID = Changes({"last_gtid": "0-1-9"})
WAIT = "SELECT MASTER_GTID_WAIT('0-1-9', 1.0)"


@pytest.fixture
def telling() -> Iterator[Session]:
    """The primary tells GTIDs."""
    primary, reader = FakeServer(tracks=True), FakeServer(tracks=True)
    primary.on("UPDATE t SET a = 1", Ok(changes=GTID))
    config = {"read_your_writes": {"min_idle_connections": 1}}
    with Session(SCRIPT, backends=[primary], read_only=[reader], config=config) as session:
        session.connect()
        session.new_client().connect()
        yield session


def texts(client: Session, sql: str) -> list[tuple[int, str]]:
    """Where a query runs, and which replica is asked to wait for it."""
    before = len(client.server_queries)
    assert client.query(sql).error is None
    asked = [(query.backend, query.text) for query in client.server_queries[before:]]
    return [(backend, text) for backend, text in asked if text == sql or "GTID_WAIT" in text]


def test_a_replica_is_asked_once_for_each_write(telling: Session) -> None:
    telling.servers[READER].on(WAIT, Result(["wait"], [["0"]]))
    telling.query("UPDATE t SET a = 1")
    assert texts(telling, "SELECT 1") == [(READER, WAIT), (READER, "SELECT 1")]
    assert texts(telling, "SELECT 1") == [(READER, "SELECT 1")]
    telling.query("UPDATE t SET a = 1")
    assert texts(telling, "SELECT 1") == [(READER, WAIT), (READER, "SELECT 1")]


@pytest.mark.parametrize("answer", [Result(["wait"], [["-1"]]), Error(1193, "HY000", "Unknown")])
def test_the_primary_answers_for_a_replica_that_is_late(
    telling: Session, clock: Clock, answer: Result | Error
) -> None:
    telling.servers[READER].on(WAIT, answer)
    telling.query("UPDATE t SET a = 1")
    assert texts(telling, "SELECT 1") == [(READER, WAIT), (PRIMARY, "SELECT 1")]
    # Nobody waits for it once more at once; who needs nothing of it reads there.
    assert texts(telling, "SELECT 1") == [(PRIMARY, "SELECT 1")]
    other = telling.new_client()
    other.connect()
    assert texts(other, "SELECT 1")[-1] == (READER, "SELECT 1")
    clock.now += 1.1
    assert texts(telling, "SELECT 1") == [(READER, WAIT), (PRIMARY, "SELECT 1")]


def test_a_primary_that_tells_gtids_says_by_silence_that_nothing_changed(
    telling: Session,
) -> None:
    telling.query("UPDATE t SET a = 1")
    other = telling.new_client()
    other.connect()
    other.query("UPDATE t SET a = 2")
    assert texts(other, "SELECT 1")[-1] == (READER, "SELECT 1")
