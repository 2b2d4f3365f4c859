"""A file that lines are appended to, and that may be moved away meanwhile."""

from __future__ import annotations

import logging
import os
import sys
import time

__all__ = ["LogFile"]

_log = logging.getLogger("pyproxy.log_file")

# Seconds between two looks at whether the file was moved, and between two complaints.
_LOOK = 1.0
_COMPLAIN = 60.0


class LogFile:
    """Lines for the file `path`, or for standard output if that is empty.

    Each line is written at once, in one piece. A line that cannot be written is lost; the proxy's log says so, once a
    minute at most. When the file was moved or removed, as log rotation does, it is made anew within a second.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lost = 0
        self._file: int | None = None
        self._looked_at = 0.0
        self._complained_at: float | None = None

    def open(self) -> None:
        """Opens the file if it is not open. Raises OSError."""
        if self.path and self._file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            # Queries have secrets in them: nobody else reads a new file.
            self._file = os.open(self.path, flags, 0o600)
            self._looked_at = time.monotonic()

    def write(self, line: str) -> None:
        """Writes a line, which has no line end."""
        data = (line + "\n").encode("utf-8", "backslashreplace")
        try:
            if not self.path:
                sys.stdout.write(data.decode())
                return
            self._reopen_if_moved()
            self.open()
            assert self._file is not None
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            self._complain(error)

    def close(self) -> None:
        """Closes the file; the next line opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _reopen_if_moved(self) -> None:
        now = time.monotonic()
        if self._file is None or now - self._looked_at < _LOOK:
            return
        self._looked_at = now
        try:
            is_same = os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except FileNotFoundError:
            is_same = False
        if not is_same:
            self.close()

    def _complain(self, error: OSError) -> None:
        self.lost += 1
        now = time.monotonic()
        if self._complained_at is None or now - self._complained_at >= _COMPLAIN:
            self._complained_at = now
            _log.error("%s: %s; lines lost so far: %d", self.path, error.strerror, self.lost)
