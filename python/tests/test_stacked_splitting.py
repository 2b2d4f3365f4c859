"""`rw_splitting` as one of several stacked scripts, and what it needs of the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import Changes, Error, FakeServer, Ok, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
PRIMARY, READER = 0, 1
EMAIL = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}
SELECT = "SELECT email FROM customers WHERE id = 5"
CONFIG = """
[load_multi]
scripts = {scripts}
directory = {folder}
[rwsplit]
min_idle_connections = 1
[masking_rules]
customers.email = text:hidden
[firewall]
allow_unlisted = true
mode = enforce
[firewall_patterns]
no_drop = (?i)drop table
"""
# Needs an error only, and has another statement run in its place.
AGAIN = """
def init(proxy):
    proxy.globals.track_sessions = True

def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.connection.client_session.expect({"time_zone": "'UTC'"})
    proxy.queries.append(1, packet, failure_is_needed=True)
    return proxy.PROXY_SEND_QUERY

seen = []

def read_query_result(proxy, inj):
    session = proxy.connection.client_session.settings, proxy.connection.server.session.settings
    print(inj.id, inj.resultset.rows is None, inj.resultset.session_changes.state, *session)
    if inj.id == 1 and inj.resultset.error is not None:
        proxy.queries.append(2, "instead")
        return proxy.PROXY_IGNORE_RESULT
"""
PASSES = """
def read_query(proxy, packet):
    proxy.queries.append(7, packet)
    return proxy.PROXY_SEND_QUERY
"""
UTC = "{'time_zone': \"'UTC'\"}"


def start(folder: Path, *scripts: str, **options: Any) -> Session:
    """Each backend has one idle connection: the client's own, and that of another one."""
    servers = [FakeServer(tracks=True), FakeServer(tracks=True)]
    for server in servers:
        server.on(re.compile(r"^SELECT \d"), Result(["1"], [("1",)]))
        server.on(SELECT, Result([EMAIL], [("ada@example.com",)]))
    config = CONFIG.format(scripts=", ".join(scripts), folder=folder)
    session = Session(
        SCRIPT, backends=servers[:1], read_only=servers[1:], script_config=config, **options
    )
    session.connect()
    session.new_client().connect()
    return session


def where(session: Session, sql: str) -> list[int]:
    """The backends that ran a statement."""
    return [query.backend for query in session.server_queries if query.text == sql]


def warnings(session: Session) -> list[str]:
    """What the log warns of, besides of settings of other scripts."""
    texts = [entry.text for entry in session.log if entry.level == "warning"]
    return [text for text in texts if "no script reads" not in text]


@pytest.fixture
def again(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "again.py").write_text(AGAIN)
    (tmp_path / "passes.py").write_text(PASSES)
    yield tmp_path


@pytest.mark.parametrize("scripts", [("again",), ("again", "passes"), ("passes", "again")])
def test_only_an_error_is_kept(
    again: Path, scripts: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with start(again, *scripts) as session:
        server = session.server.on("fails", Error(1792, "25006", "read only"))
        server.on("instead", Ok(5, changes=Changes(state=True)))
        assert session.query("fails").affected_rows == 5
        assert session.query("SELECT 1").rows == [("1",)]
        assert [query.text for query in session.server_queries][-4:] == [
            *("SET SESSION time_zone = 'UTC'", "fails", "instead", "SELECT 1")
        ]
        assert warnings(session) == []
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"{line} {UTC} {UTC}" for line in ("1 True False", "2 True True", "1 True False")
    ]


def test_rows_that_are_not_kept_cannot_be_dropped(again: Path) -> None:
    (again / "drops.py").write_text(
        "def read_query(proxy, packet):\n"
        "    proxy.queries.append(1, packet, failure_is_needed=True)\n"
        "    return proxy.PROXY_SEND_QUERY\n"
        "def read_query_result(proxy, inj):\n"
        "    return proxy.PROXY_IGNORE_RESULT\n"
    )
    with start(again, "drops") as session:
        assert session.query("SELECT 1").rows == [("1",)]
        (text,) = warnings(session)
        assert "only with resultset_is_needed" in text


@pytest.mark.parametrize(
    "scripts", [("rw_splitting", "masking", "firewall"), ("firewall", "masking", "rw_splitting")]
)
def test_scripts_behind_and_in_front_stay_effective(
    tmp_path: Path, scripts: tuple[str, ...]
) -> None:
    with start(tmp_path, *scripts) as session:
        assert session.query(SELECT).rows == [("hidden",)]
        assert session.query("UPDATE t SET a = 1").ok
        assert session.query("SELECT ROW_COUNT()").rows == [("0",)]
        assert session.query("SET time_zone = '+01:00'").ok
        assert session.query(SELECT).rows == [("hidden",)]
        assert where(session, SELECT) == [READER, READER]
        assert where(session, "UPDATE t SET a = 1") == [PRIMARY]
        assert any(
            "time_zone = '+01:00'" in query.text
            for query in session.server_queries
            if query.backend == READER
        )
        error = session.query("DROP TABLE t").error
        assert error is not None and error.errno == 1227
        assert where(session, "DROP TABLE t") == []
        assert [entry for entry in session.log if entry.level == "critical"] == []


@pytest.mark.parametrize("scripts", [("rw_splitting", "masking"), ("masking", "rw_splitting")])
def test_the_second_try_is_masked_too(tmp_path: Path, scripts: tuple[str, ...]) -> None:
    with start(tmp_path, *scripts) as session:
        session.servers[READER].on(SELECT, Error(1792, "25006", "read only"))
        assert session.query(SELECT).rows == [("hidden",)]
        assert where(session, SELECT) == [READER, PRIMARY]


@pytest.mark.parametrize("scripts", [("rw_splitting", "masking"), ("masking", "rw_splitting")])
@pytest.mark.parametrize("is_second_try", [False, True])
def test_a_client_waits_for_a_connection(
    tmp_path: Path, scripts: tuple[str, ...], is_second_try: bool
) -> None:
    with start(tmp_path, *scripts, clock="fake") as session:
        (other,) = session._others
        if is_second_try:
            session.servers[READER].on(SELECT, Error(1792, "25006", "read only"))
        assert other.query("BEGIN").ok
        sql = SELECT if is_second_try else f"{SELECT} FOR UPDATE"
        session.servers[PRIMARY].on(f"{SELECT} FOR UPDATE", Result([EMAIL], [("a@b.c",)]))
        pending = session.begin_query(sql)
        session.clock.advance(0.5)
        assert not pending.done
        assert other.query("COMMIT").ok
        session.clock.advance(0.1)
        assert pending.answer().rows == [("hidden",)]
        assert where(session, sql)[-1] == PRIMARY
