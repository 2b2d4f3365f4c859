"""Sessions with hooks that wait: what they ask the server, their end, and the clock."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyproxy
import pytest
from pyproxy.testing import Disconnect, Error, FakeServer, Result, Session

ONE = Result(["1"], [("1",)])
# Waits until it is let go, and tells how it went on.
WAITS = """
import asyncio

events = []
gate = None

async def read_query(proxy, packet):
    global gate
    if packet[1:] != b"SELECT 1":
        return None
    gate = asyncio.Event()
    events.append("waits")
    try:
        await gate.wait()
        events.append("goes on")
        return await proxy.query("SELECT 2")
    finally:
        events.append("ends")

def disconnect_client(proxy):
    events.append("gone")
"""
SLEEPS = """
import asyncio
import pyproxy

events = []

async def read_query(proxy, packet):
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(3):
        await asyncio.sleep({seconds})
        events.append(round(loop.time() - began))
    return pyproxy.Ok()
"""


def server() -> FakeServer:
    fake = FakeServer().on("SELECT 1", ONE).on("SELECT 2", Result(["2"], [("2",)]))
    return fake.on("SELECT bad", Error(1064, "42000", "syntax"))


def go(session: Session) -> None:
    """Lets the hook of WAITS go on."""
    pyproxy.loop().call_soon_threadsafe(session.script.gate.set)


def criticals(session: Session) -> str:
    return "\n".join(entry.text for entry in session.log if entry.level == "critical")


def test_every_hook_may_wait() -> None:
    names = ("connect_server", "read_handshake", "read_auth")
    script = "import asyncio\nseen = []\n" + "\n".join(
        f"async def {name}(proxy):\n    await asyncio.sleep(0)\n    seen.append('{name}')"
        for name in (*names, "init", "shutdown")
    )
    script += """
async def read_auth_result(proxy, auth):
    result = await proxy.query("SELECT 1")
    seen.append(list(result.rows))

async def read_query(proxy, packet):
    proxy.queries.append(7, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

async def read_query_result(proxy, inj):
    seen.append(inj.id)
    return await proxy.query("SELECT 2")
"""
    with Session(script, server=server()) as session:
        assert session.query("SELECT 1").rows == [("2",)]
        seen = session.script.seen
        assert seen == ["init", *names, [("1",)], 7]
        assert [query.text for query in session.server_queries] == [
            "SELECT 1",
            "SELECT 1",
            "SELECT 2",
        ]
    assert seen[-2:] == [7, "shutdown"]


def test_errors_of_a_server_and_a_lost_one() -> None:
    script = """
import pyproxy

async def read_query(proxy, packet):
    try:
        (await proxy.query("SELECT bad")).raise_for_error()
    except pyproxy.ServerError as error:
        told = f"{error.code} {error.sqlstate} {error.message}"
    try:
        await proxy.query("SELECT lost")
    except pyproxy.ServerLost:
        return pyproxy.Rows(["told"], [(told,)])
"""
    with Session(script, server=server().on("SELECT lost", Disconnect())) as session:
        assert session.query("SELECT 1").rows == [("1064 42000 syntax",)]


def test_a_client_that_leaves_ends_the_hook_first() -> None:
    with Session(WAITS, server=server()) as session:
        pending = session.begin_query("SELECT 1")
        assert not pending.done
        assert session.script.events == ["waits"]
        session.disconnect()
        assert session.script.events == ["waits", "ends", "gone"]
        assert session.closed
        assert session.server_queries == []
        assert pending.done and pending.answer().packets == []
        assert criticals(session) == ""


def test_the_answer_comes_when_the_hook_goes_on() -> None:
    with Session(WAITS, server=server()) as session:
        other = session.new_client()
        pending = session.begin_query("SELECT 1")
        # Others are served meanwhile.
        assert other.query("SELECT 2").rows == [("2",)]
        with pytest.raises(RuntimeError, match="a hook waits"):
            session.query("SELECT 2")
        go(session)
        assert pending.done
        assert pending.answer().rows == [("2",)]
        assert session.query("SELECT 2").rows == [("2",)]
        assert session.script.events == ["waits", "goes on", "ends"]


def test_a_command_that_waits_for_nothing_is_done() -> None:
    with Session(WAITS, server=server()) as session:
        pending = session.begin_query("SELECT 2")
        assert pending.done
        assert pending.answer().rows == [("2",)]
    with Session(server=server()) as session:
        assert session.begin_command(b"\x03SELECT 1").answer().rows == [("1",)]


def test_the_end_of_the_session_ends_hooks_that_wait() -> None:
    with Session(WAITS, server=server()) as session:
        session.begin_query("SELECT 1")
        events = session.script.events
    assert events == ["waits", "ends", "gone"]


def test_a_hook_that_fails_while_it_is_pending() -> None:
    script = """
import asyncio
async def read_query(proxy, packet):
    await asyncio.sleep(0)
    raise ValueError("no")
"""
    with Session(script, server=server()) as session:
        pending = session.begin_query("SELECT 1")
        assert pending.done
        with pytest.raises(ValueError, match="no"):
            pending.answer()
        assert "ValueError: no" in criticals(session)


def test_what_others_log_is_no_failure_of_a_cancelled_hook() -> None:
    with Session(WAITS, server=server()) as session:
        session.begin_query("SELECT 1")
        with session.inspect():
            pyproxy.chassis.critical("something else")
        session.disconnect()
        assert "something else" in criticals(session)


def test_a_fake_clock_does_not_wait_for_timers() -> None:
    began = time.monotonic()
    with Session(SLEEPS.format(seconds=100), clock="fake", hook_timeout=1000) as session:
        assert session.query("SELECT 1").ok
        assert session.script.events == [100, 200, 300]
    assert time.monotonic() - began < 60


def test_a_fake_clock_is_moved() -> None:
    with Session(SLEEPS.format(seconds=5), clock="fake") as session:
        pending = session.begin_query("SELECT 1")
        assert session.script.events == []
        session.clock.advance(4)
        assert session.script.events == []
        session.clock.advance(7)
        assert session.script.events == [5, 10]
        assert not pending.done
        session.clock.advance(4)
        assert pending.done
        assert session.script.events == [5, 10, 15]
        assert pending.answer().ok


def test_queries_behind_a_timer_run_while_the_clock_is_moved() -> None:
    script = """
import asyncio
async def read_query(proxy, packet):
    for _ in range(3):
        await asyncio.sleep(1)
        result = await proxy.query("SELECT 2")
    return result
"""
    with Session(script, server=server(), clock="fake") as session:
        pending = session.begin_query("SELECT 1")
        session.clock.advance(2.5)
        assert len(session.server_queries) == 2
        session.clock.advance(1)
        assert pending.done
        assert len(session.server_queries) == 3


def test_the_time_limit_of_hooks_goes_by_the_fake_clock() -> None:
    with Session(SLEEPS.format(seconds=20), clock="fake") as session:
        with pytest.raises(TimeoutError, match="took longer than pyproxy-hook-timeout"):
            session.query("SELECT 1")
        assert session.script.events == [20]
        assert "in read_query" in criticals(session)
    with Session(SLEEPS.format(seconds=20), clock="fake", hook_timeout=0) as session:
        assert session.query("SELECT 1").ok


def test_time_in_queries_is_not_the_hooks() -> None:
    script = """
import asyncio
async def read_query(proxy, packet):
    for _ in range(4):
        await asyncio.sleep(9)
        await proxy.query("SELECT 2")
"""
    # What is left of its time is counted by the same clock.
    with Session(script, server=server(), clock="fake", hook_timeout=37) as session:
        assert session.query("SELECT 1").rows == [("1",)]
    with Session(script, server=server(), clock="fake", hook_timeout=35) as session:
        with pytest.raises(TimeoutError):
            session.query("SELECT 1")


def test_timeouts_of_the_script_go_by_the_fake_clock() -> None:
    script = """
import asyncio
import pyproxy
async def read_query(proxy, packet):
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 10)
    except asyncio.TimeoutError:
        return pyproxy.Error("too slow")
"""
    with Session(script, clock="fake") as session:
        error = session.query("SELECT 1").error
        assert error is not None and error.message == "too slow"


def test_threads_take_the_time_that_they_take() -> None:
    script = """
import asyncio
import threading
import pyproxy
gate = threading.Event()
async def read_query(proxy, packet):
    asyncio.get_running_loop().call_soon(threading.Timer(0.2, gate.set).start)
    await asyncio.get_running_loop().run_in_executor(None, gate.wait)
    return pyproxy.Ok()
"""
    with Session(script, clock="fake", hook_timeout=5) as session:
        assert session.query("SELECT 1").ok


def test_only_a_fake_clock_is_moved() -> None:
    with Session(WAITS) as session, pytest.raises(RuntimeError, match='clock="fake"'):
        session.clock.advance(1)
    with pytest.raises(ValueError, match="clock is"):
        Session(clock="slow")


def test_a_hook_that_does_not_end_is_an_error() -> None:
    with Session(WAITS, server=server(), hook_timeout=0, patience=0.2) as session:
        with pytest.raises(RuntimeError, match=r"read_query has not ended after 0.2 s:\n.*line 14"):
            session.query("SELECT 1")
        session.disconnect()
        assert session.script.events == ["waits", "ends", "gone"]


def test_one_that_blocks_the_event_loop_is_an_error() -> None:
    script = """
import threading
gate = threading.Event()
async def read_query(proxy, packet):
    gate.wait()
"""
    session = Session(script, patience=0.2)
    with pytest.raises(RuntimeError, match="read_query has not ended"):
        session.query("SELECT 1")
    with pytest.raises(RuntimeError, match="read_query has not ended"):
        session.disconnect()
    assert session.closed
    session.script.gate.set()
    session.close()


def test_an_init_that_does_not_end_is_an_error() -> None:
    script = """
import asyncio
async def init(proxy):
    await asyncio.Event().wait()
"""
    with pytest.raises(RuntimeError, match="init has not ended"):
        Session(script, patience=0.2)


def test_background_tasks() -> None:
    script = """
import asyncio
import pyproxy

events = []

async def refresh():
    try:
        while True:
            await asyncio.sleep(60)
            events.append("refreshed")
    finally:
        events.append("cancelled")

async def fails():
    raise ValueError("in the background")

async def init(proxy):
    pyproxy.spawn(refresh())
    pyproxy.spawn(fails())

async def shutdown(proxy):
    events.append("shutdown")
"""
    with Session(script, clock="fake") as session:
        session.clock.advance(150)
        events = session.script.events
        assert events == ["refreshed"] * 2
        assert "ValueError: in the background" in criticals(session)
    assert events == ["refreshed", "refreshed", "shutdown", "cancelled"]


def test_calls_are_counted() -> None:
    script = """
import asyncio

async def read_query(proxy, packet):
    await asyncio.sleep(5)
    if packet[1:] == b"fail":
        raise ValueError
"""
    with Session(script, clock="fake", raise_errors=False) as session:
        session.query("SELECT 1")
        session.query("fail")
        stats = session.stats
        assert stats["read_query.calls"] == 2
        assert stats["read_query.errors"] == 1
        assert 10_000_000 <= stats["read_query.waiting_micros"] < 15_000_000


def test_objects_are_there_as_long_as_the_coroutine() -> None:
    script = """
import asyncio
import pyproxy

async def later(proxy):
    await asyncio.sleep(1)
    try:
        return proxy.connection.client.username
    except ReferenceError:
        return "gone"

def elsewhere(proxy):
    try:
        return proxy.connection.client.username
    except ReferenceError:
        return "gone"

async def read_query(proxy, packet):
    global task
    told = [await later(proxy), await asyncio.to_thread(elsewhere, proxy)]
    task = asyncio.ensure_future(later(proxy))
    return pyproxy.Rows(["told"], [(one,) for one in told])
"""
    with Session(script, clock="fake") as session:
        assert session.query("SELECT 1").rows == [("u",), ("gone",)]
        session.clock.advance(2)
        assert session.script.task.result() == "gone"


def test_inside_of_another_event_loop() -> None:
    async def test() -> None:
        with Session(WAITS, server=server()) as session:
            pending = session.begin_query("SELECT 1")
            assert asyncio.get_running_loop() is not pyproxy.loop()
            await asyncio.sleep(0)
            go(session)
            assert pending.answer().rows == [("2",)]

    asyncio.run(test())


def test_a_stack_inside_of_another_event_loop(tmp_path: Path) -> None:
    (tmp_path / "waits.py").write_text(WAITS)
    settings = {"directory": str(tmp_path), "scripts": ("waits",)}

    async def test() -> None:
        config = {"load_multi": settings}
        with Session("pyproxy.hooks.load_multi", server=server(), config=config) as session:
            pending = session.begin_query("SELECT 1")
            await asyncio.sleep(0)
            assert not pending.done

    asyncio.run(test())


def test_a_script_that_does_not_wait_starts_no_thread() -> None:
    code = """
import threading
from pyproxy.testing import Session
with Session("def read_query(proxy, packet): return proxy.PROXY_SEND_QUERY\\n") as session:
    session.query("SELECT 1")
import os
print(len(os.listdir("/proc/self/task")))
"""
    assert run(code) == "1\n"


def test_the_event_loop_says_nothing_of_itself() -> None:
    code = f"""
from pyproxy.testing import Session
with Session({WAITS!r}) as session:
    session.begin_query("SELECT 1")
    print(session.log)
"""
    assert run(code) == "[]\n"


@pytest.mark.parametrize("closes", [True, False])
def test_the_interpreter_ends_well(closes: bool) -> None:
    code = f"""
import asyncio, pyproxy
from pyproxy.testing import Session
SCRIPT = '''
import asyncio, pyproxy
async def background():
    try:
        await asyncio.sleep(1000)
    finally:
        print("cancelled", flush=True)
async def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        pyproxy.spawn(background())
        await asyncio.sleep(0)
        return pyproxy.Ok()
'''
session = Session(SCRIPT)
assert session.query("SELECT 1").ok
if {closes}:
    session.close()
print("end", flush=True)
"""
    assert run(code).splitlines() == (["cancelled", "end"] if closes else ["end", "cancelled"])


def run(code: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_the_event_loop_has_a_thread_of_its_own() -> None:
    script = """
import threading
async def read_query(proxy, packet):
    global thread
    thread = threading.get_ident()
"""
    with Session(script, server=server()) as session:
        session.query("SELECT 1")
        assert session.script.thread != threading.get_ident()
