"""How far a connection is."""

from __future__ import annotations

import enum

__all__ = ["Phase"]


class Phase(enum.Enum):
    """Whose turn it is."""

    NEW = enum.auto()
    LOGIN = enum.auto()
    # The server asked the client for more: the next packet goes to the server.
    LOGIN_ROUNDS = enum.auto()
    COMMANDS = enum.auto()
    CLOSED = enum.auto()
