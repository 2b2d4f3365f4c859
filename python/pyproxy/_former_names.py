"""Imports of this package's modules by the names they had in earlier proxies: `mysql.proto`, `chassis`, ...

A module of that name that is installed or lies beside the script comes first: the finder here is asked last. So
`mysql.connector` and `mysql.proto` can both be imported, whether the package `mysql` is installed or not.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["install"]

_LIBRARY = {
    "chassis": "chassis",
    "glib2": "glib2",
    "mysql.password": "password",
    "mysql.proto": "proto",
    "mysql.tokenizer": "tokenizer",
    "proxy.auto_config": "auto_config",
    "proxy.balance": "balance",
    "proxy.commands": "commands",
    "proxy.parser": "parser",
    "proxy.tokenizer": "tokenizer",
    "proxy_utils": "proxy_utils",
}
_HOOKS = (
    "active_queries",
    "active_transactions",
    "admin_sql",
    "analyze_query",
    "auditing",
    "commit_obfuscator",
    "histogram",
    "load_multi",
    "ro_balance",
    "ro_pooling",
    "rw_splitting",
    "xtab",
)
_MODULES = {former: f"pyproxy.{name}" for former, name in _LIBRARY.items()}
_MODULES.update((name, f"pyproxy.hooks.{name}") for name in _HOOKS)
_PACKAGES = {"mysql", "proxy"}


def _attribute_of_proxy(name: str) -> Any:
    """`import proxy.parser` binds the name `proxy`: what the builtin of that name has stays reachable."""
    proxy = getattr(builtins, "proxy", None)
    if proxy is None or name.startswith("__"):
        raise AttributeError(f"module 'proxy' has no attribute {name!r}")
    return getattr(proxy, name)


class _FormerNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder and loader. What it gives out is the module itself, not a copy under another name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in _MODULES:
            return ModuleSpec(fullname, self)
        if fullname in _PACKAGES:
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name in _MODULES:
            # The import system takes what stands here after the call.
            sys.modules[name] = importlib.import_module(_MODULES[name])
        elif name == "proxy":
            vars(module)["__getattr__"] = _attribute_of_proxy


def install() -> None:
    """Makes the former names importable, once."""
    if not any(isinstance(finder, _FormerNames) for finder in sys.meta_path):
        sys.meta_path.append(_FormerNames())
