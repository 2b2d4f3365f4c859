"""Query attributes: what scripts see, what servers get, and the packets that carry them."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from pyproxy import _native, proto
from pyproxy.proto import Param
from pyproxy.testing import CAPABILITIES, Capability, FakeServer, Result, Session

WITH = CAPABILITIES | Capability.QUERY_ATTRIBUTES
ATTRIBUTES: dict[str, Any] = {"text": "é", "data": b"\0", "int": -7, "float": 1.5, "none": None}
SEEN = {"text": "é".encode(), "data": b"\0", "int": -7, "float": 1.5, "none": None}

QUEUE = """
seen = []

def read_query(proxy, packet):
    command = proxy.command
    seen.append((command.type, command.name, packet, dict(command.attributes)))
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY
"""


def test_a_script_sees_text_and_attributes() -> None:
    with Session(QUEUE, capabilities=WITH) as session:
        session.query("SELECT 1", ATTRIBUTES)
        session.query("SELECT 2")
        assert session.script.seen == [
            (3, "COM_QUERY", b"\x03SELECT 1", SEEN),
            (3, "COM_QUERY", b"\x03SELECT 2", {}),
        ]
        assert [(c.text, c.attributes) for c in session.server_queries] == [
            ("SELECT 1", SEEN),
            ("SELECT 2", {}),
        ]


def test_what_passes_and_what_is_queued_keeps_its_bytes() -> None:
    received = []
    for script in (None, "def read_query(proxy, packet): pass", QUEUE):
        server = FakeServer()
        with Session(script, server=server, capabilities=WITH) as session:
            session.query("SELECT 1", ATTRIBUTES)
            session.query("SELECT 2")
            statement = session.prepare("SELECT ?")
            session.execute(statement, [5], attributes=ATTRIBUTES)
        received.append(server.connections[0].received[1:])
    assert received[0] == received[1] == received[2]
    assert received[0][1] == b"\x03\0\x01SELECT 2"


def test_a_changed_query_has_none() -> None:
    script = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet + b" LIMIT 1")
    return proxy.PROXY_SEND_QUERY
"""
    with Session(script, capabilities=WITH) as session:
        session.query("SELECT 1", ATTRIBUTES)
        (query,) = session.server_queries
        assert (query.text, query.attributes) == ("SELECT 1 LIMIT 1", {})


def test_attributes_of_an_execution() -> None:
    with Session(QUEUE, capabilities=WITH) as session:
        statement = session.prepare("SELECT ?")
        session.execute(statement, ["a"], attributes={"n": "v"})
        session.execute(statement, ["a"])
        assert [seen[3] for seen in session.script.seen] == [{}, {"n": b"v"}, {}]


def test_a_cursor_is_asked_for_by_other_flags() -> None:
    server = FakeServer().on(re.compile("SELECT"), Result([("n", 3)], [(1,), (2,)]))
    with Session(server=server, capabilities=WITH) as session:
        statement = session.prepare("SELECT n")
        assert session.execute(statement).rows == [(1,), (2,)]
        session.execute(statement, flags=1)
        assert session.fetch(statement, 1).rows == [(1,)]


def test_the_first_of_two_with_one_name_counts() -> None:
    block = _native.encode_query_attributes([(253, False, "a", "n"), (253, False, "b", "n")])
    with Session(QUEUE, capabilities=WITH) as session:
        session.command(b"\x03" + block + b"SELECT 1")
        assert session.script.seen[0][3] == {"n": b"a"}


def test_attributes_cannot_be_changed() -> None:
    script = """
def read_query(proxy, packet):
    proxy.command.attributes["n"] = 1
"""
    with Session(script, capabilities=WITH) as session, pytest.raises(TypeError):
        session.query("SELECT 1")


def test_there_is_no_command_before_the_first() -> None:
    script = """
def read_auth(proxy):
    assert proxy.command is None

def read_query(proxy, packet):
    if packet[0] == proxy.COM_PING:
        proxy.queries.append(1, b"\x03DO 1", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    assert (proxy.command.name, inj.query) == ("COM_PING", b"\x03DO 1")
    assert repr(proxy.command) == "<pyproxy.Command COM_PING>"
"""
    with Session(script) as session:
        assert session.command(b"\x0e").ok


def test_a_client_without_the_capability_has_none() -> None:
    with Session(QUEUE) as session:
        session.query("SELECT 1")
        assert session.script.seen == [(3, "COM_QUERY", b"\x03SELECT 1", {})]
        with pytest.raises(ValueError, match="did not agree"):
            session.query("SELECT 1", {"n": 1})


@pytest.mark.parametrize("script", [None, QUEUE])
def test_a_malformed_list_is_refused_and_the_connection_goes_on(script: str | None) -> None:
    with Session(script, capabilities=WITH) as session:
        error = session.command(b"\x03\0\x02SELECT 1").error
        assert error is not None
        assert (error.errno, error.message) == (1835, "Malformed communication packet.")
        assert session.query("SELECT 1").ok


def test_capabilities_of_both_sides() -> None:
    script = """
def read_query(proxy, packet):
    client, server = proxy.connection.client, proxy.connection.server
    assert client.capabilities == server.capabilities == WITH
""".replace("WITH", str(WITH))
    with Session(script, capabilities=WITH) as session:
        assert session.query("SELECT 1").ok


class TestPackets:
    """Executions of a client with query attributes."""

    OK = proto.StmtPrepareOk(stmt_id=1, num_params=2)
    PARAMS = (Param(3, 7), Param(253, b"a"))

    def test_the_capability_decides_about_the_form(self) -> None:
        packet = proto.to_stmt_execute_packet(stmt_id=1, params=self.PARAMS, attributes=())
        old = proto.to_stmt_execute_packet(stmt_id=1, params=self.PARAMS)
        assert (packet[10:12], old[10:12]) == (b"\x02\0", b"\0\x01")
        for encoded, bits in [(packet, WITH), (old, 0), (old, None)]:
            execute = proto.from_stmt_execute_packet(encoded, 2, capabilities=bits)
            assert execute.params == self.PARAMS
            assert execute.attributes == (() if bits else None)
            assert proto.to_stmt_execute_packet(execute) == encoded

    def test_attributes_both_ways(self) -> None:
        day = datetime.date(2024, 2, 3)
        attributes = (Param(8, 5, True, b"n"), Param(10, day, name=b"day"))
        for params in (self.PARAMS, ()):
            packet = proto.to_stmt_execute_packet(stmt_id=1, params=params, attributes=attributes)
            execute = proto.from_stmt_execute_packet(packet, len(params), capabilities=WITH)
            assert (execute.params, execute.attributes) == (params, attributes)
            assert execute.flags == 8

    def test_attributes_need_types(self) -> None:
        with pytest.raises(proto.PacketError):
            proto.to_stmt_execute_packet(
                stmt_id=1, new_params_bound=False, attributes=[(3, 1, False, "n")]
            )

    def test_statements_of_such_a_client(self) -> None:
        statements = proto.Statements(WITH)
        statements.prepared(self.OK)
        attributes = (Param(253, b"v", name=b"n"),)
        first = proto.to_stmt_execute_packet(stmt_id=1, params=self.PARAMS, attributes=attributes)
        assert statements.execute(first).attributes == attributes
        again = proto.to_stmt_execute_packet(
            stmt_id=1, new_params_bound=False, params=self.PARAMS, attributes=()
        )
        assert statements.execute(again).params == self.PARAMS
