"""What surrounds the code of a script while it runs."""

from __future__ import annotations

import builtins
import logging
import sys

from .. import _native
from .._former_names import install as install_former_names
from .script import Script

__all__ = ["Surroundings"]

_MISSING = object()


class Surroundings:
    """What is there while code of a script runs: the builtin `proxy`, its folder on the path, logging."""

    def __init__(self, process: _native.Process, script: Script) -> None:
        self._proxy = process.proxy
        self._script = script
        self._handler = _LogHandler(process, self)
        # How often they were entered: hooks that wait leave them in any order.
        self._entered = 0
        self._before: tuple[object, list[str], int] = (_MISSING, [], 0)

    def begin(self) -> None:
        """The script is loaded: from now on there may be tasks of it."""
        logging.root.addHandler(self._handler)

    def end(self) -> None:
        """It is gone."""
        logging.root.removeHandler(self._handler)

    @property
    def logs_here(self) -> bool:
        """Whether what this thread logs is the script's."""
        return self._entered > 0 or _native.is_event_loop()

    def enter(self) -> None:
        """Code of the script runs from now on."""
        self._entered += 1
        if self._entered > 1:
            return
        install_former_names()
        root = logging.root
        self._before = (getattr(builtins, "proxy", _MISSING), sys.argv, root.level)
        builtins.proxy = self._proxy  # type: ignore[attr-defined] # scripts use it so
        folder = self._script.folder
        if folder is not None:
            sys.path.insert(0, folder)
            sys.argv = [str(self._script.path)]
        root.setLevel(logging.DEBUG)

    def leave(self) -> None:
        """It has returned."""
        self._entered -= 1
        if self._entered > 0:
            return
        proxy, sys.argv, level = self._before
        logging.root.setLevel(level)
        folder = self._script.folder
        if folder is not None and folder in sys.path:
            sys.path.remove(folder)
        if proxy is _MISSING:
            del builtins.proxy  # type: ignore[attr-defined]
        else:
            builtins.proxy = proxy  # type: ignore[attr-defined]


class _LogHandler(logging.Handler):
    """Python's logging goes to the proxy's log."""

    def __init__(self, process: _native.Process, surroundings: Surroundings) -> None:
        super().__init__()
        self._surroundings = surroundings
        self._process = process
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def filter(self, record: logging.LogRecord) -> bool:
        # What asyncio says of itself when it begins is about no script.
        is_own = record.name == "asyncio" and record.levelno <= logging.DEBUG
        return self._surroundings.logs_here and not is_own

    def emit(self, record: logging.LogRecord) -> None:
        level = "debug"
        for lowest, name in (
            (logging.ERROR, "critical"),
            (logging.WARNING, "warning"),
            (logging.INFO, "info"),
        ):
            if record.levelno >= lowest:
                level = name
                break
        self._process.write_log(level, self.format(record))
