"""The script `ro_pooling` without a proxy: which connections are opened, and which are shared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyproxy.testing import FakeServer, Session

SCRIPT = "pyproxy.hooks.ro_pooling"
SETTINGS = {"ro_pooling": {"min_idle_connections": 1, "max_idle_connections": 2}}


@pytest.fixture
def session() -> Iterator[Session]:
    servers = [FakeServer(), FakeServer()]
    with Session(SCRIPT, backends=servers, read_only=[FakeServer()], config=SETTINGS) as session:
        yield session
    assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def opened(session: Session) -> list[int]:
    return [len(server.connections) for server in session.servers]


def test_each_primary_gets_its_minimum(session: Session) -> None:
    clients = [session.new_client() for _ in range(5)]
    found = []
    for client in clients:
        client.connect()
        found.append(opened(session))
    # Then what is above the minimum of the first one is used, if there is any.
    assert found == [[1, 0, 0], [1, 1, 0], [2, 1, 0], [2, 1, 0], [2, 1, 0]]


def test_reads_do_not_leave_the_primaries(session: Session) -> None:
    for sql in ("SELECT 1", "INSERT INTO t VALUES (1)", "SELECT 1"):
        assert session.query(sql).error is None
    assert {query.backend for query in session.server_queries} == {0}


def test_many_clients_share_few_connections(session: Session) -> None:
    clients = [session.new_client() for _ in range(6)]
    for client in clients:
        client.connect()
    for client in clients:
        for _ in range(2):
            assert client.query("SELECT 1").error is None
    assert opened(session) == [2, 1, 0]


def test_a_transaction_is_not_shared(session: Session) -> None:
    other = session.new_client()
    other.connect()
    session.query("BEGIN")
    other.query("SELECT 1")
    session.query("COMMIT")
    texts = ("BEGIN", "SELECT 1", "COMMIT")
    assert [query.backend for query in session.server_queries if query.text in texts] == [0, 1, 0]


def test_the_database_is_told_only_when_it_is_another(session: Session) -> None:
    one, two = session.new_client(database="a"), session.new_client(database="b")
    one.connect()
    for _ in range(2):
        one.query("SELECT 1")
    assert 2 not in [query.command for query in session.server_queries]
    session.globals.config.ro_pooling.min_idle_connections = 0
    two.connect()
    one.query("SELECT 2")
    texts = [query.text for query in session.server_queries]
    assert texts[texts.index("SELECT 2") - 1] == "a"
