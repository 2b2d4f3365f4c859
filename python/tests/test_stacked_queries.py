"""How stacked scripts see each other's commands and results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import Answer, FakeServer, LoginRefused, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"

# Sends each query on under an id of its own, and says what it sees.
TELLS = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        return None
    print("{name} <", packet[1:].decode())
    proxy.queries.append({id}, packet, resultset_is_needed={needed})
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    r = inj.resultset
    rows = None if r.rows is None else [tuple(row) for row in r.rows]
    print("{name} >", inj.id, inj.query[1:].decode(), rows, r.error and r.error[9:].decode())
"""
# Has two queries in place of one; the client gets the second's result.
TWICE = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        return None
    proxy.queries.append(1, "\\x03first", resultset_is_needed=True)
    proxy.queries.append(2, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 1:
        return proxy.PROXY_IGNORE_RESULT
"""
MAKES = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        return None
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": [("n", proxy.MYSQL_TYPE_LONG)], "rows": [(7,), (None,)]},
    }
    return proxy.PROXY_SEND_RESULT
"""
REFUSES = """
def read_query(proxy, packet):
    if packet[1:] == b"{text}":
        proxy.response = {{"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "no"}}
        return proxy.PROXY_SEND_RESULT
"""


class Stack:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._path = path
        self._capsys = capsys

    def start(self, *scripts: str, **files: str) -> Session:
        for name, text in files.items():
            (self._path / f"{name}.py").write_text(text)
        config = {"directory": str(self._path), "scripts": scripts or tuple(files)}
        server = FakeServer().on("first", Result(["a"], [("1",)]))
        server.on("SELECT 1", Result(["1"], [("1",)]))
        return Session(
            SCRIPT, server=server, config={"load_multi": {**config, "admin_users": ("u",)}}
        )

    def lines(self) -> list[str]:
        return self._capsys.readouterr().out.splitlines()


@pytest.fixture
def stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stack:
    return Stack(tmp_path, capsys)


def tells(name: str, id: int = 1, needed: bool = True) -> str:
    return TELLS.format(name=name, id=id, needed=needed)


def warnings(session: Session) -> str:
    return "\n".join(entry.text for entry in session.log)


def test_what_one_queues_the_next_sees_one_by_one(stack: Stack) -> None:
    with stack.start(a=tells("a", 5), twice=TWICE, b=tells("b", 5)) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert [query.text for query in session.server_queries] == ["first", "SELECT 1"]
    assert stack.lines() == [
        "a < SELECT 1",
        "b < first",
        "b > 5 first [('1',)] None",
        "b < SELECT 1",
        "b > 5 SELECT 1 [('1',)] None",
        "a > 5 SELECT 1 [('1',)] None",
    ]


def test_results_come_back_as_the_scripts_behind_made_them(stack: Stack) -> None:
    with stack.start(a=tells("a"), makes=MAKES, b=tells("b")) as session:
        answer = session.query("SELECT 1")
        assert answer.rows == [("7",), (None,)]
        assert answer.fields is not None and answer.fields[0].type == 3
    assert stack.lines()[1:] == [
        "b < SELECT 1",
        "b > 1 SELECT 1 [('1',)] None",
        "a > 1 SELECT 1 [('7',), (None,)] None",
    ]


def test_a_made_result_of_a_prepared_statement(stack: Stack) -> None:
    sees = TELLS.replace(".decode()", "").format(name="a", id=1, needed=True)
    makes = MAKES.replace("packet[0] == proxy.COM_QUIT", "packet[0] != proxy.COM_STMT_EXECUTE")
    with stack.start("a", "makes", a=sees, makes=makes) as session:
        session.server.on("SELECT ?", Result([("n", 3)], [(1,)]))
        statement = session.prepare("SELECT ?")
        assert session.execute(statement, [1]).rows == [(7,), (None,)]
    assert "[(7,), (None,)]" in stack.lines()[-1]


def test_an_answer_without_the_server_is_a_result_to_those_in_front(stack: Stack) -> None:
    with stack.start(a=tells("a"), refuses=REFUSES.format(text="SELECT 1")) as session:
        error = session.query("SELECT 1").error
        assert error is not None and error.message == "no"
        assert session.server_queries == []
        assert session.query("DO 1").ok
    assert stack.lines() == [
        "a < SELECT 1",
        "a > 1 SELECT 1 None no",
        "a < DO 1",
        "a > 1 DO 1 None None",
    ]


def test_the_answer_can_be_there_before_the_server_is_asked(stack: Stack) -> None:
    more = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    if inj.id == 1:
        proxy.queries.append(2, "\\x03first", resultset_is_needed=True)
        return None
    print("more", [tuple(row) for row in inj.resultset.rows])
    return proxy.PROXY_IGNORE_RESULT
"""
    with stack.start(more=more, refuses=REFUSES.format(text="SELECT 1")) as session:
        error = session.query("SELECT 1").error
        assert error is not None and error.message == "no"
        assert [query.text for query in session.server_queries] == ["first"]
        assert session.query("DO 1").ok
    assert stack.lines() == ["more [('1',)]", "more [('1',)]"]


def test_a_refused_part_can_be_dropped(stack: Stack) -> None:
    with stack.start(twice=TWICE, refuses=REFUSES.format(text="first")) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert [query.text for query in session.server_queries] == ["SELECT 1"]


def test_rows_pass_while_they_arrive_if_nobody_needs_them(stack: Stack) -> None:
    with stack.start(a=tells("a", needed=False), b=tells("b", needed=False)) as session:
        assert session.query("SELECT 1").rows == [("1",)]
    assert stack.lines()[2:] == ["b > 1 SELECT 1 None None", "a > 1 SELECT 1 None None"]


def test_what_one_does_not_need_cannot_be_replaced_by_it(stack: Stack) -> None:
    makes = MAKES.replace("resultset_is_needed=True", "resultset_is_needed=False")
    with stack.start(a=tells("a"), makes=makes) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert "can be replaced or dropped only with resultset_is_needed" in warnings(session)


def test_if_all_results_are_dropped_there_is_an_error(stack: Stack) -> None:
    drops = TWICE.replace("if inj.id == 1", "if inj.id")
    for files in ({"drops": drops}, {"a": tells("a"), "drops": drops}):
        with stack.start(*files, **files) as session:
            error = session.query("SELECT 1").error
            assert error is not None and "no result was left" in error.message
            assert session.query("SELECT 1").error == error
    assert "a > 1 SELECT 1 None pyproxy: no result was left for this command" in stack.lines()


def test_of_two_results_the_first_counts(stack: Stack) -> None:
    both = TWICE.replace("if inj.id == 1", "if not inj.id")
    with stack.start(a=tells("a"), both=both) as session:
        session.server.on("SELECT 1", Result(["b"], [("2",)]))
        assert session.query("SELECT 1").rows == [("1",)]
        assert "is dropped: there is a result already" in warnings(session)
    assert stack.lines() == ["a < SELECT 1", "a > 1 SELECT 1 [('1',)] None"]


def test_commands_without_an_answer(stack: Stack) -> None:
    closes = """
def read_query(proxy, packet):
    if packet[1:] == b"close":
        proxy.queries.append(1, b"\\x19\\1\\0\\0\\0")
        proxy.queries.append(2, b"\\x0e", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
"""
    pong = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_PING:
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "affected_rows": 3}
        return proxy.PROXY_SEND_RESULT
"""
    with stack.start(a=tells("a"), closes=closes) as session:
        assert session.query("close").ok
        assert [query.command for query in session.server_queries] == [0x19, 0x0E]
    with stack.start("closes", "pong", closes=closes, pong=pong) as session:
        assert session.query("close").affected_rows == 3
        # The answer takes the place of the result of a ping of its own.
        assert [query.command for query in session.server_queries] == [0x19, 0x0E]
        assert session.query("SELECT 1").rows == [("1",)]


def test_what_nobody_handles_is_forwarded(stack: Stack) -> None:
    passes = "def read_query(proxy, packet): print('passes', packet[0])\n"
    result = "def read_query_result(proxy, inj): print('never')\n"
    with stack.start(a=passes + result, b=passes + result) as session:
        assert session.query("SELECT 1").rows == [("1",)]
    assert stack.lines() == ["passes 3", "passes 3", "passes 1", "passes 1"]


def test_an_exception_ends_the_command_only(stack: Stack) -> None:
    fails = "def read_query_result(proxy, inj): 1 / 0\n"
    fails = TWICE[: TWICE.index("def read_query_result")] + fails
    config = {"directory": str(stack._path), "scripts": ("a", "fails")}
    (stack._path / "a.py").write_text(tells("a"))
    (stack._path / "fails.py").write_text(fails)
    with Session(SCRIPT, config={"load_multi": config}, raise_errors=False) as session:
        error = session.query("SELECT 1").error
        assert error is not None and "read_query_result failed" in error.message
        assert [query.text for query in session.server_queries] == ["first"]


@pytest.mark.parametrize("value", ["True", "3", "'yes'"])
def test_a_decision_that_is_none_is_an_error(stack: Stack, value: str) -> None:
    with stack.start(a=f"def read_query(proxy, packet): return {value}\n") as session:
        with pytest.raises(ValueError, match="read_query of a returned"):
            session.query("SELECT 1")


def test_ready_made_scripts_beside_files(stack: Stack) -> None:
    with stack.start("histogram", "a", "xtab.py", a=tells("a")) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert session.query("XTAB VERSION").rows == [("0.1.3",)]
        rows: Any = session.query("SELECT * FROM histogram.queries").rows
        # Its questions are answered before they can be counted.
        assert [row[:2] for row in rows] == [("SELECT ? ", "1"), ("`XTAB` `VERSION` ", "1")]
        assert session.query("PLOAD auditing").rows == [("module auditing loaded",)]


def test_a_file_comes_before_a_ready_made_script_of_its_name(stack: Stack) -> None:
    with stack.start(xtab=tells("mine")) as session:
        session.query("XTAB VERSION")
    assert stack.lines()[0] == "mine < XTAB VERSION"


def test_a_script_that_is_loaded_again_keeps_its_place(stack: Stack) -> None:
    files = {name: tells(name) for name in ("a", "b", "c")}
    with stack.start(**files) as session:
        for command in ("PUNLOAD a", "PUNLOAD b", "PLOAD b", "PLOAD auditing", "PLOAD a"):
            assert session.query(command).ok
        stack.lines()
        session.query("SELECT 1")
        lines = [line for line in stack.lines() if " < " in line or "query:" in line]
    assert lines == ["a < SELECT 1", "b < SELECT 1", "c < SELECT 1", "[1] query: SELECT 1"]


def test_a_firewall_that_is_loaded_again_is_still_in_front(stack: Stack) -> None:
    config = "[load_multi]\nscripts = firewall, histogram\nadmin_users = u\n"
    config += "[firewall]\nallow_unlisted = true\nmode = enforce\n[firewall_patterns]\nno = DROP\n"
    with Session(SCRIPT, script_config=config) as session:
        session.query("PUNLOAD firewall")
        session.query("PLOAD firewall")
        assert session.query("DROP TABLE t").error is not None
        assert session.query("SELECT * FROM histogram.queries").rows == []


def test_a_place_that_does_not_fit_is_refused(stack: Stack) -> None:
    config = "[load_multi]\nscripts = xtab, masking\nadmin_users = u\n[masking_rules]\nt.c = null\n"
    with Session(SCRIPT, script_config=config) as session:
        session.query("PUNLOAD xtab")
        refused: Any = session.query("PLOAD admin_sql").rows
        assert refused[0][0].startswith("masking and admin_sql cannot be stacked: ")
        assert session.query("PLOAD xtab").rows == [("module xtab loaded",)]


# Log-ins.


def login(session: Session) -> Answer:
    with pytest.raises(LoginRefused) as caught:
        session.query("SELECT 1")
    return caught.value.answer


def test_scripts_in_front_see_what_became_of_the_login(stack: Stack) -> None:
    refuses = """
def read_auth_result(proxy, auth):
    proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "not today"}
    return proxy.PROXY_SEND_RESULT
"""
    sees = "def read_auth_result(proxy, auth): print('{name}', auth.packet[0])\n"
    with stack.start(a=sees.format(name="a"), refuses=refuses, b=sees.format(name="b")) as session:
        error = login(session).error
        assert error is not None and error.message == "not today"
    assert stack.lines() == ["b 0", "a 255"]


def test_all_scripts_hear_of_a_login_that_one_of_them_replaces(stack: Stack) -> None:
    replaces = """
def read_auth(proxy):
    proxy.queries.append(1, proxy.connection.client.login_packet)
    return proxy.PROXY_SEND_QUERY
"""
    sees = "def read_auth(proxy): print('sees', len(proxy.queries))\n"
    with stack.start(replaces=replaces, sees=sees) as session:
        assert session.query("SELECT 1").ok
    assert stack.lines() == ["sees 0"]
    with stack.start("one", "two", one=replaces, two=replaces) as session:
        with pytest.raises(ValueError, match="read_auth of two returned 1 after another script"):
            session.query("SELECT 1")
