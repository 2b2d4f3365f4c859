"""A step of a session: one thing that one client, or somebody else, does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..wire.login import Identity

__all__ = ["OTHERS", "Session", "Step", "behind"]

# The "client" of steps that are not a client's.
OTHERS = -1


@dataclass(frozen=True)
class Step:
    """What is done, and what the generator has to know of it."""

    op: str
    """The method of the runner: query, prepare, execute, ..."""
    args: tuple[Any, ...] = ()
    kind: str = ""
    """Of which kind of statement it is, for the figures."""
    client: int = 0

    # For the generator only.

    writes: frozenset[str] = frozenset()
    """Tables whose rows it may lock."""
    reads: frozenset[str] = frozenset()
    """Tables that it reads."""
    effect: str = ""
    """What it does to the client's model; see `model.Client.apply`."""
    is_ddl: bool = False
    """Nobody else may have anything open."""
    tags: frozenset[str] = field(default=frozenset())
    """What the runner has to restore or to look after: `ddl`, `global`, `quits`."""

    def by(self, client: int) -> Step:
        """The same, of this client."""
        return replace(self, client=client)

    def __str__(self) -> str:
        who = "others" if self.client == OTHERS else f"client {self.client}"
        if self.op == "query":
            return f"{who}: {_shown(self.args[0])}"
        return f"{who}: {self.op}({', '.join(map(_shown, self.args))})"


def _shown(argument: Any) -> str:
    """An argument; bytes that are no UTF-8 as escapes."""
    if isinstance(argument, str):
        return argument.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return str(argument.user) if isinstance(argument, Identity) else repr(argument)


@dataclass(frozen=True)
class Session:
    """The steps of a few clients, in the order in which they are made."""

    seed: str
    steps: tuple[Step, ...]
    has_faults: bool = False

    def with_steps(self, steps: tuple[Step, ...]) -> Session:
        """The same with other steps."""
        return replace(self, steps=steps)


def behind(first: Session, second: Session) -> Session:
    """One session of both: when the clients of the first have left, those of the second come."""
    shift = 1 + max(step.client for step in first.steps)
    leave = [Step("quit", client=client) for client in range(shift)]
    later = [
        step if step.client == OTHERS else step.by(step.client + shift) for step in second.steps
    ]
    has_faults = first.has_faults or second.has_faults
    seed = f"{first.seed} and {second.seed}"
    return Session(seed, (*first.steps, *leave, *later), has_faults)
