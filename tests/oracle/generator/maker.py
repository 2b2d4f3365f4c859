"""What a kind of statement is given to make steps with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from .dialect import Dialect
from .model import Client, World
from .steps import Step

__all__ = ["Burst", "Kind", "Maker"]

T = TypeVar("T")


class Burst(NamedTuple):
    """Steps of one client, one behind the other; others' come between them unless they belong together."""

    steps: tuple[Step, ...]
    together: bool = False


class Kind(NamedTuple):
    """A kind of statement. `make` gives None where it cannot be made now."""

    name: str
    weight: float
    make: Callable[[Maker], Burst | Step | None]


class Maker:
    """Makes steps for one client."""

    def __init__(
        self,
        choose: random.Random,
        dialect: Dialect,
        world: World,
        number: int,
        has_database: bool = False,
    ) -> None:
        """`has_database`: no login is without a default database."""
        self.choose = choose
        self.dialect = dialect
        self.world = world
        self._has_database = has_database
        self.client: Client = world.clients[number]

    # Choices.

    def one_of(self, *what: T) -> T:
        """One of them."""
        return self.choose.choice(what)

    def chance(self, share: float) -> bool:
        """True so often."""
        return self.choose.random() < share

    def number(self, low: int = 1, high: int = 9) -> int:
        """A number, both ends included."""
        return self.choose.randint(low, high)

    def some(self, what: Sequence[T], most: int) -> list[T]:
        """Some of them, each once."""
        return self.choose.sample(what, min(len(what), self.choose.randint(1, most)))

    def name(self, prefix: str) -> str:
        """A name that this client has not used yet."""
        self.client.calls += 1
        return f"{prefix}{self.client.number}_{self.client.calls}"

    def database(self) -> str | None:
        """That of a login."""
        return self.one_of("o1", "o1", "o2", "o2" if self._has_database else None)

    # Steps.

    def query(self, sql: str, **more: Any) -> Step:
        """A COM_QUERY; `more` are fields of the step. Tables are given as names with blanks between them."""
        return self.step("query", self._spell(sql), **more)

    def step(self, op: str, *args: Any, **more: Any) -> Step:
        """A step of this client."""
        for name in ("writes", "reads", "tags"):
            if isinstance(more.get(name), str):
                more[name] = frozenset(more[name].split())
        return Step(op, args, client=self.client.number, **more)

    def together(self, steps: Iterable[Step]) -> Burst:
        """Steps between which nobody else has one."""
        return Burst(tuple(steps), True)

    def burst(self, *steps: Step) -> Burst:
        """Steps between which others may have some."""
        return Burst(steps)

    def _spell(self, sql: str) -> str:
        """The same in another way of writing, now and then."""
        if not self.chance(0.12):
            return sql
        first, blank, rest = sql.partition(" ")
        return self.one_of(
            f"/* a comment */ {sql}",
            f"{first.lower()}{blank}{rest}",
            f"-- it's a comment\n{sql}",
            f"{sql} # it's the end",
            f"\n\t{first}\n{rest}" if rest else sql,
            f"{sql};",
            f"/*!50000 {first} */{blank}{rest}" if rest else sql,
        )
