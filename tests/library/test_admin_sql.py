"""The script `admin_sql` in a real proxy: every command of its table, answered by a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.process import eventually, is_listening
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/admin_sql.py"


@pytest.fixture(autouse=True)
def new_threads(mariadb: MariaDb) -> None:
    """A thread of MariaDB that served a connection before goes on with its numbers of statements; these tests want the first one."""
    mariadb.execute("SET GLOBAL thread_cache_size = 0")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy]) -> Proxy:
    return start_proxy(SCRIPT)


@pytest.fixture
def connection(proxy: Proxy) -> Iterator[pymysql.Connection]:
    with proxy.connect(database="test") as connection:
        yield connection


def run(connection: pymysql.Connection, text: str) -> tuple[list[str], list[Any]]:
    """Names of the columns, and the rows; no names for an OK."""
    with connection.cursor() as cursor:
        cursor.execute(text)
        return [column[0] for column in cursor.description or ()], list(cursor.fetchall())


def outcome(connection: pymysql.Connection, text: str) -> object:
    """The rows, or the code of the error."""
    try:
        return run(connection, text)[1]
    except pymysql.MySQLError as error:
        return error.args[0]


def test_statistics_are_a_row(connection: pymysql.Connection) -> None:
    names, rows = run(connection, "STATISTICS")
    assert names == ["statistics"]
    assert "Uptime: " in rows[0][0]


def test_processes_are_rows(connection: pymysql.Connection) -> None:
    names, rows = run(connection, "PROCINFO")
    assert names[:2] == ["Id", "User"]
    assert "u" in [row[1] for row in rows]


@pytest.mark.parametrize("text", ["PING", "DEBUG", "SETOPT", "REGSLAVE1", "DEAL", "DEAL1"])
def test_answers_that_are_an_ok(connection: pymysql.Connection, text: str) -> None:
    assert run(connection, text) == ([], [])
    assert run(connection, "SELECT 1")[1] == [(1,)]


def test_a_statement_from_prepare_to_close(connection: pymysql.Connection) -> None:
    assert run(connection, "PREP1") == ([], [])
    assert run(connection, "EXEC1")[1] == [("1234",)]
    assert run(connection, "RESET1") == ([], [])
    assert run(connection, "DEAL1") == ([], [])
    # Unknown prepared statement handler.
    assert outcome(connection, "EXEC1") == 1243
    assert outcome(connection, "RESET1") == 1243
    assert outcome(connection, "FETCH1") == 1243


def test_a_field_list(connection: pymysql.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t1 (id INT)")
        assert run(connection, "FLIST1") == ([], [])
        cursor.execute("DROP TABLE t1")
    assert outcome(connection, "FLIST1") == 1146


@pytest.mark.parametrize(
    "text", ["TIME", "PROCKILL", "REGSLAVE", "PREP", "EXEC", "RESET", "FETCH", "FLIST"]
)
def test_commands_that_the_server_refuses(connection: pymysql.Connection, text: str) -> None:
    assert isinstance(outcome(connection, text), int)
    assert run(connection, "SELECT 1")[1] == [(1,)]


@pytest.mark.parametrize("text", ["TDUMP", "TDUMP1", "TDUMP2"])
def test_table_dumps_are_obsolete(connection: pymysql.Connection, text: str) -> None:
    with pytest.raises(pymysql.MySQLError, match="obsolete"):
        run(connection, text)
    assert run(connection, "SELECT 1")[1] == [(1,)]


def test_other_texts_go_to_the_server(connection: pymysql.Connection) -> None:
    assert run(connection, "SELECT 'PING'")[1] == [("PING",)]
    # A syntax error: only the exact text counts.
    assert outcome(connection, "ping") == 1064


def test_a_binary_log(connection: pymysql.Connection) -> None:
    assert run(connection, "BINLOGDUMP1") == ([], [])


def test_shutdown(start_proxy: Callable[..., Proxy], tmp_path: Path) -> None:
    server = MariaDb(tmp_path / "server", 3)
    try:
        proxy = start_proxy(SCRIPT, backends=[server])
        with proxy.connect() as connection:
            assert run(connection, "COMMIT SUICIDE") == ([], [])
        assert eventually(lambda: not is_listening(server.port))
    finally:
        server.stop()


HOSTILE = "a`\"'\\\u2028</script>\x1b[2J"


def test_the_most_costly_statements(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, options={"pyproxy-query-stats": "50"})
    with proxy.connect(database="test") as connection:
        for number in range(5):
            run(connection, f"SELECT {number}, SLEEP(0.01)")
        run(connection, f"SELECT 'secret' AS `{HOSTILE.replace('`', '``')}`")
        names, rows = run(connection, "SHOW PROXY QUERIES")
        shown = [dict(zip(names, row, strict=True)) for row in rows]
        costly = shown[0]
        assert costly["fingerprint"] == "SELECT ?, SLEEP(?)"
        assert (costly["calls"], costly["errors"], costly["rows"]) == (5, 0, 5)
        assert 0.05 <= costly["seconds"] and 0.01 <= costly["min_seconds"] <= costly["max_seconds"]
        assert 0.5 < costly["share"] <= 1 and len(costly["digest"]) == 16
        assert costly["first_seen"] <= costly["last_seen"]
        fingerprints = [row["fingerprint"] for row in shown]
        assert f"SELECT ? AS `{HOSTILE.replace('`', '``')}`" in fingerprints
        assert not any("secret" in text or "user_privileges" in text for text in fingerprints)


@pytest.mark.parametrize("name", ["stats_nobody", "stats'@'nobody", "stats@nobody"])
def test_who_may_not_see_what_others_run(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, name: str
) -> None:
    proxy = start_proxy(SCRIPT, options={"pyproxy-query-stats": "50"})
    quoted = name.replace("'", "''")
    with proxy.connect() as admin:
        run(admin, f"CREATE OR REPLACE USER '{quoted}' IDENTIFIED BY 'p'")
        with proxy.connect(user=name, password="p") as connection:
            assert outcome(connection, "SHOW PROXY QUERIES") == 1227
        run(admin, f"GRANT PROCESS ON *.* TO '{quoted}'")
        with proxy.connect(user=name, password="p") as connection:
            assert run(connection, "SHOW PROXY QUERIES")[1]
        run(admin, f"DROP USER '{quoted}'")
