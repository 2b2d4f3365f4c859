"""The parts of the script `tee`: what is compared, and what is told. A coroutine stands for the second server."""

from __future__ import annotations

import asyncio
import types
from collections import Counter

import pytest
from pyproxy._tee import mirror as module
from pyproxy._tee.mirror import Mirror
from pyproxy._tee.second_server import Away, Question, SecondServer
from pyproxy._tee.summary import Summary, of_error, of_rows
from pyproxy.settings import Section


def test_rows_are_the_same_in_any_order() -> None:
    assert of_rows([("a", None), ("b", "c")]) == of_rows([(b"b", b"c"), (b"a", None)])
    assert of_rows([]) == Summary(0, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("a", "bc")], [("ab", "c")]),
        ([("a",), ("a",)], [("a",)]),
        ([("a",), ("b",)], [("a",), ("a",)]),
        ([(None,)], [("",)]),
        ([(None,)], [("n",)]),
        ([("1",)], [("1.0",)]),
        ([("a", "b")], [("b", "a")]),
    ],
)
def test_rows_that_differ(one: list[tuple[str, ...]], other: list[tuple[str, ...]]) -> None:
    assert not of_rows(one).is_like(of_rows(other))


def test_what_was_only_counted_and_errors() -> None:
    rows = of_rows([("a",), ("b",)])
    assert Summary(2).is_like(rows) and rows.is_like(Summary(2))
    assert not Summary(3).is_like(rows)
    assert of_error(1146).is_like(of_error(1146))
    assert not of_error(1146).is_like(of_error(1054))
    assert not of_error(1146).is_like(Summary(0))
    assert str(rows).startswith("2 rows (") and str(of_error(1146)) == "error 1146"


class Second:
    """What the second server gives, one after the other, and what came of it."""

    def __init__(self, *answers: Summary | None, **settings: float) -> None:
        self.answers = list(answers)
        values = {"max_waiting": 10, "retry_after": 5.0, "recheck_after": 0.01, "max_logged": 60}
        self.counters: Counter[str] = Counter()
        self.log: list[str] = []
        log = types.SimpleNamespace(warning=lambda text, *a: self.log.append(text % a))
        section = Section(**{**values, **settings})
        self.mirror = Mirror(self._ask, section, self.counters, log)  # type: ignore[arg-type]

    async def _ask(self, question: Question) -> Summary:
        answer = self.answers.pop(0)
        if answer is None:
            raise Away("gone")
        return answer

    def compare(self, first: Summary, sql: str = "SELECT 1") -> dict[str, int]:
        asyncio.run(self.mirror.compare(Question(sql, "d"), first))
        return dict(self.counters)


ONE, TWO = of_rows([("1",)]), of_rows([("2",)])


def test_same_late_and_different() -> None:
    assert Second(ONE).compare(ONE) == {"same": 1}
    assert Second(TWO, ONE).compare(ONE) == {"late": 1}
    second = Second(TWO, TWO)
    assert second.compare(ONE, "SELECT\n'" + "x" * 600 + "'") == {"different": 1}
    assert len(second.log) == 1
    assert second.log[0].startswith("1 rows (") and "in d: SELECT\\n'xxx" in second.log[0]
    assert second.log[0].endswith("x...")
    assert Second(TWO, recheck_after=0).compare(ONE) == {"different": 1}


def test_what_is_logged_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "_clock", lambda: now)
    second = Second(*[TWO] * 10, recheck_after=0, max_logged=2)
    for _ in range(5):
        second.compare(ONE)
    assert second.counters["different"] == 5
    assert len(second.log) == 3 and "counted only" in second.log[2]
    now += 61
    second.compare(ONE)
    assert len(second.log) == 4


def test_a_server_that_is_away_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "_clock", lambda: now)
    second = Second(None, None, ONE)
    second.compare(ONE)
    assert not second.mirror.has_room()
    now += 6
    assert second.mirror.has_room()
    second.compare(ONE)
    now += 6
    second.compare(ONE)
    assert second.counters == {"failed": 3, "same": 1}
    assert second.log == [
        "the second server does not answer: gone",
        "the second server answers again",
    ]
    assert second.mirror.has_room()


def test_only_so_many_may_wait() -> None:
    second = Second(ONE, ONE, ONE, max_waiting=2)

    async def run() -> None:
        go = asyncio.Event()
        ask = second.mirror._ask

        async def slow(question: Question) -> Summary:
            await go.wait()
            return await ask(question)

        second.mirror._ask = slow
        tasks = []
        for _ in range(3):
            if second.mirror.has_room():
                tasks.append(asyncio.create_task(second.mirror.compare(Question("", ""), ONE)))
                await asyncio.sleep(0)
        assert len(tasks) == 2
        go.set()
        await asyncio.gather(*tasks)
        assert second.mirror.has_room()

    asyncio.run(run())
    assert second.counters == {"same": 2, "dropped": 1}


@pytest.mark.parametrize("address", ["", "host", "host:", ":3306", "host:port"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        SecondServer(address, "u", "p", 1, 1)
