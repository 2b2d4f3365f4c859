"""Stacks with scripts that wait, in a real proxy."""

from __future__ import annotations

import threading
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
allow_unlisted = true
[firewall_patterns]
no_drop = (?i)drop
[load_multi]
admin_users = u
"""
SELECT = "SELECT secret FROM test.waiting"
# Gives the client what the server says to it.
ASKS = """
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        return await proxy.query(packet)
"""
# Waits in every hook.
TELLS = """
import asyncio

async def connect_server(proxy): await asyncio.sleep(0)
async def read_handshake(proxy): await asyncio.sleep(0)
async def read_auth(proxy): await asyncio.sleep(0)

async def read_auth_result(proxy, auth):
    result = await proxy.query("SELECT CONNECTION_ID()")
    proxy.connection.session = list(result.rows)[0][0]

async def read_query(proxy, packet):
    await asyncio.sleep(0)
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(7, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    result = await proxy.query("SELECT CONNECTION_ID()")
    assert list(result.rows)[0][0] == proxy.connection.session
"""
HOLDS = """
import asyncio, sys

# In one piece: hooks run on several threads, and print() writes the end of the line apart.
def tell(line):
    sys.stdout.write(line + "\\n")
    sys.stdout.flush()

async def read_query(proxy, packet):
    if packet[1:] == b"SELECT 'hold'":
        tell("holds")
        try:
            await asyncio.Event().wait()
        finally:
            tell("let go")

def disconnect_client(proxy):
    tell("gone")
"""


@pytest.fixture(scope="module", autouse=True)
def table(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute(
        "CREATE TABLE test.waiting (secret VARCHAR(20))", "INSERT INTO test.waiting VALUES ('x')"
    )
    yield
    mariadb.execute("DROP TABLE test.waiting")


def start(start_proxy: StartProxy, folder: Path, *scripts: str, **files: str) -> Proxy:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    config = f"{CONFIG}\nscripts = {', '.join(scripts)}\ndirectory = {folder}\n"
    return start_proxy(SCRIPT, config=config)


def query(connection: pymysql.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


STACKS = [
    ("asks", "masking"),
    ("masking", "asks"),
    ("masking", "asks", "tells"),
    ("asks", "tells", "masking"),
    ("tells", "masking", "asks"),
    ("tells", "asks", "masking"),
]


@pytest.mark.parametrize("scripts", STACKS, ids=" ".join)
def test_masking_wherever_somebody_waits(
    start_proxy: StartProxy, tmp_path: Path, scripts: tuple[str, ...]
) -> None:
    proxy = start(start_proxy, tmp_path, *scripts, asks=ASKS, tells=TELLS)
    with proxy.connect() as connection:
        for _ in range(3):
            assert query(connection, SELECT) == (("hidden",),)
            assert query(connection, "SELECT 1, 'two'") == ((1, "two"),)
        with pytest.raises(pymysql.OperationalError, match="Unknown column"):
            query(connection, "SELECT nonsense")
        assert query(connection, SELECT) == (("hidden",),)


def test_a_firewall_sees_what_a_script_in_front_asks(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    proxy = start(start_proxy, tmp_path, "asks", "firewall", asks=ASKS)
    with proxy.connect() as connection:
        with pytest.raises(pymysql.OperationalError, match="firewall"):
            query(connection, "DROP TABLE test.waiting")
        assert query(connection, "SELECT COUNT(*) FROM test.waiting") == ((1,),)


def test_others_are_served_while_one_is_held_up_and_its_end_is_clean(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    proxy = start(start_proxy, tmp_path, "masking", "holds", "tells", holds=HOLDS, tells=TELLS)
    held = proxy.connect()
    waiter = threading.Thread(target=_expect_no_answer, args=(held,))
    waiter.start()
    proxy.wait_for_stdout("holds\n")
    with proxy.connect() as other:
        assert query(other, SELECT) == (("hidden",),)
    # No word of COM_QUIT: it would be read behind the answer.
    held._sock.shutdown(2)  # type: ignore[attr-defined] # there is no other way
    waiter.join()
    proxy.wait_for_stdout("let go\ngone\n")


def test_scripts_that_wait_come_and_go(start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start(start_proxy, tmp_path, "masking", asks=ASKS)
    with proxy.connect() as connection:
        assert query(connection, "PLOAD asks") == (("module asks loaded",),)
        assert query(connection, SELECT) == (("hidden",),)
        assert query(connection, "PUNLOAD asks") == (("unloaded",),)
        assert query(connection, SELECT) == (("hidden",),)


def _expect_no_answer(connection: pymysql.Connection) -> None:
    with pytest.raises(pymysql.Error):
        query(connection, "SELECT 'hold'")
