"""Runs one session on both sides, step by step, until an answer differs."""

from __future__ import annotations

import random
import time
from collections import Counter

from tests.library.support.process import PATIENCE

from ..allowed import allowed, is_unavailable, refused
from ..compare import difference
from ..generator.steps import OTHERS, Session, Step
from ..nature import Unset, natural
from ..servers.replication import ReplicationBroken, WrittenOnReplica
from ..servers.world import World
from ..wire.answers import Answer, Lost
from .end import end_of_session
from .finding import Finding, contrasted, shown
from .side import Side

__all__ = ["SessionRun"]

# What a client does first when its connection may be gone.
_TOUCHES = (
    "COMMIT",
    "ROLLBACK",
    "DO 0",
    "SELECT 1",
    "SELECT LAST_INSERT_ID()",
    "SELECT ROW_COUNT()",
    "SELECT COUNT(*) FROM o1.t1",
    "SELECT id FROM o1.t2 WHERE k = 1 FOR UPDATE",
    "UPDATE o1.t1 SET a = a WHERE id = -1",
    "SET @touch = 1",
    "SET sql_notes = 1",
    "USE o1",
)
# What a connection had is gone on the server a moment after the client has seen its end.
_SETTLE = 0.01


class SessionRun:
    """One run of one session; afterwards everything is as it was before."""

    def __init__(
        self,
        world: World,
        session: Session,
        figures: Counter[str],
        is_causal: bool = False,
        traces: bool = False,
    ) -> None:
        """`is_causal`: the replica has what other clients have written, and is not waited for with what the client itself has.

        `traces`: every step is printed with its answers.
        """
        self._is_causal = is_causal
        # Whose writes the replica may not have yet.
        self._ahead: int | None = None
        self._traces = traces
        self._world = world
        self._session = session
        self._figures = figures
        self._direct = Side("direct", ("127.0.0.1", world.alone.port))
        self._split = Side("split", world.splitter.address)
        # After a fault, clients may be told that their connection is gone.
        self._may_lose: set[str] = set()
        self._users: dict[int, str] = {}
        self._is_down = False
        self._touched: list[Step] = []
        self._unset = Unset()

    def run(self) -> Finding | None:
        """Gives the first difference that is not allowed."""
        finding = None
        try:
            self._world.splitter.fill()
            for at, step in enumerate(self._session.steps):
                finding = self._step_and_replica(at, step)
                if finding is not None:
                    break
        finally:
            self._fault_up()
            for side in (self._split, self._direct):
                side.close()
            self._settle(sleeps=False)
        end = end_of_session(self._world, self._session)
        if finding is None and end:
            what, one, two = end
            finding = Finding(self._session, len(self._session.steps), what, one, two)
        return finding

    # Steps.

    def _step_and_replica(self, at: int, step: Step) -> Finding | None:
        try:
            return self._step(at, step)
        except WrittenOnReplica as error:
            return Finding(self._session, at, "written on the replica", "", str(error))
        except ReplicationBroken as error:
            return Finding(self._session, at, "the replica does not follow", "", str(error))

    def _step(self, at: int, step: Step) -> Finding | None:
        if step.client == OTHERS:
            self._fault(step)
            touched, self._touched = self._touched, []
            found = (self._step(at, each) for each in touched)
            return next((finding for finding in found if finding is not None), None)
        if not self._may_act(step):
            return None
        self._figures["steps"] += 1
        if self._traces:
            print(step, flush=True)
        if self._unset.is_asked(step):
            return None
        users = {self._users.get(step.client, "")}
        if step.op in ("connect", "change_user"):
            self._users[step.client] = step.args[0].user
            users.add(step.args[0].user)
        # In the split first: what is not run there is not to run directly, either.
        split = self._split.do(step)
        if self._traces:
            print(f"    split:  {shown(split)}", flush=True)
        if self._is_not_run(step, split, bool(users & self._may_lose)):
            return None
        if self._is_down and split:
            self._figures["answered while the primary was away"] += 1
        direct = self._direct.do(step)
        if self._traces:
            print(f"    direct: {shown(direct)}", flush=True)
        return self._compared(at, step, direct, split)

    def _is_not_run(self, step: Step, split: Answer, may_lose: bool) -> bool:
        """Whether the client was told, as it may be, that the step was not made."""
        may_be = refused(step, split)
        if may_be is not None:
            self._figures[f"allowed: {may_be.name}"] += 1
            # It is the one of the list that says that it closes the connection.
            if may_be.ends_connection:
                self._begin_anew(step.client)
            return True
        if not may_lose or not is_unavailable(split):
            return False
        self._figures["unavailable after a fault"] += 1
        if isinstance(split[-1], Lost) or step.op in ("connect", "change_user"):
            self._begin_anew(step.client)
        return True

    def _compared(self, at: int, step: Step, direct: Answer, split: Answer) -> Finding | None:
        self._unset.note(step, direct)
        ends = "quits" in step.tags or step.op == "quit"
        if direct != split:
            finding = self._differs(at, step, direct, split)
            if finding is not None:
                return finding
        if ends:
            self._unset.forget(step.client)
        if ends or (direct and isinstance(direct[-1], Lost)):
            self._settle()
        if self._is_causal:
            return None
        self._catch_up()
        return None

    def _may_act(self, step: Step) -> bool:
        """With causal reads a client sees what it has written itself; others' writes when the replica has them."""
        if not self._is_causal or (step.client == self._ahead and step.op != "connect"):
            return True
        if self._world.replication.is_lagging:
            return False
        self._catch_up()
        self._ahead = step.client
        return True

    def _catch_up(self) -> None:
        if not self._is_down and not self._world.replication.is_lagging:
            self._world.replication.catch_up()

    def _differs(self, at: int, step: Step, direct: Answer, split: Answer) -> Finding | None:
        name = step.args[0] if step.args and isinstance(step.args[0], str) else ""
        one, two = (
            natural(step, answer, side.number(step.client, name), side.tracks(step.client))
            for side, answer in ((self._direct, direct), (self._split, split))
        )
        what = difference(one, two)
        if not what:
            return None
        may_be = allowed(step, direct, split)
        if may_be is None:
            return Finding(self._session, at, what, *contrasted(direct, split))
        self._figures[f"allowed: {may_be.name}"] += 1
        return None

    def _begin_anew(self, client: int) -> None:
        self._split.drop(client)
        self._direct.drop(client)
        self._unset.forget(client)
        self._settle()

    def _settle(self, sleeps: bool = True) -> None:
        """Waits until connections that have ended have let go of what they had."""
        if self._direct.ended:
            numbers = ", ".join(map(str, self._direct.ended))
            sql = f"SELECT COUNT(*) FROM information_schema.processlist WHERE id IN ({numbers})"
            deadline = time.monotonic() + PATIENCE
            while self._world.alone.value(sql) != "0" and time.monotonic() < deadline:
                time.sleep(0.001)
            self._direct.ended.clear()
            if sleeps:
                # Nobody can tell which one of the proxy's connections it is.
                time.sleep(_SETTLE)

    # Faults.

    def _fault(self, step: Step) -> None:
        self._figures[f"fault: {step.op}"] += 1
        getattr(self, f"_fault_{step.op}")(*step.args)

    def _fault_ddl(self, sql: str) -> None:
        if self._world.replication.is_lagging:
            return
        for node in (self._world.alone, self._world.primary):
            node.answer(sql)
        self._catch_up()

    def _fault_kill(self, user: str, where: str) -> None:
        self._may_lose.add(user)
        for node, names in (
            (self._world.primary, ("primary", "both")),
            (self._world.replica, ("replica", "both")),
        ):
            if where in names and not (self._is_down and node is self._world.primary):
                node.kill(user)
        time.sleep(_SETTLE)
        self._touch_all()

    def _touch_all(self) -> None:
        """Every client that may have lost its connection does something.

        Those that have, must not keep directly what others can see of them: locks, rows that are not committed.
        """
        for client, user in sorted(self._users.items()):
            if user in self._may_lose and self._split.is_connected(client):
                choose = random.Random(f"{self._session.seed} {client}")
                for sql in (choose.choice(_TOUCHES), "SELECT @touch"):
                    self._touched.append(Step("query", (sql,), "touch", client))

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
        self._touch_all()

    def _fault_up(self) -> None:
        if self._is_down:
            self._world.primary_up()
            self._is_down = False
