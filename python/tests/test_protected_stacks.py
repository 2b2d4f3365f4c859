"""Stacks with a script that protects: none may be blinded by another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyproxy.testing import FakeServer, Packets, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
CONFIG = """
[masking_rules]
*.email = text:hidden
[firewall]
mode = enforce
allow_unlisted = true
[firewall_patterns]
no_drop = DROP
[rate_limit]
max_connections = 9
[login_mapping]
unknown_users = refuse
[load_multi]
admin_users = dba
"""
SELECT = "SELECT email FROM customers"
FIELD = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}

SENDS = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY
"""


def start(*scripts: str, directory: Path | None = None, more: str = "") -> Session:
    settings = f"scripts = {', '.join(scripts)}\n"
    if directory is not None:
        settings += f"directory = {directory}\n"
    server = FakeServer().on(SELECT, Result([FIELD], [("ada@example.com",)]))
    return Session(SCRIPT, server=server, user="dba", script_config=CONFIG + settings + more)


def log(session: Session) -> str:
    """Warnings and errors, but for the sections of scripts that are not in the stack."""
    entries = [entry for entry in session.log if entry.level in ("warning", "critical")]
    return "\n".join(entry.text for entry in entries if "no script reads" not in entry.text)


def test_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    with start("auditing", "firewall", "masking") as session:
        assert session.query(SELECT).rows == [("hidden",)]
        assert session.query("DROP TABLE t").error is not None
    assert f"query: {SELECT}" in capsys.readouterr().out


def test_a_script_that_imports_one_that_protects_counts(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from pyproxy.hooks.masking import *\n")
    with pytest.raises(Exception, match="^mine and xtab cannot be stacked: xtab makes rows"):
        start("mine", "xtab", directory=tmp_path).close()


@pytest.mark.parametrize("guard", ["masking", "firewall"])
def test_a_script_behind_sees_what_one_in_front_sends(tmp_path: Path, guard: str) -> None:
    (tmp_path / "sends.py").write_text(SENDS)
    with start("sends", guard, directory=tmp_path) as session:
        if guard == "masking":
            assert session.query(SELECT).rows == [("hidden",)]
        else:
            refused = session.query("DROP TABLE t").error
            assert refused is not None and refused[0] == 1227
            assert session.server_queries == []


def test_masking_sees_results_that_it_did_not_ask_for(tmp_path: Path) -> None:
    (tmp_path / "turns.py").write_text(
        """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_PING:
        proxy.queries.append(1, "\x03SELECT email FROM customers")
        return proxy.PROXY_SEND_QUERY
"""
    )
    with start("masking", "turns", directory=tmp_path) as session:
        answer = session.command(b"\x0e")
        assert b"ada@example.com" not in b"".join(answer.packets)
        assert b"hidden" in b"".join(answer.packets)


def test_masking_judges_the_statement_that_the_server_got(tmp_path: Path) -> None:
    (tmp_path / "turns.py").write_text(
        """
def read_query(proxy, packet):
    if packet[1:] == b"SELECT 1":
        proxy.queries.append(1, "\x03SELECT f(email) FROM customers")
        return proxy.PROXY_SEND_QUERY
"""
    )
    with start("masking", "turns", directory=tmp_path, more="[masking]\nstrict = on\n") as session:
        session.server.on("SELECT f(email) FROM customers", Result(["1"], [("ada@example.com",)]))
        refused = session.query("SELECT 1").error
        assert refused is not None and refused[0] == 1227


def test_rows_that_are_made_of_others_do_not_get_past_masking(tmp_path: Path) -> None:
    (tmp_path / "makes.py").write_text(
        """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    rows = [("x", *row) for row in inj.resultset.rows]
    fields = [("a", proxy.MYSQL_TYPE_STRING), ("b", proxy.MYSQL_TYPE_STRING)]
    proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": rows}}
    return proxy.PROXY_SEND_RESULT
"""
    )
    with start("masking", "makes", directory=tmp_path) as session:
        refused = session.query(SELECT).error
        assert refused is not None and refused[0] == 1227
        assert "rows that were made of results before masking saw them" in log(session)
    with start("makes", "masking", directory=tmp_path) as session:
        assert session.query(SELECT).rows == [("x", "hidden")]


def test_rows_that_were_dropped_do_not_get_past_masking_later(tmp_path: Path) -> None:
    (tmp_path / "makes.py").write_text(
        """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    proxy.queries.append(2, "\x03DO 1", resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 1:
        proxy.connection.rows = [tuple(row) for row in inj.resultset.rows]
        return proxy.PROXY_IGNORE_RESULT
    fields = [("a", proxy.MYSQL_TYPE_STRING)]
    proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": proxy.connection.rows}}
    return proxy.PROXY_SEND_RESULT
"""
    )
    with start("masking", "makes", directory=tmp_path) as session:
        refused = session.query(SELECT).error
        assert refused is not None and refused[0] == 1227


def test_what_masking_lets_pass_comes_back_as_it_is() -> None:
    for scripts in (("masking", "query_log"), ("query_log", "masking")):
        with start(*scripts) as session:
            session.server.on_command(9, Packets(b"Uptime: 1"))
            assert session.command(b"\x09").packets == [b"Uptime: 1"]
            assert session.command(b"\x0e").ok


def test_who_sees_everything_is_not_masked_by_a_stack(tmp_path: Path) -> None:
    (tmp_path / "sends.py").write_text(SENDS)
    more = "[masking]\nunmasked_users = dba\n"
    for scripts in (("sends", "masking"), ("masking", "sends")):
        with start(*scripts, directory=tmp_path, more=more) as session:
            assert session.query(SELECT).rows == [("ada@example.com",)]


def test_xtab_in_front_of_masking_gets_masked_values() -> None:
    with start("xtab", "masking") as session:
        session.server.on("SELECT @@character_set_client", Result(["x"], [("utf8mb4",)]))
        session.server.on(
            re.compile("SELECT DISTINCT"), Result([FIELD], [("ada@example.com",), ("eve",)])
        )
        assert session.query("XTAB customers city email COUNT id").error is None
        assert "example.com" not in session.server_queries[-1].text
        assert "= 'hidden'" in session.server_queries[-1].text
