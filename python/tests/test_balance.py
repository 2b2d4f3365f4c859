"""pyproxy.balance: which backend is chosen, with pools of every kind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyproxy import balance

RW, RO = 1, 2
UNKNOWN, UP, DOWN = 0, 1, 2


class Users:
    """The queues of a pool: idle connections by user; the empty name counts all, as in the proxy."""

    def __init__(self, idle: dict[str, int]) -> None:
        self._idle = idle

    def __getitem__(self, name: str) -> Any:
        count = self._idle.get(name, 0) if name else sum(self._idle.values())
        return SimpleNamespace(cur_idle_connections=count)


def backend(type: int, idle: int = 1, clients: int = 0, state: int = UP, user: str = "u") -> Any:
    return SimpleNamespace(
        type=type,
        state=state,
        connected_clients=clients,
        pool=SimpleNamespace(users=Users({user: idle} if idle else {})),
    )


def proxy(*backends: Any, username: str | None = "u") -> Any:
    return SimpleNamespace(
        globals=SimpleNamespace(backends=backends),
        connection=SimpleNamespace(client=SimpleNamespace(username=username)),
        BACKEND_TYPE_RW=RW,
        BACKEND_TYPE_RO=RO,
        BACKEND_STATE_DOWN=DOWN,
    )


@pytest.mark.parametrize(
    ("backends", "ndx"),
    [
        ([], -1),
        ([backend(RW)], 0),
        ([backend(RW, state=UNKNOWN)], 0),
        ([backend(RW, idle=0), backend(RW), backend(RW)], 1),
        ([backend(RW, state=DOWN), backend(RW, clients=9)], 1),
        ([backend(RW, user="other")], -1),
        ([backend(RO), backend(RW)], 1),
        ([backend(RO)], -1),
    ],
)
def test_idle_failsafe_rw(backends: list[Any], ndx: int) -> None:
    assert balance.idle_failsafe_rw(proxy(*backends)) == ndx


@pytest.mark.parametrize(
    ("backends", "ndx"),
    [
        ([], -1),
        ([backend(RW)], -1),
        ([backend(RW), backend(RO)], 1),
        ([backend(RO, clients=2), backend(RO, clients=1), backend(RO, clients=1)], 1),
        ([backend(RO, clients=1), backend(RO, idle=0)], 0),
        ([backend(RO, clients=1), backend(RO, state=DOWN)], 0),
        ([backend(RO, state=DOWN)], -1),
        ([backend(RO, user="other")], -1),
    ],
)
def test_idle_ro(backends: list[Any], ndx: int) -> None:
    assert balance.idle_ro(proxy(*backends)) == ndx


@pytest.mark.parametrize("username", [None, ""])
def test_before_the_login_nothing_fits(username: str | None) -> None:
    """The queue of the empty name would have the connections of everybody."""
    nobody = proxy(backend(RW), backend(RO), username=username)
    assert balance.idle_failsafe_rw(nobody) == -1
    assert balance.idle_ro(nobody) == -1
    assert balance.idle_connections(nobody, backend(RW)) == 0


def test_idle_connections_are_those_of_the_user() -> None:
    assert balance.idle_connections(proxy(), backend(RW, idle=3)) == 3
    assert balance.idle_connections(proxy(username="other"), backend(RW, idle=3)) == 0
