"""A command whose answer a hook may hold up."""

from __future__ import annotations

from collections.abc import Callable

from .answer import Answer
from .client import Phase
from .connection import Connection

__all__ = ["Pending"]


class Pending:
    """A command that was sent. Its hook may wait, until the test does something about it or takes the answer."""

    def __init__(
        self, connection: Connection, packets: list[bytes], read: Callable[[list[bytes]], Answer]
    ) -> None:
        """`packets` are what came so far, `read` takes all of them, and gives the answer."""
        self._connection = connection
        self._packets = packets
        self._read = read
        self._answer: Answer | None = None

    def go_on(self) -> None:
        """Goes on until nothing happens: the hook waits, or the answer is there."""
        if self._answer is None:
            self._packets += self._connection.go_on()

    @property
    def done(self) -> bool:
        """Whether the answer is there. Goes on until nothing happens."""
        self.go_on()
        return self._answer is not None or self._connection.phase is not Phase.WAITING

    def answer(self) -> Answer:
        """The answer. Waits for it, and raises what the hook raised, like any other command; what came of it if the client
        has left.
        """
        if self._answer is None:
            self._packets += self._connection.finish()
            self._answer = self._read(self._packets)
        return self._answer
