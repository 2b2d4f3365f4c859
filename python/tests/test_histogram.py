"""The script `histogram`: what is counted, and the queries about it."""

from __future__ import annotations

import re
from typing import Any

import pyproxy
import pytest
from pyproxy.testing import Error, FakeServer, Session

SCRIPT = "pyproxy.hooks.histogram"
QUERIES, TABLES = "SELECT * FROM histogram.queries", "SELECT * FROM histogram.tables"


@pytest.fixture(autouse=True)
def times_of_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query takes as many microseconds as its comment says."""

    def query_time(inj: pyproxy.Injection) -> int:
        comment = re.search(rb"/\*(\d+)\*/", inj.query)
        return int(comment[1]) if comment else 1

    monkeypatch.setattr(pyproxy.Injection, "query_time", property(query_time))


def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    answer = session.query(sql)
    assert answer.rows is not None
    return answer.rows


def test_queries_are_counted_by_their_kind() -> None:
    with Session(SCRIPT, backends=[FakeServer(), FakeServer()]) as session:
        other = session.new_client(database="shop")
        session.query("SELECT a FROM t WHERE b = 1 /*100*/")
        other.query("select  a from t where b = 'x' /*250*/")
        session.query("SELECT 1 /*7*/")
        session.query("SELECT 2 /*5*/")
        assert rows(session, QUERIES) == [
            ("SELECT `a` FROM `t` WHERE `b` = ? ", "2", "250", "175.0"),
            ("SELECT ? ", "2", "7", "6.0"),
        ]
        # Questions about the counters are not counted, and no server gets them.
        assert len(rows(other, QUERIES)) == 2
        assert len(session.server_queries) == 4


def test_tables_are_counted_with_their_database() -> None:
    with Session(SCRIPT) as session:
        other = session.new_client(database="shop")
        session.query("SELECT * FROM a.t JOIN u")
        other.query("SELECT * FROM t")
        other.query("UPDATE t SET x = 1")
        other.query("UPDATE t SET x = 2")
        assert sorted(rows(session, TABLES)) == [
            ("a.t", "1", "0"),
            ("shop.t", "1", "2"),
            ("u", "1", "0"),
        ]


def test_columns() -> None:
    with Session(SCRIPT) as session:
        queries, tables = session.query(QUERIES).fields, session.query(TABLES).fields
    assert queries is not None
    assert tables is not None
    assert [(field.name, field.type) for field in queries] == [
        ("query", 254),
        ("count", 3),
        ("max_query_time", 3),
        ("avg_query_time", 4),
    ]
    assert [(field.name, field.type) for field in tables] == [
        ("table", 254),
        ("reads", 3),
        ("writes", 3),
    ]


def test_emptying_one_leaves_the_other() -> None:
    with Session(SCRIPT) as session:
        session.query("SELECT * FROM t")
        assert session.query("delete from histogram.queries").ok
        assert (rows(session, QUERIES), len(rows(session, TABLES))) == ([], 1)
        session.query("SELECT * FROM t")
        assert session.query("DELETE FROM `histogram`.`tables`").ok
        assert (len(rows(session, QUERIES)), rows(session, TABLES)) == (1, [])


@pytest.mark.parametrize(("queries", "tables"), [(True, False), (False, True), (False, False)])
def test_settings(queries: bool, tables: bool) -> None:
    config = {"histogram": {"collect_queries": queries, "collect_tables": tables}}
    with Session(SCRIPT, config=config) as session:
        assert session.query("SELECT * FROM t").ok
        assert len(rows(session, QUERIES)) == queries
        assert len(rows(session, TABLES)) == tables


def test_settings_can_be_changed() -> None:
    with Session(SCRIPT, config={"auto_config": {"allowed_users": ("u",)}}) as session:
        assert session.query("PROXY SET GLOBAL histogram.collect_queries = false").ok
        session.query("SELECT 1")
        assert rows(session, QUERIES) == []


def test_failed_queries_count_and_other_commands_pass() -> None:
    with Session(SCRIPT, server=FakeServer().on("SELECT 1", Error(1064))) as session:
        assert session.query("SELECT 1").error is not None
        assert session.command(b"\x0e").ok
        assert [row[:2] for row in rows(session, QUERIES)] == [("SELECT ? ", "1")]


def test_executions_of_prepared_statements_count_with_their_text() -> None:
    server = FakeServer().on("SELECT wrong", Error(1064))
    with Session(SCRIPT, server=server, database="shop") as session:
        statement = session.prepare("SELECT a FROM t WHERE b = ? /*100*/")
        other = session.prepare("DELETE FROM t")
        assert session.prepare("SELECT wrong").id is None
        # The tables are those of the database in which it was prepared.
        session.query("USE elsewhere")
        for value in (1, 2):
            assert session.execute(statement, [value]).ok
        session.close_statement(other)
        session.execute(other)
        session.query("SELECT a FROM shop.t WHERE b = 'x'")
        assert [row[:2] for row in rows(session, QUERIES)] == [
            ("USE `elsewhere` ", "1"),
            ("SELECT `a` FROM `t` WHERE `b` = ? ", "2"),
            ("SELECT `a` FROM `shop` . `t` WHERE `b` = ? ", "1"),
        ]
        assert rows(session, TABLES) == [("shop.t", "3", "0")]
        # The answers to the prepares have not been kept from the client.
        assert (statement.parameters, session.log) == (1, [])


def test_a_reset_ends_prepared_statements() -> None:
    with Session(SCRIPT) as session:
        statement = session.prepare("SELECT 2")
        assert session.command(b"\x1f").ok
        session.execute(statement)
        assert rows(session, QUERIES) == []


def test_emptying_while_a_query_runs() -> None:
    with Session(SCRIPT) as session:
        other = session.new_client()
        other.connect()

        def run_meanwhile(sql: str) -> Error:
            other.query("DELETE FROM histogram.queries")
            return Error(1064)

        session.server.on("SELECT 1", run_meanwhile)
        session.query("SELECT 1")
        assert [row[:2] for row in rows(session, QUERIES)] == [("SELECT ? ", "1")]
