"""Stacked scripts that wait, and what they ask the server meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyproxy.testing import Answer, FakeServer, LoginRefused, Ok, Result, Session

SCRIPT = "pyproxy.hooks.load_multi"
SELECT = "SELECT email FROM customers"
FIELD = {"name": "email", "org_name": "email", "table": "c", "org_table": "customers", "type": 253}
CONFIG = """
[masking_rules]
customers.email = text:hidden
[firewall]
mode = enforce
allow_unlisted = true
[firewall_patterns]
no_drop = DROP
[load_multi]
scripts = {scripts}
directory = {folder}
admin_users = dba
"""
# Says what it is shown, and waits a bit in each hook.
TELLS = """
import asyncio

async def connect_server(proxy):
    await asyncio.sleep(0)
    print("{name} connect")

async def read_handshake(proxy):
    await asyncio.sleep(0)
    print("{name} handshake")

async def read_auth(proxy):
    await asyncio.sleep(0)
    print("{name} auth", proxy.connection.client.username)

async def read_auth_result(proxy, auth):
    await asyncio.sleep(0)
    print("{name} auth result", auth.packet[0])

async def read_query(proxy, packet):
    await asyncio.sleep(0)
    print("{name} <", packet[1:].decode("latin-1"))
    proxy.queries.append(7, packet, resultset_is_needed=True)
    await asyncio.sleep(0)
    return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    await asyncio.sleep(0)
    print("{name} >", inj.id, [row[0] for row in inj.resultset.rows or ()])
"""
# Asks the server itself.
ASKS = """
import pyproxy

async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        result = await proxy.query({what})
        return {value}
"""
SAME = ASKS.format(what="packet", value="result")
MADE = ASKS.format(
    what="packet", value="pyproxy.Rows(['a'], [('made of ' + row[0],) for row in result.rows])"
)


class Stack:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._path = path
        self._capsys = capsys

    def start(self, *scripts: str, user: str = "u", clock: str = "real", **files: str) -> Session:
        """Without names of scripts those of the files are stacked."""
        for name, text in files.items():
            (self._path / f"{name}.py").write_text(text)
        config = CONFIG.format(scripts=", ".join(scripts or files), folder=self._path)
        server = FakeServer().on(SELECT, Result([FIELD], [("ada@example.com",)]))
        server.on("SELECT 1", Result(["1"], [("1",)]))
        server.on("SELECT 2", Result(["2"], [("2",)]))
        return Session(SCRIPT, server=server, user=user, script_config=config, clock=clock)

    def lines(self) -> list[str]:
        return self._capsys.readouterr().out.splitlines()


@pytest.fixture
def stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stack:
    return Stack(tmp_path, capsys)


def errors(session: Session) -> list[str]:
    return [entry.text for entry in session.log if entry.level == "critical"]


def code(answer: Answer) -> int | None:
    return None if answer.error is None else answer.error.errno


def tells(name: str, waits: bool = True) -> str:
    text = TELLS.format(name=name)
    if not waits:
        text = text.replace("async def", "def").replace("await asyncio.sleep(0)", "pass")
    return text


@pytest.mark.parametrize(
    "waiting", [(True, True), (True, False), (False, True), (False, False)], ids=str
)
def test_the_order_is_the_same_whoever_waits(stack: Stack, waiting: tuple[bool, bool]) -> None:
    a, b = (tells(name, waits) for name, waits in zip("ab", waiting))
    with stack.start(a=a, b=b) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert errors(session) == []
    lines = stack.lines()
    assert lines[:12] == [
        *("a connect", "b connect", "a handshake", "b handshake", "a auth u", "b auth u"),
        *("b auth result 0", "a auth result 0"),
        *("a < SELECT 1", "b < SELECT 1", "b > 7 ['1']", "a > 7 ['1']"),
    ]


def test_a_stack_that_nobody_waits_in_needs_no_event_loop(stack: Stack) -> None:
    script = """
import threading
def read_query(proxy, packet):
    print(threading.current_thread() is threading.main_thread())
"""
    with stack.start(a=script, b=script) as session:
        session.query("SELECT 1")
    assert set(stack.lines()) == {"True"}


@pytest.mark.parametrize(
    "scripts",
    [
        ("masking", "asks"),
        ("asks", "masking"),
        ("masking", "asks", "tells"),
        ("asks", "masking", "tells"),
        ("asks", "tells", "masking"),
        ("tells", "masking", "asks"),
        ("asks", "again", "masking"),
        ("masking", "again", "asks"),
    ],
    ids=" ".join,
)
def test_a_result_that_a_script_asked_for_is_masked(stack: Stack, scripts: tuple[str, ...]) -> None:
    with stack.start(*scripts, asks=SAME, again=SAME, tells=tells("t")) as session:
        assert session.query(SELECT).rows == [("hidden",)]
        assert session.query("SELECT 1").rows == [("1",)]
        assert errors(session) == []


def test_of_another_query_than_the_clients(stack: Stack) -> None:
    asks = ASKS.format(what=f"{SELECT!r}", value="result")
    for scripts in [("masking", "asks"), ("asks", "masking")]:
        with stack.start(*scripts, asks=asks) as session:
            assert session.query("SELECT 1").rows == [("hidden",)]


def test_a_cache_behind_masking_never_answers_unmasked_rows(stack: Stack) -> None:
    cache = """
import pyproxy
kept = {}
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        if packet in kept:
            return kept[packet]
        result = await proxy.query(packet)
        kept[packet] = pyproxy.Rows(result.fields, list(result.rows))
        return result
"""
    for scripts in [("masking", "cache"), ("cache", "masking")]:
        with stack.start(*scripts, cache=cache) as session:
            assert [session.query(SELECT).rows for _ in range(3)] == [[("hidden",)]] * 3
            assert len(session.server_queries) == 1


def test_rows_made_of_what_masking_did_not_see_are_refused(stack: Stack) -> None:
    with stack.start("masking", "makes", makes=MADE) as session:
        assert code(session.query(SELECT)) == 1227
    with stack.start("makes", "masking", makes=MADE) as session:
        assert session.query(SELECT).rows == [("made of hidden",)]


def test_rows_made_later_of_a_query_are_refused(stack: Stack) -> None:
    makes = """
import pyproxy
async def read_query(proxy, packet):
    proxy.connection.seen = list((await proxy.query("SELECT email FROM customers")).rows)
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    return pyproxy.Rows(["a"], proxy.connection.seen)
"""
    with stack.start("masking", "makes", makes=makes) as session:
        session.server.on("DO 1", Ok())
        assert code(session.query("DO 1")) == 1227


def test_a_result_made_of_rows_behind_stays_one_that_masking_did_not_see(stack: Stack) -> None:
    with stack.start("masking", "asks", "makes", asks=SAME, makes=MADE) as session:
        assert code(session.query(SELECT)) == 1227


def test_a_script_behind_is_asked_about_the_query(stack: Stack) -> None:
    with stack.start("asks", "firewall", asks=SAME) as session:
        assert code(session.query("DROP TABLE t")) == 1227
        assert session.server_queries == []
    with stack.start(asks=SAME, tells=tells("t"), again=SAME) as session:
        assert session.query("SELECT 1").rows == [("1",)]
    assert "t > 7 ['1']" in stack.lines()


def test_its_own_script_and_those_in_front_are_not(stack: Stack) -> None:
    asks = ASKS.format(what="'SELECT 2'", value="None") + (
        "\n\ndef read_query_result(proxy, inj): print('asked')"
    )
    with stack.start(tells=tells("t"), asks=asks) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert [query.text for query in session.server_queries] == ["SELECT 2", "SELECT 1"]
    lines = stack.lines()
    assert [line for line in lines if "SELECT" in line] == ["t < SELECT 1"]
    assert "asked" not in lines


def test_several_at_once_run_in_order(stack: Stack) -> None:
    asks = """
import asyncio
import pyproxy
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        results = await asyncio.gather(*(proxy.query(f"SELECT {n % 2 + 1}") for n in range(6)))
        return pyproxy.Rows(["n"], [(list(one.rows)[0][0],) for one in results])
"""
    for scripts in [("asks",), ("asks", "tells"), ("masking", "asks", "tells")]:
        with stack.start(*scripts, asks=asks, tells=tells("t")) as session:
            answer = session.query(SELECT)
            if scripts[0] == "masking":
                assert code(answer) == 1227
            else:
                assert answer.rows == [("1",), ("2",)] * 3
            assert [query.text[-1] for query in session.server_queries] == list("121212")
            if "tells" in scripts:
                told = [line for line in stack.lines() if line.startswith("t > ")]
                assert told == ["t > 7 ['1']", "t > 7 ['2']"] * 3
            assert session.query("SELECT 1").packets
        stack.lines()


def test_what_a_script_queued_stays_while_those_behind_work(stack: Stack) -> None:
    asks = """
import pyproxy
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(5, "SELECT 2", resultset_is_needed=True)
        proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "mine"}
        await proxy.query("SELECT 1")
        print(list(proxy.queries), proxy.response.errmsg, proxy.command.sql)
        return proxy.PROXY_SEND_QUERY
"""
    with stack.start(asks=asks, tells=tells("t")) as session:
        assert session.query(SELECT).rows == [("2",)]
    assert f"[(5, b'\\x03SELECT 2', True)] mine {SELECT}" in stack.lines()


def test_a_query_that_nobody_waits_for_is_over_with_the_hook(stack: Stack) -> None:
    asks = """
import asyncio
kept = []
async def read_query(proxy, packet):
    if packet[1:] == b"SELECT 1":
        kept.append(asyncio.ensure_future(proxy.query("SELECT 2")))
        await asyncio.sleep(0)
"""
    slow = """
import asyncio
async def read_query(proxy, packet):
    if packet[1:] == b"SELECT 2":
        try:
            await asyncio.sleep(1000)
        finally:
            print("over")
"""
    with stack.start(asks=asks, slow=slow) as session:
        assert session.query("SELECT 1").rows == [("1",)]
        assert [query.text for query in session.server_queries] == ["SELECT 1"]
        assert stack.lines() == ["over"]


def test_a_command_without_an_answer_has_no_result(stack: Stack) -> None:
    asks = ASKS.format(
        what=r"b'\x19\x01\x00\x00\x00'", value="pyproxy.Rows(['r'], [(str(result),)])"
    )
    for scripts in [("asks",), ("asks", "tells")]:
        with stack.start(*scripts, asks=asks, tells=tells("t")) as session:
            assert session.query("SELECT 1").rows == [("None",)]


def test_results_that_are_all_dropped_are_an_error(stack: Stack) -> None:
    drops = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY
def read_query_result(proxy, inj):
    return proxy.PROXY_IGNORE_RESULT
"""
    asks = ASKS.format(what="packet", value="pyproxy.Rows(['r'], [(result.error[9:].decode(),)])")
    with stack.start(asks=asks, drops=drops) as session:
        assert session.query("SELECT 1").rows == [("pyproxy: no result was left for this command",)]


def test_what_cannot_be_asked_raises_at_once(stack: Stack) -> None:
    asks = """
import pyproxy
async def read_query(proxy, packet):
    raised = []
    for what in (b"\\x01", b"", 5, b"\\x11x"):
        try:
            proxy.query(what)
        except Exception as error:
            raised.append(type(error).__name__)
    return pyproxy.Rows(["r"], [(" ".join(raised),)])

def read_auth(proxy):
    try:
        proxy.query("SELECT 1")
    except RuntimeError as error:
        print(error)
"""
    with stack.start(asks=asks, tells=tells("t")) as session:
        expected = [("ValueError ValueError TypeError ValueError",)]
        assert session.query("SELECT 1").rows == expected
    assert any("async def" in line for line in stack.lines())


def test_a_login_may_ask_when_it_is_through(stack: Stack) -> None:
    asks = """
async def read_auth_result(proxy, auth):
    result = await proxy.query("SELECT 2")
    print("logged in", list(result.rows))
"""
    with stack.start(a=asks, t=tells("t")) as session:
        session.connect()
    lines = stack.lines()
    assert lines.index("t > 7 ['2']") < lines.index("logged in [('2',)]")


def test_a_login_can_be_refused_by_one_that_waits(stack: Stack) -> None:
    refuses = """
import asyncio
import pyproxy
async def read_auth(proxy):
    await asyncio.sleep(0)
    return pyproxy.Error("not you", 1045, "28000")
"""
    with stack.start(refuses=refuses, tells=tells("t")) as session:
        with pytest.raises(LoginRefused, match="not you"):
            session.query("SELECT 1")
    assert "t auth u" not in stack.lines()


def test_an_exception_behind_a_wait_is_the_stacks(stack: Stack) -> None:
    fails = """
import asyncio
async def read_query(proxy, packet):
    await asyncio.sleep(0)
    raise ValueError("no")
"""
    with stack.start(fails=fails, tells=tells("t")) as session:
        with pytest.raises(ValueError, match="no"):
            session.query("SELECT 1")
        assert "t < SELECT 1" not in stack.lines()


def test_a_function_may_give_a_coroutine(stack: Stack) -> None:
    later = """
import asyncio
async def later(proxy, packet):
    await asyncio.sleep(0)
    return await proxy.query("SELECT 2")
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        return later(proxy, packet)
"""
    with stack.start("masking", "later", later=later) as session:
        assert session.query("SELECT 1").rows == [("2",)]


def test_init_and_shutdown_may_wait_and_declare(stack: Stack) -> None:
    waits = """
import asyncio
from pyproxy._stack.traits import declare
async def init(proxy):
    await asyncio.sleep(0)
    declare(makes_rows_of_results=True)
    await asyncio.sleep(0)
    print("init")
async def shutdown(proxy):
    await asyncio.sleep(0)
    print("shutdown")
def read_query(proxy, packet): pass
"""
    with stack.start(waits=waits) as session:
        session.query("SELECT 1")
    assert stack.lines() == ["init", "shutdown"]
    with pytest.raises(Exception, match="masking and waits cannot be stacked"):
        stack.start("masking", "waits", waits=waits)
    assert stack.lines() == ["init", "shutdown"]


def test_scripts_that_wait_come_and_go(stack: Stack) -> None:
    waits = SAME + "\nasync def init(proxy): print('init')\nasync def shutdown(proxy): print('end')"
    with stack.start("masking", waits=waits, user="dba") as session:
        assert session.query("PLOAD waits").rows == [("module waits loaded",)]
        assert session.query(SELECT).rows == [("hidden",)]
        assert session.query("PUNLOAD waits").rows == [("unloaded",)]
        assert session.query(SELECT).rows == [("hidden",)]
    assert stack.lines() == ["init", "end"]


def test_none_may_wait_in_the_loop_of_mysql_proxy(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(SAME)
    settings: dict[str, Any] = {"directory": str(tmp_path), "scripts": ("asks",)}
    config = {"load_multi": settings, "event_loop": "chassis"}
    with pytest.raises(Exception, match="read_query is an async def, which needs pyproxy-event"):
        Session(SCRIPT, config=config)


def test_the_end_of_a_client_cannot_wait(stack: Stack) -> None:
    with pytest.raises(Exception, match="^waits: disconnect_client cannot wait"):
        stack.start(waits="async def disconnect_client(proxy): pass")


def test_results_in_the_form_of_another_command_are_an_error(stack: Stack) -> None:
    asks = """
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_EXECUTE:
        return await proxy.query("SELECT 1")
"""
    for scripts in [("asks",), ("masking", "asks"), ("tells", "asks")]:
        with stack.start(*scripts, asks=asks, tells=tells("t")) as session:
            statement = session.prepare("SELECT 1")
            with pytest.raises(Exception, match="COM_QUERY is none for COM_STMT_EXECUTE"):
                session.execute(statement)


# Waits for ever, whatever its connection does; `swallows` says what it makes of its end.
HOLDS = """
import asyncio

async def read_query(proxy, packet):
    if packet[1:] != b"SELECT 1":
        return None
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("cancelled")
        if not {swallows}:
            raise
    finally:
        print("over")

async def read_query_result(proxy, inj):
    print("result")
"""
SAYS = """
def read_query(proxy, packet):
    print("{name} <", packet[1:].decode("latin-1"))
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def disconnect_client(proxy):
    print("{name} gone")
"""


@pytest.mark.parametrize("swallows", [False, True])
def test_a_client_that_leaves_cancels_the_one_that_waits(stack: Stack, swallows: bool) -> None:
    front, behind = SAYS.format(name="front"), SAYS.format(name="behind")
    holds = HOLDS.format(swallows=swallows)
    with stack.start(front=front, holds=holds, behind=behind) as session:
        pending = session.begin_query("SELECT 1")
        assert not pending.done
        session.disconnect()
        assert session.server_queries == []
        assert errors(session) == []
    assert stack.lines() == ["front < SELECT 1", "cancelled", "over", "front gone", "behind gone"]


@pytest.mark.parametrize("swallows", [False, True])
def test_one_that_waits_for_too_long_is_cancelled(stack: Stack, swallows: bool) -> None:
    holds = HOLDS.format(swallows=swallows)
    tells = SAYS.format(name="behind")
    with stack.start(holds=holds, behind=tells, clock="fake") as session:
        with pytest.raises(TimeoutError, match="(?s)pyproxy-hook-timeout.*in read_query"):
            session.query("SELECT 1")
        assert "behind < SELECT 1" not in stack.lines()
        # The next command finds nothing of it.
        assert session.query("SELECT 2").rows == [("2",)]


def test_a_timeout_of_the_script_itself_is_its_own(stack: Stack) -> None:
    tries = """
import asyncio
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 5)
        except asyncio.TimeoutError:
            return await proxy.query("SELECT 2")
"""
    with stack.start(
        "masking", "tries", "tells", tries=tries, tells=tells("t"), clock="fake"
    ) as session:
        assert session.query("SELECT 1").rows == [("2",)]


def test_a_query_that_takes_too_long_behind_ends_there(stack: Stack) -> None:
    asks = """
import asyncio
import pyproxy
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        try:
            await asyncio.wait_for(proxy.query(packet), 5)
        except asyncio.TimeoutError:
            result = await proxy.query("SELECT 2")
            return pyproxy.Error("too slow, " + list(result.rows)[0][0])
"""
    holds = HOLDS.format(swallows=False)
    with stack.start(asks=asks, holds=holds, clock="fake") as session:
        error = session.query("SELECT 1").error
        assert error is not None and error.message == "too slow, 2"
    assert stack.lines() == ["cancelled", "over"]


def test_a_protected_stack_stays_one_when_a_hook_fails(stack: Stack) -> None:
    fails = """
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        result = await proxy.query(packet)
        raise ValueError(list(result.rows))
"""
    for scripts in [("masking", "fails"), ("fails", "masking"), ("firewall", "fails")]:
        with stack.start(*scripts, fails=fails) as session:
            with pytest.raises(ValueError):
                session.query(SELECT)
            answer = session.begin_query("SELECT 2")
            with pytest.raises(ValueError):
                answer.answer()


def test_two_clients_wait_in_one_stack(stack: Stack) -> None:
    sleeps = """
import asyncio
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        await asyncio.sleep(5)
        proxy.connection.seen = packet
        proxy.queries.append(1, packet, resultset_is_needed=True)
        await asyncio.sleep(5)
        return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    await asyncio.sleep(5)
    assert proxy.connection.seen == inj.query
"""
    with stack.start(
        "masking", "sleeps", "tells", sleeps=sleeps, tells=tells("t"), clock="fake"
    ) as session:
        other = session.new_client()
        pending = [session.begin_query(SELECT), other.begin_query("SELECT 2")]
        session.clock.advance(14)
        assert not any(one.done for one in pending)
        session.clock.advance(2)
        assert [one.answer().rows for one in pending] == [[("hidden",)], [("2",)]]
