"""The script `load_multi`: who is asked in which order, and what scripts have of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import FakeServer, LoginRefused, Ok, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"

SPEAKS = """
NAME = {name!r}
def connect_server(proxy): print(NAME, "connect_server")
def read_handshake(proxy): print(NAME, "read_handshake")
def read_auth(proxy): print(NAME, "read_auth")
def read_auth_result(proxy, auth): print(NAME, "read_auth_result", auth.packet[0])
def read_query(proxy, packet): print(NAME, "read_query", packet)
def read_query_result(proxy, inj): print(NAME, "read_query_result", inj.id)
def disconnect_client(proxy): print(NAME, "disconnect_client")
def init(proxy): print(NAME, "init", proxy.connection, proxy.COM_QUERY)
def shutdown(proxy): print(NAME, "shutdown", proxy.connection)
"""
QUEUES = """
def read_query(proxy, packet):
    if packet[1:] == b"{text}":
        proxy.queries.append({id}, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    print("{text}", inj.id)
"""


class Folder:
    """A folder of scripts, and sessions in which the user `dba` may load them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> None:
        (self.path / f"{name}.py").write_text(text)

    def session(self, *scripts: str, **options: Any) -> Session:
        settings = {"directory": str(self.path), "scripts": scripts, "admin_users": ("dba",)}
        return Session(SCRIPT, config={"load_multi": settings}, **{"user": "dba", **options})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "scripts").mkdir()
    return Folder(tmp_path / "scripts")


def test_all_hooks_in_the_order_of_loading(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("one", SPEAKS.format(name="one"))
    folder.write("two", SPEAKS.format(name="two"))
    with folder.session("two", "one") as session:
        session.query("SELECT 1")
    events = [
        "init None 3",
        "connect_server",
        "read_handshake",
        "read_auth",
        "read_auth_result 0",
        "read_query b'\\x03SELECT 1'",
        "read_query b'\\x01'",
        "disconnect_client",
    ]
    lines = capsys.readouterr().out.splitlines()
    # Results come back the way that the query went.
    expected = [
        f"{name} {event}"
        for event in events
        for name in (("one", "two") if "result" in event else ("two", "one"))
    ]
    assert lines == [*expected, "one shutdown None", "two shutdown None"]


def test_the_first_decision_ends_the_question(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write(
        "refuses",
        """
def read_auth(proxy):
    proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "not you"}
    return proxy.PROXY_SEND_RESULT
""",
    )
    folder.write("speaks", SPEAKS.format(name="speaks"))
    with folder.session("refuses", "speaks") as session:
        with pytest.raises(LoginRefused, match="not you"):
            session.query("SELECT 1")
    assert "read_auth" not in capsys.readouterr().out


def test_a_result_goes_to_the_script_that_asked(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("a", QUEUES.format(text="DO 1", id=1))
    folder.write("b", QUEUES.format(text="DO 2", id=1))
    folder.write(
        "c",
        "def read_query(proxy, packet):\n"
        "    if packet[1:] == b'DO 3':\n"
        "        proxy.queries.append(1, packet, resultset_is_needed=True)\n"
        "        return proxy.PROXY_SEND_QUERY\n",
    )
    with folder.session("a", "b", "c") as session:
        other = session.new_client()
        for client, query in ((session, "DO 2"), (other, "DO 1"), (session, "DO 3")):
            assert client.query(query).ok
    assert capsys.readouterr().out.splitlines() == ["DO 2 1", "DO 1 1"]


def test_attributes_of_the_connection_belong_to_the_script(folder: Folder) -> None:
    counts = """
def read_query(proxy, packet):
    connection = proxy.connection
    assert not hasattr(connection, "load_multi_views")
    connection.count = getattr(connection, "count", 0) + {step}
    proxy.mark = getattr(proxy, "mark", "") + "{mark}"
    assert proxy is getattr(connection, "mine", proxy)
    connection.mine = proxy
    if packet[1:] == b"{mark}":
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        proxy.response.resultset = {{
            "fields": [("count", proxy.MYSQL_TYPE_LONG), ("mark", proxy.MYSQL_TYPE_STRING)],
            "rows": [(connection.count, proxy.mark)],
        }}
        return proxy.PROXY_SEND_RESULT
"""
    folder.write("one", counts.format(step=1, mark="x"))
    folder.write("ten", counts.format(step=10, mark="y"))
    with folder.session("one", "ten") as session:
        session.query("SELECT 1")
        assert session.query("y").rows == [("20", "yy")]
        assert session.query("x").rows == [("3", "xxx")]
        assert session.new_client().query("x").rows == [("1", "x")]
        assert session.log == []


def test_real_attributes_are_those_of_the_connection(folder: Folder) -> None:
    folder.write(
        "routes",
        """
def connect_server(proxy):
    proxy.connection.backend_ndx = 1
    proxy.globals.seen = (proxy.connection.client.username, len(proxy.globals.backends))
def read_query(proxy, packet):
    proxy.connection.connection_close = True
    try:
        proxy.connection.client = None
    except AttributeError:
        proxy.globals.read_only = True
""",
    )
    with folder.session("routes", backends=[FakeServer(), FakeServer()]) as session:
        session.query("SELECT 1")
        assert session.closed
        assert [query.backend for query in session.server_queries] == [1]
        assert session.globals.seen == (None, 2)
        assert session.globals.read_only


def test_loading_and_unloading_while_the_proxy_runs(folder: Folder) -> None:
    folder.write("a", QUEUES.format(text="DO 1", id=1))
    with folder.session() as session:
        answer = session.query("pload a;")
        assert answer.fields is not None
        assert ([field.name for field in answer.fields], answer.rows) == (
            ["info"],
            [("module a loaded",)],
        )
        for name in ("a", "a.py"):
            answer = session.query(f"PLOAD {name}")
            assert answer.rows == [(f"{name} is already loaded",)]
        answer = session.query("PUnload 'a.py'")
        assert answer.fields is not None
        assert ([field.name for field in answer.fields], answer.rows) == (
            ["a.py"],
            [("unloaded",)],
        )
        assert session.query("PUNLOAD a").rows == [("NOT FOUND",)]
        assert session.query("PUNLOAD").rows == [("NOT FOUND",)]
        assert session.server_queries == []


def test_a_script_begins_and_ends_without_a_connection(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("a", SPEAKS.format(name="a"))
    with folder.session() as session:
        session.query("PLOAD a")
        assert capsys.readouterr().out == "a init None 3\n"
        session.query("PUNLOAD a")
        assert capsys.readouterr().out == "a shutdown None\n"


def test_a_changed_script_can_be_loaded_again(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("a", QUEUES.format(text="DO 1", id=1))
    with folder.session("a") as session:
        session.query("PUNLOAD a")
        folder.write("a", QUEUES.format(text="DO 1", id=1234))
        session.query("PLOAD a")
        session.query("DO 1")
    assert capsys.readouterr().out == "DO 1 1234\n"


def test_a_result_reaches_a_script_that_was_unloaded_meanwhile(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("a", QUEUES.format(text="DO 1", id=1))
    with folder.session("a") as session:
        other = session.new_client()
        other.connect()

        def unload(sql: str) -> Result:
            assert other.query("PUNLOAD a").rows == [("unloaded",)]
            return Result(["1"], [("1",)])

        session.server.on("DO 1", unload)
        assert session.query("DO 1").rows == [("1",)]
        session.server.on("DO 1", Ok())
        assert session.query("DO 1").ok
    assert capsys.readouterr().out == "DO 1 1\n"


def test_the_commands_are_for_some_users(folder: Folder) -> None:
    folder.write("a", QUEUES.format(text="DO 1", id=1))
    with folder.session(user="app") as session:
        for text in ("PLOAD a", "PUNLOAD a", "pload_help", "PLOAD"):
            error = session.query(text).error
            assert error is not None
            assert error[:2] == (1227, "42000")
        assert session.server_queries == []
        for text in ("PLOADER a", "SELECT 'PLOAD a'", ""):
            assert session.query(text).ok
        assert len(session.server_queries) == 3


def test_help_and_other_words_for_the_commands(folder: Folder) -> None:
    settings = {"admin_users": ("dba",), "load_command": "Fetch", "help_command": "what"}
    with Session(SCRIPT, config={"load_multi": settings}, user="dba") as session:
        answer = session.query("WHAT")
        assert answer.fields is not None
        assert [field.name for field in answer.fields] == ["command", "description"]
        assert answer.rows is not None
        assert [row[0] for row in answer.rows] == ["Fetch name", "PUNLOAD name", "what"]
        assert session.query("fetch auditing").rows == [("module auditing loaded",)]
        assert session.query("PLOAD xtab").ok
        assert session.server_queries[-1].text == "PLOAD xtab"


@pytest.mark.parametrize(
    "name", ["", "missing", "..", "../out", "sub/../../out", "/etc/passwd", "link", "loop", "n\0"]
)
def test_files_outside_cannot_be_loaded(folder: Folder, name: str) -> None:
    (folder.path.parent / "out.py").write_text("def read_query(proxy, packet): pass\n")
    (folder.path / "sub").mkdir()
    (folder.path / "link.py").symlink_to(folder.path.parent / "out.py")
    (folder.path / "loop.py").symlink_to("loop.py")
    with folder.session() as session:
        answer = session.query(f"PLOAD {name}")
        assert answer.fields is not None
        assert [field.name for field in answer.fields] == ["ERROR"]
        assert answer.rows == [(f"{name}: there is no such script below the directory",)]


def test_files_in_folders_below_can_be_loaded(folder: Folder) -> None:
    (folder.path / "sub").mkdir()
    folder.write("sub/a", QUEUES.format(text="DO 1", id=1))
    with folder.session("sub/a") as session:
        assert session.query("PUNLOAD sub/a").rows == [("unloaded",)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "a: there is no hook in it"),
        ("def shutdown(proxy): pass\n", "a: there is no hook in it"),
        ("read_query = 5\n", "a: there is no hook in it"),
        (
            "def read_qeury(p, q): 1\n",
            "a: the function read_qeury is no hook: did you mean read_query?",
        ),
        (
            "def read_query(p): 1\n",
            "a: the proxy calls read_query(proxy, packet), but the script has read_query(p)",
        ),
        ("def read_query(p, q): 1\ndef init(): 1\n", "a: the proxy calls init(proxy), but"),
        ("def read_query(", "a: SyntaxError"),
        ("1 / 0\n", "a: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "a: SystemExit: 3"),
        ("def read_query(p, q): 1\ndef init(p): 1 / 0\n", "a: ZeroDivisionError"),
    ],
)
def test_scripts_that_cannot_be_loaded(folder: Folder, text: str, reason: str) -> None:
    folder.write("a", text)
    with folder.session() as session:
        answer = session.query("PLOAD a")
        assert answer.rows is not None
        assert str(answer.rows[0][0]).startswith(reason)
        assert session.query("PUNLOAD a").rows == [("NOT FOUND",)]
    with pytest.raises(Exception, match=re.escape(reason)):
        folder.session("a").close()


def test_a_start_that_fails_ends_what_has_begun(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("a", SPEAKS.format(name="a"))
    with pytest.raises(Exception, match="missing: there is no such script"):
        folder.session("a", "missing").close()
    assert capsys.readouterr().out == "a init None 3\na shutdown None\n"


def test_a_stack_is_no_part_of_itself() -> None:
    with Session(SCRIPT, config={"load_multi": {"admin_users": ("u",)}}) as session:
        answer = session.query("PLOAD load_multi")
        assert answer.rows == [("load_multi: a stack cannot be part of itself",)]


def test_what_a_script_leaves_behind_is_not_sent(folder: Folder) -> None:
    folder.write(
        "careless",
        """
def read_query(proxy, packet):
    proxy.queries.append(9, b"\\x03DROP DATABASE shop")
    proxy.response.errmsg = "careless"
    proxy.response.type = proxy.MYSQLD_PACKET_ERR
    return proxy.PROXY_NO_DECISION
""",
    )
    folder.write(
        "answers",
        """
def read_query(proxy, packet):
    if packet[1:] == b"a":
        assert len(proxy.queries) == 0 and proxy.response.errmsg is None
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
""",
    )
    with folder.session("careless", "answers") as session:
        assert session.query("a").ok
        assert session.query("b").ok
        assert [query.text for query in session.server_queries] == ["b"]
        assert any("read_query of careless queued" in entry.text for entry in session.log)


def test_one_failing_script_does_not_keep_the_others_from_cleaning_up(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write("fails", "def disconnect_client(p): 1 / 0\ndef shutdown(p): 1 / 0\n")
    folder.write(
        "cleans",
        "def disconnect_client(p): print('client')\ndef shutdown(p): print('all')\n",
    )
    with folder.session("fails", "cleans", raise_errors=False) as session:
        session.connect()
        session.disconnect()
        assert capsys.readouterr().out == "client\n"
        assert any("ZeroDivisionError" in entry.text for entry in session.log)
    assert capsys.readouterr().out == "all\n"


def test_an_exception_rejects_the_query(folder: Folder) -> None:
    folder.write("fails", "def read_query(proxy, packet): 1 / 0\n")
    with folder.session("fails", raise_errors=False) as session:
        error = session.query("SELECT 1").error
        assert error is not None
        assert "read_query failed" in error.message
        assert session.server_queries == []
