"""The fake server: rules, commands, logins."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

import pyproxy
import pytest
from pyproxy.testing import Error, FakeServer, Ok, Packets, Result, Session
from pyproxy.testing.server import Refused


def test_the_rule_made_last_comes_first() -> None:
    server = FakeServer().on(re.compile("SELECT"), Ok(1)).on("SELECT 2", Ok(2))
    server.on(re.compile(r"(\d)00$"), lambda sql: Ok(int(sql[-3])))
    with Session(server=server) as session:
        texts = ("SELECT 1", "SELECT 2", "SELECT 700", "other")
        assert [session.query(text).affected_rows for text in texts] == [1, 2, 7, 0]


def test_cells_of_every_kind() -> None:
    row = (None, "ä", b"\xff", 5, 1.5, Decimal("2.50"), datetime.date(2020, 1, 2), True)
    fields: list[object] = ["null", "text", ("bytes", pyproxy.MYSQL_TYPE_BLOB)]
    fields += [(name, pyproxy.MYSQL_TYPE_STRING) for name in "idxdb"]
    with Session(server=FakeServer().on("q", Result(fields, [row]))) as session:
        assert session.query("q").rows == [
            (None, "ä", b"\xff", "5", "1.5", "2.50", "2020-01-02", "1")
        ]


def test_commands_of_all_kinds() -> None:
    server = FakeServer().on_command(pyproxy.COM_STATISTICS, Packets(b"Uptime: 5"))
    with Session(server=server) as session:
        assert session.command(b"\x09").packets == [b"Uptime: 5"]
        assert session.command(b"\x0e").affected_rows == 0
        assert session.command(b"\x1b\0\0").packets == [b"\xfe\0\0\x02\0"]
        unknown = session.command(b"\x99").error
        assert unknown is not None
        assert (unknown.errno, unknown.sqlstate) == (1047, "08S01")
        assert session.command(b"\x02db").ok
        assert server.connections[0].database == b"db"


def test_use_changes_the_database() -> None:
    script = """
    def read_query(proxy, packet):
        proxy.response.errmsg = proxy.connection.client.default_db
        proxy.response.type = proxy.MYSQLD_PACKET_ERR
        if packet[1:] == b"which":
            return proxy.PROXY_SEND_RESULT
    """
    with Session(script, database="first") as session:
        for statement, name in (
            (None, "first"),
            ("USE other", "other"),
            ("/* c */ use `a``b`", "a`b"),
        ):
            if statement:
                session.query(statement)
            error = session.query("which").error
            assert error is not None
            assert error.message == name


def test_a_greeting_that_is_an_error() -> None:
    with Session(server=FakeServer(greeting=Error(1040, "08004", "Too many"))) as session:
        answer = session.connect()
        assert answer.error is not None
        assert answer.error.errno == 1040
        assert session.closed


def test_a_server_with_another_authentication_method() -> None:
    script = """
    packets = []
    def read_auth_result(proxy, auth):
        packets.append(auth.packet[:16])
        methods = proxy.connection.client.auth_plugin_name, proxy.connection.server.auth_plugin_name
        packets.append(methods)
    """
    server = FakeServer(method="client_ed25519", users={"u": "p"})
    with Session(script, server=server) as session:
        assert session.query("SELECT 1").ok
        assert session.script.packets == [
            b"\xfeclient_ed25519\0",
            ("mysql_native_password", "client_ed25519"),
            b"\0\0\0\x02\0\0\0",
            ("mysql_native_password", "mysql_native_password"),
        ]
    with Session(server=server, user="nobody") as session:
        answer = session.connect()
        assert answer.error is not None
        assert answer.error.errno == 1045


def test_a_server_that_is_down() -> None:
    down = FakeServer(down=True)
    with pytest.raises(Refused):
        down.accept()
    with Session(backends=[down, FakeServer()]) as session:
        assert session.query("SELECT 1").ok
        assert [query.backend for query in session.server_queries] == [1]
        with session.inspect() as proxy:
            assert [backend.state for backend in proxy.globals.backends] == [2, 1]
        [entry] = session.log
        assert (
            entry.text
            == "connection 1: backend 127.0.0.1:3306 is not reachable (Connection refused (os error 111)), marked DOWN"
        )
        down.down = False
    with Session(backends=[down]) as session:
        assert session.query("SELECT 1").ok


def test_commands_tell_where_they_came() -> None:
    server = FakeServer()
    with Session(server=server) as session:
        session.query("SELECT 'ü'")
        [command] = session.server_queries
        assert (command.backend, command.command, command.text) == (0, 3, "SELECT 'ü'")
        assert repr(command) == "<COM_QUERY \"SELECT 'ü'\" at backend 0>"
        assert server.commands == [command]
