"""A command as a fake server got it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .. import _native
from .protocol import to_str

__all__ = ["ServerCommand"]

_QUERY = 0x03


class ServerCommand(NamedTuple):
    """A command that a server got: the index of the backend, and the payload; of a query without its attributes."""

    backend: int
    packet: bytes
    #: The query attributes of a COM_QUERY.
    attributes: Mapping[str, object] = MappingProxyType({})

    @property
    def command(self) -> int:
        """The command byte, one of `proxy.COM_*`."""
        return self.packet[0]

    @property
    def text(self) -> str:
        """What follows the command byte: the query of a COM_QUERY."""
        return to_str(self.packet[1:])

    def __repr__(self) -> str:
        return f"<{_native.command_name(self.command)} {self.text!r} at backend {self.backend}>"

    @classmethod
    def read(cls, backend: int, payload: bytes, has_attributes: bool) -> ServerCommand:
        """What a client sent that has query attributes, or has none."""
        if payload[0] != _QUERY or not has_attributes:
            return cls(backend, payload)
        found, text = _native.split_query(payload[1:])
        # Of several with one name the first counts.
        attributes = {to_str(name): value for _, _, value, name in reversed(found)}
        return cls(backend, payload[:1] + text, MappingProxyType(attributes))
