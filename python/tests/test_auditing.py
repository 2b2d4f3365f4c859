"""The script `auditing`: what it prints, and that it changes nothing."""

from __future__ import annotations

import pytest
from pyproxy.testing import FakeServer, LoginRefused, Result, Session

SCRIPT = "pyproxy.hooks.auditing"


def test_each_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    server = FakeServer().on("SELECT 1", Result(["1"], [("1",)]))
    with Session(SCRIPT, server=server, user="app") as session:
        assert session.query("SELECT 1").rows == [("1",)]
        session.command(b"\x0e")
        assert [query.packet for query in session.server_queries] == [b"\x03SELECT 1", b"\x0e"]
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("[1] connected: 127.0.0.1:")
    assert first.endswith(" to 127.0.0.1:3306")
    assert others == ["[1] user: app", "[1] login: ok", "[1] query: SELECT 1", "[1] closed"]


def test_a_failed_login(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, server=FakeServer(users={"app": "right"}), user="app") as session:
        with pytest.raises(LoginRefused):
            session.query("SELECT 1")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "[1] user: app",
        "[1] login: failed",
        "[1] closed",
    ]


def test_a_query_cannot_write_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT) as session:
        session.query(b"SELECT '\n[2] login: ok\xff'")
    assert "[1] query: SELECT '\\n[2] login: ok\\udcff'\n" in capsys.readouterr().out


def test_connections_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, user="one") as session:
        other = session.new_client(user="two")
        session.connect()
        other.connect()
        session.query("SELECT 1")
    printed = capsys.readouterr().out
    assert "[1] user: one\n" in printed
    assert "[2] user: two\n" in printed
    assert "[1] query: SELECT 1\n" in printed
