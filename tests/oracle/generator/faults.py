"""What goes wrong around the clients of a session."""

from __future__ import annotations

import random

from .kinds import ddl
from .maker import Maker
from .steps import OTHERS, Step

__all__ = ["ALL", "Faults"]

ALL = frozenset(("kill", "ddl", "lag", "restart", "down"))
"""Connections are killed; others change tables; the replica lags; the primary starts anew; it is away for a while.

(Errors in the middle of things need no fault: the generator makes statements that fail.)
"""
_AWAY_STEPS = 6
_LAG_STEPS = 10


class Faults:
    """The faults of one session."""

    def __init__(self, choose: random.Random, kinds: frozenset[str], length: int) -> None:
        self._choose = choose
        self._plan: list[tuple[int, str]] = []
        self._ends: list[tuple[int, Step]] = []
        if kinds:
            # A start of the primary takes longer than a whole session: so there are few.
            slow = {"restart", "down"} & kinds
            quick = sorted(kinds - slow)
            chosen = [choose.choice(quick) for _ in range(choose.randint(1, 3))] if quick else []
            if slow and (not quick or choose.random() < 0.15):
                chosen = [*chosen[:1], choose.choice(sorted(slow))]
            self._plan = sorted((choose.randint(4, max(5, length - 3)), each) for each in chosen)

    @property
    def has_restarts(self) -> bool:
        """Whether the primary goes and comes."""
        return any(what in ("restart", "down") for _, what in self._plan)

    def next(self, at: int, maker: Maker) -> Step | None:
        """The fault that is due now, or the end of one."""
        if self._ends and at >= self._ends[0][0]:
            return self._ends.pop(0)[1]
        if not self._plan or at < self._plan[0][0] or self._ends:
            return None
        _, what = self._plan.pop(0)
        if what == "ddl":
            sql = ddl.by_others(maker)
            return _others("ddl", sql, is_ddl=True, tags=frozenset(("ddl",)))
        if what == "kill":
            where = self._choose.choice(("primary", "replica", "both"))
            return _others("kill", maker.client.identity.user, where)
        if what == "restart":
            return _others("restart")
        if what == "lag":
            self._ends.append((at + _LAG_STEPS, _others("lag_ends")))
            return _others("lag")
        self._ends.append((at + _AWAY_STEPS, _others("up")))
        return _others("down")

    def last(self) -> list[Step]:
        """What ends faults that the session has not ended."""
        return [step for _, step in self._ends]


def _others(op: str, *args: str, is_ddl: bool = False, tags: frozenset[str] = frozenset()) -> Step:
    return Step(op, args, f"fault: {op}", OTHERS, is_ddl=is_ddl, tags=tags)
