"""Sessions: what a test sees of the client, the servers, the log and the script."""

from __future__ import annotations

import builtins
import logging
import re
import sys
import types
from pathlib import Path
from typing import NoReturn

import pyproxy
import pytest
from pyproxy.testing import (
    Disconnect,
    Error,
    FakeServer,
    LocalInfile,
    LogEntry,
    LoginRefused,
    Ok,
    Packets,
    Result,
    Session,
)

ECHO = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {"fields": [("echo", proxy.MYSQL_TYPE_STRING)], "rows": [(packet[1:].decode(),)]},
        }
        return proxy.PROXY_SEND_RESULT
"""


def test_without_a_script_queries_reach_the_server() -> None:
    server = FakeServer().on("SELECT 1", Result([("1", pyproxy.MYSQL_TYPE_LONG)], [(1,)]))
    with Session(server=server) as session:
        answer = session.query("SELECT 1")
        assert answer.ok
        assert answer.rows == [("1",)]
        assert answer.fields is not None
        assert [(field.name, field.type) for field in answer.fields] == [("1", 3)]
        assert [query.text for query in session.server_queries] == ["SELECT 1"]
    assert [query.command for query in server.commands] == [pyproxy.COM_QUERY, pyproxy.COM_QUIT]


def test_a_script_answers_and_the_server_hears_nothing() -> None:
    with Session(ECHO) as session:
        assert session.query("hällo").rows == [("hällo",)]
        assert session.server_queries == []


def test_an_answer_has_the_counts_of_ok() -> None:
    server = FakeServer().on("UPDATE", Ok(affected_rows=3, insert_id=7, warnings=1))
    with Session(server=server) as session:
        answer = session.query("UPDATE")
        assert (answer.affected_rows, answer.insert_id, answer.warnings) == (3, 7, 1)
        assert answer.rows is None
        assert answer.server_status == 2
        assert answer.packets == [b"\0\x03\x07\x02\0\x01\0"]


def test_an_answer_has_the_error() -> None:
    server = FakeServer().on(re.compile("^SELECT"), Error(1146, "42S02", "no such table"))
    with Session(server=server) as session:
        answer = session.query("SELECT * FROM t")
        assert not answer.ok
        assert answer.error == (1146, "42S02", "no such table")
        assert session.query("UPDATE t").ok


def test_an_answer_of_several_results() -> None:
    parts = [Result(["a"], [("1",)]), Ok(5), Result(["b"], [("2",), ("3",)])]
    with Session(server=FakeServer().on("CALL p()", parts)) as session:
        answer = session.query("CALL p()")
        assert answer.rows == [("1",)]
        assert [part.rows for part in answer.results] == [[("1",)], None, [("2",), ("3",)]]
        assert answer.results[1].affected_rows == 5


def test_the_log_has_what_the_plugin_would_write() -> None:
    script = "def read_query(proxy, packet): raise ValueError('hidden')"
    with Session(script, raise_errors=False) as session:
        error = session.query("SELECT 1").error
        assert error == (1105, "HY000", "pyproxy: read_query failed, see the proxy log")
        [entry] = session.log
    assert entry.level == "critical"
    assert entry.text.startswith("connection 1 (127.0.0.1:50001): read_query failed:\nTraceback")
    assert entry.text.endswith("\nValueError: hidden")
    # Frames of this package are of no use to whoever wrote the script.
    assert entry.text.count("File ") == 1


def test_what_a_hook_raises_is_raised_to_the_test() -> None:
    script = """
    def read_query(proxy, packet):
        helper(packet)
    def helper(packet):
        raise ValueError("seen")
    """
    with Session(script) as session:
        with pytest.raises(ValueError, match="seen") as raised:
            session.query("SELECT 1")
        names = [frame.name for frame in raised.traceback]
        assert names[-2:] == ["read_query", "helper"]
        [entry] = session.log
        assert "read_query failed:" in entry.text
        # The client has its answer, and may go on.
        assert session.server_queries == []
        with pytest.raises(ValueError, match="seen"):
            session.query("SELECT 2")


def test_what_a_hook_may_not_return_is_raised_to_the_test() -> None:
    with Session("def read_query(proxy, packet): return True") as session:
        with pytest.raises(TypeError, match="read_query returned True, which it may not return"):
            session.query("SELECT 1")


def test_what_the_last_hooks_raise_is_raised_when_all_is_closed() -> None:
    script = """
    def disconnect_client(proxy): raise ValueError("one")
    def shutdown(proxy): raise KeyError("two")
    """
    session = Session(script)
    session.query("SELECT 1")
    with pytest.raises(ValueError, match="one"):
        session.close()
    assert session.closed
    assert len(session.log) == 2
    assert session.server.connections[0].closed


def test_on_script_error_forward() -> None:
    script = "def read_query(proxy, packet): return 17"
    server = FakeServer().on("SELECT 1", Result(["1"], [("1",)]))
    options = {"on_script_error": "forward", "raise_errors": False}
    with Session(script, server=server, **options) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        [entry] = session.log
        assert entry.text.endswith("read_query returned 17, which it may not return")
        del session.log[:]


def test_without_profiling_queries_are_not_shown_to_the_script() -> None:
    with Session(ECHO, profiling=False) as session:
        assert session.query("SELECT 1").rows is None


def test_prepared_statements() -> None:
    fields = [("n", pyproxy.MYSQL_TYPE_LONG), ("d", pyproxy.MYSQL_TYPE_DATE)]
    server = FakeServer().on("SELECT ?", Result(fields, [(1, None), (-2, "2020-02-03")]))
    with Session(server=server) as session:
        statement = session.prepare("SELECT ?")
        assert (statement.id, statement.parameters) == (1, 1)
        rows = session.execute(statement, [5]).rows
        assert rows is not None
        assert rows[0] == (1, None)
        assert rows[1][0] == -2
        assert str(rows[1][1]) == "2020-02-03"
        assert session.close_statement(statement).packets == []
        error = session.execute(statement, [5]).error
        assert error is not None
        assert error.errno == 1243


def test_cursors() -> None:
    rows = [(1,), (2,), (3,)]
    server = FakeServer().on("SELECT n", Result([("n", pyproxy.MYSQL_TYPE_LONG)], rows))
    script = """
    def read_query(proxy, packet):
        proxy.queries.append(packet[0], packet, True)
        return proxy.PROXY_SEND_QUERY
    fetched = []
    def read_query_result(proxy, inj):
        if inj.id == proxy.COM_STMT_FETCH:
            fetched.extend(inj.resultset.rows or ())
    """
    with Session(script, server=server) as session:
        statement = session.prepare("SELECT n")
        opened = session.execute(statement, flags=1)
        assert (opened.rows, opened.server_status) == ([], 0x42)
        assert session.fetch(statement, 2).rows == [(1,), (2,)]
        last = session.fetch(statement, 2)
        assert (last.rows, last.server_status) == ([(3,)], 0x82)
        assert session.script.fetched == rows
        error = session.fetch(99, 1).error
        assert error is not None
        assert error.errno == 1421


def test_local_files() -> None:
    server = FakeServer().on("LOAD", LocalInfile("f.csv", Ok(affected_rows=2)))
    with Session(server=server) as session:
        session.local_file = b"1\n2\n"
        answer = session.query("LOAD")
        assert answer.packets[0] == b"\xfbf.csv"
        assert answer.affected_rows == 2
    assert b"1\n2\n" in server.connections[0].received


def test_the_status_follows_transactions() -> None:
    with Session() as session:
        statuses = [
            session.query(sql).server_status for sql in ("BEGIN", "COMMIT", "SET autocommit=0")
        ]
        assert statuses == [3, 2, 0]


def test_a_wrong_password() -> None:
    server = FakeServer(users={"u": "secret"})
    with Session(server=server, password="wrong") as session:
        answer = session.connect()
        assert answer.error is not None
        assert answer.error.errno == 1045
        assert session.closed
    with Session(server=server, password="wrong") as session, pytest.raises(LoginRefused) as raised:
        session.query("SELECT 1")
    assert raised.value.answer.error == answer.error
    with Session(server=server, password="secret") as session:
        assert session.query("SELECT 1").ok


def test_a_connection_that_was_closed() -> None:
    script = "def read_query(proxy, packet): proxy.connection.connection_close = True"
    with Session(script) as session:
        assert session.query("SELECT 1").ok
        assert session.closed
        with pytest.raises(ConnectionError, match="closed"):
            session.query("SELECT 2")
        assert session.connect().ok
        assert not session.closed


def test_a_server_that_dies() -> None:
    server = FakeServer().on("die", Disconnect(b"\x01"))
    with Session(server=server) as session:
        answer = session.query("die")
        assert answer.packets == [b"\x01"]
        assert not answer.ok
        assert session.closed
    with Session(server=FakeServer().on("die", Disconnect())) as session:
        answer = session.query("die")
        assert answer.packets == []
        assert not answer.ok
        assert session.closed


def test_a_server_that_closes_without_a_greeting_is_down() -> None:
    broken = FakeServer(greeting=Disconnect())
    with Session(
        backends=[broken, FakeServer().on("SELECT 1", Result(["1"], [("1",)]))]
    ) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        with session.inspect() as proxy:
            states = [backend.state for backend in proxy.globals.backends]
        assert states == [pyproxy.BACKEND_STATE_DOWN, pyproxy.BACKEND_STATE_UP]
    with Session(server=FakeServer(greeting=Disconnect())) as session:
        with pytest.raises(LoginRefused, match="all backends are down"):
            session.query("SELECT 1")


def test_an_answer_without_an_end_is_a_defect_of_the_test() -> None:
    with Session(server=FakeServer().on("odd", Packets(b"\x01"))) as session:
        with pytest.raises(RuntimeError, match="COM_QUERY has no end"):
            session.query("odd")


def test_several_backends() -> None:
    script = """
    def connect_server(proxy):
        proxy.connection.backend_ndx = 2
    """
    servers = [FakeServer(), FakeServer()]
    with Session(script, backends=servers, read_only=[FakeServer()]) as session:
        session.query("SELECT 1")
        assert [(query.backend, query.text) for query in session.server_queries] == [
            (2, "SELECT 1")
        ]
        with session.inspect() as proxy:
            assert [backend.type for backend in proxy.globals.backends] == [1, 1, 2]
            assert proxy.connection.backend_ndx == 2


def test_several_clients_share_the_proxy() -> None:
    script = """
    queries = 0
    def read_query(proxy, packet):
        global queries
        queries += 1
        proxy.connection.mine = getattr(proxy.connection, "mine", 0) + 1
    """
    with Session(script) as session:
        other = session.new_client(user="bob")
        session.query("SELECT 1")
        other.query("SELECT 2")
        session.query("SELECT 3")
        assert session.script.queries == 3
        with session.inspect() as proxy:
            assert (proxy.connection.mine, proxy.connection.client.username) == (2, "u")
        with other.inspect() as proxy:
            assert (proxy.connection.mine, proxy.connection.client.username) == (1, "bob")
            assert proxy.globals.backends[0].connected_clients == 2


POOLING = """
def connect_server(proxy):
    proxy.connection.backend_ndx = 0
    if proxy.connection.server:
        return proxy.PROXY_IGNORE_RESULT

def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"""


def test_pooled_connections_are_used_again() -> None:
    with Session(POOLING) as session:
        session.query("SELECT 1")
        session.quit()
        with session.inspect() as proxy:
            assert list(proxy.globals.backends[0].pool.users) == ["u"]
        session.new_client(user="bob").query("SELECT 2")
        [connection] = session.server.connections
        commands = [query.command for query in session.server_queries]
        assert commands == [pyproxy.COM_QUERY, pyproxy.COM_CHANGE_USER, pyproxy.COM_QUERY]
        session.server.drop_connections()
        with session.inspect() as proxy:
            assert len(proxy.globals.backends[0].pool.users) == 0


def test_a_script_is_a_path_and_is_loaded_anew_each_time(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("value = []\n")
    path = tmp_path / "counting.py"
    path.write_text(
        "import beside_it\n"
        "def read_query(proxy, packet):\n"
        "    beside_it.value.append(packet)\n"
        "    proxy.response.affected_rows = len(beside_it.value)\n"
        "    proxy.response.type = proxy.MYSQLD_PACKET_OK\n"
        "    return proxy.PROXY_SEND_RESULT\n"
    )
    for script in (path, str(path)):
        with Session(script) as session:
            assert session.query("a").affected_rows == 1
            assert session.query("b").affected_rows == 2
            assert session.globals.config.python_script == str(path)
        assert "beside_it" not in sys.modules
        assert str(tmp_path) not in sys.path


def test_a_script_is_whatever_has_functions() -> None:
    seen: list[bytes] = []

    def read_query(proxy: pyproxy.Proxy, packet: bytes) -> None:
        seen.append(packet)

    namespaces: list[types.SimpleNamespace | dict[str, object]] = [
        types.SimpleNamespace(read_query=read_query),
        {"read_query": read_query},
    ]
    for namespace in namespaces:
        with Session(namespace) as session:
            session.query("SELECT 1")
    assert seen.count(b"\x03SELECT 1") == 2


def test_a_script_is_the_name_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_package_of_hooks").mkdir()
    (tmp_path / "a_package_of_hooks" / "echo.py").write_text(ECHO)
    (tmp_path / "a_package_of_hooks" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with Session("a_package_of_hooks.echo") as session:
        assert session.query("hello").rows == [("hello",)]
    with pytest.raises(ModuleNotFoundError, match="a_package_of_hooks.missing"):
        Session("a_package_of_hooks.missing")


def test_a_script_that_does_not_load() -> None:
    """What loading raises is raised to the test, and leaves nothing behind."""
    with pytest.raises(ZeroDivisionError):
        Session("1 / 0")
    with pytest.raises(KeyError):
        Session("def init(proxy): raise KeyError('in init')")
    assert not [name for name in sys.modules if name.startswith("pyproxy_script_")]
    assert not hasattr(builtins, "proxy")


def test_init_and_shutdown() -> None:
    script = """
    calls = []
    def init(proxy):
        calls.append(("init", len(proxy.globals.backends), proxy.connection))
    def shutdown(proxy):
        calls.append(("shutdown", proxy.globals.config.profiling))
    """
    with Session(script) as session:
        calls = session.script.calls
        assert calls == [("init", 1, None)]
    assert calls[1:] == [("shutdown", True)]


def test_the_builtin_proxy_is_there_while_code_of_the_script_runs() -> None:
    assert not hasattr(builtins, "proxy")
    script = "PING = proxy.COM_PING\ndef read_query(p, packet): assert proxy.COM_PING == PING\n"
    with Session(script) as session:
        assert session.script.PING == pyproxy.COM_PING
        assert session.query("SELECT 1").ok
        assert session.log == []
        assert not hasattr(builtins, "proxy")


def test_settings_from_a_mapping_and_from_a_file(tmp_path: Path) -> None:
    script = """
    from pyproxy.settings import section
    settings = section("mine", limit=5, name="x")
    """
    with Session(script, config={"mine": {"limit": 7}}) as session:
        assert (session.script.settings.limit, session.script.settings.name) == (7, "x")
    with Session(script, script_config="[mine]\nlimit = 9\n") as session:
        assert session.script.settings.limit == 9
    path = tmp_path / "proxy.ini"
    path.write_text("[mine]\nname = y\n")
    with Session(script, script_config=path) as session:
        assert (session.script.settings.limit, session.script.settings.name) == (5, "y")
        assert session.globals.config.script_config == str(path)


def test_logging_and_the_chassis() -> None:
    script = """
    import logging
    from pyproxy import chassis

    def read_query(proxy, packet):
        logging.getLogger("mine").info("an %s", "info")
        chassis.message("a message")
        if chassis.get_stats()["queries"] == 2:
            chassis.set_shutdown()
    """
    level = logging.root.level
    with Session(script) as session:
        session.query("SELECT 1")
        assert session.log == [
            LogEntry("info", "mine: an info"),
            LogEntry("message", f"({_file(session)}:7) a message"),
        ]
        assert not session.shutdown_requested
        session.query("SELECT 2")
        assert session.shutdown_requested
    assert logging.root.level == level


def _file(session: Session) -> str:
    return str(session.script.__file__)


def test_objects_are_gone_when_the_plugin_says_so() -> None:
    script = """
    kept = []
    def read_query(proxy, packet):
        kept.append(proxy)
    """
    with Session(script) as session:
        session.query("SELECT 1")
        [proxy] = session.script.kept
        with pytest.raises(ReferenceError, match="only while a hook runs"):
            proxy.connection.client  # noqa: B018
        with session.inspect() as inspected:
            assert inspected is proxy
            assert proxy.connection.client.username == "u"
            with pytest.raises(ReferenceError, match="only in its own hooks"):
                proxy.connection.backend_ndx = -1
        session.disconnect()
        with session.inspect(), pytest.raises(ReferenceError, match="the connection is gone"):
            proxy.connection.client  # noqa: B018
        assert repr(proxy) == "<pyproxy.Proxy <pyproxy.Connection (gone)>>"


def test_a_long_queue() -> None:
    script = """
    def read_query(proxy, packet):
        for number in range(3000):
            proxy.queries.append(number, packet, True)
        return proxy.PROXY_SEND_QUERY
    def read_query_result(proxy, inj):
        if inj.id < 2999:
            return proxy.PROXY_IGNORE_RESULT
    """
    with Session(script) as session:
        assert session.query("SELECT 1").ok
        assert len(session.server_queries) == 3000


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="either server or backends"):
        Session(server=FakeServer(), backends=[FakeServer()])
    with pytest.raises(ValueError, match="on_script_error"):
        Session(on_script_error="ignore")
    with Session() as session:
        assert session.connect().ok
        with pytest.raises(RuntimeError, match="connected already"):
            session.connect()


def test_what_is_no_function_is_ignored_with_a_warning() -> None:
    with Session("read_query = 1\nshutdown = 2\ninit = 3") as session:
        assert session.query("SELECT 1").ok
        names = ("read_query", "shutdown", "init")
        assert session.log == [
            LogEntry("warning", f"the script's {name} is not a function: it is ignored")
            for name in names
        ]


def test_a_server_that_cannot_be_asked() -> None:
    class Broken(FakeServer):
        def accept(self, *arguments: object) -> NoReturn:
            raise OSError("broken")

    with Session(server=Broken()) as session:
        with pytest.raises(OSError, match="broken"):
            session.query("SELECT 1")
        assert session.quit() is None


def test_a_server_may_look_at_the_session_that_it_answers() -> None:
    def answer(sql: str) -> Ok:
        with session.inspect() as proxy:
            return Ok(0 if session.closed else proxy.globals.backends[0].connected_clients)

    session = Session("def read_query(proxy, packet): pass", server=FakeServer().on("a", answer))
    with session:
        assert session.query("a").affected_rows == 1


def test_a_session_is_of_no_use_in_the_middle_of_its_own_exchange() -> None:
    server = FakeServer().on("a", lambda sql: session.query("b"))
    with Session(server=server) as session:
        with pytest.raises(RuntimeError, match="in the middle of an exchange"):
            session.query("a")
