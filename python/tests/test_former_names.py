"""Modules by the names they had in earlier proxies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pyproxy import _former_names, proto, proxy_utils, tokenizer
from pyproxy.testing import Session

FORMER = ("mysql", "proxy", "chassis", "proxy_utils")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets what other tests imported by these names."""
    _former_names.install()
    for name in list(sys.modules):
        if name.split(".")[0] in FORMER:
            monkeypatch.delitem(sys.modules, name)


def test_each_is_the_module_itself() -> None:
    with Session("import mysql.proto, proxy.tokenizer, chassis, proxy_utils") as session:
        assert session.script.mysql.proto is proto
        assert session.script.proxy_utils is proxy_utils
        assert session.script.proxy.tokenizer is tokenizer


def test_the_constants_stay_reachable_behind_the_package() -> None:
    with Session("import proxy.tokenizer\nquery = proxy.COM_QUERY") as session:
        assert session.script.query == 3
        assert not hasattr(session.script.proxy, "COM_NOTHING")


def test_real_packages_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mysql"
    package.mkdir()
    (package / "__init__.py").write_text("REAL = True\n")
    (package / "connector.py").write_text("")
    (tmp_path / "chassis.py").write_text("REAL = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    script = "import mysql.connector, chassis\nfrom mysql import proto"
    with Session(script) as session:
        assert session.script.mysql.REAL
        assert session.script.chassis.REAL
        assert session.script.proto is proto


def test_query_helpers() -> None:
    assert proxy_utils.get_query_type(b"\x03SELECT 1") == 3
    assert proxy_utils.get_query_content(b"\x03SELECT 1") == b"SELECT 1"
    with pytest.raises(IndexError):
        proxy_utils.get_query_type(b"")
