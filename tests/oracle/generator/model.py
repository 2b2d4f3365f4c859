"""What the generator believes of clients, so that they do not wait for each other's locks.

Clients of a session run one after the other: a statement that waits for another client's lock waits in vain. A belief may be
wrong when a statement fails; then a time-out of a second is the price, on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..wire.login import Identity
from .steps import Step

__all__ = ["Client", "World"]


@dataclass
class Client:
    """One client."""

    number: int
    identity: Identity
    in_transaction: bool = False
    autocommit: bool = True
    is_serializable: bool = False
    locks: set[str] = field(default_factory=set)
    """Tables with rows that its transaction has locked."""
    is_open: bool = False
    """It has what keeps others from changing tables: an open handler or cursor."""
    temporary: set[str] = field(default_factory=set)
    prepared: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    """Statements of the binary protocol: text, kinds of parameters, tables written and read."""
    with_cursor: dict[str, bool] = field(default_factory=dict)
    """Whether they are executed with a cursor, where that is decided once."""
    sql_prepared: set[str] = field(default_factory=set)
    cursors: set[str] = field(default_factory=set)
    calls: int = 0
    """Numbers for names."""

    @property
    def holds(self) -> bool:
        """Whether a transaction may be open."""
        return self.in_transaction or not self.autocommit

    def forget(self) -> None:
        """Its session has begun anew."""
        self.in_transaction, self.autocommit, self.is_serializable = False, True, False
        self.is_open = False
        for each in (self.locks, self.temporary, self.prepared, self.sql_prepared, self.cursors):
            each.clear()

    def apply(self, step: Step) -> None:
        """The step is made."""
        effect, _, name = step.effect.partition(":")
        if step.is_ddl or effect in ("end", "begin"):
            self.in_transaction = effect == "begin"
            self.locks.clear()
        elif effect == "forget":
            self.forget()
        elif effect == "autocommit":
            self.autocommit = name == "1"
            if self.autocommit:
                self.in_transaction = False
                self.locks.clear()
        elif effect == "serializable":
            self.is_serializable = True
        elif effect == "temporary":
            self.temporary.add(name)
        elif effect == "dropped":
            self.temporary.discard(name)
        elif effect == "open":
            self.is_open = True
        elif effect == "closed":
            self.is_open = False
        elif effect == "cursor":
            self.cursors.add(name)
        elif effect == "no cursor":
            self.cursors.discard(name)
        elif effect == "prepared":
            self.sql_prepared.add(name)
        elif effect == "deallocated":
            self.sql_prepared.discard(name)
        elif effect == "close":
            self.prepared.pop(name, None)
            self.cursors.discard(name)
        if self.holds:
            self.locks |= step.writes
            if self.is_serializable:
                self.locks |= step.reads


@dataclass
class World:
    """All clients of a session."""

    clients: list[Client]
    has_restarts: bool = False
    """The primary will start anew. Then counters go on behind the last number, whatever the steps between them, and global values
    are forgotten."""

    def allows(self, step: Step) -> bool:
        """Whether the step waits for nobody."""
        others = [each for each in self.clients if each.number != step.client]
        if step.is_ddl:
            return not any(each.holds or each.is_open or each.cursors for each in others)
        own = self.clients[step.client] if step.client >= 0 else None
        wanted = step.writes
        if own is not None and own.is_serializable and own.holds:
            wanted = wanted | step.reads
        return not any(each.locks & wanted for each in others)
