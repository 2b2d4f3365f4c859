"""What hooks may return besides the constants, as a client sees it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyproxy
import pytest
from pyproxy import Decision, Proxy
from pyproxy.testing import (
    FakeServer,
    LoginRefused,
    Result,
    Session,
    fake_proxy,
    injection,
)

ASKS = """
import pyproxy
def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUIT:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    return {value}
"""


def answering(value: str) -> Session:
    """A session whose script returns this for each command."""
    return Session(f"import pyproxy\ndef read_query(proxy, packet):\n    return {value}\n")


def test_ok() -> None:
    with answering("pyproxy.Ok(2, insert_id=7, warnings=1)") as session:
        answer = session.query("UPDATE t")
        assert (answer.affected_rows, answer.insert_id, answer.warnings) == (2, 7, 1)
        assert session.server_queries == []


def test_the_info_of_an_ok() -> None:
    with answering("pyproxy.Ok(info='done')") as session:
        assert session.query("DO 1").packets[0].endswith(b"done")


def test_an_ok_tells_the_state_of_the_connection_unless_it_says_another() -> None:
    script = """
import pyproxy
def read_query(proxy, packet):
    if packet == b"\\x03state":
        return pyproxy.Ok()
    if packet == b"\\x03other":
        return pyproxy.Ok(status=64)
"""
    with Session(script) as session:
        session.query("BEGIN")
        assert session.query("state").server_status == 3
        assert session.query("other").server_status == 64


def test_error() -> None:
    with answering("pyproxy.Error('not today', code=1226, sqlstate='42000')") as session:
        error = session.query("SELECT 1").error
        assert error is not None
        assert (error.errno, error.sqlstate, error.message) == (1226, "42000", "not today")


@pytest.mark.parametrize(
    "hook", ["connect_server(proxy)", "read_handshake(proxy)", "read_auth(proxy)"]
)
def test_an_error_refuses_a_login(hook: str) -> None:
    session = Session(f"import pyproxy\ndef {hook}: return pyproxy.Error('no', 1227, '42000')\n")
    with pytest.raises(LoginRefused, match="no") as refused, session:
        session.query("DO 1")
    error = refused.value.answer.error
    assert error is not None and error.errno == 1227


def test_an_error_replaces_the_answer_to_a_login() -> None:
    script = "import pyproxy\ndef read_auth_result(proxy, auth): return pyproxy.Error('late')\n"
    session = Session(script)
    with pytest.raises(LoginRefused, match="late"), session:
        session.query("DO 1")


def test_rows_have_the_types_of_their_cells() -> None:
    rows = """[
        (1, 1.5, __import__('decimal').Decimal('2.50'), 'a', b'\\xff', None,
         __import__('datetime').date(2026, 1, 2)),
    ]"""
    value = f"pyproxy.Rows(['i', 'f', 'd', 's', 'b', 'n', 't'], {rows})"
    with answering(value) as session:
        answer = session.query("SELECT 1")
        assert answer.rows == [("1", "1.5", "2.50", "a", b"\xff", None, "2026-01-02")]
        assert answer.fields is not None
        types = [field.type for field in answer.fields]
        assert types == [8, 5, 246, 253, 252, 253, 10]


def test_rows_for_an_execution() -> None:
    script = """
import pyproxy
def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_EXECUTE:
        return pyproxy.Rows(["a", "b"], [(1, "x"), (None, "y")])
"""
    with Session(script) as session:
        session.server.on("SELECT ?", Result([("n", 3)], [(1,)]))
        statement = session.prepare("SELECT ?")
        assert session.execute(statement, [1]).rows == [(1, "x"), (None, "y")]


def test_fields_of_a_result_are_columns() -> None:
    value = "pyproxy.Rows(inj.resultset.fields, [('***',) for _ in inj.resultset.rows])"
    server = FakeServer().on("SELECT name", Result(["name"], [("ada",), ("bob",)]))
    with Session(ASKS.format(value=value), server=server) as session:
        answer = session.query("SELECT name")
        assert answer.rows == [("***",), ("***",)]
        assert answer.fields is not None and answer.fields[0].name == "name"


def test_raw_packets() -> None:
    with answering("pyproxy.Raw(b'\\0\\1\\0\\2\\0\\0\\0')") as session:
        assert session.query("DO 1").affected_rows == 1


def test_what_is_sent_instead_is_answered_and_nobody_asked() -> None:
    script = """
import pyproxy
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        return pyproxy.Send(packet[1:].decode().replace("old", "new"))
def read_query_result(proxy, inj):
    raise AssertionError("nothing was queued")
"""
    server = FakeServer().on("SELECT new", Result(["a"], [("1",)]))
    with Session(script, server=server) as session:
        assert session.query("SELECT old").rows == [("1",)]
        assert [query.text for query in session.server_queries] == ["SELECT new"]


def test_a_prepared_statement_can_be_another() -> None:
    script = """
import pyproxy
def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_PREPARE:
        return pyproxy.Send(packet.replace(b"old", b"new"))
"""
    server = FakeServer().on("SELECT new", Result([("a", 3)], [(1,)]))
    with Session(script, server=server) as session:
        assert session.execute(session.prepare("SELECT old")).rows == [(1,)]


@pytest.mark.parametrize("value", ["inj", "inj.resultset", "inj.resultsets[0]", "None"])
def test_a_result_as_it_came(value: str) -> None:
    server = FakeServer().on("SELECT name", Result(["name"], [("ada",)], warnings=3))
    with Session(ASKS.format(value=value), server=server) as session:
        answer = session.query("SELECT name")
        assert (answer.rows, answer.warnings) == ([("ada",)], 3)


def test_values_and_constants_may_be_mixed() -> None:
    script = """
import pyproxy
def read_query(proxy, packet):
    if packet == b"\\x03value":
        return pyproxy.Rows(["a"], [(1,)])
    if packet == b"\\x03constant":
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "affected_rows": 5}
        return proxy.PROXY_SEND_RESULT
    if packet[0] != proxy.COM_QUIT:
        proxy.queries.append(1, "SELECT 1", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    return pyproxy.Ok(9)
"""
    with Session(script) as session:
        assert session.query("value").rows == [("1",)]
        assert session.query("constant").affected_rows == 5
        assert session.query("else").affected_rows == 9


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("pyproxy.Rows(['a'], [(1, 2)])", "row 0 has more cells, the result set has 1 fields"),
        ("pyproxy.Send('SELECT 1')", "read_query_result returned pyproxy.Send('SELECT 1'), which"),
        ("pyproxy.Ok(affected_rows='1')", "affected_rows must be an int, not str"),
        ("pyproxy.Error('a', state='HY000')", "unexpected keyword argument 'state'"),
    ],
)
def test_what_is_wrong_is_an_error_of_the_script(value: str, text: str) -> None:
    with Session(ASKS.format(value=value), raise_errors=False) as session:
        error = session.query("SELECT 1").error
        assert error is not None
        assert error.message == "pyproxy: read_query_result failed, see the proxy log"
        assert text in "\n".join(entry.text for entry in session.log)


def denied(proxy: Proxy, packet: bytes) -> Decision:
    return pyproxy.Error("denied", 1227, "42000") if b"DROP" in packet else None


def test_a_hook_that_is_called_by_hand_gives_values() -> None:
    assert denied(fake_proxy(), b"\x03DROP TABLE t") == pyproxy.Error("denied", 1227, "42000")
    assert denied(fake_proxy(), b"\x03SELECT 1") is None
    inj = injection(1, "SELECT 1", Result(["a"], [("1",)]))
    rows: Any = pyproxy.Rows(inj.resultset.fields or (), inj.resultset.rows or ())
    assert list(rows.rows) == [("1",)]


def test_they_match_patterns() -> None:
    match pyproxy.Error("no", 1227):
        case pyproxy.Error(message, code):
            assert (message, code) == ("no", 1227)
        case _:
            raise AssertionError
    match pyproxy.Rows(["a"], [(datetime.date(2026, 1, 2), Decimal(1))]):
        case pyproxy.Rows(columns=("a",), rows=[(_, Decimal())]):
            pass
        case _:
            raise AssertionError
