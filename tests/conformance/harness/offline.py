"""A scenario in `pyproxy.testing`."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from pyproxy.testing import FakeServer, Session

from .record import Record, RecordedClient, normalize
from .scenario import Scenario

__all__ = ["run"]


class _World:
    def __init__(self, session: Session, record: Record) -> None:
        self._session = session
        self._record = record
        self._count = 0

    @property
    def servers(self) -> list[FakeServer]:
        return self._session.servers

    def client(self, **options: Any) -> RecordedClient:
        self._count += 1
        session = self._session.new_client(**options)

        def rest() -> list[bytes]:
            assert session.closed, "the connection is still open"
            return []

        return RecordedClient(session, self._count, self._record, rest)

    def hang_up(self, ndx: int) -> None:
        self.servers[ndx].drop_connections()


def run(scenario: Scenario, folder: Path) -> Record:
    """Runs the scenario with nothing but objects in memory. The script is a file in `folder`."""
    record = Record()
    path = None
    if scenario.script is not None:
        path = folder / "script.py"
        path.write_text(scenario.script)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        session = Session(
            path,
            backends=list(scenario.servers()),
            read_only=list(scenario.read_only()),
            raise_errors=False,
            **scenario.options,  # type: ignore[arg-type]
        )
        with session:
            scenario.steps(_World(session, record))
    record.note_servers(session.servers)
    record.note_log(f"({entry.level}) {entry.text}" for entry in session.log)
    record.output = normalize(output.getvalue())
    return record
