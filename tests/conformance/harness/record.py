"""What happened in a run, in words that can be compared."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyproxy.testing import Answer, FakeServer, Statement
from pyproxy.testing.client import Client

__all__ = ["Record", "RecordedClient", "normalize"]

_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_FILE = re.compile(r'File ".*/([^/"]+)"')
# Marks of the column in a line, which Python has from 3.11 on.
_MARKS = re.compile(r"^\s*[~^]+\s*$")


@dataclass
class Record:
    """The visible effects of a run."""

    # What the clients did and saw, in order.
    clients: list[str] = field(default_factory=list)
    # What each connection of each server got.
    servers: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)

    def note_log(self, entries: Iterable[str]) -> None:
        """Takes down the log. The host writes an entry that is like the one before only once."""
        normal = ["\n".join(normalize(entry)) for entry in entries]
        for entry, _ in itertools.groupby(normal):
            self.log += entry.split("\n")

    def note_servers(self, servers: Iterable[FakeServer]) -> None:
        """Takes down what the servers were asked."""
        for ndx, server in enumerate(servers):
            for connection in server.connections:
                seen = " ".join(map(_show, connection.received))
                self.servers.append(f"server {ndx} connection {connection.thread_id}: {seen}")


def normalize(text: str) -> list[str]:
    """The lines of a log entry or of printed text without what differs from run to run."""
    text = _FILE.sub(r'File "\1"', _ADDRESS.sub("127.0.0.1:PORT", text))
    return [line for line in text.splitlines() if not _MARKS.match(line)]


def _show(payload: bytes) -> str:
    return repr(payload)[1:]


class RecordedClient:
    """A client whose doings are written down. The methods are those of a session."""

    def __init__(
        self, client: Client, number: int, record: Record, rest: Callable[[], list[bytes]]
    ) -> None:
        """`rest` gives what comes until the proxy closes the connection, which it waits for."""
        self._client = client
        self._number = number
        self._record = record
        self._rest = rest
        self._has_begun = False

    def _note(self, what: str, packets: list[bytes]) -> None:
        seen = " ".join(map(_show, packets)) or "nothing"
        self._record.clients.append(f"client {self._number} {what}: {seen}")

    def connect(self) -> Answer:
        """Connects and logs in."""
        self._has_begun = True
        answer = self._client.connect()
        self._note("connects", answer.packets)
        return answer

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._client.closed

    def _begin(self) -> None:
        if not self._has_begun:
            self.connect()

    def command(self, packet: bytes) -> Answer:
        """Sends a command, after connecting if need be."""
        self._begin()
        answer = self._client.command(packet)
        self._note(f"sends {_show(packet)}", answer.packets)
        return answer

    def query(self, sql: str, attributes: Mapping[str, Any] | None = None) -> Answer:
        """Sends a query."""
        self._begin()
        answer = self._client.query(sql, attributes)
        self._note(f"queries {sql} {attributes or ''}", answer.packets)
        return answer

    def prepare(self, sql: str) -> Statement:
        """Prepares a statement."""
        self._begin()
        statement = self._client.prepare(sql)
        self._note(f"prepares {sql}", statement.answer.packets)
        return statement

    def execute(
        self,
        statement: Statement | int,
        params: Iterable[Any] = (),
        attributes: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Executes a statement."""
        answer = self._client.execute(statement, params, attributes=attributes)
        self._note("executes", answer.packets)
        return answer

    def close_statement(self, statement: Statement | int) -> None:
        """Closes a statement."""
        self._note("closes a statement", self._client.close_statement(statement).packets)

    def send_file(self, content: bytes) -> None:
        """What the client sends when it is asked for a file."""
        self._client.local_file = content

    def quit(self) -> None:
        """Says goodbye."""
        self._client.quit()
        self._note("quits", [])

    def disconnect(self) -> None:
        """Hangs up."""
        self._client.disconnect()
        self._note("hangs up", [])

    def expect_closed(self) -> None:
        """The proxy closes the connection by itself: waits for it, and notes what comes before."""
        self._note("was hung up on", self._rest())
