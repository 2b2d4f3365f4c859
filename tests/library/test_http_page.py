"""The page of the HTTP endpoint in a real Chromium: its numbers are those of the load that the test makes.

Screenshots are kept in the folder `PYPROXY_SCREENSHOTS`, or beside the test's other files.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import USER, MariaDb
from support.process import eventually, free_port
from support.proxy import Proxy

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")

StartProxy = Callable[..., Proxy]

SCRIPT = """
def read_query(proxy, packet):
    if b"raise" in packet:
        raise RuntimeError
"""
EVIL = "<img src=x onerror=document.title='evil'></script><script>document.title='evil'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Site:
    """A proxy, and its page in a browser."""

    def __init__(self, proxy: Proxy, page: Any, address: str) -> None:
        self.proxy = proxy
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).inner_text())

    def rows(self, table: str) -> list[list[str]]:
        # In one look: the page may put other rows there meanwhile.
        found = self.page.evaluate(
            "id => [...document.getElementById(id).tBodies[0].rows]"
            ".map(row => [...row.cells].map(cell => cell.textContent))",
            table,
        )
        return [[str(cell) for cell in row] for row in found]

    def commands(self) -> int:
        """How many the API tells of."""
        with urllib.request.urlopen(self.address + "api/v1/status") as answer:
            return sum(json.load(answer)["commands"].values())

    def keep(self, name: str, folder: Path) -> None:
        folder = Path(os.environ.get("PYPROXY_SCREENSHOTS", folder))
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.fixture
def site(start_proxy: StartProxy, browser: Any) -> Iterator[Callable[..., Site]]:
    pages = []

    def start(script: str | None = SCRIPT, **browsing: Any) -> Site:
        address = f"127.0.0.1:{free_port()}"
        options = {"pyproxy-http-address": address, "pyproxy-query-stats": "50"}
        proxy = start_proxy(script, options=options)
        context = browser.new_context(**browsing)
        pages.append(context)
        site = Site(proxy, context.new_page(), f"http://{address}/")
        site.page.goto(site.address)
        return site

    yield start
    for page in pages:
        page.close()


def run(connection: pymysql.Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetchall()


def test_its_numbers_are_those_of_the_load(
    site: Callable[..., Site], mariadb: MariaDb, tmp_path: Path
) -> None:
    shown = site()
    with shown.proxy.connect() as one, shown.proxy.connect(database="test") as other:
        # What the client itself says in the beginning counts, too.
        before = shown.commands()
        for number in range(250):
            run(one, f"SELECT {number}")
        for _ in range(30):
            with pytest.raises(pymysql.ProgrammingError):
                run(other, "SELEKT")
        shown.proxy.criticals_expected = True
        for _ in range(7):
            with pytest.raises(pymysql.OperationalError):
                run(other, "SELECT 'raise'")
        commands = before + 250 + 30 + 7
        assert eventually(lambda: shown.text("#commands") == str(commands)), shown.text("#commands")
        assert eventually(lambda: shown.text("#errors") == "37"), shown.text("#errors")
        assert shown.text("#open") == shown.text("#accepted") == "2"
        (backend,) = shown.rows("backends")
        assert backend[:5] == [mariadb.address, "rw", "up", "2", "2"]
        assert backend[6] == str(commands - 7)
        assert eventually(lambda: len(shown.rows("connections")) == 2)
        first, second = shown.rows("connections")
        assert [first[0], first[1], first[3], first[5]] == ["1", USER, "", "idle"]
        assert [second[0], second[1], second[3], second[5]] == ["2", USER, "test", "idle"]
        (hook,) = shown.rows("hooks")
        assert hook[:3] == ["read_query", str(commands), "7"]
        # Whatever else clients say in the beginning, these are there.
        top = {row[0]: row[3:5] for row in shown.rows("queries")}
        assert [top["SELECT ?"], top["SELEKT"]] == [["257", "7"], ["30", "30"]]
        shares = [float(row[1].removesuffix(" %")) for row in shown.rows("queries")]
        assert shares == sorted(shares, reverse=True) and 99 < sum(shares) < 101
        # The charts have the last minutes, drawn with the library that the proxy carries.
        assert eventually(lambda: shown.page.locator("#rates canvas").count() == 1)
        drawn = "series().commands.reduce((a, b) => a + b, 0)"
        assert eventually(lambda: shown.page.evaluate(drawn) > 0)
        shown.keep("page", tmp_path)
    assert shown.complaints == []
    assert all(url.startswith(shown.address) for url in shown.requests), shown.requests


def test_a_running_query_is_shown(site: Callable[..., Site]) -> None:
    shown = site()
    with shown.proxy.connect() as holder, shown.proxy.connect() as waiting:
        run(holder, "SELECT GET_LOCK('page', 60)")
        query = "SELECT GET_LOCK('page', 60), 'what it does'"
        waiting._execute_command(3, query)
        assert eventually(
            lambda: shown.rows("connections")[-1:] and query in shown.rows("connections")[-1]
        )
        assert shown.rows("connections")[-1][5] == "command"
        run(holder, "SELECT RELEASE_LOCK('page')")
        waiting._read_query_result()
        assert eventually(lambda: shown.rows("connections")[-1][5] == "idle")


def test_on_a_phone_in_the_dark(site: Callable[..., Site], tmp_path: Path) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "is_mobile": True}
    shown = site(**phone)
    with shown.proxy.connect() as client:
        run(
            client,
            "SELECT 1, "
            + " + ".join(["a_long_expression"] * 30)
            + " FROM (SELECT 1 a_long_expression) t",
        )
        assert eventually(lambda: len(shown.rows("connections")) == 1)
        assert eventually(lambda: any("a_long" in row[0] for row in shown.rows("queries")))
        assert eventually(lambda: shown.page.locator("#times canvas").count() == 1)
        # Nothing but tables is wider than the screen, and they scroll by themselves.
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(17, 19, 21)"
        shown.keep("phone", tmp_path)
    assert shown.complaints == []


def test_texts_of_clients_stay_texts(site: Callable[..., Site], mariadb: MariaDb) -> None:
    shown = site(None)
    with shown.proxy.connect() as admin:
        run(admin, f"CREATE DATABASE IF NOT EXISTS `{EVIL[:60]}`")
        with shown.proxy.connect(database=EVIL[:60]) as client:
            client._execute_command(3, f'SELECT SLEEP(3), "{EVIL}"')

            def seen() -> bool:
                return any(EVIL in cell for row in shown.rows("connections") for cell in row)

            assert eventually(seen), shown.rows("connections")
            assert any(EVIL[:60] in row for row in shown.rows("connections"))
            client._read_query_result()
            run(client, f"SELECT 1 AS `{EVIL}`")
            title = f"SELECT 1 AS `{EVIL}`"
            assert eventually(lambda: any(EVIL in row[0] for row in shown.rows("queries"))), (
                shown.rows("queries")
            )
            titles = "[...document.querySelectorAll('#queries tr')].map(row => row.title)"
            assert title in shown.page.evaluate(titles)
        run(admin, f"DROP DATABASE `{EVIL[:60]}`")
    assert shown.page.title() == "pyproxy"
    assert shown.page.locator("img").count() == 0
    assert shown.complaints == []
