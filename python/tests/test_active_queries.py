"""The script `active_queries`: what its snapshots show."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyproxy.testing import Error, FakeServer, LoginRefused, Session

SCRIPT = "pyproxy.hooks.active_queries"


class Printed:
    """The snapshots that were printed since the last look, each as its lines."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self) -> list[list[str]]:
        lines = self._capsys.readouterr().out.splitlines()
        found: list[list[str]] = []
        for line in lines:
            if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line):
                found.append([])
            else:
                assert line.startswith("  ")
                found[-1].append(line.strip())
        return found


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


def counts(connections: int, active: int, most: int) -> str:
    return f"#connections: {connections}, #active trx: {active}, max(active trx): {most}"


def test_a_query_from_start_to_end(printed: Printed) -> None:
    with Session(SCRIPT, user="app", database="shop") as session:
        session.query("SELECT 1")
        assert printed() == [
            [
                counts(1, 1, 1),
                '[1@127.0.0.1:3306] (app@shop) (COM_QUERY) "SELECT 1" (state=started)',
            ],
            [counts(1, 0, 1)],
        ]
        session.quit()
        assert printed() == [[counts(0, 0, 1)]]


def test_a_transaction_stays_active(printed: Printed) -> None:
    with Session(SCRIPT) as session:
        session.query("BEGIN")
        assert printed()[-1] == [counts(1, 1, 1), "[1@127.0.0.1:3306] (u@) (state=in_trans)"]
        session.query("COMMIT")
        assert printed()[-1] == [counts(1, 0, 1)]


def test_two_backends_with_equal_thread_ids(printed: Printed) -> None:
    with Session(SCRIPT, backends=[FakeServer(), FakeServer()]) as session:
        other = session.new_client(user="v")
        session.query("BEGIN")
        other.query("BEGIN")
        assert printed()[-1] == [
            counts(2, 2, 2),
            "[1@127.0.0.1:3306] (u@) (state=in_trans)",
            "[1@127.0.0.1:3307] (v@) (state=in_trans)",
        ]
        session.disconnect()
        assert printed()[-1] == [counts(1, 1, 2), "[1@127.0.0.1:3307] (v@) (state=in_trans)"]


def test_idle_connections_on_request(printed: Printed) -> None:
    config: dict[str, Any] = {"active_queries": {"show_idle_connections": True}}
    with Session(SCRIPT, config=config) as session:
        session.query("SELECT 1")
        assert printed()[-1] == [counts(1, 0, 1), "[1@127.0.0.1:3306] (u@) (state=idle)"]


def test_a_text_stays_on_its_line(printed: Printed) -> None:
    with Session(SCRIPT) as session:
        session.query("SELECT\n1")
        assert '"SELECT\\n1"' in printed()[0][1]


def test_a_failed_query_is_idle(printed: Printed) -> None:
    server = FakeServer().on("no SQL", Error(1064))
    with Session(SCRIPT, server=server) as session:
        assert session.query("no SQL").error is not None
        assert printed()[-1] == [counts(1, 0, 1)]


def test_other_commands(printed: Printed) -> None:
    with Session(SCRIPT) as session:
        session.command(b"\x0e")
        assert '(COM_PING) ""' in printed()[0][1]
        statement = session.prepare("SELECT ?")
        assert '(COM_STMT_PREPARE) "SELECT ?"' in printed()[0][1]
        session.close_statement(statement)
        assert printed() == []


def test_a_client_that_is_not_let_in_is_not_counted(printed: Printed) -> None:
    with Session(SCRIPT, server=FakeServer(users={"u": "other"})) as session:
        with pytest.raises(LoginRefused):
            session.query("SELECT 1")
    assert printed() == []


def test_settings_can_be_changed(printed: Printed) -> None:
    config: dict[str, Any] = {"auto_config": {"allowed_users": ("u",)}}
    with Session(SCRIPT, config=config) as session:
        assert session.query("PROXY SET GLOBAL active_queries.show_idle_connections = true").ok
        assert printed() == []
        session.query("SELECT 1")
        assert printed()[-1][1:] == ["[1@127.0.0.1:3306] (u@) (state=idle)"]
