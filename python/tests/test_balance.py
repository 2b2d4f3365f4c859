"""pyproxy.balance: which backend is chosen, with pools of every kind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyproxy import balance
from pyproxy.testing import Session, fake_proxy
from pyproxy.testing.client import CAPABILITIES

RW, RO = 1, 2
UNKNOWN, UP, DOWN, DRAIN, MAINT = range(5)


def backend(type: int, idle: int = 1, clients: int = 0, state: int = UP, fits: bool = True) -> Any:
    return SimpleNamespace(
        type=type,
        takes_clients=state in (UNKNOWN, UP),
        connected_clients=clients,
        idle=idle if fits else 0,
    )


def proxy(*backends: Any) -> Any:
    for ndx, each in enumerate(backends):
        each.ndx = ndx
    return SimpleNamespace(
        globals=SimpleNamespace(backends=backends),
        connection=SimpleNamespace(idle_connections=lambda ndx: backends[ndx].idle),
        BACKEND_TYPE_RW=RW,
        BACKEND_TYPE_RO=RO,
    )


@pytest.mark.parametrize(
    ("backends", "ndx"),
    [
        ([], -1),
        ([backend(RW)], 0),
        ([backend(RW, state=UNKNOWN)], 0),
        ([backend(RW, idle=0), backend(RW), backend(RW)], 1),
        ([backend(RW, state=DOWN), backend(RW, clients=9)], 1),
        ([backend(RW, state=DRAIN), backend(RW, state=MAINT), backend(RW)], 2),
        ([backend(RW, fits=False)], -1),
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
        ([backend(RO, state=DRAIN), backend(RO, state=MAINT), backend(RO)], 2),
        ([backend(RO, fits=False)], -1),
    ],
)
def test_idle_ro(backends: list[Any], ndx: int) -> None:
    assert balance.idle_ro(proxy(*backends)) == ndx


PARKING = """
    def read_auth_result(proxy, auth):
        proxy.connection.backend_ndx = -1
"""
FOUND_ROWS = 2


def test_idle_connections_are_those_that_the_client_may_have() -> None:
    with Session(PARKING) as session:
        session.connect()
        alike = session.new_client()
        others = [
            session.new_client(user="other"),
            session.new_client(capabilities=CAPABILITIES | FOUND_ROWS),
        ]
        for client in (alike, *others):
            client.connect()
        for client, count in [(session, 2), (alike, 2), (others[0], 1), (others[1], 1)]:
            with client.inspect() as seen:
                assert balance.idle_connections(seen, seen.globals.backends[0]) == count
                assert seen.connection.idle_connections(1) == 0, "there is no such backend"


def test_before_the_login_nothing_fits() -> None:
    """What others have is not for a client without a name."""
    nobody = fake_proxy(user="", backends=1, read_only=1)
    assert balance.idle_failsafe_rw(nobody) == -1
    assert balance.idle_ro(nobody) == -1
    assert balance.idle_connections(nobody, nobody.globals.backends[0]) == 0
