"""Child processes that end when the tests end, however that happens."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# Seconds that anything may take on a busy machine before a test fails.
PATIENCE = 60.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_ports: Iterator[int] | None = None


def spawn(arguments: list[str], output: Path) -> subprocess.Popen[bytes]:
    """Starts a program that writes to the file `output`, and that gets SIGKILL when the tests are gone."""
    with output.open("ab") as file:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
            process_group=0,
        )


def eventually(condition: Callable[[], bool]) -> bool:
    """Asks until the condition holds. False if it does not within the patience."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def free_port() -> int:
    """A port of the loopback address that nobody else gets, not even by chance.

    Below the range from which the system gives ports to clients; from a random start, as several test runs may share
    the machine.
    """
    global _ports
    if _ports is None:
        start = 10000 + int.from_bytes(os.urandom(2), "big") % 15000
        _ports = iter(range(start, 32000))
    for port in _ports:
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def is_listening(port: int) -> bool:
    """Whether somebody listens on this port of the loopback address.

    Asked of the kernel: to connect would be seen, by hooks for example.
    """
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return any(row[1] == f"0100007F:{port:04X}" and row[3] == "0A" for row in rows)
