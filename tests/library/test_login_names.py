"""Names of a login: a script sees those that the server uses, or the login is refused.

For the time of the tests whoever has no account is let in, so that the server tells how it reads any name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from support.mariadb import USER, MariaDb, mariadb_has
from support.proxy import Proxy

# Answers `seen` with the names that the script knows.
SCRIPT = """
def read_query(proxy, packet):
    if packet[1:] == b"seen":
        client = proxy.connection.client
        fields = [("user", proxy.MYSQL_TYPE_STRING), ("db", proxy.MYSQL_TYPE_STRING)]
        rows = [(client.username, client.default_db or None)]
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {"fields": fields, "rows": rows},
        }
        return proxy.PROXY_SEND_RESULT
"""
COM_CHANGE_USER = 0x11
UTF8MB4 = 45


class Client(pymysql.Connection):
    """Logs in with names that are bytes, and without a password."""

    def __init__(self, port: int, user: bytes, database: bytes | None, charset: str) -> None:
        self.names = user, database
        super().__init__(
            host="127.0.0.1",
            port=port,
            user="-",
            database="-" if database else None,
            charset=charset,
        )

    def _request_authentication(self) -> None:
        self.user, self.db = self.names
        super()._request_authentication()

    def set_character_set(self, *_names: object) -> None:
        """Sends nothing: the login has told it."""

    def row(self, sql: str) -> tuple[Any, ...]:
        with self.cursor() as cursor:
            cursor.execute(sql)
            (row,) = cursor.fetchall()
        return tuple(row)


@pytest.fixture(scope="module", autouse=True)
def everybody(mariadb: MariaDb) -> Iterator[None]:
    names = "test", "Names \u00fc", "?"
    grants = [f"GRANT ALL ON `{name}`.* TO ''@'%'" for name in names]
    mariadb.execute("CREATE DATABASE `Names \u00fc`", "CREATE DATABASE `?`", "CREATE USER ''@'%'")
    mariadb.execute(*grants)
    yield
    mariadb.execute("DROP USER ''@'%'", "DROP DATABASE `Names \u00fc`", "DROP DATABASE `?`")


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy]) -> Proxy:
    return start_proxy(SCRIPT)


def assert_is_known(client: Client) -> None:
    """Asserts that the script has the names that the server has."""
    name, database = client.row("SELECT USER(), DATABASE()")
    assert client.row("seen") == (name.rpartition("@")[0], database)


NAMES = {
    "plain": b"somebody",
    "blank behind": b"somebody ",
    "blank in front": b" somebody",
    "capitals": b"SomeBody",
    "known in capitals": USER.upper().encode(),
    "quoted": b"'somebody'",
    "with an at": b"some@body",
    "umlaut": "j\u00fcrg".encode(),
    "wide": "\U0001f600".encode(),
    "decomposed": "ju\u0308rg".encode(),
    "no text": b"some\xffbody",
    "half a letter": b"somebody\xc3",
    "32 letters": b"n" * 32,
    "33 letters": b"n" * 33,
    "80 letters": b"n" * 80,
    "128 letters": b"n" * 128,
    "129 letters": b"n" * 129,
    "129 letters in quotes": b"'" + b"n" * 129 + b"'",
    "129 wide letters": "\u20ac".encode() * 129,
    "many wide letters": "\u00fc".encode() * 40,
}


DATABASES = [
    *("test", "TEST", "test ", " test", "'test'", "`test`", "Names \u00fc", "names \u00fc"),
    *("t\udcff", "\U0001f600"),
]


@pytest.mark.parametrize("charset", ["utf8mb4", "utf8mb3", "latin1", "gbk", "cp932"])
def test_what_is_let_in_is_known(proxy: Proxy, charset: str) -> None:
    databases = [name.encode("utf-8", "surrogateescape") for name in DATABASES]
    logins = [(name, None) for name in NAMES.values()] + [(b"somebody", name) for name in databases]
    for user, database in logins:
        try:
            client = Client(proxy.port, user, database, charset)
        except pymysql.MySQLError:
            continue
        assert_is_known(client)
        client.close()


def test_names_that_are_let_in(proxy: Proxy) -> None:
    """The other tests would not notice a proxy that refuses everybody."""
    for name in ("plain", "blank behind", "capitals", "quoted", "umlaut", "32 letters"):
        with Client(proxy.port, NAMES[name], b"test", "utf8mb4") as client:
            assert_is_known(client)


@mariadb_has("names of that length")
def test_a_longer_name_is_its_beginning(proxy: Proxy) -> None:
    for name in ("129 letters", "129 letters in quotes", "129 wide letters"):
        with Client(proxy.port, NAMES[name], b"test", "utf8mb4") as client:
            assert_is_known(client)


def test_what_a_change_of_user_leads_to_is_known(proxy: Proxy) -> None:
    for name in NAMES.values():
        client = Client(proxy.port, b"somebody", b"test", "utf8mb4")
        argument = name + b"\0\0test\0" + bytes((UTF8MB4, 0)) + b"mysql_native_password\0"
        client._execute_command(COM_CHANGE_USER, argument)
        try:
            answer = client._read_packet()
            if answer.is_auth_switch_request():
                client.write_packet(b"")
                answer = client._read_packet()
        except pymysql.MySQLError:
            continue
        assert answer.is_ok_packet(), answer.get_all_data()
        client._next_seq_id = 0
        assert_is_known(client)
        client.close()
