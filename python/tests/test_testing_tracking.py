"""Fake servers behind a script that tracks sessions: what they are told before a command, and what they report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import Changes, Error, FakeServer, Ok, Result, Session

COLLATION = re.compile("information_schema.COLLATIONS WHERE ID = 45")
UTF8 = Result(["NAME", "COLLATION_NAME", "IS_DEFAULT"], [("utf8mb4", "utf8mb4_general_ci", "")])
# Has every client's connection changed for one of the pool, whose settings are not its own.
POOLS = """
from pyproxy import Ok

def init(proxy):
    proxy.globals.track_sessions = True

def read_auth_result(proxy, auth):
    proxy.connection.backend_ndx = -1

def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        return Ok()
    proxy.connection.backend_ndx = 0
    proxy.connection.client_session.expect({"time_zone": "'UTC'"})
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

seen = []

def read_query_result(proxy, inj):
    changes = inj.resultset.session_changes
    seen.append(changes and (changes.variables, changes.schema, changes.state, changes.gtids,
                             changes.characteristics, changes.transaction))
    proxy.connection.backend_ndx = -1
"""
ALL = Changes({"time_zone": "UTC", "sql_mode": ""}, "db", True, "5-1-9", "", "________")
SEEN = {"time_zone": "UTC", "sql_mode": ""}, "db", True, "5-1-9", "", "________"
NOTHING: tuple[Any, ...] = {}, None, False, None, None, None


def texts(session: Session) -> list[str]:
    return [query.text or f"{query.command:#x}" for query in session.server_queries]


def test_several_commands_are_answered_one_by_one() -> None:
    server = FakeServer().on(COLLATION, UTF8).on("SELECT 1", Result(["1"], [("1",), ("2",)]))
    with Session(POOLS, server=server) as session:
        other = session.new_client()
        for client in (session, other):
            client.connect()
        # What is left is the connection of the first.
        server.connections[1].close()
        for client in (session, other):
            assert client.query("SELECT 1").rows == [("1",), ("2",)]
        tell = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, time_zone = 'UTC'"
        assert texts(session)[-3:] == ["0x1f", tell, "SELECT 1"]
        # There are no reports.
        assert session.script.seen == [None, None]


def test_the_answer_to_the_command_may_be_an_error_of_the_first() -> None:
    server = FakeServer().on("SET SESSION time_zone = 'UTC'", Error(1298, "HY000", "Unknown"))
    with Session(POOLS, server=server) as session:
        error = session.query("SELECT 1").error
        assert error is not None and (error.errno, error.message[-7:]) == (1298, "Unknown")


@pytest.mark.parametrize("answer", [Ok(changes=ALL), Result(["1"], [("1",)], changes=ALL)])
def test_reports_of_every_kind(answer: Ok | Result) -> None:
    server = FakeServer(tracks=True).on("SELECT 1", answer)
    with Session(POOLS, server=server) as session:
        told = session.query("SELECT 1")
        # A client that does not track gets what it would get without.
        plain = Session(server=FakeServer().on("SELECT 1", answer))
        assert told.packets == plain.query("SELECT 1").packets
        session.query("SELECT 2")
        assert session.script.seen == [SEEN, NOTHING]
        assert "session_track_transaction_info" in " ".join(texts(session))


def test_every_form_of_answer_comes_without_eof_packets() -> None:
    server = FakeServer(tracks=True).on("SELECT ?", Result(["1"], [("a",), ("b",)]))
    server.on("two", [Ok(1), Result(["1"], [("1",)], changes=Changes(state=True))])
    server.on("info", Ok(info="Rows matched: 1", changes=Changes(state=True)))
    with Session("def init(proxy): proxy.globals.track_sessions = True", server=server) as session:
        statement = session.prepare("SELECT ?")
        assert (statement.parameters, statement.answer.ok) == (1, True)
        assert session.execute(statement, "x").rows == [("a",), ("b",)]
        session.execute(statement, "x", flags=1)
        assert session.fetch(statement, 1).rows == [("a",)]
        assert session.fetch(statement, 2).rows == [("b",)]
        assert [result.rows for result in session.query("two").results] == [None, [("1",)]]
        assert session.query("info").packets[0].endswith(b"Rows matched: 1")
        assert session.command(b"\x1b\1\0").ok
        assert session.command(b"\x04t\0").ok


def test_the_script_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/scripting.md").read_text(encoding="utf-8")
    script = page.partition("\n## Sessions\n")[2].partition("```python\n")[2].partition("```")[0]
    server = FakeServer(tracks=True)
    server.on("SET time_zone = 'UTC'", Ok(changes=Changes({"time_zone": "UTC"}, state=True)))
    server.on("SET @x = 1", Ok(changes=Changes(state=True)))
    with Session(script, server=server) as session:
        session.connect()
        session.query("SET time_zone = 'UTC'")
        other = session.new_client()
        other.connect()
        # Those of the first are gone, or with it.
        server.connections[0].close()
        session.query("SELECT 1")
        assert texts(session)[-2:] == ["SET SESSION time_zone = 'UTC'", "SELECT 1"]
        session.query("SET @x = 1")
        assert other.query("SELECT 1").error is not None
        session.query("SELECT 2")
        session.quit()
        assert [connection.closed for connection in server.connections] == [True, True]
