"""What a script may ask of the program it runs in, outside the proxy.

A session of `pyproxy.testing` that runs a hook keeps what is logged and asked for. When none runs, log lines go to
Python's logger `pyproxy`.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Callable, NamedTuple

from .text import quoted

__all__ = [
    "critical",
    "debug",
    "error",
    "get_stats",
    "info",
    "log",
    "message",
    "set_shutdown",
    "warning",
]


class Host(NamedTuple):
    """Who answers the questions."""

    log: Callable[[str, str], None]
    stats: Callable[[], dict[str, int]]
    shutdown: Callable[[], None]


# The one whose script runs now is last.
_hosts: list[Host] = []

_LEVELS = {
    "critical": logging.CRITICAL,
    "warning": logging.WARNING,
    # GLib's level message lies between the two.
    "message": (logging.WARNING + logging.INFO) // 2,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}


def enter(host: Host) -> None:
    """A script of this host runs from now on."""
    _hosts.append(host)


def leave() -> None:
    """The script that was entered last does not run any more."""
    _hosts.pop()


def get_stats() -> dict[str, int]:
    """The numbers that the plugin counts since its start, by name.

    `connections`, `queries`, `queued_queries`, `malformed_packets`, `panics`, `python_wait_micros`, and for
    each hook `<hook>.calls`, `<hook>.errors` and `<hook>.micros`. A new dict each time.
    """
    return _hosts[-1].stats() if _hosts else {}


def set_shutdown() -> None:
    """Asks the host to end: connections are closed, `shutdown(proxy)` is called. Returns at once."""
    if _hosts:
        _hosts[-1].shutdown()


def log(level: str, text: object) -> None:
    """Writes a line to the host's log, with the place it was called from.

    `level` is "error", "critical", "warning", "message", "info" or "debug". "error" is written as critical: a
    script does not abort the proxy.
    """
    wanted = "critical" if level == "error" else level
    if wanted not in _LEVELS:
        raise ValueError(f"there is no log level {quoted(level)}")
    _write(wanted, text)


def error(text: object) -> None:
    """Writes to the host's log at level critical: GLib's own level error would abort the proxy."""
    _write("critical", text)


def critical(text: object) -> None:
    """Writes to the host's log at level critical."""
    _write("critical", text)


def warning(text: object) -> None:
    """Writes to the host's log at level warning."""
    _write("warning", text)


def message(text: object) -> None:
    """Writes to the host's log at level message, between warning and info."""
    _write("message", text)


def info(text: object) -> None:
    """Writes to the host's log at level info."""
    _write("info", text)


def debug(text: object) -> None:
    """Writes to the host's log at level debug."""
    _write("debug", text)


def _write(level: str, text: object) -> None:
    caller = sys._getframe(2)
    place = f"{os.path.basename(caller.f_code.co_filename)}:{caller.f_lineno}"
    line = f"({place}) {text}"
    if _hosts:
        _hosts[-1].log(level, line)
    else:
        logging.getLogger("pyproxy").log(_LEVELS[level], line)
