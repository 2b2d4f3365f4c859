"""The objects outside the proxy are those that the type stubs describe: same names, same documentation."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pyproxy
import pyproxy._native._plugin as exported
import pytest

FOLDER = Path(pyproxy.__file__).parent
STUBS = {
    node.name: node
    for node in ast.parse((FOLDER / "__init__.pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
EXPORTED = {name: value for name, value in vars(exported).items() if not name.startswith("_")}
CONSTANTS = {name: value for name, value in EXPORTED.items() if isinstance(value, int)}


def _words(text: str | None) -> list[str]:
    """Documentation without line breaks, which differ."""
    return (text or "").split()


def test_constants() -> None:
    module = ast.parse((FOLDER / "_constants.pyi").read_text(encoding="utf-8"))
    declared = {
        node.target.id: ast.literal_eval(node.value) if node.value else None
        for node in module.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    # The version is that of the host: the stub gives no value.
    assert declared.pop("PROXY_VERSION") is None
    assert {**declared, "PROXY_VERSION": 0x00805} == CONSTANTS
    for name, value in CONSTANTS.items():
        assert getattr(pyproxy, name) == getattr(pyproxy.Proxy, name) == value


def _members(stub: ast.ClassDef) -> dict[str, list[str]]:
    """Names and documentation of what a class has, without special methods and setters."""
    functions = [node for node in stub.body if isinstance(node, ast.FunctionDef)]
    return {
        node.name: _words(ast.get_docstring(node))
        for node in reversed(functions)
        if not node.name.startswith("__")
    }


@pytest.mark.parametrize("name", STUBS)
def test_classes(name: str) -> None:
    live = getattr(pyproxy, name)
    stub = STUBS[name]
    assert live.__module__ == "pyproxy"
    assert _words(inspect.getdoc(live)) == _words(ast.get_docstring(stub))
    members = {
        member: _words(inspect.getdoc(value))
        for member, value in vars(live).items()
        if not member.startswith("_") and member not in CONSTANTS
    }
    assert members == _members(stub)


def test_nothing_else_is_exported() -> None:
    assert {name for name in EXPORTED if name not in CONSTANTS} == set(STUBS)
