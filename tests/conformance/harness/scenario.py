"""What a scenario is: a script, the servers behind it, and what the clients do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyproxy.testing import FakeServer

from .record import RecordedClient

__all__ = ["ALL", "Scenario", "World", "scenario"]


class World(Protocol):
    """What the steps of a scenario work with, in both runs."""

    @property
    def servers(self) -> list[FakeServer]:
        """The servers, read-write ones first."""

    def client(
        self,
        user: str = "u",
        password: str = "p",
        database: str = "",
        capabilities: int | None = None,
    ) -> RecordedClient:
        """A new client, not connected yet."""

    def hang_up(self, ndx: int) -> None:
        """Server `ndx` closes all its connections."""


Steps = Callable[[World], None]
Servers = Callable[[], Sequence[FakeServer]]


@dataclass(frozen=True)
class Scenario:
    """A script, servers and steps. `servers` makes new ones for each run."""

    name: str
    script: str | None
    steps: Steps
    servers: Servers
    read_only: Servers
    # on_script_error, profiling, pool_change_user, where they are not the default.
    options: dict[str, object] = field(default_factory=dict)


ALL: list[Scenario] = []


def _one() -> list[FakeServer]:
    return [FakeServer()]


def scenario(
    script: str | None = None,
    *,
    servers: Servers = _one,
    read_only: Servers = list,
    **options: object,
) -> Callable[[Steps], Steps]:
    """Makes the decorated steps a scenario of their name. `script` is source text, indented as one likes."""

    def register(steps: Steps) -> Steps:
        text = None if script is None else inspect.cleandoc(script) + "\n"
        name = steps.__name__
        assert all(name != other.name for other in ALL), name
        ALL.append(Scenario(name, text, steps, servers, read_only, options))
        return steps

    return register
