"""Runs one session on both sides, step by step, until an answer differs."""

from __future__ import annotations

import time
from collections import Counter

from ..allowed import allowed, is_unavailable
from ..compare import difference
from ..generator.steps import OTHERS, Session, Step
from ..nature import Unset, natural
from ..servers.world import World
from ..wire.answers import Answer, Lost
from .end import end_of_session
from .finding import Finding, shown
from .side import SKIPPED, Side

__all__ = ["SessionRun"]

# What a connection had is gone on the server a moment after the client has seen its end.
_SETTLE = 0.01


class SessionRun:
    """One run of one session; afterwards everything is as it was before."""

    def __init__(self, world: World, session: Session, figures: Counter[str]) -> None:
        self._world = world
        self._session = session
        self._figures = figures
        self._direct = Side("direct", ("127.0.0.1", world.alone.port))
        self._split = Side("split", world.splitter.address)
        # After a fault, clients may be told that their connection is gone.
        self._may_lose: set[str] = set()
        self._users: dict[int, str] = {}
        self._is_down = False
        self._unset = Unset()

    def run(self) -> Finding | None:
        """Gives the first difference that is not allowed."""
        finding = None
        try:
            self._world.splitter.fill()
            for at, step in enumerate(self._session.steps):
                finding = self._step(at, step)
                if finding is not None:
                    break
        except Diverged:
            self._figures["sessions cut short"] += 1
        finally:
            for side in (self._split, self._direct):
                side.close()
            self._settle(True)
        end = end_of_session(self._world, self._session)
        if finding is None and end:
            what, one, two = end
            finding = Finding(self._session, len(self._session.steps), what, one, two)
        return finding

    # Steps.

    def _step(self, at: int, step: Step) -> Finding | None:
        if step.client == OTHERS:
            self._fault(step)
            return None
        self._figures["steps"] += 1
        if self._unset.is_asked(step):
            return None
        if step.op in ("connect", "change_user"):
            self._users[step.client] = step.args[0].user
        if self._users.get(step.client) in self._may_lose:
            return self._step_after_fault(at, step)
        # Both sides work at the same time.
        finish_split = self._split.start(step)
        direct = self._direct.do(step)
        return self._compared(at, step, direct, finish_split())

    def _step_after_fault(self, at: int, step: Step) -> Finding | None:
        """Runs it in the split first: what did not run there is not to run directly."""
        split = self._split.do(step)
        if split != SKIPPED and is_unavailable(split):
            self._figures["unavailable after a fault"] += 1
            if isinstance(split[-1], Lost) or step.op in ("connect", "change_user"):
                self._begin_anew(step.client)
            return None
        if self._is_down and split:
            self._figures["answered while the primary was away"] += 1
        return self._compared(at, step, self._direct.do(step), split)

    def _compared(self, at: int, step: Step, direct: Answer, split: Answer) -> Finding | None:
        self._unset.note(step, direct)
        ends = "quits" in step.tags or step.op == "quit"
        if direct != split:
            finding = self._differs(at, step, direct, split)
            if finding is not None:
                return finding
        if ends or (direct and isinstance(direct[-1], Lost)):
            self._settle(True)
        if not self._is_down and not self._world.replication.is_lagging:
            self._world.replication.catch_up()
        return None

    def _differs(self, at: int, step: Step, direct: Answer, split: Answer) -> Finding | None:
        name = step.args[0] if step.args and isinstance(step.args[0], str) else ""
        one, two = (
            natural(answer, side.number(step.client, name), side.tracks(step.client))
            for side, answer in ((self._direct, direct), (self._split, split))
        )
        what = difference(one, two)
        if not what:
            return None
        may_be = allowed(step, direct, split)
        if may_be is None:
            return Finding(self._session, at, what, shown(direct), shown(split))
        self._figures[f"allowed: {may_be.name}"] += 1
        if may_be.is_not_run:
            # It has run directly: from here on the two would differ.
            raise Diverged
        return None

    def _begin_anew(self, client: int) -> None:
        self._split.drop(client)
        self._direct.drop(client)
        self._settle(True)

    def _settle(self, waits: bool) -> None:
        """Waits until connections that have ended have let go of what they had."""
        alone = self._world.alone
        if self._direct.ended and waits:
            numbers = ", ".join(map(str, self._direct.ended))
            sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({numbers})"
            deadline = time.monotonic() + 10
            while alone.value(sql) != "0" and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(_SETTLE)
        self._direct.ended.clear()
        self._split.ended.clear()

    # Faults.

    def _fault(self, step: Step) -> None:
        self._figures[f"fault: {step.op}"] += 1
        getattr(self, f"_fault_{step.op}")(*step.args)

    def _fault_ddl(self, sql: str) -> None:
        for node in (self._world.alone, self._world.primary):
            node.answer(sql)
        if not self._is_down and not self._world.replication.is_lagging:
            self._world.replication.catch_up()

    def _fault_kill(self, user: str, where: str) -> None:
        self._may_lose.add(user)
        for node, names in (
            (self._world.primary, ("primary", "both")),
            (self._world.replica, ("replica", "both")),
        ):
            if where in names and not (self._is_down and node is self._world.primary):
                node.kill(user)
        time.sleep(_SETTLE)

    def _fault_lag(self) -> None:
        self._world.replication.lag()

    def _fault_lag_ends(self) -> None:
        self._world.replication.go_on()
        self._world.replication.catch_up()

    def _fault_restart(self) -> None:
        self._fault_down()
        self._fault_up()

    def _fault_down(self) -> None:
        self._may_lose.update(identity.user for identity in self._world.identities)
        self._is_down = True
        self._world.primary_down()

    def _fault_up(self) -> None:
        if self._is_down:
            self._world.primary_up()
            self._is_down = False


class Diverged(Exception):
    """A statement ran on one side only, which is allowed: the rest of the session tells nothing."""
