"""The script `query_log`: what stands in a line, where the lines go, and that results are not held up."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyproxy._query_log.log_file import LogFile
from pyproxy.settings import SettingsError
from pyproxy.testing import (
    Disconnect,
    Error,
    FakeServer,
    LocalInfile,
    LoginRefused,
    Ok,
    Result,
    Session,
    fake_proxy,
)

SCRIPT = "pyproxy.hooks.query_log"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "queries.json"


def logging_to(log: Path, server: FakeServer | None = None, more: str = "") -> Session:
    config = f"[query_log]\npath = {log}\n{more}\n"
    return Session(SCRIPT, server=server, user="app", database="shop", script_config=config)


def all_lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def lines(log: Path) -> list[dict[str, Any]]:
    """Those about commands."""
    return [line for line in all_lines(log) if line["command"] not in ("LOGIN", "DISCONNECT")]


def test_a_query_with_rows(log: Path) -> None:
    server = FakeServer().on(
        "SELECT a FROM t WHERE b = 5", Result(["a"], [("x",), ("y",)], warnings=2)
    )
    before = datetime.now(timezone.utc)
    with logging_to(log, server) as session:
        assert session.query("SELECT a FROM t WHERE b = 5").rows == [("x",), ("y",)]
        (line,) = lines(log)
    time = datetime.strptime(line.pop("time"), "%Y-%m-%dT%H:%M:%S.%fZ")
    assert before <= time.replace(tzinfo=timezone.utc) <= before + timedelta(minutes=5)
    assert 0 <= line.pop("duration_ms") < 300_000
    assert re.fullmatch(r"127\.0\.0\.1:\d+", line.pop("client"))
    assert line == {
        "connection_id": 1,
        "user": "app",
        "backend": "127.0.0.1:3306",
        "database": "shop",
        "command": "COM_QUERY",
        "query": "SELECT a FROM t WHERE b = 5",
        "truncated": False,
        "normalized": "SELECT `a` FROM `t` WHERE `b` = ?",
        "parameters": None,
        "rows": 2,
        "affected_rows": None,
        "warnings": 2,
        "error": None,
        "answered_by": "server",
    }


def test_a_change_and_an_error(log: Path) -> None:
    server = (
        FakeServer()
        .on("UPDATE t SET a = 1", Ok(affected_rows=3, warnings=1))
        .on("SELECT x", Error(1146, "42S02", "Table 'x' doesn't exist"))
    )
    with logging_to(log, server) as session:
        session.query("UPDATE t SET a = 1")
        session.query("SELECT x")
        change, error = lines(log)
    assert (change["rows"], change["affected_rows"], change["warnings"]) == (None, 3, 1)
    assert (error["rows"], error["affected_rows"]) == (None, None)
    assert error["error"] == {
        "errno": 1146,
        "sqlstate": "42S02",
        "message": "Table 'x' doesn't exist",
    }


def test_an_error_behind_rows(log: Path) -> None:
    server = FakeServer().on("CALL p()", [Result(["a"], [("x",)]), Error(1317, "70100", "killed")])
    with logging_to(log, server) as session:
        session.query("CALL p()")
        (line,) = lines(log)
    assert line["error"]["errno"] == 1317


def test_results_are_not_kept(log: Path) -> None:
    with logging_to(log) as session:
        proxy = fake_proxy()
        for packet in (b"\x03SELECT 1", b"\x17\1\0\0\0\0\1\0\0\0", b"\x0e"):
            proxy.queries.reset()
            assert session.script.read_query(proxy, packet) == proxy.PROXY_SEND_QUERY
            assert list(proxy.queries) == [(1, packet, False)]


def test_prepared_statements_have_their_text(log: Path) -> None:
    server = FakeServer().on("SELECT ?", Result(["?"], [("x",)]))
    with logging_to(log, server, "parameters = values") as session:
        statement = session.prepare("SELECT ?")
        assert session.execute(statement, ["it's"]).rows == [("x",)]
        session.execute(statement, [None])
        session.close_statement(statement)
        session.execute(statement, [5])
        prepare, first, second, unknown = lines(log)
    assert (prepare["command"], prepare["query"]) == ("COM_STMT_PREPARE", "SELECT ?")
    assert prepare["rows"] is None
    assert (first["command"], first["query"]) == ("COM_STMT_EXECUTE", "SELECT ?")
    assert (first["parameters"], second["parameters"]) == (["it's"], [None])
    assert first["rows"] == 1
    assert (unknown["query"], unknown["error"]["errno"]) == (None, 1243)


@pytest.mark.parametrize(("setting", "shown"), [("none", None), ("count", 2)])
def test_parameters_are_shown_only_if_wanted(log: Path, setting: str, shown: int | None) -> None:
    with logging_to(log, more=f"parameters = {setting}") as session:
        session.execute(session.prepare("SELECT ?, ?"), [1, 2])
        assert lines(log)[1]["parameters"] == shown


def test_values_that_were_sent_ahead_or_without_types(log: Path) -> None:
    with logging_to(log, more="parameters = values\nmax_query_bytes = 12") as session:
        statement = session.prepare("SELECT ?, ?")
        assert statement.id is not None
        session.execute(statement, [1.5, b"\xff"])
        number = statement.id.to_bytes(4, "little")
        # The second parameter in two pieces, then an execution that has no types: 2.5 and nothing.
        for piece in (b"a long ", b"value indeed"):
            session.command(b"\x18" + number + b"\1\0" + piece)
        two_and_a_half = b"\0\0\0\0\0\0\x04\x40"
        session.command(b"\x17" + number + b"\0\1\0\0\0" + b"\0\0" + two_and_a_half)
        first, second = lines(log)[1:]
    assert first["parameters"] == [1.5, "\\xff"]
    assert second["parameters"] == [2.5, "a long value"]


def test_other_commands(log: Path) -> None:
    with logging_to(log) as session:
        session.command(b"\x0e")
        session.command(b"\x02other")
        session.command(b"\xf0")
        session.query("SELECT 1")
        ping, init_db, unknown, query = lines(log)
    assert (ping["command"], ping["query"], ping["error"]) == ("COM_PING", None, None)
    assert (init_db["command"], init_db["query"]) == ("COM_INIT_DB", "other")
    assert (init_db["database"], query["database"]) == ("shop", "other")
    assert (unknown["command"], unknown["error"]["errno"]) == ("240", 1047)


def test_a_change_of_user_passes(log: Path) -> None:
    with logging_to(log) as session:
        assert session.command(b"\x11other\0\0\0\x2d\0mysql_native_password\0").ok
        session.query("SELECT 1")
        change, query = lines(log)
    assert (change["command"], change["user"], change["duration_ms"]) == (
        "COM_CHANGE_USER",
        "app",
        None,
    )
    assert query["user"] == "other"


def test_load_data_local(log: Path) -> None:
    server = FakeServer().on("LOAD DATA", LocalInfile("file", Ok(affected_rows=2)))
    with logging_to(log, server) as session:
        session.local_file = b"1\n2\n"
        assert session.query("LOAD DATA").ok
        (line,) = lines(log)
    assert (line["query"], line["affected_rows"]) == ("LOAD DATA", 2)


def test_long_texts_are_cut(log: Path) -> None:
    with logging_to(log, more="max_query_bytes = 10") as session:
        session.query("SELECT 1234567890")
        session.query("SELECT 123")
        cut, whole = lines(log)
    assert (cut["query"], cut["truncated"]) == ("SELECT 123", True)
    assert cut["normalized"] == "SELECT ?"
    assert (whole["query"], whole["truncated"]) == ("SELECT 123", False)


def test_bytes_that_are_no_text(log: Path) -> None:
    with logging_to(log) as session:
        session.query(b"SELECT '\xff\n\xc3\xa9'")
        (line,) = lines(log)
    assert line["query"] == "SELECT '\\xff\né'"


def test_a_command_that_was_never_answered(log: Path) -> None:
    server = FakeServer().on("SELECT 1", Disconnect())
    with logging_to(log, server) as session:
        session.query("SELECT 1")
    (line,) = lines(log)
    assert (line["query"], line["duration_ms"]) == ("SELECT 1", None)


def test_a_command_that_the_proxy_answered_itself(log: Path) -> None:
    with logging_to(log) as session:
        proxy = fake_proxy()
        # No result comes between the two.
        session.script.read_query(proxy, b"\x03SELECT 1")
        session.script.read_query(proxy, b"\x03SELECT 2")
        (line,) = lines(log)
    assert (line["query"], line["duration_ms"]) == ("SELECT 1", None)


def test_only_some_commands_and_only_slow_or_failed_ones(log: Path) -> None:
    with logging_to(log, more="commands = COM_PING") as session:
        session.query("SELECT 1")
        session.command(b"\x0e")
        assert [line["command"] for line in lines(log)] == ["COM_PING"]
    log.unlink()
    server = FakeServer().on("SELECT x", Error(1146, "42S02"))
    with logging_to(log, server, "slower_than_ms = 3600000") as session:
        session.query("SELECT 1")
        session.query("SELECT x")
        assert [line["query"] for line in lines(log)] == ["SELECT x"]


def test_normalizing_can_be_turned_off(log: Path) -> None:
    with logging_to(log, more="normalize = no") as session:
        session.query("SELECT 1")
        assert lines(log)[0]["normalized"] is None


def test_without_a_path_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with Session(SCRIPT) as session:
        session.query("SELECT 1")
    assert json.loads(capsys.readouterr().out.splitlines()[1])["query"] == "SELECT 1"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("path = /nowhere/at all", "path=/nowhere/at all: No such file"),
        ("parameters = all", "expected none, count, values"),
        ("commands = COM_NOTHING", "there is no command COM_NOTHING"),
    ],
)
def test_what_makes_no_sense_stops_the_start(setting: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Session(SCRIPT, script_config=f"[query_log]\n{setting}\n")


# --- the file


def test_a_file_that_was_moved_is_made_anew(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyproxy._query_log.log_file._LOOK", 0.0)
    file = LogFile(str(log))
    file.write("one")
    os.replace(log, log.with_suffix(".1"))
    file.write("two")
    log.unlink()
    file.write("three")
    file.close()
    assert log.with_suffix(".1").read_text() == "one\n"
    assert log.read_text() == "three\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_lines_are_added_to_what_is_there(log: Path) -> None:
    log.write_text("before\n")
    file = LogFile(str(log))
    file.write("ä\udcff")
    file.close()
    assert log.read_text() == "before\nä\\udcff\n"


def test_a_line_that_cannot_be_written_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    file = LogFile("/dev/full")
    file.write("one")
    file.write("two")
    file.close()
    assert file.lost == 2
    assert [record.getMessage() for record in caplog.records] == [
        "/dev/full: No space left on device; lines lost so far: 1"
    ]


def test_logins_and_disconnects_have_lines(log: Path) -> None:
    with logging_to(log, FakeServer(users={"app": "secret"})) as session:
        client = session.new_client(password="secret")
        client.query("SELECT 1")
        client.quit()
        with pytest.raises(LoginRefused):
            session.new_client(password="wrong").query("SELECT 1")
    login, _, end, refused, *_ = all_lines(log)
    assert (login["command"], login["user"], login["error"]) == ("LOGIN", "app", None)
    assert login["answered_by"] == "server"
    assert (end["command"], end["user"]) == ("DISCONNECT", "app")
    assert (refused["command"], refused["error"]["errno"]) == ("LOGIN", 1045)


def test_a_login_that_a_script_refused_has_a_line(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is imported anew, with the settings of this session.
    monkeypatch.delitem(sys.modules, SCRIPT, raising=False)
    script = """
from pyproxy.hooks.query_log import *

def read_auth(proxy):
    proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "no"}
    return proxy.PROXY_SEND_RESULT
"""
    config = f"[query_log]\npath = {log}\n"
    with Session(script, user="app", script_config=config) as session:
        with pytest.raises(LoginRefused):
            session.query("SELECT 1")
    login, end = all_lines(log)
    assert (login["command"], login["user"], login["answered_by"]) == ("LOGIN", "app", "proxy")
    assert login["error"] is not None
    assert end["command"] == "DISCONNECT"


def test_a_command_that_a_script_refused_has_a_line(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is imported anew, with the settings of this session.
    monkeypatch.delitem(sys.modules, SCRIPT, raising=False)
    script = """
from pyproxy.hooks.query_log import *
from pyproxy.hooks.query_log import read_query as log_query

def read_query(proxy, packet):
    log_query(proxy, packet)
    if b"DROP" in packet:
        proxy.queries.reset()
        proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "no"}
        return proxy.PROXY_SEND_RESULT
    return proxy.PROXY_SEND_QUERY
"""
    config = f"[query_log]\npath = {log}\n"
    with Session(script, user="app", script_config=config) as session:
        assert session.query("DROP TABLE t").error is not None
        session.query("SELECT 1")
    first, second = lines(log)
    assert (first["query"], first["answered_by"]) == ("DROP TABLE t", "proxy")
    assert (second["query"], second["answered_by"]) == ("SELECT 1", "server")


def test_lines_can_be_those_of_logins_only(log: Path) -> None:
    with logging_to(log, more="commands = LOGIN") as session:
        session.query("SELECT 1")
    assert [line["command"] for line in all_lines(log)] == ["LOGIN"]
