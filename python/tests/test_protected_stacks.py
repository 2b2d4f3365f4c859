"""Stacks with a script that protects: none may be blinded by another."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import FakeServer, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
CONFIG = """
[masking_rules]
*.email = text:hidden
[firewall]
mode = enforce
allow_unlisted = true
[firewall_patterns]
no_drop = DROP
[load_multi]
admin_users = dba
"""
SELECT = "SELECT email FROM customers"
FIELD = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}

TAKERS = (
    *("active_queries", "active_transactions", "admin_sql", "analyze_query", "commit_obfuscator"),
    *(
        "histogram",
        "query_log",
        "read_your_writes",
        "ro_balance",
        "ro_pooling",
        "rw_splitting",
        "xtab",
    ),
)
OTHERS = ("auditing", "rate_limit", "login_mapping")

SENDS = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY
"""


def start(*scripts: str, directory: Path | None = None) -> Session:
    settings = f"scripts = {', '.join(scripts)}\n"
    if directory is not None:
        settings += f"directory = {directory}\n"
    server = FakeServer().on(SELECT, Result([FIELD], [("ada@example.com",)]))
    return Session(SCRIPT, server=server, user="dba", script_config=CONFIG + settings)


def log(session: Session) -> str:
    return "\n".join(entry.text for entry in session.log if entry.level in ("warning", "critical"))


@pytest.mark.parametrize(
    "scripts",
    [
        *itertools.product(TAKERS, ["masking"]),
        *itertools.product(["masking"], TAKERS),
        *itertools.product(TAKERS, ["firewall"]),
        ("masking", "firewall"),
    ],
    ids=" ".join,
)
def test_a_stack_that_blinds_a_script_is_refused(scripts: tuple[str, str]) -> None:
    first, second = scripts
    with pytest.raises(Exception, match=f"^{first} and {second} cannot be stacked: "):
        start("auditing", first, second).close()
    with start(first) as session:
        rows: Any = session.query(f"PLOAD {second}").rows
        assert rows[0][0].startswith(f"{first} and {second} cannot be stacked: ")
        assert session.query(f"PUNLOAD {second}").rows == [("NOT FOUND",)]


@pytest.mark.parametrize("taker", [*TAKERS, "masking"])
def test_the_firewall_stands_before_what_takes_results(taker: str) -> None:
    with start("firewall", taker) as session:
        refused = session.query("DROP TABLE t").error
        assert refused is not None and refused[0] == 1227 and "firewall" in refused.message
        assert "DROP TABLE t" not in [query.text for query in session.server_queries]


@pytest.mark.parametrize("other", OTHERS)
def test_what_takes_no_results_stands_before_masking(other: str) -> None:
    with start(other, "masking") as session:
        assert log(session) == ""
        if other != "login_mapping":
            # Nobody has an account there.
            assert session.query(SELECT).rows == [("hidden",)]


@pytest.mark.parametrize("other", OTHERS)
def test_what_stands_behind_masking_is_told_of(other: str) -> None:
    with start("masking", other) as session:
        assert f"{other} is not asked about what masking handles" in log(session)


def test_all_three(capsys: pytest.CaptureFixture[str]) -> None:
    with start("auditing", "firewall", "masking") as session:
        assert session.query(SELECT).rows == [("hidden",)]
        assert session.query("DROP TABLE t").error is not None
    assert f"query: {SELECT}" in capsys.readouterr().out


def test_a_script_that_imports_one_that_protects_counts(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from pyproxy.hooks.masking import *\n")
    (tmp_path / "takes.py").write_text(SENDS + "def read_query_result(proxy, inj): pass\n")
    with pytest.raises(Exception, match="^takes and mine cannot be stacked"):
        start("takes", "mine", directory=tmp_path).close()


@pytest.mark.parametrize("guard", ["masking", "firewall"])
def test_a_query_sent_past_a_script_is_refused(tmp_path: Path, guard: str) -> None:
    (tmp_path / "guard.py").write_text(f"from pyproxy.hooks.{guard} import *\n")
    (tmp_path / "sends.py").write_text(SENDS)
    with start("sends", "guard", directory=tmp_path) as session:
        for sql in (SELECT, "DROP TABLE t"):
            refused = session.query(sql).error
            assert refused is not None and refused[0] == 1227
        assert session.server_queries == []
        assert "sends sends queries that guard does not see" in log(session)


def test_a_script_behind_the_firewall_may_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is imported anew, with the settings of this session.
    monkeypatch.delitem(sys.modules, "pyproxy.hooks.firewall", raising=False)
    (tmp_path / "guard.py").write_text("from pyproxy.hooks.firewall import *\n")
    (tmp_path / "sends.py").write_text(SENDS)
    with start("guard", "sends", directory=tmp_path) as session:
        assert session.query(SELECT).rows == [("ada@example.com",)]
        assert session.query("DROP TABLE t").error is not None
