"""Comparing in the background: how many may wait, what is asked again, and what is told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from pyproxy._common.lines import one_line
from pyproxy._tee.second_server import Away, Question
from pyproxy._tee.summary import Summary
from pyproxy.settings import Section

__all__ = ["Mirror"]

_MINUTE = 60.0
_MOST_SHOWN = 512
_clock = time.monotonic


class Mirror:
    """What is known of the second server, and the questions that are on their way to it."""

    def __init__(
        self,
        ask: Callable[[Question], Awaitable[Summary]],
        settings: Section,
        counters: Counter[str],
        log: logging.Logger,
    ) -> None:
        """`ask` may raise Away. What comes of it is added to `counters`, and told to `log`."""
        self._ask = ask
        self._settings = settings
        self._counters = counters
        self._log = log
        self._waiting = 0
        self._is_away = False
        self._asks_again_at = 0.0
        self._minute_began = 0.0
        self._logged = 0

    def has_room(self) -> bool:
        """Whether one more question may wait; if not, it is counted as dropped. False while the server does not answer, too."""
        if self._is_away and _clock() < self._asks_again_at:
            self._counters["failed"] += 1
            return False
        if self._waiting >= self._settings.max_waiting:
            self._counters["dropped"] += 1
            return False
        return True

    async def compare(self, question: Question, first: Summary) -> None:
        """Asks the second server, and compares its answer with `first`."""
        self._waiting += 1
        try:
            self._counters[await self._compared(question, first)] += 1
        except Away as error:
            self._counters["failed"] += 1
            self._asks_again_at = _clock() + self._settings.retry_after
            if not self._is_away:
                self._is_away = True
                self._log.warning("the second server does not answer: %s", error)
        finally:
            self._waiting -= 1

    async def _compared(self, question: Question, first: Summary) -> str:
        second = await self._answer(question)
        if first.is_like(second):
            return "same"
        if self._settings.recheck_after > 0:
            await asyncio.sleep(self._settings.recheck_after)
            second = await self._answer(question)
            if first.is_like(second):
                return "late"
        self._tell(question, first, second)
        return "different"

    async def _answer(self, question: Question) -> Summary:
        summary = await self._ask(question)
        if self._is_away:
            self._is_away = False
            self._log.warning("the second server answers again")
        return summary

    def _tell(self, question: Question, first: Summary, second: Summary) -> None:
        now = _clock()
        if now - self._minute_began >= _MINUTE:
            self._minute_began, self._logged = now, 0
        self._logged += 1
        if self._logged > self._settings.max_logged:
            if self._logged == self._settings.max_logged + 1:
                self._log.warning("further differences of this minute are counted only")
            return
        text = one_line(question.sql)
        if len(text) > _MOST_SHOWN:
            text = text[:_MOST_SHOWN] + "..."
        place = question.database or "no database"
        self._log.warning("%s here, %s there, in %s: %s", first, second, place, text)
