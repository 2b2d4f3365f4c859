"""The objects outside the proxy are those that the type stubs describe: same names, same documentation."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
from pathlib import Path

import pyproxy
import pyproxy._native._plugin as exported
import pytest
from pyproxy.testing import FakeServer, Packets, Session

FOLDER = Path(pyproxy.__file__).parent
STUBS = {
    node.name: node
    for file in ("__init__.pyi", "_answers.pyi")
    for node in ast.parse((FOLDER / file).read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
FUNCTIONS = {
    node.name: node
    for node in ast.parse((FOLDER / "__init__.pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef)
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
    # A response looks its members up itself.
    assert members == ({} if live is pyproxy.Response else _members(stub))


def test_nothing_else_is_exported() -> None:
    assert {name for name in EXPORTED if name not in CONSTANTS} == {*STUBS, *FUNCTIONS}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    live = getattr(pyproxy, name)
    assert _words(live.__doc__) == _words(ast.get_docstring(FUNCTIONS[name]))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_fields_can_be_pickled_and_copied(protocol: int) -> None:
    field = _field()
    restored = pickle.loads(pickle.dumps(field, protocol))
    assert type(restored) is pyproxy.Field
    assert restored == field
    assert _members_of(restored) == _members_of(field)
    assert copy.copy(field) is copy.deepcopy(field) is field
    assert copy.deepcopy({"columns": [field]}) == {"columns": [field]}


def test_a_field_is_made_of_a_definition_only() -> None:
    for arguments in [(), ("a", 3), (b"",), (b"\x03def",)]:
        with pytest.raises((TypeError, ValueError)):
            pyproxy.Field(*arguments)


def _field() -> pyproxy.Field:
    """A column whose name is no text."""
    definition = b"\x03def\x01d\x01t\x02ot\x02n\xff\x02on\x0c\x08\0\x0b\0\0\0\xfd\x03\x42\x02\0\0"
    row = b"\x01x"
    eof = b"\xfe\0\0\2\0"
    server = FakeServer().on("SELECT n", Packets(b"\1", definition, eof, row, eof))
    fields: list[pyproxy.Field] = []

    class Keeping:
        @staticmethod
        def read_query(proxy: pyproxy.Proxy, packet: bytes) -> int:
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY

        @staticmethod
        def read_query_result(proxy: pyproxy.Proxy, inj: pyproxy.Injection) -> None:
            fields.extend(inj.resultset.fields or ())

    with Session(Keeping, server=server) as session:
        session.query("SELECT n")
    (field,) = fields
    return field


def _members_of(field: pyproxy.Field) -> dict[str, object]:
    return {name: getattr(field, name) for name in _members(STUBS["Field"])}
