"""A session: clients whose statements come one after the other, in an order that the seed decides."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from .dialect import Dialect
from .faults import Faults
from .fixtures import IDENTITIES
from .kinds import ASKS, CONTINUES, KINDS, commands
from .maker import Burst, Kind, Maker
from .model import Client, World
from .steps import OTHERS, Session, Step

__all__ = ["Wishes", "generate"]

# So often a client that has just done something asks about its session before it goes on.
_ASK = 0.22
# And so often it uses what it has made, if there is something.
_CONTINUE = 0.4
_STAY = 0.45


class Wishes(NamedTuple):
    """What sessions are to be like."""

    steps: int = 50
    """The most steps."""
    faults: frozenset[str] = frozenset()
    """The kinds of faults that they may have, see `faults.Faults`."""
    without: frozenset[str] = frozenset()
    """Kinds of statements that they do not have. `no database`: all clients have a default database at their login."""


def generate(seed: str, dialect: Dialect, wishes: Wishes) -> Session:
    """The session of this seed."""
    return _Generator(seed, dialect, wishes).session()


class _Generator:
    def __init__(self, seed: str, dialect: Dialect, wishes: Wishes) -> None:
        self._seed = seed
        self._choose = random.Random(seed)
        self._dialect = dialect
        self._length = self._choose.randint(wishes.steps // 2, wishes.steps)
        # Few identities, so that connections pass from client to client.
        identities = self._choose.sample(IDENTITIES, self._choose.choice((1, 1, 2, 3)))
        count = self._choose.randint(2, 4)
        clients = [Client(n, self._choose.choice(identities)) for n in range(count)]
        self._world = World(clients)
        has_database = "no database" in wishes.without
        self._makers = [
            Maker(self._choose, dialect, self._world, n, has_database) for n in range(count)
        ]
        self._queues: list[deque[Step]] = [deque() for _ in clients]
        self._steps: list[Step] = []
        self._faults = Faults(self._choose, wishes.faults, self._length)
        self._world.has_restarts = self._faults.has_restarts
        self._kinds = _Weighted(KINDS, wishes.without)
        self._asks = _Weighted(ASKS, wishes.without)
        self._continues = _Weighted(CONTINUES, wishes.without)
        self._present = 0

    def session(self) -> Session:
        """Makes it."""
        for maker in self._makers:
            self._emit(replace(commands.connect(maker), kind="login"))
        while len(self._steps) < self._length:
            fault = self._faults.next(len(self._steps), self._makers[self._present])
            if fault is not None:
                self._emit(fault)
            if not self._choose.random() < _STAY:
                self._present = self._choose.randrange(len(self._makers))
            self._one_turn(self._present)
        for step in self._faults.last():
            self._emit(step)
        has_faults = any(step.client == OTHERS for step in self._steps)
        return Session(self._seed, tuple(self._steps), has_faults)

    def _one_turn(self, number: int) -> None:
        queue = self._queues[number]
        if queue:
            self._emit(queue.popleft())
            return
        way = self._choose.random()
        burst = self._make(number, self._continues) if way > 1 - _CONTINUE else None
        if burst is None:
            burst = self._make(number, self._asks if way < _ASK else self._kinds)
        if burst is None:
            return
        if not burst.together:
            queue.extend(burst.steps)
            self._emit(queue.popleft())
            return
        if all(self._world.allows(step) for step in burst.steps):
            for step in burst.steps:
                self._emit(step)

    def _make(self, number: int, kinds: _Weighted) -> Burst | None:
        maker = self._makers[number]
        kind = kinds.choose(self._choose)
        made = kind.make(maker)
        if made is None:
            return None
        burst = made if isinstance(made, Burst) else Burst((made,))
        steps = [replace(step, kind=kind.name, client=number) for step in burst.steps]
        return Burst(tuple(steps), burst.together)

    def _emit(self, step: Step) -> None:
        """Adds the step, unless it would wait for somebody."""
        if not self._world.allows(step):
            return
        self._steps.append(step)
        if step.client == OTHERS:
            return
        client = self._world.clients[step.client]
        client.apply(step)
        if step.op == "change_user" and step.args[0] in IDENTITIES:
            client.identity = step.args[0]


class _Weighted:
    def __init__(self, kinds: tuple[Kind, ...], without: frozenset[str]) -> None:
        self._kinds = [kind for kind in kinds if kind.name not in without]
        self._weights = list(accumulate(kind.weight for kind in self._kinds))

    def choose(self, choose: random.Random) -> Kind:
        return choose.choices(self._kinds, cum_weights=self._weights)[0]
