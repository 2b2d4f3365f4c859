"""Calling a hook, and what its return value means."""

from __future__ import annotations

import enum
import time
from typing import Any, NamedTuple

from ..._offline import reply
from ..._offline.access import Slot, host_call
from ..._offline.proxy import Proxy, clear, members_of
from ..._offline.result import Injection
from ..._offline.state import InjectionState, SessionState
from ..._offline.values import Auth
from ..._offline.wire.replies import Status
from .process import Process
from .script import describe

__all__ = ["Binding", "Decision", "Outcome", "hook_failed"]

_LONGEST_REPR = 200


class Decision(enum.Enum):
    """What a hook decided."""

    PROCEED = 0
    SEND_QUERY = 1
    SEND_RESULT = 2
    IGNORE_RESULT = 4
    # It raised, returned something else, or its response cannot be encoded. Logged already.
    FAILED = -1


_PERMITTED = {
    Decision.SEND_QUERY: {"read_auth", "read_query"},
    Decision.SEND_RESULT: {
        "connect_server",
        "read_handshake",
        "read_auth",
        "read_auth_result",
        "read_query",
        "read_query_result",
    },
    Decision.IGNORE_RESULT: {"connect_server", "read_query_result", "disconnect_client"},
}


class Outcome(NamedTuple):
    """A decision, with the payloads to send for SEND_RESULT."""

    decision: Decision
    packets: list[bytes] = []


PROCEED = Outcome(Decision.PROCEED)


def hook_failed(hook: str) -> str:
    """What a client is told when a hook failed."""
    return f"{hook} failed, see the proxy log"


class Binding:
    """The script and one connection."""

    def __init__(self, process: Process, session: SessionState) -> None:
        self._process = process
        self._session = session
        self.proxy = Proxy(process.globals, session.slot)

    def has(self, hook: str) -> bool:
        """Whether the script has this hook."""
        return hook in self._process.script.functions

    def call(self, hook: str) -> Outcome:
        """Calls a hook that gets nothing but `proxy`."""
        return self._run(hook)

    def read_auth_result(self, packet: bytes) -> Outcome:
        """The server answered the login."""
        return self._run("read_auth_result", Auth(packet))

    def read_query(self, packet: bytes) -> Outcome:
        """A command arrived."""
        members_of(self.proxy.response).clear()
        return self._run("read_query", packet)

    def read_query_result(self, injection: InjectionState) -> Outcome:
        """The result of a queued query is complete."""
        slot = Slot(injection)
        try:
            return self._run("read_query_result", Injection(slot))
        finally:
            slot.empty()

    def end(self) -> None:
        """The connection is over: everything of it is gone for the script."""
        clear(self.proxy)
        self._session.slot.empty()

    def _run(self, hook: str, *arguments: Any) -> Outcome:
        function = self._process.script.functions.get(hook)
        if function is None:
            return PROCEED
        counters = self._process.counters
        begin = time.perf_counter_ns()
        self._session.hook = hook
        try:
            with self._process.running(), host_call():
                outcome = self._ask(hook, function, arguments)
        finally:
            self._session.hook = None
            counters[f"{hook}.calls"] += 1
            counters[f"{hook}.micros"] += (time.perf_counter_ns() - begin) // 1000
        if outcome.decision is Decision.FAILED:
            counters[f"{hook}.errors"] += 1
        return outcome

    def _ask(self, hook: str, function: Any, arguments: tuple[Any, ...]) -> Outcome:
        try:
            returned = function(self.proxy, *arguments)
            decision = _decision(hook, returned)
        # Scripts cannot stop the proxy, whatever they raise.
        except BaseException as error:
            return self._fail(hook, f"failed:\n{describe(error)}")
        if decision is None:
            return self._fail(hook, f"returned {_show(returned)}, which it may not return")
        if decision is not Decision.SEND_RESULT:
            return Outcome(decision)
        try:
            packets = reply.encode(members_of(self.proxy.response), self._context(hook))
        except BaseException as error:
            return self._fail(
                hook,
                "returned PROXY_SEND_RESULT, but proxy.response cannot be encoded:\n"
                + describe(error),
            )
        return Outcome(decision, packets)

    def _context(self, hook: str) -> reply.Context:
        in_command = hook in ("read_query", "read_query_result")
        form = reply.RowForm.of(self._session.command if in_command else None)
        return reply.Context(
            before_handshake=hook in ("connect_server", "read_handshake"),
            rows=form,
            status=self._session.status() | self._cursor_status(form, hook),
            max_bytes=self._process.options.max_kept_bytes,
        )

    def _cursor_status(self, form: reply.RowForm, hook: str) -> int:
        """A client fetches until it is told that the last row was sent."""
        end = Status.CURSOR_EXISTS | Status.LAST_ROW_SENT
        if form is not reply.RowForm.CURSOR:
            return 0
        return self._session.result_status & end if hook == "read_query_result" else end

    def _fail(self, hook: str, text: str) -> Outcome:
        session = self._session
        who = f"connection {session.id} ({session.client.src})"
        self._process.write_log("critical", f"{who}: {hook} {text}")
        return Outcome(Decision.FAILED)


def _decision(hook: str, value: Any) -> Decision | None:
    """None if the hook may not return this. A bool is no decision, though Python counts it as an integer."""
    if value is None:
        return Decision.PROCEED
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1, 2, 4):
        return None
    decision = Decision(int(value))
    if decision is Decision.PROCEED or hook in _PERMITTED[decision]:
        return decision
    return None


def _show(value: Any) -> str:
    try:
        return repr(value)[:_LONGEST_REPR]
    except BaseException:
        return f"an object of {type(value)}"
