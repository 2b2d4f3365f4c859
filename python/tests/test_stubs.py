"""What a type checker says about scripts: the annotated hooks of the page pass, and what is misspelt is found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

PAGE = Path(__file__).parents[2] / "docs/scripting.md"
HOOKS = (
    "connect_server",
    "read_handshake",
    "read_auth",
    "read_auth_result",
    "read_query",
    "read_query_result",
    "disconnect_client",
    "init",
    "shutdown",
)


def check(tmp_path: Path, script: str) -> str:
    """What `mypy --strict` says about a script."""
    file = tmp_path / "script.py"
    file.write_text(script, encoding="utf-8")
    cache = f"--cache-dir={tmp_path.parent / 'mypy'}"
    output, errors, _ = api.run(["--strict", "--no-error-summary", cache, str(file)])
    assert errors == ""
    return output


def annotated_hooks() -> str:
    page = PAGE.read_text(encoding="utf-8")
    section = page.split("\n## Types\n")[1].split("\n## ")[0]
    # The first block; the others are about the names in it.
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_has_the_annotated_form_of_every_hook(tmp_path: Path) -> None:
    script = annotated_hooks()
    assert sorted(re.findall(r"^def (\w+)\(", script, re.MULTILINE)) == sorted(HOOKS)
    assert check(tmp_path, script) == ""
    exec(compile(script, str(PAGE), "exec"), {"__name__": "script"})


def test_what_is_right_passes(tmp_path: Path) -> None:
    script = """
from pyproxy import FieldDict, Injection, Proxy, ResponseDict, ResultDict, ResultsetDict

column: FieldDict = {"name": "a", "type": 3, "charset": 63}
table: ResultsetDict = {"fields": [column, ("b", 253)], "rows": [(1, None), [2, b"x"]]}


def init(proxy: Proxy) -> None:
    proxy.globals.own = 1


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    proxy.connection.own = proxy.globals.own + 1
    answer: ResponseDict = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "no", "errcode": 1105}
    proxy.response = answer
    proxy.response.type = proxy.MYSQLD_PACKET_OK
    proxy.response.resultset = table
    if proxy.response.resultset is not None:
        proxy.response.resultset.rows = [(3, 4)]
        proxy.response.resultset["rows"] = [(3, 4)]
    proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": [b"x", "y"]}
    return proxy.PROXY_SEND_RESULT


def read_query_result(proxy: Proxy, inj: Injection) -> int | None:
    first: ResultDict = {"resultset": table, "warnings": 1}
    fields = inj.resultset.fields or ()
    proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": inj.resultset.rows or ()}}
    proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultsets": [first, *inj.resultsets]}
    return proxy.PROXY_SEND_RESULT
"""
    assert check(tmp_path, script) == ""


def test_the_page_has_hooks_that_wait_with_the_same_types(tmp_path: Path) -> None:
    script = annotated_hooks()
    waiting = re.sub(r"^def (?!disconnect_client)", "async def ", script, flags=re.MULTILINE)
    assert waiting.count("async def") == len(HOOKS) - 1
    assert check(tmp_path, waiting) == ""


def test_hooks_that_wait(tmp_path: Path) -> None:
    script = """
import asyncio

import pyproxy
from pyproxy import Auth, Decision, Injection, Proxy


async def refresh() -> int:
    await asyncio.sleep(60)
    return 1


async def init(proxy: Proxy) -> None:
    task = pyproxy.spawn(refresh())
    number: int = task.result()
    pyproxy.loop().call_soon_threadsafe(print, number)


async def read_auth_result(proxy: Proxy, auth: Auth) -> int | pyproxy.Error | None:
    (await proxy.query("SET NAMES utf8mb4")).raise_for_error()
    return None


async def read_query(proxy: Proxy, packet: bytes) -> Decision:
    try:
        result = await asyncio.wait_for(proxy.query(packet), 5)
        several = await asyncio.gather(proxy.query("SELECT 1"), proxy.query(b"\x0e"))
        result.raise_for_error()
        text: str = result.columns[0] if result.columns else ""
    except pyproxy.ServerError as error:
        return pyproxy.Error(error.message, error.code, error.sqlstate)
    except (pyproxy.ServerLost, pyproxy.ResultTooLarge) as error:
        return pyproxy.Error(str(error))
    except pyproxy.HookTimeout:
        raise
    return several[0] if text else result


async def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    return await proxy.query("SELECT 1")
"""
    assert check(tmp_path, script) == ""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("return proxy.qeury('SELECT 1')", "qeury"),
        ("return proxy.query('SELECT 1').rows", "rows"),
        ("return proxy.query(5)", "int"),
        ("return pyproxy.spwan(None)", "spwan"),
        ("return proxy.PROXY_SEND_QEURY", "PROXY_SEND_QEURY"),
        ("return pyproxy.PROXY_SEND_QEURY", "PROXY_SEND_QEURY"),
        ("proxy.connecton.own = 1", "connecton"),
        ("proxy.respone = {'type': 0}", "respone"),
        ("proxy.own = 1", "own"),
        ("proxy.response.errmessage = 'no'", "errmessage"),
        ("print(proxy.response.errmessage)", "errmessage"),
        ("proxy.response = {'type': 0, 'resulset': {'fields': [], 'rows': []}}", None),
        ("proxy.response = {'type': 255, 'errmessage': 'no'}", None),
        ("proxy.response = {'errmsg': 'no'}", None),
        ("proxy.response.resultset = {'fields': [], 'row': []}", None),
        ("proxy.response.resultset = {'fields': [{'nam': 'a'}], 'rows': []}", None),
        ("proxy.response.resultset.row = []", "row"),
        ("proxy.response.resultset['row'] = []", None),
        ("proxy.response = {'type': 0, 'resultsets': [{'resulset': None}]}", None),
        ("r: pyproxy.ResponseDict = {'type': 255, 'errmessage': 'no'}", "errmessage"),
        ("r: pyproxy.ResponseDict = {'errmsg': 'no'}", "type"),
        ("r: pyproxy.ResultsetDict = {'fields': [], 'rows': [], 'row': []}", "row"),
        ("r: pyproxy.FieldDict = {'nam': 'a'}", "nam"),
        ("print(proxy.connection.client.usrname)", "usrname"),
        ("print(proxy.queries.apend)", "apend"),
    ],
)
def test_what_is_misspelt_is_found(tmp_path: Path, line: str, named: str | None) -> None:
    head = "import pyproxy\n\ndef read_query(proxy: pyproxy.Proxy, packet: bytes) -> object:\n"
    found = check(tmp_path, f"{head}    {line}\n    return None\n")
    # Where several types are taken, it does not tell which key fits none of them.
    wanted = "" if named is None else f"[\"']{named}[\"']"
    assert re.search(rf"script\.py:4: error: .*{wanted}", found), found
