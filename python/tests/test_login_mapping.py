"""The script `login_mapping`: who is let in, and what the server gets to see."""

from __future__ import annotations

import os
from hashlib import sha1
from pathlib import Path

import pytest
from pyproxy import password, proto
from pyproxy._login import accounts
from pyproxy._login.exchange import replaced
from pyproxy.settings import SettingsError
from pyproxy.testing import Answer, FakeServer, LoginRefused, Session

SCRIPT = "pyproxy.hooks.login_mapping"
CONNECT_WITH_DB = 0x8
PLUGIN_AUTH = 0x80000
LENENC_AUTH = 0x200000
ATTRIBUTES = 0x100000


def hashed(password: str) -> str:
    return "*" + sha1(sha1(password.encode()).digest()).hexdigest()


USERS = f"""
[login_mapping_users]
app = {hashed("front")} shop_rw the back's secret
open = - readonly
"""


def server() -> FakeServer:
    return FakeServer(users={"shop_rw": "the back's secret", "readonly": "", "direct": "pw"})


def mapping(
    user: str = "app", password: str = "front", config: str = USERS, **options: object
) -> Session:
    values = {"server": server(), "user": user, "password": password, "script_config": config}
    return Session(SCRIPT, **{**values, **options})  # type: ignore[arg-type]


def refusal(session: Session) -> Answer:
    """What a client is told that is not let in."""
    with session, pytest.raises(LoginRefused) as caught:
        session.query("SELECT 1")
    return caught.value.answer


@pytest.mark.parametrize(
    ("user", "secret", "name"), [("app", "front", b"shop_rw"), ("open", "", b"readonly")]
)
def test_a_mapped_login(user: str, secret: str, name: bytes) -> None:
    with mapping(user, secret, database="db") as session:
        assert session.query("SELECT 1").ok
        (login,) = session.server.logins
        fields = proto.from_response_packet(login, PLUGIN_AUTH | CONNECT_WITH_DB)
        assert (fields.username, fields.auth_plugin_name) == (name, b"mysql_native_password")
        assert fields.database == b"db"
        with session.inspect() as proxy:
            assert proxy.connection.client.username == user
            assert proxy.connection.server is not None
            assert proxy.connection.server.username == name.decode()


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("app", "wrong"),
        ("app", ""),
        ("app", "the back's secret"),
        ("open", "x"),
        ("shop_rw", "the back's secret"),
        ("direct", "pw"),
        ("", ""),
    ],
)
def test_everybody_else_is_refused(user: str, secret: str) -> None:
    session = mapping(user, secret)
    error = refusal(session).error
    using = "YES" if secret else "NO"
    assert error == (
        1045,
        "28000",
        f"Access denied for user '{user}'@'127.0.0.1' (using password: {using})",
    )
    assert session.server.logins == []


def test_unknown_users_may_pass() -> None:
    config = USERS + "[login_mapping]\nunknown_users = pass\n"
    with mapping("direct", "pw", config) as session:
        assert session.query("SELECT 1").ok
        assert session.command(change_user("direct")).error is not None
    assert refusal(mapping("direct", "wrong", config)).error is not None
    # A name that is mapped never passes as it is.
    assert refusal(mapping("open", "x", config)).error is not None


def test_what_goes_wrong_at_the_server_names_nobody() -> None:
    session = mapping(server=FakeServer(users={"shop_rw": "changed"}))
    error = refusal(session).error
    assert error is not None and error[:2] == (1045, "28000")
    assert "shop_rw" not in error.message
    (line,) = [entry.text for entry in session.log if "shop_rw" in entry.text]
    assert "the log-in as shop_rw failed: Access denied for user 'shop_rw'" in line


def test_a_server_that_wants_another_method() -> None:
    class Other(FakeServer):
        def accept(self, *arguments: object) -> object:  # type: ignore[override]
            connection = super().accept(*arguments)  # type: ignore[arg-type]
            connection._read_login = lambda payload: [b"\xfeclient_ed25519\0salt"]  # type: ignore[method-assign]
            return connection

    session = mapping(server=Other())
    error = refusal(session).error
    assert error is not None and error[:2] == (1045, "28000")
    assert any("another method than mysql_native_password" in entry.text for entry in session.log)


def test_a_connection_of_the_pool_cannot_be_mapped() -> None:
    from_pool = """
        from pyproxy.hooks.login_mapping import *

        def connect_server(proxy):
            proxy.connection.backend_ndx = 0
            return proxy.PROXY_IGNORE_RESULT

        def disconnect_client(proxy):
            proxy.connection.backend_ndx = -1
        """
    options = {"server": server(), "user": "app", "password": "front", "script_config": USERS}
    with Session(from_pool, **options) as session:  # type: ignore[arg-type]
        assert session.query("SELECT 1").ok
        # Without COM_QUIT, which would end the server's connection, too.
        session.disconnect()
        with pytest.raises(LoginRefused, match="a pooled connection cannot be mapped"):
            session.new_client().query("SELECT 1")


def test_change_user_is_refused() -> None:
    with mapping() as session:
        session.query("SELECT 1")
        error = session.command(change_user("direct")).error
        assert error is not None and error[:2] == (1227, "42000")
        assert session.query("SELECT 1").ok
        assert session.command(b"\x1f").ok


def test_a_client_with_another_method_is_asked_to_switch() -> None:
    class Sha2(Session):
        """A client that comes with caching_sha2_password."""

        def _login(self, scramble: bytes) -> bytes:
            login = proto.from_response_packet(super()._login(scramble), PLUGIN_AUTH)
            changed = {"response": bytes(32), "auth_plugin_name": b"caching_sha2_password"}
            return proto.to_response_packet(
                login._replace(server_capabilities=login.capabilities, **changed)
            )

    options = {"server": server(), "user": "app", "script_config": USERS}
    with Sha2(SCRIPT, password="front", **options) as session:
        assert session.query("SELECT 1").ok
        (login,) = session.server.logins
        assert proto.from_response_packet(login, PLUGIN_AUTH).username == b"shop_rw"
    assert refusal(Sha2(SCRIPT, password="wrong", **options)).error is not None


def test_a_client_without_methods() -> None:
    with mapping(capabilities=0x8200) as session:
        assert session.query("SELECT 1").ok


def test_a_file_of_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "users"
    path.write_text(f"# front = hash user password\n\n app = {hashed('file')} readonly\n")
    path.chmod(0o600)
    config = USERS + f"[login_mapping]\nusers_file = {path}\n"
    with mapping(password="file", config=config) as session:
        monkeypatch.setattr(session.script, "_INTERVAL", 0.0)
        assert session.connect().ok
        # What the file does not name is in the section.
        assert session.new_client(user="open", password="").connect().ok
        replace(path, f"app = {hashed('new')} readonly\n")
        assert session.new_client(password="new").connect().ok
        assert not session.new_client(password="file").connect().ok
        replace(path, "nonsense\n")
        assert session.new_client(password="new").connect().ok
        assert [entry.text for entry in session.log if f"{path}:1: expected" in entry.text]


def test_a_file_that_everybody_can_read_is_complained_about(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("")
    path.chmod(0o644)
    config = USERS + f"[login_mapping]\nusers_file = {path}\n"
    with mapping(config=config) as session:
        assert any("everybody can read it" in entry.text for entry in session.log)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("[login_mapping_users]\na = secret b c", "a: the hash must be"),
        ("[login_mapping_users]\na = -", "a: expected a hash, a user"),
        ("[login_mapping]\nunknown_users = maybe", "expected refuse or pass"),
        ("[login_mapping]\nusers_file = /nowhere/users", "No such file"),
    ],
)
def test_what_makes_no_sense_stops_the_start(config: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint) as caught:
        mapping(config=config + "\n")
    assert "secret" not in str(caught.value)


# --- the packet


def login(capabilities: int, *fields: bytes) -> bytes:
    """A log-in: what comes before the user is told by its bytes."""
    return capabilities.to_bytes(4, "little") + bytes(range(28)) + b"".join(fields)


@pytest.mark.parametrize(
    ("capabilities", "before", "after"),
    [
        (0x8200, [b"a\0", b"\x14" + bytes(20)], [b"new\0", b"\x02xy"]),
        (0x8208, [b"a\0", b"\0", b"db\0"], [b"new\0", b"\x02xy", b"db\0"]),
        (0x0200, [b"a\0", b"old\0"], [b"new\0", b"xy\0"]),
        (
            0x8208 | PLUGIN_AUTH | LENENC_AUTH | ATTRIBUTES,
            [b"a\0", b"\xfc\x2c\x01" + bytes(300), b"db\0", b"sha256_password\0", b"\x04\1k\1v"],
            [b"new\0", b"\x02xy", b"db\0", b"mysql_native_password\0", b"\x04\1k\1v"],
        ),
        (
            0x8200 | PLUGIN_AUTH,
            [b"a\0", b"\0", b"method without end"],
            [b"new\0", b"\x02xy", b"mysql_native_password\0"],
        ),
    ],
)
def test_only_user_and_proof_are_replaced(
    capabilities: int, before: list[bytes], after: list[bytes]
) -> None:
    assert replaced(login(capabilities, *before), b"new", b"xy") == login(capabilities, *after)


@pytest.mark.parametrize("packet", [b"", bytes(40), login(0x8200)[:31], login(0x8200, b"a\0")])
def test_what_is_no_login(packet: bytes) -> None:
    with pytest.raises(proto.PacketError):
        replaced(packet, b"new", b"")


def test_the_hash_of_the_docstring() -> None:
    text = "*" + password.hash(password.hash("front")).hex()
    assert text == hashed("front")
    assert accounts.parse({"a": f"{text.upper()} b  c d "}) == {
        "a": accounts.Account(bytes.fromhex(text[1:]), "b", "c d ")
    }


def change_user(name: str) -> bytes:
    """COM_CHANGE_USER without a password."""
    return b"\x11" + name.encode() + b"\0\0\0\x2d\0mysql_native_password\0"


def replace(path: Path, text: str) -> None:
    """Replaces a file by another one."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.chmod(0o600)
    os.replace(draft, path)


def test_refused_logins_are_logged_and_slowed_down() -> None:
    config = USERS + "[login_mapping]\nfree_refusals = 1\n"
    with mapping(config=config) as session:

        def is_in(user: str, secret: str) -> bool:
            client = session.new_client(user=user, password=secret)
            try:
                return client.query("SELECT 1").ok
            except LoginRefused as refused:
                assert refused.answer.error is not None
                assert refused.answer.error.errno == 1045
                return False

        assert not is_in("app", "wrong")
        assert is_in("app", "front")
        assert not is_in("app", "wrong")
        assert not is_in("app", "wrong")
        # It comes too soon: whether the password is right is not told.
        assert not is_in("app", "front")
        assert is_in("open", "")
        assert not is_in("no\x1bbody", "x")
        lines = [entry.text for entry in session.log if "refused a log-in" in entry.text]
        assert [line.split(" of ", 1)[1] for line in lines] == [
            "app from 127.0.0.1, the 1. in a row",
            "app from 127.0.0.1, the 1. in a row",
            "app from 127.0.0.1, the 2. in a row",
            "app from 127.0.0.1, the 3. in a row",
            "no\\x1bbody from 127.0.0.1, the 1. in a row",
        ]
