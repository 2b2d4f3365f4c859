"""Loading the files of `load_multi`: from below one folder only, each as a module of its own."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pyproxy._stack.hook_names import OF_CONNECTION, OF_SCRIPT, complaint
from pyproxy._stack.protection import RESULTS, STATEMENTS, noticing
from pyproxy._stack.script_view import ProxyView

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["LoadError", "Script", "conflict", "load", "name_of"]

# Two files of one name, or one file twice, are two modules.
_numbers = itertools.count(1)


class LoadError(Exception):
    """A script that cannot be loaded; the text names it and says why. What it raised itself is the cause."""


class Script:
    """A loaded script: the hooks of a module."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        # What the script protects with, if it does: `_protection` has the words.
        self.has_to_see: frozenset[str] = frozenset()
        self._module = module
        self._hooks = {
            hook: getattr(module, hook)
            for hook in (*OF_CONNECTION, *OF_SCRIPT)
            if callable(getattr(module, hook, None))
        }

    def __str__(self) -> str:
        return self.name

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The function for this hook; None if the script has none."""
        return self._hooks.get(name)

    def has_hooks(self) -> bool:
        """Whether the script can do anything for a connection."""
        return any(name in self._hooks for name in OF_CONNECTION)

    @property
    def takes_results(self) -> bool:
        """Whether it can send queries and handle their results."""
        return "read_query_result" in self._hooks

    def begin(self, proxy: Proxy) -> None:
        """Runs `init(proxy)`. Raises LoadError if that raises."""
        try:
            with noticing() as has_to_see:
                self._run("init", proxy)
            self.has_to_see |= has_to_see
        except (Exception, SystemExit) as error:
            self._forget()
            raise _failed(self.name, error) from error

    def end(self, proxy: Proxy) -> None:
        """Runs `shutdown(proxy)`, whose exceptions pass, and forgets the module."""
        self._forget()
        self._run("shutdown", proxy)

    def _run(self, name: str, proxy: Proxy) -> None:
        function = self._hooks.get(name)
        if function is not None:
            function(ProxyView(proxy, without_connection=True))

    def _forget(self) -> None:
        sys.modules.pop(self._module.__name__, None)


def conflict(first: Script, second: Script) -> str | None:
    """Why `second` cannot be asked behind `first`; None if it can.

    A query is handled by one script, so what protects results is blind to those of others. What protects statements
    has to be asked first.
    """
    for guard, other in ((first, second), (second, first)):
        if RESULTS in guard.has_to_see and other.takes_results:
            return f"{guard} has to see all results, and {other} takes results, too"
    if STATEMENTS in second.has_to_see and first.takes_results:
        return f"{second} has to see all statements: it must stand before {first}"
    return None


def name_of(name: str) -> str:
    """The name of a script, however it is written: without `.py`."""
    return name[: -len(".py")] if name.endswith(".py") else name


def load(directory: Path, name: str, forbidden: Path) -> Script:
    """Runs the file `name` below `directory`; `.py` is added if it is not there.

    Raises LoadError if there is no such file below the folder, if it is the file `forbidden`, if it has no hooks or one
    that cannot be called, or if it raises.
    """
    path = _find(directory, name)
    if path == forbidden.resolve():
        raise LoadError(f"{name}: a stack cannot be part of itself")
    module_name = f"_stacked_{next(_numbers)}_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{name}: this is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        with noticing() as has_to_see:
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise _failed(name, error) from error
    script = Script(name_of(name), module)
    script.has_to_see |= has_to_see
    reason = complaint(module) or (None if script.has_hooks() else "there is no hook in it")
    if reason is not None:
        del sys.modules[module_name]
        raise LoadError(f"{name}: {reason}")
    return script


def _find(directory: Path, name: str) -> Path:
    """The file of a script. Raises LoadError if it is not below the folder, with links followed."""
    folder = directory.resolve()
    try:
        path = (folder / f"{name_of(name)}.py").resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError):
        # A name too long, a loop of links, a NUL.
        is_file = False
    # One text for all, so that nobody can find out what files there are elsewhere.
    if not name or not is_file or not path.is_relative_to(folder):
        raise LoadError(f"{name}: there is no such script below the directory")
    return path


def _failed(name: str, error: BaseException) -> LoadError:
    return LoadError(f"{name}: {type(error).__name__}: {error}")
