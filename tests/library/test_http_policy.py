"""The script `http_policy` in a real proxy, with a real service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import PASSWORD, USER
from support.policy import PolicyService
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/http_policy.py"
StartProxy = Callable[..., Proxy]


@pytest.fixture
def service() -> Iterator[PolicyService]:
    service = PolicyService()
    yield service
    service.stop()


@pytest.fixture
def guarded(start_proxy: StartProxy, service: PolicyService) -> Callable[..., Proxy]:
    def start(lines: str = "", timeout: float = 10, **options: Any) -> Proxy:
        config = f"[http_policy]\nurl = {service.url}\ntimeout = {timeout}\n{lines}\n"
        return start_proxy(SCRIPT, config=config, **options)

    return start


def no_deletes(question: dict[str, Any]) -> dict[str, Any]:
    return {"allow": "DELETE" not in question["sql"], "message": "nothing is deleted here"}


def value(connection: pymysql.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        return row and row[0]


def test_the_service_decides(guarded: Callable[..., Proxy], service: PolicyService) -> None:
    service.decide = no_deletes
    with guarded().connect(database="test") as connection:
        assert value(connection, "SELECT 'a'") == "a"
        with pytest.raises(pymysql.OperationalError) as caught:
            value(connection, "DELETE FROM nothing WHERE id = 1")
        assert caught.value.args == (1227, "Access denied; nothing is deleted here")
        assert value(connection, "SELECT 'b'") == "b"
    assert service.questions[-2] == {
        "user": USER,
        "address": "127.0.0.1",
        "database": "test",
        "command": "COM_QUERY",
        "sql": "DELETE FROM nothing WHERE id = 1",
        "fingerprint": "DELETE FROM nothing WHERE id = ?",
        "tables": {"test.nothing": "write"},
    }


def test_prepared_statements_are_asked_about(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    service.decide = no_deletes
    connection = mysql.connector.connect(
        host="127.0.0.1",
        port=guarded("cache = 0").port,
        user=USER,
        password=PASSWORD,
        use_pure=True,
    )
    with connection.cursor(prepared=True) as cursor:
        for n in range(2):
            cursor.execute("SELECT ?", (n,))
            assert cursor.fetchall() == [(n,)]
        # Prepared once, executed twice.
        assert service.asked("SELECT ?") == 3
        service.decide = lambda question: {"allow": question["command"] != "COM_STMT_EXECUTE"}
        with pytest.raises(mysql.connector.Error, match="the policy does not allow it"):
            cursor.execute("SELECT ?", (3,))
    service.decide = no_deletes
    with connection.cursor(prepared=True) as cursor:
        with pytest.raises(mysql.connector.Error, match="nothing is deleted"):
            cursor.execute("DELETE FROM nothing WHERE id = ?", (1,))


def test_a_decision_counts_for_a_while(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    proxy = guarded("cache = 1000")
    with proxy.connect() as connection, proxy.connect(user="root", password="") as other:
        for _ in range(3):
            value(connection, "SELECT 1")
        assert service.asked("SELECT 1") == 1
        # About somebody else, or something else.
        value(other, "SELECT 1")
        value(connection, "SELECT  1")
        assert service.asked("SELECT 1") == 2 and service.asked("SELECT  1") == 1
        service.decide = lambda question: {"allow": True, "cache": 0}
        for _ in range(3):
            value(connection, "SELECT 2")
        assert service.asked("SELECT 2") == 3


def test_a_decision_may_count_for_a_form(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    with guarded("cache = 1000\ncache_by = fingerprint").connect() as connection:
        assert [value(connection, f"SELECT {n}") for n in range(5)] == list(range(5))
    assert sum(service.asked(f"SELECT {n}") for n in range(5)) == 1


def test_others_are_served_while_the_service_thinks(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    go = threading.Event()

    def decide(question: dict[str, Any]) -> dict[str, Any]:
        if "slow" in question["sql"]:
            go.wait(60)
        return {"allow": True}

    service.decide = decide
    proxy = guarded(timeout=60)
    with proxy.connect() as connection, proxy.connect() as other:
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(value(connection, "SELECT 'slow'")))
        thread.start()
        assert eventually(lambda: service.asked("SELECT 'slow'") == 1)
        assert value(other, "SELECT 'quick'") == "quick"
        assert answers == []
        go.set()
        thread.join()
        assert answers == ["slow"]


@pytest.mark.parametrize(
    "answer", [500, 404, {"allow": "yes"}, {}, [1], "true", {"allow": True, "cache": "x"}]
)
def test_what_is_no_decision_refuses(
    guarded: Callable[..., Proxy], service: PolicyService, answer: Any
) -> None:
    proxy = guarded("exempt_users = root\nretry_after = 0")
    service.decide = lambda question: answer
    with pytest.raises(pymysql.OperationalError, match="the policy service does not answer"):
        proxy.connect()
    with proxy.connect(user="root", password="") as connection:
        assert value(connection, "SELECT 1") == 1
    assert proxy.log().count("no decision of") == 1
    service.decide = lambda question: {"allow": True}
    with proxy.connect() as connection:
        assert value(connection, "SELECT 1") == 1
    assert proxy.log().count("decides again") == 1


def test_without_the_service_statements_may_pass(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    proxy = guarded("on_failure = allow\nretry_after = 0")
    service.decide = no_deletes
    with proxy.connect(database="test") as connection:
        with pytest.raises(pymysql.OperationalError, match="nothing is deleted"):
            value(connection, "DELETE FROM nothing")
        service.decide = lambda question: 500
        for n in range(10):
            assert value(connection, f"SELECT {n}") == n
        with pytest.raises(pymysql.ProgrammingError, match="doesn't exist"):
            value(connection, "DELETE FROM nothing WHERE 1")
        assert proxy.log().count("no decision of") == 1


def test_a_service_that_takes_too_long(
    guarded: Callable[..., Proxy], service: PolicyService
) -> None:
    go = threading.Event()
    proxy = guarded("exempt_users = root\nretry_after = 1000", timeout=0.2)
    service.decide = lambda question: go.wait(60) and {"allow": True}
    with pytest.raises(pymysql.OperationalError, match="does not answer"):
        proxy.connect()
    asked = len(service.questions)
    # It is left alone then, and nobody waits.
    for _ in range(5):
        with pytest.raises(pymysql.OperationalError, match="does not answer"):
            proxy.connect()
    assert len(service.questions) == asked
    assert "no answer in 0.2 s" in proxy.log()
    go.set()


@pytest.mark.parametrize(
    ("line", "options", "complaint"),
    [
        ("on_failure = maybe", {}, "on_failure: expected refuse or allow"),
        ("cache_by = luck", {}, "cache_by: expected text or fingerprint"),
        ("", {"pyproxy-on-script-error": "forward"}, "http_policy protects nothing"),
    ],
)
def test_a_setting_that_makes_no_sense(
    guarded: Callable[..., Proxy], line: str, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        guarded(line, options=options)


def test_a_wrong_address(start_proxy: StartProxy) -> None:
    with pytest.raises(RuntimeError, match="url=ftp://x: expected http://"):
        start_proxy(SCRIPT, config="[http_policy]\nurl = ftp://x\n")
