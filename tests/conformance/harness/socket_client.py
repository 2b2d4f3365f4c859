"""A client on a real socket."""

from __future__ import annotations

import socket

from pyproxy import _native
from pyproxy.testing.client import Client, Phase

from .wire import PacketSocket

__all__ = ["SocketClient"]

_QUIT = 0x01
# Commands without an answer: COM_STMT_SEND_LONG_DATA and COM_STMT_CLOSE.
_NO_REPLY = {0x18, 0x19}
# First byte of a handshake: the protocol's version.
_HANDSHAKE = b"\x0a"


class _Connection:
    """What a session is to a client in memory: packets in, packets out."""

    def __init__(self, port: int) -> None:
        self.phase = Phase.NEW
        self.wants_file = False
        self._tracker = _native.Tracker(0)
        self._socket = PacketSocket(socket.create_connection(("127.0.0.1", port)))

    def accept(self) -> list[bytes]:
        """The greeting, or an ERR."""
        packet = self._receive()
        if packet is None:
            return []
        if packet[:1] != _HANDSHAKE:
            return [packet, *self.rest()]
        self.phase = Phase.LOGIN
        return [packet]

    def send(self, payload: bytes) -> list[bytes]:
        """Sends a packet; gives what came back."""
        if self.wants_file:
            self._socket.send(payload)
            return self._read_answer() if not payload else []
        if self.phase in (Phase.LOGIN, Phase.LOGIN_ROUNDS):
            self._socket.send(payload)
            return self._read_login()
        self._socket.start_exchange()
        self._socket.send(payload)
        command = payload[0] if payload else 0
        if command == _QUIT:
            return self.rest()
        if command in _NO_REPLY:
            return []
        self._tracker = _native.Tracker(command)
        return self._read_answer()

    def disconnect(self) -> None:
        """Hangs up."""
        self.phase = Phase.CLOSED
        self._socket.close()

    def rest(self) -> list[bytes]:
        """What comes until the proxy hangs up."""
        packets = []
        while True:
            packet = self._receive()
            if packet is None:
                return packets
            packets.append(packet)

    def _receive(self) -> bytes | None:
        packet = self._socket.receive()
        if packet is None:
            self.disconnect()
        return packet

    def _read_login(self) -> list[bytes]:
        packet = self._receive()
        if packet is None:
            return []
        if packet[:1] == b"\0":
            self.phase = Phase.COMMANDS
        elif packet[:1] == b"\xff":
            return [packet, *self.rest()]
        else:
            self.phase = Phase.LOGIN_ROUNDS
        return [packet]

    def _read_answer(self) -> list[bytes]:
        self.wants_file = False
        packets = []
        while True:
            packet = self._receive()
            if packet is None:
                return packets
            packets.append(packet)
            progress = self._tracker.feed(packet)
            if progress == "done":
                return packets
            if progress == "file":
                self.wants_file = True
                return packets
            if progress == "auth":
                self.phase = Phase.LOGIN_ROUNDS
                return packets


class SocketClient(Client):
    """A client of a proxy that listens on a port."""

    def __init__(
        self, port: int, user: str, password: str, database: str, capabilities: int
    ) -> None:
        super().__init__(user, password, database, capabilities)
        self._port = port
        self._connection: _Connection | None = None

    def _open(self) -> _Connection:
        self._connection = _Connection(self._port)
        return self._connection

    def rest(self) -> list[bytes]:
        """What comes until the proxy hangs up."""
        assert self._connection is not None
        return [] if self._connection.phase is Phase.CLOSED else self._connection.rest()
