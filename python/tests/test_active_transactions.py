"""The script `active_transactions`: what it prints when a lock is lost, and what it forgets."""

from __future__ import annotations

import pytest
from pyproxy.testing import Error, FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.active_transactions"
TIMEOUT = "UPDATE timeout"
DEADLOCK = "UPDATE deadlock"


def server() -> FakeServer:
    fake = FakeServer().on(TIMEOUT, Error(1205, "HY000", "Lock wait timeout exceeded"))
    fake.on(DEADLOCK, Error(1213, "40001", "Deadlock found"))
    return fake.on("no SQL", Error(1064, "42000", "syntax"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_all_open_transactions_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, backends=[server(), server()]) as session:
        # Both servers call their first connection 1.
        other, finished = session.new_client(), session.new_client()
        session.query("BEGIN")
        session.query("UPDATE a\nSET n = 1")
        other.query("BEGIN")
        finished.query("BEGIN")
        finished.query("COMMIT")
        assert lines(capsys) == []
        assert other.query(TIMEOUT).error == (1205, "HY000", "Lock wait timeout exceeded")
        assert lines(capsys) == [
            "[1@127.0.0.1:3307] ERR 1205 (HY000): Lock wait timeout exceeded",
            "  [1@127.0.0.1:3306].1: BEGIN",
            "  [1@127.0.0.1:3306].2: UPDATE a\\nSET n = 1",
            "  [1@127.0.0.1:3307].1: BEGIN",
            "  [1@127.0.0.1:3307].2: UPDATE timeout",
        ]


def test_after_a_timeout_the_transaction_is_still_open(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, server=server()) as session:
        for query in ("BEGIN", TIMEOUT, TIMEOUT):
            session.query(query)
        assert [line.split(".")[-1] for line in lines(capsys)[-3:]] == [
            "1: BEGIN",
            "2: UPDATE timeout",
            "3: UPDATE timeout",
        ]


def test_a_deadlock_ends_the_transaction(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, server=server()) as session:
        for query in ("BEGIN", DEADLOCK):
            session.query(query)
        assert lines(capsys)[-2:] == [
            "  [1@127.0.0.1:3306].1: BEGIN",
            "  [1@127.0.0.1:3306].2: UPDATE deadlock",
        ]
        session.query(TIMEOUT)
        assert lines(capsys)[1:] == ["  [1@127.0.0.1:3306].1: UPDATE timeout"]


def test_other_errors_leave_the_transaction_open(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, server=server()) as session:
        for query in ("no SQL", "BEGIN", "no SQL"):
            session.query(query)
        assert lines(capsys) == []
        session.query(TIMEOUT)
        assert [line.split(".")[-1] for line in lines(capsys)[1:]] == [
            "1: BEGIN",
            "2: no SQL",
            "3: UPDATE timeout",
        ]


@pytest.mark.parametrize("command", [b"\x1f", b"\x11v\0\0\0"])
def test_commands_that_end_a_transaction(
    capsys: pytest.CaptureFixture[str], command: bytes
) -> None:
    with Session(SCRIPT, server=server()) as session:
        session.query("BEGIN")
        session.command(command)
        session.query(TIMEOUT)
        assert lines(capsys)[1:] == ["  [1@127.0.0.1:3306].1: UPDATE timeout"]


def test_a_client_that_left_has_no_transaction(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT, server=server()) as session:
        other = session.new_client()
        other.query("BEGIN")
        other.disconnect()
        session.query(TIMEOUT)
        assert lines(capsys)[1:] == ["  [2@127.0.0.1:3306].1: UPDATE timeout"]


def test_of_a_long_transaction_the_last_statements_are_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = {"active_transactions": {"max_statements": 2}}
    with Session(SCRIPT, server=server(), config=config) as session:
        for query in ("BEGIN", "DO 1", "DO 2", TIMEOUT):
            session.query(query)
        assert [line.split(".")[-1] for line in lines(capsys)[1:]] == [
            "3: DO 2",
            "4: UPDATE timeout",
        ]


def test_results_reach_the_client() -> None:
    fake = server().on("SELECT 1", Result(["1"], [("1",)]))
    with Session(SCRIPT, server=fake) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert session.command(b"\x0e").ok
