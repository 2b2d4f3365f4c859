"""A client's connection: whose turn it is, and what its parts have in common."""

from __future__ import annotations

from ..._offline.state import ClientSide, SessionState
from ..._offline.values import address_of
from ..server import ServerConnection
from .commands import Commands
from .connecting import Connecting
from .hooks import Binding
from .login import LoginRounds
from .phase import Phase
from .process import Process

__all__ = ["Connection"]

_FIRST_CLIENT_PORT = 50000


class Connection:
    """One client of a proxy. Its methods take the client's payloads and give what it is answered."""

    def __init__(self, process: Process) -> None:
        self.process = process
        process.counters["connections"] += 1
        number = process.counters["connections"]
        client = ClientSide(
            address_of(f"127.0.0.1:{_FIRST_CLIENT_PORT + number}"), address_of("127.0.0.1:4045")
        )
        self.session = SessionState(number, client, process.shared)
        self.binding = Binding(process, self.session)
        self.phase = Phase.NEW
        self._out: list[bytes] = []
        self._connecting = Connecting(self)
        self.login = LoginRounds(self)
        self._commands = Commands(self)

    # --- what the client does

    def accept(self) -> list[bytes]:
        """The client connects: the greeting, or an ERR."""
        self.connect()
        return self._flush()

    def send(self, payload: bytes) -> list[bytes]:
        """The client sends a packet. Raises ConnectionError if the connection is closed."""
        if self.phase is Phase.LOGIN:
            self.login.read(payload)
        elif self.phase is Phase.LOGIN_ROUNDS:
            self.login.read_round(payload)
        elif self.phase is Phase.COMMANDS:
            self._commands.read(payload)
        else:
            raise ConnectionError("the connection is closed")
        return self._flush()

    @property
    def wants_file(self) -> bool:
        """Whether the client's next packets are those of a file that it was asked for."""
        return self.phase is Phase.COMMANDS and self._commands.wants_file

    def disconnect(self) -> None:
        """The client hangs up, or was hung up on."""
        if self.phase is not Phase.CLOSED:
            self.close()

    # --- for the parts

    def connect(self) -> None:
        """Chooses a backend and connects to it."""
        self.phase = Phase.NEW
        self._connecting.run()

    def to_client(self, packets: list[bytes]) -> None:
        """Sends payloads to the client."""
        self._out.extend(packets)

    @property
    def written(self) -> int:
        """How many payloads were sent to the client since its last packet."""
        return len(self._out)

    def forget_since(self, written: int) -> None:
        """Takes back what was sent since then and is not on its way yet."""
        del self._out[written:]

    def warn(self, text: str) -> None:
        """Writes a warning that names the connection."""
        self.process.write_log("warning", f"connection {self.session.id}: {text}")

    def complain(self, text: str) -> None:
        """Writes a critical line that names the connection."""
        self.process.write_log("critical", f"connection {self.session.id}: {text}")

    @property
    def link(self) -> ServerConnection | None:
        """The attached server connection."""
        server = self.session.server
        if server is None:
            return None
        assert isinstance(server.link, ServerConnection)
        return server.link

    @property
    def rejects(self) -> bool:
        """Whether a failed hook means an ERR for the client."""
        return self.process.options.on_script_error == "reject"

    def refuse(self, packets: list[bytes]) -> None:
        """Answers and hangs up."""
        self.to_client(packets)
        self.close()

    def close(self) -> None:
        """Ends the connection: the script is told, the server connection goes."""
        self.phase = Phase.CLOSED
        self.binding.call("disconnect_client")
        self.session.close_server()
        self.binding.end()

    def _flush(self) -> list[bytes]:
        out, self._out = self._out, []
        return out
