"""Answers that scripts make have the status of the connection: client libraries escape by it."""

from __future__ import annotations

import pytest
from pyproxy.testing import FakeServer, Result, Session

AUTOCOMMIT, NO_BACKSLASH_ESCAPES, IN_TRANS = 2, 0x200, 1
TOLD = AUTOCOMMIT | NO_BACKSLASH_ESCAPES | IN_TRANS
ADMIN = "[auto_config]\nallowed_users = u\n"
LOADS = ADMIN + "[load_multi]\nadmin_users = u\n"


def a_server() -> FakeServer:
    told = Result(["a"], [("x",)], status=NO_BACKSLASH_ESCAPES | IN_TRANS)
    return FakeServer().on("SELECT told", told).on("SELECT @@character_set_client", told)


@pytest.mark.parametrize(
    ("script", "config", "sql"),
    [
        ("histogram", ADMIN, "SELECT * FROM histogram.queries"),
        ("histogram", ADMIN, "DELETE FROM histogram.queries"),
        ("histogram", ADMIN, "PROXY SHOW CONFIG"),
        ("histogram", ADMIN, "PROXY SET GLOBAL histogram.collect_tables = false"),
        ("analyze_query", ADMIN, "SELECT * FROM histogram.queries"),
        ("xtab", ADMIN, "XTAB HELP"),
        ("xtab", ADMIN, "XTAB QUERY"),
        ("load_multi", LOADS, "PLOAD histogram"),
    ],
)
def test_a_made_answer_has_the_status_that_the_server_told_last(
    script: str, config: str, sql: str
) -> None:
    with Session(f"pyproxy.hooks.{script}", server=a_server(), script_config=config) as session:
        session.query("SELECT told")
        answer = session.query(sql)
        assert answer.error is None and answer.server_status is not None
        assert answer.server_status & TOLD == TOLD


@pytest.mark.parametrize("is_prepared", [False, True])
def test_a_masked_result_has_the_status_of_the_result(is_prepared: bool) -> None:
    field = {"name": "a", "org_name": "a", "org_table": "t", "type": 253}
    result = Result([field], [("x",)], status=NO_BACKSLASH_ESCAPES | IN_TRANS)
    server = FakeServer().on("SELECT a FROM t", result)
    config = "[masking_rules]\nt.a = text:hidden\n"
    with Session("pyproxy.hooks.masking", server=server, script_config=config) as session:
        if is_prepared:
            answer = session.execute(session.prepare("SELECT a FROM t"))
        else:
            answer = session.query("SELECT a FROM t")
        assert answer.rows == [("hidden",)]
        assert answer.server_status is not None
        assert answer.server_status & TOLD == TOLD


def test_an_answer_that_admin_sql_makes_fit_has_the_status() -> None:
    with Session("pyproxy.hooks.admin_sql", server=a_server()) as session:
        session.query("SELECT told")
        answer = session.query("STATISTICS")
        assert answer.error is None
        assert answer.server_status is not None
        assert answer.server_status & NO_BACKSLASH_ESCAPES
