"""Loading a script."""

from __future__ import annotations

import importlib.util
import linecache
import os
import re
import sys
import textwrap
import traceback
import types
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, Union

__all__ = ["Script", "ScriptSource", "describe"]

# A path, source text, the dotted name of a module, or whatever has functions of the right names.
ScriptSource = Union[
    str, "os.PathLike[str]", types.ModuleType, types.SimpleNamespace, Mapping[str, Any], None
]

# Not resolved: as the file names in tracebacks.
_OURS = os.path.dirname(__file__) + os.sep
_texts = count(1)


class Script:
    """A script. Code of a path or a text runs in a module of its own, each time anew."""

    def __init__(self, source: ScriptSource) -> None:
        self.path: str | None = None
        self._source = source
        self._text: str | None = None
        self._module: Any = None
        self._before: frozenset[str] = frozenset()
        if isinstance(source, os.PathLike):
            self.path = os.path.abspath(source)
        elif isinstance(source, str):
            self.path = _path_of(source)
            if self.path is None:
                self._text = textwrap.dedent(source)

    @property
    def folder(self) -> str | None:
        """Where modules beside the script are."""
        return os.path.dirname(self.path) if self.path else None

    def load(self) -> None:
        """Runs the code; whatever it raises is raised."""
        self._before = frozenset(sys.modules)
        if self.path is not None:
            code = Path(self.path).read_bytes()
            self._run(code, self.path)
        elif self._text is not None:
            name = f"<script {next(_texts)}>"
            # So that tracebacks show its lines.
            linecache.cache[name] = (len(self._text), None, self._text.splitlines(True), name)
            self._run(self._text, name)
        elif isinstance(self._source, Mapping):
            self._module = types.SimpleNamespace(**self._source)
        else:
            self._module = self._source

    def _run(self, source: str | bytes, filename: str) -> None:
        stem = os.path.splitext(os.path.basename(filename))[0].strip("<>").replace(" ", "_")
        module = types.ModuleType(f"pyproxy_script_{stem}")
        module.__file__ = filename
        sys.modules[module.__name__] = module
        self._module = module
        exec(compile(source, filename, "exec"), vars(module))

    @property
    def namespace(self) -> Any:
        """The script's module, or what stands for it."""
        return self._module

    def unload(self) -> None:
        """Forgets its module, and the modules beside it that it imported: the next one gets fresh ones."""
        if isinstance(self._module, types.ModuleType) and self._module is not self._source:
            sys.modules.pop(self._module.__name__, None)
        folder = self.folder
        if folder is None:
            return
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            is_new = name not in self._before and "." not in name
            if is_new and os.path.dirname(file) == folder:
                del sys.modules[name]


def _path_of(text: str) -> str | None:
    """The path that a text names, or that of the module it names; None if it is source."""
    if "\n" in text:
        return None
    if text.endswith(".py"):
        return os.path.abspath(text)
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", text):
        spec = importlib.util.find_spec(text)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"No module named {text!r}")
        return spec.origin
    return None


def describe(error: BaseException) -> str:
    """The traceback of an exception as the plugin logs it: without frames of this package."""
    report = traceback.TracebackException(type(error), error, error.__traceback__)
    part: traceback.TracebackException | None = report
    while part is not None:
        frames = [frame for frame in part.stack if not frame.filename.startswith(_OURS)]
        part.stack = traceback.StackSummary.from_list(frames)
        part = part.__cause__ or (None if part.__suppress_context__ else part.__context__)
    lines = list(report.format())
    if not report.stack and lines and lines[0].startswith("Traceback"):
        lines = lines[1:]
    return "".join(lines).rstrip("\n")
