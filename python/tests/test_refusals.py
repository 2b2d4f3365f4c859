"""pyproxy._login.refusals: how long the next log-in has to wait."""

from __future__ import annotations

import pytest
from pyproxy._login import refusals
from pyproxy._login.refusals import Refusals


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_delays_double_up_to_the_longest() -> None:
    clock = Clock()
    found = Refusals(clock)
    delays = []
    for count in range(1, 7):
        assert found.add("u", "a", 2, 5.0) == count
        start = clock.now
        while found.must_wait("u", "a"):
            clock.now += 0.5
        delays.append(clock.now - start)
    assert delays == [0.0, 0.0, 1.0, 2.0, 4.0, 5.0]
    assert not found.must_wait("u", "b")
    assert not found.must_wait("v", "a")


def test_one_that_comes_too_soon_makes_no_delay_longer() -> None:
    clock = Clock()
    found = Refusals(clock)
    for _ in range(10):
        found.add("u", "a", 0, 60.0)
    clock.now += 1.0
    assert not found.must_wait("u", "a")


def test_a_right_one_and_time_end_it() -> None:
    clock = Clock()
    found = Refusals(clock)
    found.add("u", "a", 0, 60.0)
    found.forget("u", "a")
    assert found.add("u", "a", 0, 60.0) == 1
    clock.now += 600.0
    assert found.add("u", "a", 0, 60.0) == 1


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "_MOST", 2)
    found = Refusals()
    for user in "abc":
        found.add(user, "x", 0, 60.0)
    assert not found.must_wait("a", "x")
    assert found.must_wait("c", "x")
