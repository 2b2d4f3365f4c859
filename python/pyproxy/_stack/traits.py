"""What a script tells about itself, so that scripts which cannot work together are not stacked.

def init(proxy):
    declare(sees_all_results=True)
"""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = [
    "ANSWERS_HISTOGRAM",
    "CHOOSES_BACKENDS",
    "CHOOSES_USERS",
    "Traits",
    "awaited_noticing",
    "declare",
    "noticing",
]

T = TypeVar("T")

# Claims: what one script of a stack can do. They are ends of the sentence that begins with "both".
ANSWERS_HISTOGRAM = "answer SELECT * FROM histogram.queries"
CHOOSES_BACKENDS = "choose the backends of clients"
CHOOSES_USERS = "decide as which user of the server a client works"


@dataclass
class Traits:
    """What scripts declared."""

    sees_all_results: bool = False
    """Nothing may reach a client that the script did not see: it is shown results that it did not ask for, too."""
    makes_rows_of_results: bool = False
    """Its answers have in them what results had, in another form."""
    claims: set[str] = field(default_factory=set)
    """What no other script of the stack may do."""


# An `init` that waits lets others run meanwhile.
_noticed: ContextVar[Traits | None] = ContextVar("_noticed", default=None)


def declare(
    *claims: str, sees_all_results: bool = False, makes_rows_of_results: bool = False
) -> None:
    """Declares the script whose `init` runs."""
    traits = _noticed.get() or Traits()
    traits.sees_all_results |= sees_all_results
    traits.makes_rows_of_results |= makes_rows_of_results
    traits.claims.update(claims)


@contextlib.contextmanager
def noticing(traits: Traits) -> Iterator[None]:
    """Adds to `traits` what is declared inside of the `with` block."""
    outer = _noticed.set(traits)
    try:
        yield
    finally:
        _noticed.reset(outer)


async def awaited_noticing(traits: Traits, coroutine: Coroutine[Any, Any, T]) -> T:
    """Awaits it, and adds to `traits` what is declared meanwhile."""
    with noticing(traits):
        return await coroutine
