"""`proxy.command`: what a command is, as scripts see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import CAPABILITIES, Capability, FakeServer, Result, Session, fake_proxy

WATCH = """
seen = []
def read_query(proxy, packet):
    c = proxy.command
    seen.append((c.name, c.sql, c.params, c.statement_id))
"""
ATTRIBUTES = {"trace": b"abc"}


def test_queries_and_prepared_statements() -> None:
    with Session(WATCH) as session:
        session.query("SELECT 1")
        statement = session.prepare("SELECT ?, ?")
        session.execute(statement, [1, "é"])
        session.execute(statement, [None, b"\xff"])
        session.command(b"\x0e")
        number = statement.id
        assert session.script.seen == [
            ("COM_QUERY", "SELECT 1", None, None),
            ("COM_STMT_PREPARE", "SELECT ?, ?", None, None),
            ("COM_STMT_EXECUTE", "SELECT ?, ?", (1, "é"), number),
            ("COM_STMT_EXECUTE", "SELECT ?, ?", (None, b"\xff"), number),
            ("COM_PING", None, None, None),
        ]


def test_values_have_their_types() -> None:
    values: list[Any] = [2**62, -1, 1.5, "x", b"\0", None]
    with Session(WATCH) as session:
        session.execute(session.prepare("SELECT ?, ?, ?, ?, ?, ?"), values)
        assert session.script.seen[-1][2] == tuple(values)


def test_a_refused_statement_and_a_closed_one_are_unknown() -> None:
    execute = b"\x17\x01\0\0\0\0\x01\0\0\0"
    with Session(WATCH) as session:
        session.command(execute)
        statement = session.prepare("SELECT 1")
        assert statement.id == 1
        session.command(b"\x19\x01\0\0\0")
        session.command(execute)
        texts = [seen[1] for seen in session.script.seen]
        assert texts == [None, "SELECT 1", None, None]


def test_query_attributes_are_none_of_the_text_and_none_of_the_values() -> None:
    script = WATCH + "    assert dict(c.attributes) in ({}, {'trace': b'abc'})\n"
    with Session(script, capabilities=CAPABILITIES | Capability.QUERY_ATTRIBUTES) as session:
        session.query("SELECT 1", ATTRIBUTES)
        statement = session.prepare("SELECT ?")
        session.execute(statement, [5], attributes=ATTRIBUTES)
        session.execute(statement, [6])
        seen = [(sql, params) for _, sql, params, _ in session.script.seen]
        assert seen == [
            ("SELECT 1", None),
            ("SELECT ?", None),
            ("SELECT ?", (5,)),
            ("SELECT ?", (6,)),
        ]


def test_what_the_library_makes_of_the_text() -> None:
    script = """
seen = []
def read_query(proxy, packet):
    c = proxy.command
    tokens = c.tokens and [token.text for token in c.tokens]
    seen.append((tokens, c.fingerprint, c.tables and dict(c.tables)))
    assert c.tokens is c.tokens and c.fingerprint is c.fingerprint and c.tables is c.tables
"""
    with Session(script, database="shop") as session:
        session.query("SELECT a FROM t WHERE id = 5")
        statement = session.prepare("INSERT INTO t SELECT * FROM db.u WHERE id = ?")
        session.execute(statement, [5])
        session.command(b"\x0e")
        insert = (
            "INSERT INTO t SELECT * FROM db . u WHERE id = ?".split(),
            "INSERT INTO t SELECT * FROM db.u WHERE id = ?",
            {"shop.t": "write", "db.u": "read"},
        )
        assert session.script.seen == [
            (
                "SELECT a FROM t WHERE id = 5".split(),
                "SELECT a FROM t WHERE id = ?",
                {"shop.t": "read"},
            ),
            insert,
            insert,
            (None, None, None),
        ]


def test_the_fingerprint_knows_how_the_connection_reads_backslashes() -> None:
    script = """
seen = []
def read_query(proxy, packet):
    seen.append(proxy.command.fingerprint)
"""
    query = r"SELECT 'a\' FROM t WHERE b = 'c'"
    server = FakeServer().on("SET sql_mode", Result(["a"], [], status=0x0202))
    with Session(script, server=server) as session:
        session.query(query)
        session.query("SET sql_mode")
        session.query(query)
        assert session.script.seen[0] != session.script.seen[2]
        assert session.script.seen[2] == "SELECT '?' FROM t WHERE b = '?'"


def test_tables_cannot_be_changed() -> None:
    script = "def read_query(proxy, packet): proxy.command.tables['t'] = 'read'\n"
    with Session(script) as session, pytest.raises(TypeError):
        session.query("SELECT 1")


def test_a_fake_has_the_command_that_it_is_given() -> None:
    command = fake_proxy(command="SELECT a FROM t", database="shop").command
    assert (command.name, command.sql) == ("COM_QUERY", "SELECT a FROM t")
    assert command.tables == {"shop.t": "read"}
    assert fake_proxy(command=b"\x0e").command.name == "COM_PING"
    assert fake_proxy().command.sql is None


STACK = """
[load_multi]
scripts = front, behind
directory = {folder}
"""
CHANGES = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(1, "SELECT other", resultset_is_needed=True)
        proxy.queries.append(2, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    return proxy.PROXY_IGNORE_RESULT if inj.id == 1 else None
"""
SEES = """
def read_query(proxy, packet):
    c = proxy.command
    print(c.name, c.sql, c.params, dict(c.attributes), c.tables and dict(c.tables), c is proxy.command)
"""


def test_a_stacked_script_sees_what_the_one_in_front_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "front.py").write_text(CHANGES)
    (tmp_path / "behind.py").write_text(SEES)
    config = STACK.format(folder=tmp_path)
    capabilities = CAPABILITIES | Capability.QUERY_ATTRIBUTES
    session = Session("pyproxy.hooks.load_multi", script_config=config, capabilities=capabilities)
    with session:
        session.query("SELECT a FROM t", ATTRIBUTES)
        session.execute(session.prepare("SELECT ?"), [5])
    assert capsys.readouterr().out.splitlines()[:4] == [
        "COM_QUERY SELECT other None {} {} True",
        "COM_QUERY SELECT a FROM t None {'trace': b'abc'} {'t': 'read'} True",
        "COM_STMT_PREPARE SELECT ? None {} {} True",
        "COM_STMT_EXECUTE SELECT ? (5,) {} {} True",
    ]


def test_an_execution_that_a_script_changed_is_read_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "front.py").write_text(
        "import pyproxy\n"
        "def read_query(proxy, packet):\n"
        "    if packet[0] == proxy.COM_STMT_EXECUTE:\n"
        "        return pyproxy.Send(packet[:-1] + b'\\7')\n"
    )
    (tmp_path / "behind.py").write_text(SEES)
    config = STACK.format(folder=tmp_path)
    with Session("pyproxy.hooks.load_multi", script_config=config) as session:
        statement = session.prepare("SELECT ?")
        session.execute(statement, ["a"])
    assert "COM_STMT_EXECUTE SELECT ? ('\\x07',) {} {} True" in capsys.readouterr().out
