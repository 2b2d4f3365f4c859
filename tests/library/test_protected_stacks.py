"""Stacks with masking or the firewall in a real proxy: no row gets past them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy

StartProxy = Callable[..., Proxy]

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/load_multi.py"
CONFIG = """
[masking_rules]
*.secret = text:hidden
[firewall]
mode = enforce
[firewall_patterns]
no_drop = (?i)drop
[rate_limit]
max_connections = 99
[load_multi]
admin_users = u
"""
BLIND = [
    ("query_log", "masking"),
    ("histogram", "masking"),
    ("rw_splitting", "masking"),
    ("masking", "query_log"),
    ("masking", "firewall"),
    ("query_log", "firewall"),
]
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


@pytest.mark.parametrize(("first", "second"), BLIND)
def test_a_stack_that_blinds_a_script_does_not_start(
    start_proxy: StartProxy, first: str, second: str
) -> None:
    with pytest.raises(RuntimeError, match=f"{first} and {second} cannot be stacked"):
        start_proxy(SCRIPT, config=f"{CONFIG}\nscripts = {first}, {second}\n")


@pytest.mark.parametrize(("first", "second"), BLIND)
def test_what_would_blind_a_script_is_not_loaded(
    start_proxy: StartProxy, first: str, second: str
) -> None:
    proxy = start_proxy(SCRIPT, config=f"{CONFIG}\nscripts = {first}\n")
    ((answer,),) = query(proxy, f"PLOAD {second}")
    assert answer.startswith(f"{first} and {second} cannot be stacked")


def test_a_stack_that_fits_protects(start_proxy: StartProxy) -> None:
    scripts = "auditing, rate_limit, firewall, masking"
    proxy = start_proxy(SCRIPT, config=f"{CONFIG}\nscripts = {scripts}\n")
    assert query(proxy, SELECT) == (("hidden",),)
    with pytest.raises(pymysql.OperationalError, match="firewall"):
        query(proxy, "DROP TABLE test.stacked")
    proxy.wait_for_stdout(f"] query: {SELECT}\n")
