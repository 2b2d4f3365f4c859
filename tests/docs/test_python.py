"""Python in the pages: it runs, in pyproxy.testing, without a proxy and a server.

* A file of a page (`title="hooks.py"`) lies beside the other files of that page, and tests among them are run.
* A script, which has a hook, is loaded, and gets a query and a result. So does one with a title that no test of its page names.
* `title="in read_query_result"`: lines of such a hook.
* All else runs as it is, in the root of the repository: some pages show its examples.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from pyproxy.testing import FakeServer, Result, Session
from support.blocks import ROOT, Block, blocks, of_language, pages

HOOKS = {
    "init",
    "connect_server",
    "read_handshake",
    "read_auth",
    "read_auth_result",
    "read_query",
    "read_query_result",
    "disconnect_client",
    "shutdown",
}
AROUND_A_BODY = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
"""


def is_script(block: Block) -> bool:
    """Whether the proxy can run it: it has a hook, or takes over those of a ready-made script, and is no test."""
    if "pyproxy.testing" in block.text or block.is_body:
        return False
    for node in ast.parse(block.text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in HOOKS:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyproxy.hooks."):
            return any(alias.name == "*" for alias in node.names)
    return False


def files(page: Path) -> dict[str, Block]:
    """The files that the page shows, whatever they are written in."""
    return {block.title: block for block in blocks() if block.page == page and block.title}


def is_tested(block: Block) -> bool:
    """Whether a test on its page names it."""
    others = files(block.page).items()
    return any(name.startswith("test_") and f'"{block.title}"' in it.text for name, it in others)


def write_files(page: Path, folder: Path) -> None:
    """Writes them into a folder."""
    for name, block in files(page).items():
        (folder / name).write_text(block.text, encoding="utf-8")


def with_ids(found: list[Block]) -> list[object]:
    return [pytest.param(block, id=block.id) for block in found]


PYTHON = of_language("python")
SCRIPTS = [block for block in PYTHON if is_script(block) and not is_tested(block)]
BODIES = [block for block in PYTHON if block.is_body]
SNIPPETS = [
    block for block in PYTHON if not (is_script(block) or block.is_body or block.title is not None)
]
WITH_TESTS = [page for page in pages() if any(name.startswith("test_") for name in files(page))]


@pytest.mark.parametrize("block", with_ids(SCRIPTS))
def test_script(block: Block, tmp_path: Path) -> None:
    write_files(block.page, tmp_path)
    path = tmp_path / (block.title or "script_of_the_page.py")
    path.write_text(block.text, encoding="utf-8")
    run(path)


@pytest.mark.parametrize("block", with_ids(BODIES))
def test_body(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "script_of_the_page.py"
    path.write_text(AROUND_A_BODY + indent(block.text, "    "), encoding="utf-8")
    run(path)


def run(script: Path) -> None:
    """One client, one query and its result. What a hook raises, the session raises."""
    server = FakeServer().on("SELECT 1", Result(["1"], [("1",)]))
    with Session(str(script), server=server, query_stats=10) as session:
        assert session.query("SELECT 1") is not None
    assert not [entry.text for entry in session.log if entry.level == "critical"]


@pytest.mark.parametrize("block", with_ids(SNIPPETS))
def test_snippet(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # Blank lines in front, so that a traceback names the line of the page.
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    exec(code, {"__name__": "snippet"})


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in WITH_TESTS]
)
def test_files_with_tests(page: Path, tmp_path: Path) -> None:
    write_files(page, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
