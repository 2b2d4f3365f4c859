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
    "closed": Phase.CLOSED,
}


class Connection:
    """One client of a proxy. Its methods take the client's payloads and give what it is answered."""

    def __init__(self, process: Process) -> None:
        self._raises = process.raise_errors
        self._has_raised = False
        self._native = _native.Connection(process.native, process)

    def accept(self) -> list[bytes]:
        """The client connects: the greeting, or an ERR."""
        return self._checked(self._native.accept())

    def send(self, payload: bytes) -> list[bytes]:
        """The client sends a payload. Raises ConnectionError if the connection is closed."""
        return self._checked(self._native.send(payload))

    def disconnect(self) -> None:
        """The client hangs up, or was hung up on."""
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
