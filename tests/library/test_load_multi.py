"""The script `load_multi` in a real proxy: scripts at the start and at run time, and who may load what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy
from support.whoami import WHO, prepare, who

StartProxy = Callable[..., Proxy]

HOOKS = Path(__file__).parents[2] / "python/pyproxy/hooks"
SCRIPT = HOOKS / "load_multi.py"

# Answers one text itself and counts, under a name that other scripts use, too.
COUNTER = """
def read_query(proxy, packet):
    connection = proxy.connection
    connection.seen = getattr(connection, "seen", 0) + 1
    if packet[1:] != b"{text}":
        return None
    proxy.response = {{
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {{
            "fields": [("{text}", proxy.MYSQL_TYPE_LONG)],
            "rows": [(connection.seen,)],
        }},
    }}
    return proxy.PROXY_SEND_RESULT
"""
TWICE = """
def read_query(proxy, packet):
    if packet[1:] == b"SELECT 'twice'":
        proxy.queries.append(7, packet[:1] + b"SELECT 'once'", resultset_is_needed=True)
        proxy.queries.append(8, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 7:
        return proxy.PROXY_IGNORE_RESULT
"""


def start(start_proxy: StartProxy, tmp_path: Path, scripts: str = "", **files: str) -> Proxy:
    """A proxy whose folder of scripts has `files`, and in which the user `u` may load them."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    config = f"[load_multi]\ndirectory = {folder}\nscripts = {scripts}\nadmin_users = root, u\n"
    return start_proxy(SCRIPT, config=config)


def run(connection: pymysql.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns, and the rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [column[0] for column in cursor.description or ()], list(cursor.fetchall())


def test_scripts_of_the_settings(start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start(
        start_proxy,
        tmp_path,
        scripts="one, two.py, twice",
        one=COUNTER.format(text="one"),
        two=COUNTER.format(text="two"),
        twice=TWICE,
    )
    with proxy.connect() as connection:
        (_, ((before,),)) = run(connection, "one")
        # Each counts for itself; the second one did not see the query that the first one answered.
        assert run(connection, "two") == (["two"], [(before,)])
        assert run(connection, "one") == (["one"], [(before + 2,)])
        assert run(connection, "SELECT 'twice'") == (["twice"], [("twice",)])
    with proxy.connect() as connection:
        assert run(connection, "one") == (["one"], [(before,)])


def test_ready_made_scripts_can_be_stacked(start_proxy: StartProxy, tmp_path: Path) -> None:
    config = (
        "[load_multi]\nscripts = auditing, xtab, histogram\n[histogram]\ncollect_tables = off\n"
    )
    proxy = start_proxy(SCRIPT, config=config)
    with proxy.connect() as connection:
        assert run(connection, "XTAB VERSION") == (["XTAB version"], [("0.1.3",)])
        run(connection, "SELECT 1")
        queries = [row[0] for row in run(connection, "SELECT * FROM histogram.queries")[1]]
    assert "SELECT ? " in queries
    assert "XTAB" not in "".join(queries)
    for line in ("user: u", "login: ok", "query: XTAB VERSION", "query: SELECT 1", "closed"):
        proxy.wait_for_stdout(f"] {line}\n")


def test_pooling_can_be_stacked(
    start_proxy: StartProxy, mariadb: MariaDb, replica: MariaDb
) -> None:
    prepare(mariadb, replica)
    config = """
        [load_multi]
        scripts = auditing, rw_splitting
        [rwsplit]
        min_idle_connections = 1
        """
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica], config=config)
    for _ in range(2):
        proxy.connect().close()
    with proxy.connect() as connection:
        assert who(connection) == replica.server_id
        run(connection, "UPDATE test.whoami SET id = 7 WHERE id = 1")
        assert who(connection) == replica.server_id
    assert mariadb.execute(WHO) == ((7,),)
    proxy.wait_for_stdout(f"] query: {WHO}\n")
    for server in (mariadb, replica):
        server.execute("DROP TABLE test.whoami")


def test_loading_and_unloading(start_proxy: StartProxy, tmp_path: Path) -> None:
    ends = (
        "def init(proxy): print('begins', proxy.connection)\ndef shutdown(proxy): print('ends')\n"
    )
    proxy = start(start_proxy, tmp_path, one=COUNTER.format(text="one") + ends)
    with proxy.connect() as connection:
        with pytest.raises(pymysql.ProgrammingError):
            run(connection, "one")
        assert run(connection, "PLOAD one") == (["info"], [("module one loaded",)])
        proxy.wait_for_stdout("begins None")
        assert run(connection, "one") == (["one"], [(1,)])
        assert run(connection, "pload one.py;")[0] == ["ERROR"]
        assert run(connection, "PUNLOAD two") == (["two"], [("NOT FOUND",)])
        assert run(connection, "PUNLOAD one") == (["one"], [("unloaded",)])
        assert "ends\n" in proxy.stdout()
        with pytest.raises(pymysql.ProgrammingError):
            run(connection, "one")
        # The changed file is read again.
        (tmp_path / "scripts" / "one.py").write_text(COUNTER.format(text="changed"))
        assert run(connection, "PLOAD 'one'")[0] == ["info"]
        assert run(connection, "changed") == (["changed"], [(1,)])
        names, rows = run(connection, "PLOAD_HELP")
        assert (names, len(rows)) == (["command", "description"], 3)


def test_what_cannot_be_loaded(start_proxy: StartProxy, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("def read_query(proxy, packet): print('escaped')\n")
    (tmp_path / "scripts-too").mkdir()
    (tmp_path / "scripts-too" / "near.py").write_text("def read_query(proxy, packet): pass\n")
    proxy = start(
        start_proxy,
        tmp_path,
        no_hooks="x = 1\n",
        no_python="def read_query(\n",
        fails="raise SystemExit('not today')\n",
        init_fails="def read_query(proxy, packet): pass\ndef init(proxy): proxy.nothing\n",
    )
    (tmp_path / "scripts" / "link.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "scripts" / "loop.py").symlink_to("loop.py")
    (tmp_path / "scripts" / "self.py").symlink_to(SCRIPT)
    reasons = {
        "no_hooks": "no hook",
        "no_python": "SyntaxError",
        "fails": "SystemExit: not today",
        "init_fails": "AttributeError",
    }
    names = ["", "missing", "../outside", str(tmp_path / "outside"), "link", "loop", "self", "."]
    names += ["../scripts-too/near", "no_hooks\0", "x" * 5000, *reasons]
    with proxy.connect() as connection:
        for name in names:
            columns, ((reason,),) = run(connection, f"PLOAD {name}")
            assert columns == ["ERROR"]
            assert reasons.get(name, "there is no such script") in reason
        run(connection, "SELECT 1")
    assert proxy.stdout() == ""
    proxy.wait_for_log("SystemExit: not today")


def test_others_may_not(start_proxy: StartProxy, tmp_path: Path, mariadb: MariaDb) -> None:
    mariadb.execute("CREATE USER other IDENTIFIED BY 'p'")
    proxy = start(start_proxy, tmp_path, scripts="one", one=COUNTER.format(text="one"))
    with proxy.connect(user="other") as connection:
        for text in ("PLOAD one", "punload one", "PLOAD_HELP", " PLOAD;"):
            with pytest.raises(pymysql.OperationalError) as error:
                run(connection, text)
            assert error.value.args[0] == 1227
        assert run(connection, "one")[0] == ["one"]
    mariadb.execute("DROP USER other")


def test_a_script_that_cannot_be_loaded_stops_the_start(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="missing: there is no such script"):
        start(start_proxy, tmp_path, scripts="missing")


def test_a_script_that_queues_and_returns_nothing(start_proxy: StartProxy, tmp_path: Path) -> None:
    careless = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet)
    proxy.response.type = proxy.MYSQLD_PACKET_OK
    proxy.response.affected_rows = 5
"""
    proxy = start(start_proxy, tmp_path, scripts="careless, twice", careless=careless, twice=TWICE)
    with proxy.connect() as connection:
        assert run(connection, "SELECT 'twice'") == (["twice"], [("twice",)])
        assert run(connection, "SELECT 1") == (["1"], [(1,)])
    proxy.wait_for_log("read_query of careless queued queries")


def test_all_scripts_learn_that_a_client_left(start_proxy: StartProxy, tmp_path: Path) -> None:
    fails = "def disconnect_client(proxy): raise ValueError('first')\n"
    speaks = "def disconnect_client(proxy): print('left', proxy.connection.client.username)\n"
    proxy = start(start_proxy, tmp_path, scripts="fails, speaks", fails=fails, speaks=speaks)
    proxy.criticals_expected = True
    proxy.connect().close()
    proxy.wait_for_stdout("left u")
    proxy.wait_for_log("ValueError: first")


def test_a_script_that_fails_rejects_its_query(start_proxy: StartProxy, tmp_path: Path) -> None:
    fails = "def read_query(proxy, packet):\n    if b'fail' in packet: raise ValueError('told')\n"
    proxy = start(start_proxy, tmp_path, scripts="fails", fails=fails)
    proxy.criticals_expected = True
    with proxy.connect() as connection:
        with pytest.raises(pymysql.MySQLError, match="read_query failed"):
            run(connection, "SELECT 'fail'")
        assert run(connection, "SELECT 1") == (["1"], [(1,)])
    proxy.wait_for_log("ValueError: told")


def test_modules_beside_the_scripts(start_proxy: StartProxy, tmp_path: Path) -> None:
    proxy = start(
        start_proxy,
        tmp_path,
        scripts="uses",
        uses="from beside import WORD\ndef read_query(proxy, packet): print(WORD)\n",
        beside="WORD = 'from beside'\n",
    )
    proxy.connect().close()
    proxy.wait_for_stdout("from beside")


@pytest.mark.parametrize("first", ["query_log", "histogram", "rw_splitting"])
def test_a_stack_that_would_leak_unmasked_rows_does_not_start(
    start_proxy: StartProxy, tmp_path: Path, first: str
) -> None:
    config = (
        f"[load_multi]\ndirectory = {HOOKS}\nscripts = {first}, masking\n"
        f"[masking_rules]\n*.email = null\n[query_log]\npath = {tmp_path / 'log'}\n"
    )
    with pytest.raises(Exception) as failure:
        start_proxy(SCRIPT, config=config)
    assert f"{first}, masking: masking (masking) protects nothing in a stack with {first}" in str(
        failure.value
    )
