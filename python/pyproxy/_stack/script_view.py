"""`proxy`, `inj` and `auth` as one of several stacked scripts sees them.

Scripts keep what they know of a connection in attributes of `proxy.connection`, and two scripts may choose the same
name. Each gets an object of its own, which has all that the real one has, and keeps what the script adds to itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pyproxy import _native

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from typing_extensions import Buffer

    from pyproxy import Command, Connection, Injection, Proxy, Resultset
    from pyproxy._stack.chain import Chain
    from pyproxy._stack.scripts import Script

__all__ = ["AuthView", "InjectionView", "ProxyView"]


class _View:
    """An object with the attributes of another, and more of its own."""

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, "_real", real)

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not in __dict__ only.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self._real), name):
            setattr(self._real, name, value)
        else:
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return repr(self._real)


class _ConnectionView(_View):
    """`proxy.connection`; what the script adds stays with the script."""

    if TYPE_CHECKING:
        _real: Connection

    def __getattr__(self, name: str) -> Any:
        if not hasattr(type(self._real), name):
            raise AttributeError(f"the connection has no attribute {name!r}")
        return getattr(self._real, name)


class ProxyView(_View):
    """`proxy`; the same object in all hooks of a connection, as the real one is."""

    if TYPE_CHECKING:
        _real: Proxy
        _packet: bytes | None
        _command: Command | None
        _asks: tuple[Chain, Script, int] | None

    def __init__(self, real: Proxy, without_connection: bool = False) -> None:
        super().__init__(real)
        connection = None if without_connection else _ConnectionView(real.connection)
        object.__setattr__(self, "connection", connection)
        self.show_command(None)
        self.__dict__["_asks"] = None

    def ask_through(self, chain: Chain, script: Script, position: int) -> None:
        """What the script asks the server goes this way from now on: through the scripts from `position` on."""
        self.__dict__["_asks"] = (chain, script, position)

    def query(self, what: str | Buffer, /) -> Awaitable[Resultset | None]:
        """`proxy.query`: the scripts behind this one are asked about it."""
        if self._asks is None:
            return self._real.query(what)
        chain, script, position = self._asks
        return chain.query(script, position, what)

    def show_command(self, packet: bytes | None) -> None:
        """The script is asked about this command of another script; None: about the client's own."""
        self.__dict__.update(_packet=packet, _command=None)

    @property
    def command(self) -> Command:
        """`proxy.command`: what the script in front asks for."""
        if self._packet is None:
            return self._real.command
        if self._command is None:
            object.__setattr__(self, "_command", _native.made_command(self._real, self._packet))
        command = cast("Command", self._command)
        return command


class InjectionView:
    """`inj` for a script whose query became another one, or whose result another script made."""

    def __init__(self, real: Injection, timed: Injection, id: int | None, query: bytes) -> None:
        """`timed` is the query of the server that the result goes back to."""
        self._real = real
        self.id = id
        self.query = query
        self.query_time = timed.query_time
        self.response_time = timed.response_time

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __repr__(self) -> str:
        return f"<pyproxy.Injection {self.id}>"


class AuthView:
    """`auth` for a script in front of one that answered in the server's place."""

    def __init__(self, packet: bytes) -> None:
        self.packet = packet
