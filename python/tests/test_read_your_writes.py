"""The script `read_your_writes` without a proxy, and with a clock of the test's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyproxy.testing import Error, FakeServer, Session

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
