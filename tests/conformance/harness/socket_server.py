"""A fake server behind a real socket."""

from __future__ import annotations

import errno
import socket
import threading

from pyproxy.testing import FakeServer
from pyproxy.testing.server import ServerConnection
from support.process import free_port

from .wire import PacketSocket

__all__ = ["SocketServer"]


class SocketServer:
    """Accepts connections for a `FakeServer` and lets it answer. A server that is down has a port nobody listens on."""

    def __init__(self, server: FakeServer, ndx: int) -> None:
        self.server = server
        self._ndx = ndx
        self._listener = _listen()
        self.port: int = self._listener.getsockname()[1]
        self._open: list[PacketSocket] = []
        self._threads: list[threading.Thread] = []
        if server.down:
            self._listener.close()
        else:
            self._start(self._accept)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Closes all connections."""
        self.server.drop_connections()
        for connection in self._open:
            connection.close()

    def stop(self) -> None:
        """Accepts nobody any more, and waits until every connection is over."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It was closed from the start.
            pass
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            connection = PacketSocket(accepted)
            self._open.append(connection)
            self._start(self._serve, connection, self.server.accept(self._ndx))

    def _serve(self, connection: PacketSocket, state: ServerConnection) -> None:
        connection.send(state.greeting())
        is_logging_in = True
        while not state.closed:
            if not is_logging_in:
                connection.start_exchange()
            payload = connection.receive()
            if payload is None:
                break
            answer = state.receive(payload)
            for packet in answer:
                connection.send(packet)
            # Rounds of a login, and the packets of a file, belong to one exchange.
            is_logging_in = state.is_in_exchange
        connection.close()


def _listen() -> socket.socket:
    """A listener on a port that nobody else was given. Another program may be faster to take a free one."""
    while True:
        try:
            return socket.create_server(("127.0.0.1", free_port()))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
