"""Packets with their headers, on a socket."""

from __future__ import annotations

import socket

__all__ = ["PacketSocket"]

_HEADER = 4
_LARGEST = 0xFF_FFFF
# Seconds to wait for anything before a test fails.
_PATIENCE = 60.0


class PacketSocket:
    """Sends and receives payloads, and checks that the packets of an exchange are numbered without a gap."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(_PATIENCE)
        self._next_id = 0

    def start_exchange(self) -> None:
        """The next packet, in whichever direction, is the first one of an exchange."""
        self._next_id = 0

    def receive(self) -> bytes | None:
        """The next payload; None if the other side hung up."""
        payload = b""
        while True:
            header = self._read(_HEADER)
            if header is None:
                return None
            length, number = int.from_bytes(header[:3], "little"), header[3]
            assert number == self._next_id, f"packet {number} where {self._next_id} is due"
            self._next_id = (number + 1) % 256
            part = self._read(length)
            if part is None:
                return None
            payload += part
            if length < _LARGEST:
                return payload

    def send(self, payload: bytes) -> None:
        """Sends a payload, in as many packets as it takes."""
        data = b""
        while True:
            part, payload = payload[:_LARGEST], payload[_LARGEST:]
            data += len(part).to_bytes(3, "little") + bytes([self._next_id]) + part
            self._next_id = (self._next_id + 1) % 256
            if len(part) < _LARGEST:
                break
        self._socket.sendall(data)

    def close(self) -> None:
        """Hangs up, also on who waits for a packet in another thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side was faster.
            pass
        self._socket.close()

    def _read(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                part = self._socket.recv(count - len(data))
            except (ConnectionError, OSError) as error:
                if isinstance(error, TimeoutError):
                    raise
                return None
            if not part:
                return None
            data += part
        return data
