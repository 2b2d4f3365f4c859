"""Folders of programs that start servers."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_folder(name: str, keep: str | None) -> Iterator[Path]:
    """The folder `keep`, or one that is gone afterwards, also after SIGTERM.

    In memory: what is tested are answers, not disks. It must not stay there.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(keep or tempfile.mkdtemp(prefix=f"pyproxy-{name}-", dir=memory))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
