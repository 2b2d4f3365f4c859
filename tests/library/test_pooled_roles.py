"""Roles under the scripts that pool: servers keep a role when a connection is reset, so no other client may get it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from pymysql.constants import CLIENT, COMMAND
from support.mariadb import IS_MYSQL, MariaDb, mariadb_has
from support.proxy import Proxy
from support.whoami import value

HOOKS = Path(__file__).parents[2] / "python/pyproxy/hooks"
SCRIPTS = {
    "rw_splitting": "rwsplit",
    "read_your_writes": "read_your_writes",
    "ro_pooling": "ro_pooling",
}
WAYS = {
    "text": ["SET ROLE pooled_role"],
    "assignments": ["SET @a = 1, ROLE pooled_role"],
    "prepared": ["PREPARE s FROM 'SET ROLE pooled_role'", "EXECUTE s", "DEALLOCATE PREPARE s"],
    "immediate": ["EXECUTE IMMEDIATE 'SET ROLE pooled_role'"],
    "procedure": ["CALL test.becomes()"],
    "function": ["SELECT test.became()"],
    "written function": ["INSERT INTO test.became (a) VALUES (test.became())"],
    "for one statement": ["SET STATEMENT max_statement_time = 1 FOR SET ROLE pooled_role"],
    "block": ["BEGIN NOT ATOMIC SET ROLE pooled_role; END"],
    "condition": ["IF 1 THEN SET ROLE pooled_role; END IF"],
    "oracle": ["SET sql_mode = 'ORACLE'", "BEGIN SET ROLE pooled_role; END", "SET sql_mode = ''"],
    "several": ["DO 1; SET ROLE pooled_role"],
}
ON_MARIADB_ONLY = ("assignments", "immediate", "for one statement", "block", "condition", "oracle")
ROLE = "SELECT CURRENT_ROLE()"
THE_ROLE, NO_ROLE = ("`pooled_role`@`%`", "NONE") if IS_MYSQL else ("pooled_role", None)


@pytest.fixture(scope="module", autouse=True)
def role(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute(
        "CREATE ROLE pooled_role",
        "GRANT pooled_role TO u",
        "CREATE PROCEDURE test.becomes() SET ROLE pooled_role",
        "CREATE FUNCTION test.became() RETURNS INT DETERMINISTIC BEGIN SET ROLE pooled_role; RETURN 1; END",
        "CREATE TABLE test.became (a INT)",
    )
    yield
    mariadb.execute(
        "DROP PROCEDURE test.becomes",
        "DROP FUNCTION test.became",
        "DROP TABLE test.became",
        "DROP ROLE pooled_role",
    )


@pytest.fixture(params=SCRIPTS)
def proxy(request: pytest.FixtureRequest, start_proxy: Callable[..., Proxy]) -> Proxy:
    section = SCRIPTS[request.param]
    config = f"[{section}]\nmin_idle_connections = 1\n"
    return start_proxy(HOOKS / f"{request.param}.py", config=config)


def connect(proxy: Proxy) -> pymysql.Connection:
    """A client; all have the same capabilities, so they can have each other's connections."""
    return proxy.connect(client_flag=CLIENT.MULTI_STATEMENTS)


def run(connection: pymysql.Connection, *statements: str) -> None:
    for sql in statements:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass


def roles_of_others(proxy: Proxy) -> set[str | None]:
    """The roles on all connections that another client can get."""
    others = [connect(proxy) for _ in range(4)]
    found = set()
    for other in others:
        try:
            # In a transaction it has a connection for itself.
            run(other, "BEGIN")
        except pymysql.OperationalError as error:
            assert error.args[0] == 1040, "there is no connection left"
            break
        found.add(value(other, ROLE))
    for other in others:
        other.close()
    return found


def is_nobody_elses(proxy: Proxy, client: pymysql.Connection) -> bool:
    """Whether others work without the role, while this client is there and when it has left."""
    assert value(client, ROLE) == THE_ROLE
    found = roles_of_others(proxy)
    client.close()
    return found | roles_of_others(proxy) == {NO_ROLE}


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, marks=[mariadb_has("such statement")] if way in ON_MARIADB_ONLY else [])
        for way in WAYS
    ],
)
def test_a_role_stays_with_its_client(proxy: Proxy, way: str) -> None:
    client = connect(proxy)
    run(client, *WAYS[way])
    assert is_nobody_elses(proxy, client)


def test_a_binary_prepared_statement_sets_a_role(proxy: Proxy) -> None:
    client = connect(proxy)
    client._execute_command(COMMAND.COM_STMT_PREPARE, WAYS["text"][0])
    number = client._read_packet().get_all_data()[1:5]
    client._execute_command(COMMAND.COM_STMT_EXECUTE, number + b"\0\1\0\0\0")
    client._read_ok_packet()
    client._execute_command(COMMAND.COM_STMT_CLOSE, number)
    client._next_seq_id = 0
    assert is_nobody_elses(proxy, client)


@pytest.mark.parametrize("way", ["text", "procedure"])
def test_a_reset_by_the_client_keeps_the_role(proxy: Proxy, way: str) -> None:
    client = connect(proxy)
    run(client, *WAYS[way])
    client._execute_command(0x1F, b"")
    client._read_ok_packet()
    assert is_nobody_elses(proxy, client)
