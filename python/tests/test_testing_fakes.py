"""Calling a single hook by hand."""

from __future__ import annotations

import datetime

import pyproxy
import pytest
from pyproxy.testing import Error, LogEntry, Ok, Result, auth, fake_proxy, injection


def test_what_a_hook_queues_and_answers() -> None:
    proxy = fake_proxy(user="bob", database="test")
    proxy.queries.append(1, b"\x03SELECT 1", resultset_is_needed=True)
    proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "affected_rows": 3}
    assert list(proxy.queries) == [(1, b"\x03SELECT 1", True)]
    assert (proxy.response.type, proxy.response.affected_rows) == (0, 3)
    assert proxy.connection.client.username == "bob"
    assert proxy.connection.client.default_db == "test"
    server = proxy.connection.server
    assert server is not None and server.dst is not None
    assert server.dst.port == 3306
    assert isinstance(proxy, pyproxy.Proxy)


def test_backends_of_a_fake() -> None:
    proxy = fake_proxy(backends=1, read_only=2, config={"limit": 5})
    assert [backend.type for backend in proxy.globals.backends] == [1, 2, 2]
    assert proxy.globals.config.limit == 5
    assert proxy.connection.backend_ndx == 0
    proxy.connection.backend_ndx = -1
    assert proxy.connection.server is None
    assert proxy.globals.backends[0].pool.users["u"].cur_idle_connections == 1
    proxy.connection.backend_ndx = 0
    assert proxy.connection.server is not None


def test_warnings_and_rules_of_the_hook_that_is_played() -> None:
    log: list[LogEntry] = []
    proxy = fake_proxy(backends=2, log=log)
    proxy.connection.backend_ndx = 1
    assert [entry.level for entry in log] == ["warning"]
    with pytest.raises(RuntimeError, match="the login is not complete"):
        fake_proxy(hook="read_handshake").connection.backend_ndx = -1
    login = fake_proxy(backends=2, hook="read_auth").connection
    login.backend_ndx = 1
    assert login.backend_ndx == 1
    assert fake_proxy(backends=0).connection.server is None


def test_a_result_as_text() -> None:
    rows = [(1, "a"), (2, None)]
    inj = injection(7, "SELECT", Result([("n", pyproxy.MYSQL_TYPE_LONG), "t"], rows, warnings=2))
    assert (inj.id, inj.query) == (7, b"\x03SELECT")
    resultset = inj.resultset
    assert resultset.rows is not None
    assert list(resultset.rows) == [("1", "a"), ("2", None)]
    assert (resultset.row_count, resultset.warning_count, resultset.query_status) == (2, 2, 0)
    assert resultset.affected_rows is None
    assert resultset.error is None


def test_a_result_as_binary() -> None:
    fields = [("n", pyproxy.MYSQL_TYPE_LONGLONG), ("at", pyproxy.MYSQL_TYPE_DATETIME)]
    moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 600000)
    inj = injection(1, b"\x17\x01\0\0\0\0\x01\0\0\0", Result(fields, [(-5, moment)]))
    assert inj.resultset.rows is not None
    assert inj.resultset.rows[0] == (-5, moment)


def test_answers_without_rows() -> None:
    done = injection(1, "UPDATE", Ok(3, 7)).resultset
    assert (done.rows, done.affected_rows, done.insert_id) == (None, 3, 7)
    failed = injection(1, "UPDATE", Error(1146, "42S02", "no")).resultset
    assert (failed.query_status, failed.error) == (255, b"\xff\x7a\x04#42S02no")
    counted = injection(1, "SELECT", Result(["a"], [("x",)]), resultset_is_needed=False).resultset
    assert (counted.fields, counted.rows, counted.raw, counted.row_count) == (None, None, None, 1)


def test_answers_to_a_login() -> None:
    assert auth(Ok()).packet[0] == 0
    assert auth(Error(1045, "28000", "no")).packet[0] == 255
    assert auth(b"\xfe").packet == b"\xfe"
