"""Stacked scripts that return values: what one makes, those in front of it see."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyproxy.testing import FakeServer, LoginRefused, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
SELECT = "SELECT email FROM customers"
FIELD = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}
CONFIG = """
[masking_rules]
customers.email = text:hidden
[load_multi]
scripts = {scripts}
directory = {folder}
"""
# Says what it is shown.
TELLS = """
def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUIT:
        print("{name} <", packet[1:].decode("latin-1"))
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    r = inj.resultset
    print("{name} >", None if r.rows is None else list(r.rows), r.affected_rows, r.error and r.error[9:])
    return {value}
"""
RETURNS = """
import pyproxy
def read_query(proxy, packet):
    if packet[0] in (proxy.COM_QUERY, proxy.COM_STMT_EXECUTE,):
        return {value}
"""


class Stack:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._path = path
        self._capsys = capsys

    def start(self, *scripts: str, **files: str) -> Session:
        for name, text in files.items():
            (self._path / f"{name}.py").write_text(text)
        config = CONFIG.format(scripts=", ".join(scripts or files), folder=self._path)
        server = FakeServer().on(SELECT, Result([FIELD], [("ada@example.com",)]))
        server.on("SELECT ?", Result([("n", 3)], [(1,)]))
        return Session(SCRIPT, server=server, script_config=config)

    def lines(self) -> list[str]:
        return self._capsys.readouterr().out.splitlines()


@pytest.fixture
def stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stack:
    return Stack(tmp_path, capsys)


def tells(name: str, value: str = "None") -> str:
    return TELLS.format(name=name, value=value)


def returns(value: str) -> str:
    return RETURNS.format(value=value)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("pyproxy.Ok(3)", "a > None 3 None"),
        ("pyproxy.Error('no')", "a > None 0 b'no'"),
        ("pyproxy.Rows(['n'], [(1,), (None,)])", "a > [('1',), (None,)] None None"),
        ("pyproxy.Raw(b'\\0\\3\\0\\2\\0\\0\\0')", "a > None 3 None"),
    ],
)
def test_an_answer_is_a_result_to_those_in_front(stack: Stack, value: str, seen: str) -> None:
    with stack.start(a=tells("a"), b=returns(value)) as session:
        answer = session.query("SELECT 1")
        assert session.server_queries == []
    assert stack.lines() == ["a < SELECT 1", seen]
    with stack.start("b", b=returns(value)) as session:
        assert session.query("SELECT 1").packets == answer.packets


def test_rows_for_an_execution_are_binary(stack: Stack) -> None:
    script = returns("pyproxy.Rows(['n'], [(7,)])").replace("proxy.COM_QUERY, ", "")
    with stack.start("a", "b", a=tells("a"), b=script) as session:
        statement = session.prepare("SELECT ?")
        assert session.execute(statement, [1]).rows == [(7,)]
    assert stack.lines()[-1] == "a > [(7,)] None None"


def test_what_replaces_a_result_goes_on_as_one(stack: Stack) -> None:
    with stack.start(
        a=tells("a", "pyproxy.Error('at last')").replace("def ", "import pyproxy\ndef ", 1),
        b=tells("b", "pyproxy.Ok(5)").replace("def ", "import pyproxy\ndef ", 1),
        c=tells("c", "inj"),
        d=tells("d", "inj.resultset"),
    ) as session:
        error = session.query(SELECT).error
        assert error is not None and error.message == "at last"
    rows = "[('ada@example.com',)] None None"
    assert stack.lines()[-4:] == [f"d > {rows}", f"c > {rows}", f"b > {rows}", "a > None 5 None"]


def test_what_one_sends_the_next_sees(stack: Stack) -> None:
    sends = returns(f"pyproxy.Send('{SELECT}')")
    with stack.start(a=tells("a"), b=sends, c=tells("c")) as session:
        assert session.query("SELECT 1").rows == [("ada@example.com",)]
        assert [query.text for query in session.server_queries] == [SELECT]
    rows = "[('ada@example.com',)] None None"
    assert stack.lines() == ["a < SELECT 1", f"c < {SELECT}", f"c > {rows}", f"a > {rows}"]


def test_who_sends_is_not_asked_about_the_result(stack: Stack) -> None:
    sends = returns(f"pyproxy.Send('{SELECT}')")
    sends += "def read_query_result(proxy, inj):\n    raise AssertionError(inj)\n"
    for scripts in (("b",), ("b", "c"), ("a", "b", "c"), ("b", "b2")):
        with stack.start(*scripts, a=tells("a"), b=sends, b2=sends, c=tells("c")) as session:
            assert session.query("SELECT 1").rows == [("ada@example.com",)]
            assert [query.text for query in session.server_queries] == [SELECT]


def test_sql_may_be_sent_for_a_query_that_stands_for_an_execution(stack: Stack) -> None:
    asks = """
def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_EXECUTE:
        proxy.queries.append(1, "SELECT 1", resultset_is_needed=True)
        proxy.queries.append(2, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    if inj.id == 1:
        print(list(inj.resultset.rows))
        return proxy.PROXY_IGNORE_RESULT
"""
    sends = returns(f"pyproxy.Send('{SELECT}')").replace("proxy.COM_STMT_EXECUTE,", "")
    with stack.start("a", "b", a=asks, b=sends) as session:
        statement = session.prepare("SELECT ?")
        assert session.execute(statement, [1]).rows == [(1,)]
    assert stack.lines() == ["[('ada@example.com',)]"]


@pytest.mark.parametrize("hook", ["read_auth(proxy)", "read_auth_result(proxy, auth)"])
def test_an_error_ends_a_login(stack: Stack, hook: str) -> None:
    refuses = f"import pyproxy\ndef {hook}: return pyproxy.Error('no', 1227, '42000')\n"
    sees = "def read_auth_result(proxy, auth): print(auth.packet[9:])\n"
    session = stack.start(a=sees, b=refuses)
    with pytest.raises(LoginRefused, match="no"), session:
        session.query("SELECT 1")
    assert stack.lines() == (["b'no'"] if "result" in hook else [])


# Each with masking: in front of it, and behind it.


@pytest.mark.parametrize(
    "value",
    [
        "pyproxy.Ok(3)",
        "pyproxy.Error('no')",
        "pyproxy.Rows(['n'], [(1,), (None,)])",
        "pyproxy.Raw(b'\\0\\3\\0\\2\\0\\0\\0')",
    ],
)
@pytest.mark.parametrize("order", [("masking", "b"), ("b", "masking")])
def test_what_has_nothing_to_hide_passes(stack: Stack, value: str, order: tuple[str]) -> None:
    with stack.start("b", b=returns(value)) as session:
        want = session.query("SELECT 1").packets
    with stack.start(*order, b=returns(value)) as session:
        assert session.query("SELECT 1").packets == want


@pytest.mark.parametrize("order", [("masking", "b"), ("b", "masking")])
def test_what_is_sent_instead_comes_back_masked(stack: Stack, order: tuple[str]) -> None:
    sends = returns(f"pyproxy.Send('{SELECT}')")
    with stack.start(*order, b=sends) as session:
        assert session.query("SELECT 1").rows == [("hidden",)]


@pytest.mark.parametrize("order", [("masking", "b"), ("b", "masking")])
@pytest.mark.parametrize("value", ["inj", "inj.resultset", "inj.resultsets[0]"])
def test_a_result_as_it_came_is_masked(stack: Stack, order: tuple[str], value: str) -> None:
    with stack.start(*order, b=tells("b", value)) as session:
        assert session.query(SELECT).rows == [("hidden",)]


CACHE = """
import pyproxy
kept = []
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        if kept:
            fields, rows = kept[0]
            {answer}
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    kept.append((inj.resultset.fields, list(inj.resultset.rows)))
"""


@pytest.mark.parametrize(
    "answer",
    [
        "return pyproxy.Rows(fields, rows)",
        'proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": rows}}; return 2',
    ],
)
def test_a_cache_behind_masking_never_answers_unmasked_rows(stack: Stack, answer: str) -> None:
    with stack.start("masking", "cache", cache=CACHE.format(answer=answer)) as session:
        for _ in range(2):
            assert session.query(SELECT).rows == [("hidden",)]
        assert len(session.server_queries) == 1


@pytest.mark.parametrize("columns", ["fields", "[field.name for field in fields]"])
def test_rows_that_are_made_of_rows_behind_masking_are_masked_or_refused(
    stack: Stack, columns: str
) -> None:
    makes = tells("b", f"pyproxy.Rows({columns}, r.rows)").replace(
        "    r =", "    import pyproxy\n    r ="
    )
    makes = makes.replace("{columns}", columns).replace("in fields", "in r.fields")
    makes = makes.replace("Rows(fields", "Rows(r.fields")
    with stack.start("masking", "b", b=makes) as session:
        answer = session.query(SELECT)
        assert answer.rows is None and answer.error is not None and answer.error.errno == 1227
    with stack.start("b", "masking", b=makes) as session:
        assert session.query(SELECT).rows == [("hidden",)]
