"""A client's connection to a proxy in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _native
from .client import Phase
from .process import Process

if TYPE_CHECKING:
    import pyproxy

__all__ = ["Connection"]

_PHASES = {
    "nothing": Phase.NEW,
    "login": Phase.LOGIN,
    "login_rounds": Phase.LOGIN_ROUNDS,
    "command": Phase.COMMANDS,
    "file": Phase.COMMANDS,
    "more of a command": Phase.COMMANDS,
    "script": Phase.WAITING,
    "closed": Phase.CLOSED,
}


class Connection:
    """One client of a proxy. Its methods take the client's payloads and give what it is answered."""

    def __init__(self, process: Process) -> None:
        self._raises = process.raise_errors
        self._has_raised = False
        self._native = _native.Connection(process.native, process, process.patience)

    def accept(self) -> list[bytes]:
        """The client connects: the greeting, or an ERR."""
        return self._checked(self._native.accept())

    def send(self, payload: bytes) -> list[bytes]:
        """The client sends a payload. Raises ConnectionError if the connection is closed."""
        return self._checked(self._native.send(payload))

    def begin(self, payload: bytes) -> list[bytes]:
        """The client sends a command, whose answer need not be there; what its hook raised is kept."""
        return self._native.begin(payload)

    def go_on(self) -> list[bytes]:
        """Goes on with a command that a hook waits in, until nothing happens."""
        return self._native.go_on(False)

    def finish(self) -> list[bytes]:
        """Waits for the answer to a command that was begun."""
        return self._checked(self._native.go_on(True))

    def disconnect(self) -> None:
        """The client hangs up, or was hung up on. A hook that waits comes to its end."""
        self._native.disconnect()
        self._checked([])

    @property
    def phase(self) -> Phase:
        """Whose turn it is."""
        return _PHASES[self._native.awaits]

    @property
    def wants_file(self) -> bool:
        """Whether the client's next payloads are those of a file that it was asked for."""
        return self._native.awaits == "file"

    @property
    def proxy(self) -> pyproxy.Proxy | None:
        """What the hooks of this client get; None if there is no script, or the connection is over."""
        return self._native.proxy

    def hush(self) -> None:
        """Raises nothing any more if a hook's exception was raised before."""
        self._raises = self._raises and not self._has_raised

    def _checked(self, packets: list[bytes]) -> list[bytes]:
        failure = self._native.take_failure()
        if failure is not None and self._raises:
            self._has_raised = True
            raise failure
        return packets
