"""The script `login_mapping` in a real proxy: clients, servers and methods."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha1
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from support.mariadb import IS_MYSQL, MariaDb, mariadb_has
from support.process import eventually
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/login_mapping.py"
# The server's user: only the proxy knows it.
BACKEND = "mapped_backend"
SECRET = "a secret, with blanks"


needs_native = mariadb_has("mysql_native_password, so the script cannot log in to it")


def hashed(password: str) -> str:
    return "*" + sha1(sha1(password.encode()).digest()).hexdigest()


USERS = f"""
app = {hashed("of the app")} {BACKEND} {SECRET}
open = - {BACKEND} {SECRET}
other = {hashed("x")} mapped_other
"""


@pytest.fixture(scope="module")
def accounts(mariadb: MariaDb) -> MariaDb:
    if IS_MYSQL:
        mariadb.execute(f"CREATE USER '{BACKEND}'@'%' IDENTIFIED BY '{SECRET}'")
        return mariadb
    native = "IDENTIFIED VIA mysql_native_password USING PASSWORD"
    mariadb.execute(
        f"CREATE USER '{BACKEND}'@'%' {native}('{SECRET}')",
        f"GRANT ALL ON test.* TO '{BACKEND}'@'%'",
        "CREATE USER 'mapped_other'@'%'",
        "INSTALL SONAME 'auth_ed25519'",
        "CREATE USER 'mapped_ed25519'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('x')",
    )
    return mariadb


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], accounts: MariaDb) -> Proxy:
    return start_proxy(SCRIPT, config=f"[login_mapping_users]{USERS}")


def who(connection: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        (row,) = cursor.fetchall()
    return str(row[0])


@needs_native
def test_a_mapped_user(proxy: Proxy) -> None:
    with proxy.connect(user="app", password="of the app", database="test") as connection:
        assert who(connection) == f"{BACKEND}@%"
        with connection.cursor() as cursor:
            cursor.execute("SELECT DATABASE()")
            assert cursor.fetchall() == (("test",),)
    with proxy.connect(user="other", password="x") as connection:
        assert who(connection) == "mapped_other@%"
    with proxy.connect(user="open", password="") as connection:
        assert who(connection) == f"{BACKEND}@%"


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("app", "wrong"),
        ("app", ""),
        ("app", SECRET),
        ("open", "anything"),
        (BACKEND, SECRET),
        ("u", "p"),
        ("nobody", ""),
        ("root", ""),
    ],
)
def test_who_is_not_let_in(proxy: Proxy, user: str, password: str) -> None:
    with pytest.raises(pymysql.OperationalError) as caught:
        proxy.connect(user=user, password=password)
    code, message = caught.value.args
    assert code == 1045
    using = "YES" if password else "NO"
    assert message == f"Access denied for user '{user}'@'127.0.0.1' (using password: {using})"


@needs_native
def test_what_the_client_is_able_to_do_stays(proxy: Proxy, accounts: MariaDb) -> None:
    """Flags, character set and attributes of the log-in reach the server."""
    client = pymysql.constants.CLIENT
    options: dict[str, Any] = {
        "user": "app",
        "password": "of the app",
        "database": "test",
        "client_flag": client.FOUND_ROWS | client.MULTI_STATEMENTS,
        "local_infile": True,
    }
    with proxy.connect(**options) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
        cursor.execute("INSERT INTO t VALUES (1)")
        assert cursor.execute("UPDATE t SET a = 1") == 1, "found, not changed, rows are counted"
        cursor.execute("SELECT 1; SELECT 2")
        assert cursor.nextset() and cursor.fetchall() == ((2,),)


def test_users_that_are_unknown_may_pass(
    start_proxy: Callable[..., Proxy], accounts: MariaDb
) -> None:
    config = f"[login_mapping]\nunknown_users = pass\n[login_mapping_users]{USERS}"
    proxy = start_proxy(SCRIPT, config=config)
    with proxy.connect() as connection:
        assert who(connection) == "u@%"
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        proxy.connect(password="wrong")
    with pytest.raises(pymysql.OperationalError, match="Access denied"):
        proxy.connect(user="app", password=SECRET)


@needs_native
def test_a_file_of_users_that_changes(
    start_proxy: Callable[..., Proxy], accounts: MariaDb, tmp_path: Path
) -> None:
    path = tmp_path / "users"
    path.write_text(f"# users{USERS}")
    path.chmod(0o600)
    proxy = start_proxy(SCRIPT, config=f"[login_mapping]\nusers_file = {path}\n")
    proxy.connect(user="app", password="of the app").close()
    path.write_text(f"app = {hashed('new')} {BACKEND} {SECRET}\n")

    def has_changed() -> bool:
        try:
            proxy.connect(user="app", password="new").close()
        except pymysql.OperationalError:
            return False
        return True

    assert eventually(has_changed)
    with pytest.raises(pymysql.OperationalError):
        proxy.connect(user="app", password="of the app")
    assert "everybody can read it" not in proxy.log()


@pytest.mark.parametrize(
    "user",
    [pytest.param("mapped_ed25519", marks=mariadb_has("ed25519")), BACKEND, "mapped_missing"],
)
def test_a_server_that_does_not_let_the_proxy_in(
    start_proxy: Callable[..., Proxy], accounts: MariaDb, user: str
) -> None:
    config = f"[login_mapping_users]\napp = {hashed('a')} {user} wrong\n"
    proxy = start_proxy(SCRIPT, config=config)
    proxy.criticals_expected = True
    with pytest.raises(pymysql.OperationalError) as caught:
        proxy.connect(user="app", password="a")
    assert caught.value.args[0] == 1045
    assert "the proxy cannot log in to the server" in caught.value.args[1]
    assert user not in caught.value.args[1]
    proxy.wait_for_log(f"the log-in as {user} failed: ")


@needs_native
def test_change_user_is_refused_and_the_connection_goes_on(proxy: Proxy) -> None:
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user="app", password="of the app", use_pure=True
    )
    with pytest.raises(mysql.connector.Error, match="does not map COM_CHANGE_USER"):
        connection.cmd_change_user("root", "")
    assert who(connection) == f"{BACKEND}@%"
    connection.cmd_reset_connection()
    assert who(connection) == f"{BACKEND}@%"
    connection.close()


@needs_native
def test_a_client_that_comes_with_another_method_is_asked_to_switch(
    start_proxy: Callable[..., Proxy], accounts: MariaDb
) -> None:
    script = """
        from pyproxy.hooks import login_mapping
        from pyproxy.hooks.login_mapping import *

        def read_auth(proxy):
            print("asked by", proxy.connection.client.auth_plugin_name)
            return login_mapping.read_auth(proxy)
        """
    proxy = start_proxy(script, config=f"[login_mapping_users]{USERS}")

    def connect(password: str) -> Any:
        return mysql.connector.connect(
            host="127.0.0.1",
            port=proxy.port,
            user="app",
            password=password,
            auth_plugin="caching_sha2_password",
            use_pure=True,
        )

    connection = connect("of the app")
    assert who(connection) == f"{BACKEND}@%"
    connection.close()
    assert proxy.stdout() == "asked by caching_sha2_password\nasked by mysql_native_password\n"
    with pytest.raises(mysql.connector.Error) as caught:
        connect("wrong")
    assert caught.value.errno == 1045


@needs_native
def test_the_command_line_client(proxy: Proxy) -> None:
    client = shutil.which("mariadb")
    if client is None:
        pytest.skip("no mariadb client")
    command = [client, "--no-defaults", "-h127.0.0.1", f"-P{proxy.port}", "-uapp", "-N"]
    done = subprocess.run(
        [*command, "-pof the app", "-e", "SELECT CURRENT_USER()"], capture_output=True, text=True
    )
    assert done.stdout == f"{BACKEND}@%\n", done.stderr
    done = subprocess.run([*command, "-pwrong", "-e", "SELECT 1"], capture_output=True, text=True)
    assert "ERROR 1045 (28000): Access denied for user 'app'" in done.stderr


@pytest.mark.skipif(not IS_MYSQL, reason="MariaDB has mysql_native_password")
def test_a_user_of_a_mysql_without_the_method_cannot_be_mapped(proxy: Proxy) -> None:
    proxy.criticals_expected = True
    with pytest.raises(pymysql.OperationalError, match="the proxy cannot log in to the server"):
        proxy.connect(user="app", password="of the app")
    proxy.wait_for_log("the server asks for another method than mysql_native_password")


def test_a_user_that_makes_no_sense(start_proxy: Callable[..., Proxy]) -> None:
    with pytest.raises(RuntimeError, match="app: the hash must be"):
        start_proxy(SCRIPT, config="[login_mapping_users]\napp = plain-text b\n")
