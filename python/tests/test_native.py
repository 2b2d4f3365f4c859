"""pyproxy._native: its stub says what is there."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from pyproxy import _native

STUB = Path(_native.__file__).with_name("_native.pyi")


def stub() -> dict[str, ast.stmt]:
    """The public definitions of the stub by name."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return {name: node for name, node in found.items() if not name.startswith("_")}


def test_the_stub_has_every_name_and_no_other() -> None:
    assert set(stub()) == {name for name in vars(_native) if not name.startswith("_")}


def test_functions_take_what_the_stub_says() -> None:
    compared = 0
    for name, node in stub().items():
        if isinstance(node, ast.FunctionDef):
            parameters = [arg.arg for arg in node.args.posonlyargs + node.args.kwonlyargs]
            assert list(inspect.signature(getattr(_native, name)).parameters) == parameters, name
            compared += 1
    assert compared > 30


def test_classes_have_what_the_stub_says() -> None:
    for kind in (_native.Token, _native.Tokens):
        node = stub()[kind.__name__]
        assert isinstance(node, ast.ClassDef)
        members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        assert members == {
            name for name in vars(kind) if not name.startswith("_") or name in members
        }
