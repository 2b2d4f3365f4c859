"""The script `query_log` in a real proxy."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER, MariaDb
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/query_log.py"


class Log:
    """The file of a proxy's query log."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def of(self, query: str) -> list[dict[str, Any]]:
        """The lines about this text, of which there must be one at last."""
        assert eventually(lambda: any(line["query"] == query for line in self.lines())), query
        return [line for line in self.lines() if line["query"] == query]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "queries.json")


def logging_to(start_proxy: Callable[..., Proxy], log: Log, more: str = "") -> Proxy:
    return start_proxy(SCRIPT, config=f"[query_log]\npath = {log.path}\n{more}\n")


def test_rows_changes_and_errors(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, log: Log
) -> None:
    proxy = logging_to(start_proxy, log)
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT seq, 'x' FROM seq_1_to_3")
        assert len(cursor.fetchall()) == 3
        cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
        cursor.execute("INSERT INTO t VALUES (1), (2)")
        cursor.execute("SELECT 1 / 0")
        with pytest.raises(pymysql.ProgrammingError):
            cursor.execute("SELECT * FROM no_such_table")
        thread = connection.thread_id()
    (rows,) = log.of("SELECT seq, 'x' FROM seq_1_to_3")
    assert rows["connection_id"] == thread
    assert (rows["user"], rows["database"]) == ("u", "test")
    assert rows["backend"] == mariadb.address
    assert (rows["rows"], rows["affected_rows"], rows["error"]) == (3, None, None)
    assert rows["duration_ms"] > 0
    assert rows["normalized"] == "SELECT `seq` , ? FROM `seq_1_to_3`"
    (insert,) = log.of("INSERT INTO t VALUES (1), (2)")
    assert (insert["rows"], insert["affected_rows"]) == (None, 2)
    (division,) = log.of("SELECT 1 / 0")
    assert division["warnings"] == 1
    (failed,) = log.of("SELECT * FROM no_such_table")
    assert failed["error"] == {
        "errno": 1146,
        "sqlstate": "42S02",
        "message": "Table 'test.no_such_table' doesn't exist",
    }


def test_an_error_that_comes_after_rows(start_proxy: Callable[..., Proxy], log: Log) -> None:
    proxy = logging_to(start_proxy, log)
    sql = "SELECT seq, IF(seq = 3, 18446744073709551615 + seq, 0) FROM seq_1_to_3"
    with proxy.connect(database="test") as connection:
        cursor = connection.cursor(pymysql.cursors.SSCursor)
        cursor.execute(sql)
        assert cursor.fetchone() == (1, 0)
        with pytest.raises(pymysql.MySQLError, match="out of range"):
            cursor.fetchall()
    (line,) = log.of(sql)
    assert line["error"]["errno"] == 1690


def test_prepared_statements(start_proxy: Callable[..., Proxy], log: Log) -> None:
    proxy = logging_to(start_proxy, log, "parameters = values")
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD
    )
    sql = "SELECT ?, ?"
    cursor = connection.cursor(prepared=True)
    for parameters in ((5, "żółw"), (None, "x"), (6, "y")):
        cursor.execute(sql, parameters)
        assert cursor.fetchall() == [parameters]
    cursor.close()
    connection.close()
    # This client resets a statement before it executes it again.
    lines = [line for line in log.of(sql) if line["command"] != "COM_STMT_RESET"]
    assert [line["command"] for line in lines] == ["COM_STMT_PREPARE"] + ["COM_STMT_EXECUTE"] * 3
    assert [line["parameters"] for line in lines[1:]] == [[5, "żółw"], [None, "x"], [6, "y"]]
    assert [line["rows"] for line in lines] == [None, 1, 1, 1]


def test_load_data_local(start_proxy: Callable[..., Proxy], log: Log, tmp_path: Path) -> None:
    proxy = logging_to(start_proxy, log)
    file = tmp_path / "rows"
    file.write_text("1\n2\n3\n")
    load = f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t"
    with proxy.connect(database="test", local_infile=True) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
        assert cursor.execute(load) == 3
        missing = load.replace("rows", "missing")
        with pytest.raises(pymysql.OperationalError):
            cursor.execute(missing)
        connection.ping(reconnect=False)
    (line,) = log.of(load)
    assert (line["affected_rows"], line["error"]) == (3, None)


def test_several_results_pass_and_rows_add_up(start_proxy: Callable[..., Proxy], log: Log) -> None:
    proxy = logging_to(start_proxy, log)
    sql = "SELECT 1; SELECT 2 UNION SELECT 3; SET @a = 1"
    flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
    with proxy.connect(client_flag=flag) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.fetchall() == ((1,),)
        assert cursor.nextset() and cursor.fetchall() == ((2,), (3,))
        assert cursor.nextset() and not cursor.nextset()
    (line,) = log.of(sql)
    assert (line["rows"], line["affected_rows"]) == (3, None)


def test_rows_stream(start_proxy: Callable[..., Proxy], log: Log) -> None:
    """The first row is there while the server still works on the second."""
    proxy = logging_to(start_proxy, log)
    slow = "SELECT REPEAT('x', 1000000), IF(seq = 3, GET_LOCK('policy', 60), 0) FROM seq_1_to_3"
    with proxy.connect() as holder, proxy.connect(database="test") as connection:
        holder.cursor().execute("SELECT GET_LOCK('policy', 60)")
        cursor = connection.cursor(pymysql.cursors.SSCursor)
        cursor.execute(slow)
        assert cursor.fetchone()[1] == 0
        assert log.lines()[-1]["query"] != slow
        holder.cursor().execute("SELECT RELEASE_LOCK('policy')")
        assert [row[1] for row in cursor] == [0, 1]
    (line,) = log.of(slow)
    assert line["rows"] == 3


def test_a_moved_file_is_made_anew(start_proxy: Callable[..., Proxy], log: Log) -> None:
    proxy = logging_to(start_proxy, log)
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        log.of("SELECT 'before'")
        moved = log.path.with_suffix(".1")
        os.replace(log.path, moved)

        def is_there_again() -> bool:
            cursor.execute("SELECT 'after'")
            return log.path.exists()

        assert eventually(is_there_again)
    assert log.of("SELECT 'after'")
    assert "'before'" in moved.read_text()
    assert "'before'" not in log.path.read_text()


def test_standard_output(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'to standard output'")
    proxy.wait_for_stdout('"query": "SELECT \'to standard output\'"')


def test_a_user_that_changes(start_proxy: Callable[..., Proxy], log: Log) -> None:
    proxy = logging_to(start_proxy, log)
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, use_pure=True
    )
    connection.cmd_change_user("root", "")
    cursor = connection.cursor()
    cursor.execute("SELECT CURRENT_USER()")
    assert cursor.fetchall()[0][0].startswith("root@")
    connection.close()
    (line,) = log.of("SELECT CURRENT_USER()")
    assert line["user"] == "root"
    assert [
        line["duration_ms"] for line in log.lines() if line["command"] == "COM_CHANGE_USER"
    ] == [None]
