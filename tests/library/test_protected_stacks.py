"""Stacks with masking or the firewall in a real proxy: no row gets past them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.proxy import Proxy
from support.whoami import prepare, rows, who

StartProxy = Callable[..., Proxy]

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/load_multi.py"
CONFIG = """
[masking_rules]
*.secret = text:hidden
[firewall]
mode = enforce
allow_unlisted = true
[firewall_patterns]
no_drop = (?i)drop
[rwsplit]
min_idle_connections = 1
[rate_limit]
max_connections = 99
[login_mapping]
unknown_users = refuse
[load_multi]
admin_users = u
"""
# Each with masking. All see the query and its masked result, in either order.
OTHERS = ["query_log", "histogram", "firewall"]
SELECT = "SELECT secret FROM test.stacked"


@pytest.fixture(scope="module", autouse=True)
def table(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute(
        "CREATE TABLE test.stacked (secret VARCHAR(20))", "INSERT INTO test.stacked VALUES ('x')"
    )
    yield
    mariadb.execute("DROP TABLE test.stacked")


def query(proxy: Proxy, sql: str) -> Any:
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def start(start_proxy: StartProxy, scripts: str, folder: Path, **options: Any) -> Proxy:
    """A proxy with these scripts by their names: there is no file of any in their folder."""
    (folder / "empty").mkdir()
    config = f"{CONFIG}\nscripts = {scripts}\ndirectory = {folder / 'empty'}\n"
    config += f"[query_log]\npath = {folder / 'queries.json'}\n"
    return start_proxy(SCRIPT, config=config, **options)


@contextlib.contextmanager
def prepared(proxy: Proxy) -> Iterator[Any]:
    """A cursor that prepares its statements."""
    with (
        mysql.connector.connect(
            host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, use_pure=True
        ) as connection,
        connection.cursor(prepared=True) as cursor,
    ):
        yield cursor


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("is_first", [True, False], ids=["in front", "behind"])
def test_masking_and_another(
    start_proxy: StartProxy, tmp_path: Path, other: str, is_first: bool
) -> None:
    scripts = f"{other}, masking" if is_first else f"masking, {other}"
    proxy = start(start_proxy, scripts, tmp_path)
    assert query(proxy, SELECT) == (("hidden",),)
    with prepared(proxy) as cursor:
        cursor.execute("SELECT secret FROM test.stacked WHERE secret <> %s", ("y",))
        assert cursor.fetchall() == [("hidden",)]
    if other == "query_log":
        lines = (tmp_path / "queries.json").read_text().splitlines()
        (line,) = [line for line in map(json.loads, lines) if line["query"] == SELECT]
        assert (line["rows"], line["error"]) == (1, None) and line["duration_ms"] > 0
    elif other == "histogram":
        counted = query(proxy, "SELECT * FROM histogram.queries")
        assert ("SELECT `secret` FROM `test` . `stacked` ", 1) in [row[:2] for row in counted]
    elif other == "firewall":
        with pytest.raises(pymysql.OperationalError, match="firewall"):
            query(proxy, "DROP TABLE test.stacked")


@pytest.mark.parametrize("scripts", ["rw_splitting, masking", "masking, rw_splitting"])
def test_splitting_and_masking(
    start_proxy: StartProxy, mariadb: MariaDb, replica: MariaDb, tmp_path: Path, scripts: str
) -> None:
    prepare(mariadb, replica)
    proxy = start(start_proxy, scripts, tmp_path, read_only=[replica])
    for _ in range(2):
        proxy.connect().close()
    with proxy.connect() as connection:
        assert who(connection) == replica.server_id
        rows(connection, "UPDATE test.whoami SET id = 7 WHERE id = 1")
        assert who(connection) == replica.server_id
        rows(connection, "BEGIN")
        assert who(connection) == 7
        assert rows(connection, SELECT) == [("hidden",)]
        rows(connection, "COMMIT")
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


@pytest.mark.parametrize(
    ("first", "second"),
    [("masking", "xtab"), ("rw_splitting", "ro_balance"), ("login_mapping", "rw_splitting")],
)
def test_what_does_not_fit_does_not_start(
    start_proxy: StartProxy, tmp_path: Path, first: str, second: str
) -> None:
    with pytest.raises(RuntimeError, match=f"{first} and {second} cannot be stacked"):
        start(start_proxy, f"{first}, {second}", tmp_path)


def test_what_does_not_fit_is_not_loaded(start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start(start_proxy, "masking", tmp_path)
    ((answer,),) = query(proxy, "PLOAD xtab")
    assert answer.startswith("masking and xtab cannot be stacked")


def test_a_firewall_that_is_loaded_again_stays_in_front(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    proxy = start(start_proxy, "firewall, histogram", tmp_path)
    assert query(proxy, "PUNLOAD firewall") == (("unloaded",),)
    assert query(proxy, "PLOAD firewall") == (("module firewall loaded",),)
    with pytest.raises(pymysql.OperationalError, match="firewall"):
        query(proxy, "DROP TABLE test.stacked")
    assert "DROP" not in str(query(proxy, "SELECT * FROM histogram.queries"))


def test_a_stack_that_fits_protects(start_proxy: StartProxy) -> None:
    scripts = "auditing, rate_limit, firewall, masking"
    proxy = start_proxy(SCRIPT, config=f"{CONFIG}\nscripts = {scripts}\n")
    assert query(proxy, SELECT) == (("hidden",),)
    with pytest.raises(pymysql.OperationalError, match="firewall"):
        query(proxy, "DROP TABLE test.stacked")
    proxy.wait_for_stdout(f"] query: {SELECT}\n")
