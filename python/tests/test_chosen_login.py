"""Logins that a script takes to a backend of its choice, and clients that the proxy greets by itself."""

from __future__ import annotations

from pathlib import Path

import pyproxy
import pytest
from pyproxy.testing import Error, FakeServer, LoginRefused, Session

BY_USER = """
WHERE = {"ann": 0, "bob": 1, "eve": 5}

def read_auth(proxy):
    ndx = WHERE.get(proxy.connection.client.username)
    if ndx is not None:
        proxy.connection.backend_ndx = ndx
        assert proxy.connection.backend_ndx == ndx
"""
GREETS = """
def connect_server(proxy):
    return proxy.PROXY_GREET
"""
EXAMPLE = Path(__file__).parents[2] / "examples/login_routing.py"


def servers() -> list[FakeServer]:
    return [FakeServer(users={"ann": "a", "any": "x"}), FakeServer(users={"bob": "b", "any": "x"})]


def backend_of(session: Session) -> int:
    """Where the session's client is."""
    assert session.query("SELECT 1").ok
    with session.inspect() as proxy:
        counts = [backend.connected_clients for backend in proxy.globals.backends]
        ndx = proxy.connection.backend_ndx
        assert counts[ndx] == 1 and sum(counts) == 1
    assert session.server_queries[-1].backend == ndx
    return ndx


@pytest.mark.parametrize("greets", ["", GREETS])
def test_the_user_says_where_the_login_goes(greets: str) -> None:
    with Session(BY_USER + greets, backends=servers(), user="bob", password="b") as session:
        assert backend_of(session) == 1
        session.quit()
        ann = session.new_client(user="ann", password="a")
        assert backend_of(ann) == 0
        ann.quit()
        assert backend_of(session.new_client(user="any", password="x")) == 0


@pytest.mark.parametrize("greets", ["", GREETS])
@pytest.mark.parametrize("method", ["mysql_native_password", "caching_sha2_password"])
def test_the_server_asks_by_its_own_method(greets: str, method: str) -> None:
    second = FakeServer(users={"bob": "b"}, method=method)
    backends = [FakeServer(users={}), second]
    with Session(BY_USER + greets, backends=backends, user="bob", password="b") as session:
        assert backend_of(session) == 1
        [connection] = second.connections[-1:]
        login, answer = connection.received[:2]
        assert b"pyproxy_switch_request" in login and len(answer) == 20
        if method == "mysql_native_password":
            session.quit()
            with pytest.raises(LoginRefused, match="Access denied"):
                session.new_client(user="bob", password="wrong").query("SELECT 1")
        assert backends[0].logins == []


def test_the_proxy_asks_each_server_for_its_greeting_once() -> None:
    backends = servers()
    with Session(BY_USER + GREETS, backends=backends, user="bob", password="b") as session:
        assert backend_of(session) == 1
        assert [len(server.connections) for server in backends] == [1, 2]
        session.quit()
        session.new_client(user="bob", password="b").query("SELECT 1")
        assert [len(server.connections) for server in backends] == [1, 3]


def test_what_cannot_be_reached_is_said() -> None:
    backends = servers()
    with Session(BY_USER, backends=backends, user="eve") as session:
        with pytest.raises(LoginRefused, match="pyproxy: there is no backend 5"):
            session.query("SELECT 1")
        backends[1].down = True
        with pytest.raises(LoginRefused, match=r"backend 1 \(127.0.0.1:3307\) is down"):
            session.new_client(user="bob", password="b").query("SELECT 1")
        assert backends[0].logins == [], "nobody else gets it"
        warnings = [entry.text for entry in session.log if entry.level == "warning"]
        assert any("read_auth chose where the login goes, but" in text for text in warnings)


def test_a_server_that_is_full_when_it_is_asked_for_its_greeting() -> None:
    full = FakeServer(greeting=Error(1040, "08004", "Too many connections"))
    with Session(BY_USER + GREETS, backends=[full, FakeServer()], user="bob") as session:
        assert backend_of(session) == 1
    with Session(GREETS, server=full) as session:
        with pytest.raises(LoginRefused, match="Too many connections"):
            session.query("SELECT 1")


def test_a_parked_connection_of_the_user_is_used_again() -> None:
    pools = (
        BY_USER
        + """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"""
    )
    backends = servers()
    with Session(pools, backends=backends, user="bob", password="b") as session:
        assert backend_of(session) == 1
        session.quit()
        again = session.new_client(user="bob", password="b")
        assert again.query("SELECT 1").ok
        assert len(backends[1].connections) == 1
        commands = [query.command for query in backends[1].commands]
        assert commands == [pyproxy.COM_QUERY, pyproxy.COM_CHANGE_USER, pyproxy.COM_QUERY]


def test_a_stack_of_scripts(tmp_path: Path) -> None:
    (tmp_path / "greets.py").write_text(GREETS)
    (tmp_path / "routes.py").write_text(BY_USER)
    (tmp_path / "looks.py").write_text(
        "def read_auth(proxy):\n    print(proxy.connection.backend_ndx, proxy.connection.server)\n"
    )
    settings = {"directory": str(tmp_path), "scripts": ("greets", "routes", "looks")}
    with Session(
        "pyproxy.hooks.load_multi",
        backends=servers(),
        user="bob",
        password="b",
        config={"load_multi": settings},
    ) as session:
        assert backend_of(session) == 1


def test_the_decision_is_for_connect_server_only() -> None:
    assert pyproxy.PROXY_GREET == 5
    script = """
    def read_auth(proxy):
        return proxy.PROXY_GREET
    """
    with Session(script, raise_errors=False) as session:
        with pytest.raises(LoginRefused, match="read_auth failed"):
            session.query("SELECT 1")


def test_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    backends = [FakeServer(), FakeServer(), FakeServer()]
    with Session(EXAMPLE, backends=backends, user="report_anna") as session:
        assert backend_of(session) == 2
        session.quit()
        tenant = session.new_client(user="u", database="tenant_4")
        assert backend_of(tenant) == 1
        tenant.quit()
        assert backend_of(session.new_client(user="u", database="tenant_x")) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["report_anna: backend 2", "u: backend 1", "u: backend 0"]
