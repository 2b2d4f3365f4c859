"""Loading the scripts of `load_multi`: files from below one folder only, and the library's own, each as a module of its own."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import sys
from collections.abc import Callable
from importlib.abc import InspectLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, cast

from pyproxy._stack.hook_names import OF_CONNECTION, OF_SCRIPT, complaint
from pyproxy._stack.script_view import ProxyView
from pyproxy._stack.traits import Traits, awaited_noticing, noticing
from pyproxy._stack.waiting import is_async, outcome

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
        # What its `init` told.
        self.traits = Traits()
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

    def first_async(self) -> str | None:
        """One of its functions that wait, if there are any."""
        return next((name for name, hook in self._hooks.items() if is_async(hook)), None)

    async def begin(self, proxy: Proxy) -> None:
        """Runs `init(proxy)`. Raises LoadError if that raises."""
        try:
            with noticing(self.traits):
                returned = self._call("init", proxy)
            if inspect.iscoroutine(returned):
                returned = awaited_noticing(self.traits, returned)
            await outcome(returned)
        except (Exception, SystemExit) as error:
            self._forget()
            raise _failed(self.name, error) from error

    async def end(self, proxy: Proxy) -> None:
        """Runs `shutdown(proxy)`, whose exceptions pass, and forgets the module."""
        self._forget()
        await outcome(self._call("shutdown", proxy))

    def _call(self, name: str, proxy: Proxy) -> Any:
        function = self._hooks.get(name)
        if function is None:
            return None
        return function(ProxyView(proxy, without_connection=True))

    def _forget(self) -> None:
        sys.modules.pop(self._module.__name__, None)


def conflict(first: Script, second: Script) -> str | None:
    """Why `second` cannot stand behind `first`; None if it can."""
    for claim in sorted(first.traits.claims & second.traits.claims):
        return f"both {claim}"
    if first.traits.sees_all_results and second.traits.makes_rows_of_results:
        return f"{second} makes rows of results that {first} has to see before: it must stand in front of {first}"
    return None


def name_of(name: str) -> str:
    """The name of a script, however it is written: without `.py`."""
    return name[: -len(".py")] if name.endswith(".py") else name


def load(directory: Path, name: str, forbidden: Path, may_wait: bool) -> Script:
    """Runs the file `name` below `directory`; `.py` is added if it is not there. Without such a file it may be the name of a
    ready-made script.

    Raises LoadError if there is neither, if it is the file `forbidden`, if it has no hooks or one that cannot be called,
    or that waits when none may, or if it raises.
    """
    module = _of_file(directory, name, forbidden) or _ready_made(name)
    if module is None:
        # One text for all, so that nobody can find out what files there are elsewhere.
        raise LoadError(f"{name}: there is no such script below the directory")
    sys.modules[module.__name__] = module
    try:
        exec(_code(module), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise _failed(name, error) from error
    script = Script(name_of(name), module)
    reason = complaint(module) or (None if script.has_hooks() else "there is no hook in it")
    waits = script.first_async()
    if reason is None and waits is not None and not may_wait:
        reason = f"{waits} is an async def, which needs pyproxy-event-loop=own"
    if reason is not None:
        del sys.modules[module.__name__]
        raise LoadError(f"{name}: {reason}")
    return script


def _of_file(directory: Path, name: str, forbidden: Path) -> ModuleType | None:
    """The module of a file, not run yet; None if there is no such file."""
    path = _find(directory, name)
    if path is None:
        return None
    if path == forbidden.resolve():
        raise _part_of_itself(name)
    module_name = f"_stacked_{next(_numbers)}_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{name}: this is not a Python file")
    return importlib.util.module_from_spec(spec)


def _ready_made(name: str) -> ModuleType | None:
    """The module of a script of the library, not run yet; None if there is none of this name."""
    stem = name_of(name)
    if not stem.isidentifier() or stem == "__init__":
        return None
    spec = importlib.util.find_spec(f"pyproxy.hooks.{stem}")
    if spec is None:
        return None
    if stem == "load_multi":
        raise _part_of_itself(name)
    # Apart from the one that other scripts import.
    module = importlib.util.module_from_spec(spec)
    module.__name__ = f"_stacked_{next(_numbers)}_{stem}"
    return module


def _code(module: ModuleType) -> CodeType:
    """What it runs. Asked for by the name that the loader knows, which may be another than the module's."""
    spec = module.__spec__
    assert spec is not None
    code = cast(InspectLoader, spec.loader).get_code(spec.name)
    assert code is not None
    return code


def _part_of_itself(name: str) -> LoadError:
    return LoadError(f"{name}: a stack cannot be part of itself")


def _find(directory: Path, name: str) -> Path | None:
    """The file of a script; None if it is not below the folder, with links followed."""
    folder = directory.resolve()
    try:
        path = (folder / f"{name_of(name)}.py").resolve()
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError):
        # A name too long, a loop of links, a NUL.
        is_file = False
    return path if name and is_file and path.is_relative_to(folder) else None


def _failed(name: str, error: BaseException) -> LoadError:
    return LoadError(f"{name}: {type(error).__name__}: {error}")
