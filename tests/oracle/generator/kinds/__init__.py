"""All kinds of statements with their weights, one file for each subject."""

from __future__ import annotations

from ..maker import Kind
from . import (
    asks,
    commands,
    ddl,
    effects,
    locks,
    prepared,
    reads,
    routines,
    settings,
    several,
    temporary,
    transactions,
    variables,
    writes,
)

__all__ = ["ASKS", "KINDS"]

KINDS: tuple[Kind, ...] = (
    *reads.KINDS,
    *writes.KINDS,
    *settings.KINDS,
    *transactions.KINDS,
    *temporary.KINDS,
    *variables.KINDS,
    *routines.KINDS,
    *effects.KINDS,
    *locks.KINDS,
    *asks.KINDS,
    *prepared.KINDS,
    *commands.KINDS,
    *several.KINDS,
    *ddl.KINDS,
)

ASKS: tuple[Kind, ...] = asks.KINDS
"""What is asked now and then, whatever a client does."""
