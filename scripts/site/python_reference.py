"""The reference of Python names, made from stubs and docstrings while the site is built: mkdocs.yml names this file as a hook.

A page holds the directives that mkdocstrings reads; what it says is what editors and type checkers show. Constants, which have no
words of their own, are a table.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PACKAGE = Path(__file__).parents[2] / "python" / "pyproxy"
FOLDER = "reference/python"
# Kept under their former names, and described in docs/library.md.
FORMER_NAMES = {"glib2", "proxy_utils"}


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    pages = {
        "objects": f"# Objects of a script\n\n{ast.get_docstring(tree)}\n\n" + _defined(tree),
        "answers": "# Answers\n\nWhat hooks may return besides the constants.\n\n"
        + _imported(tree, "_answers"),
        "errors": "# Errors\n\nWhat hooks that wait may be raised.\n\n"
        + _imported(tree, "_errors"),
        "constants": _constants(),
    }
    for name in _modules():
        pages[name] = f"# pyproxy.{name}\n\n::: pyproxy.{name}\n"
    for name, content in pages.items():
        files.append(File.generated(config, f"{FOLDER}/{name}.md", content=content))
    return files


def _modules() -> list[str]:
    """What a script imports of the library, and its tests."""
    names = {path.stem for path in PACKAGE.glob("[a-z]*.py")} | {"testing"}
    return sorted(names - FORMER_NAMES)


def _defined(tree: ast.Module) -> str:
    """The classes and functions of `pyproxy` itself."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = [node.name for node in tree.body if isinstance(node, kinds)]
    return "".join(_directive(f"pyproxy.{name}") for name in names)


def _imported(tree: ast.Module, module: str) -> str:
    """The classes that `pyproxy` has of a module that nobody names."""
    nodes = [
        node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == module
    ]
    names = [alias.name for node in nodes for alias in node.names]
    return "".join(_directive(f"pyproxy.{module}.{name}") for name in names)


def _directive(name: str) -> str:
    return f"::: {name}\n    options: {{show_root_heading: true, show_root_full_path: false}}\n\n"


def _constants() -> str:
    tree = ast.parse((PACKAGE / "_constants.pyi").read_text(encoding="utf-8"))
    rows = [
        f"| `{node.target.id}` | {ast.unparse(node.value)} |"
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    ]
    lines = [
        "# Constants",
        "",
        "Names of `pyproxy`, and attributes of every `proxy`.",
        "",
        "| name | value |",
        "|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"
