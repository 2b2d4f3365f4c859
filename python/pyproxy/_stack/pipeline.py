"""One command of a client on its way through a stack of scripts, and its result on the way back.

A script of the stack is to the one behind it what the client is to the proxy: it sends commands one after the other, and
each gets one result. What a script queues goes to the next one, which may pass it, answer it, or queue commands of its own
in its place. What nobody answers goes to the server. A result goes back the same way: to the last script that asked, whose
decision makes it the result of the one before, until it is the client's.

    client ──SELECT──► xtab ──SELECT DISTINCT ..──► masking ──SELECT DISTINCT ..──► server
           ◄──table───      ◄─────masked rows──────         ◄──────rows───────────

The proxy's own queue has one command with an answer at a time: the next one depends on what the scripts make of it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pyproxy
from pyproxy import _native
from pyproxy._stack.script_view import InjectionView, ProxyView
from pyproxy._stack.scripts import Script

if TYPE_CHECKING:
    from typing import TypeGuard

    from pyproxy import Answer, Decision, Injection, Proxy

__all__ = ["ANSWERS", "Pipeline"]

# What a script may return in place of PROXY_SEND_RESULT.
ANSWERS = (pyproxy.Ok, pyproxy.Error, pyproxy.Rows, pyproxy.Raw, pyproxy.Resultset)

_log = logging.getLogger("pyproxy.hooks.load_multi")

_UNANSWERED = (pyproxy.COM_STMT_CLOSE, pyproxy.COM_STMT_SEND_LONG_DATA)
_PING = bytes((pyproxy.COM_PING,))
_NOTHING_LEFT = pyproxy.Error("pyproxy: no result was left for this command")


class _Command(NamedTuple):
    """A member of `proxy.queries`."""

    id: int
    packet: bytes
    is_needed: bool

    @property
    def has_answer(self) -> bool:
        return self.packet[0] not in _UNANSWERED


class _Asker:
    """Who sends commands to the next script: the client, or a script that queued them."""

    def __init__(
        self,
        position: int,
        script: Script | None,
        queue: Iterable[_Command],
        is_asked: bool = True,
    ) -> None:
        # The first script that is asked about its commands.
        self.next = position
        # None: the client.
        self.script = script
        self.queue = deque(queue)
        # Whether the script is shown what comes back.
        self.is_asked = is_asked
        # The command in progress. None: the script let the one of the asker before it pass, and has to see what comes back
        # if that is not what it let pass.
        self.command: _Command | None = None
        # Whether the one that it was asked about has its result.
        self.has_answered = False
        # Whether it was shown rows as the server sent them, or what another script made of such rows.
        self.has_rows = False


class _Result(NamedTuple):
    """What comes back for a command."""

    injection: Injection
    # The query of the server that it goes back to; the same as `injection` if no script made it.
    timed: Injection
    # What was answered: the command as it was by then.
    query: bytes
    # Of an answer that a script made: its payloads.
    packets: Sequence[bytes] | None = None
    # It has rows, made by a script that was shown rows of the server.
    is_derived: bool = False

    @property
    def has_rows(self) -> bool:
        """Whether rows were kept for the scripts."""
        return any(one.fields is not None for one in self.injection.resultsets)

    @property
    def has_foreign_rows(self) -> bool:
        """Whether there are rows that have been the server's."""
        return self.is_derived or (self.packets is None and self.has_rows)

    def is_answer_to(self, command: _Command) -> bool:
        """Whether it is the server's own answer to this command."""
        return self.packets is None and self.query == command.packet


class Pipeline:
    """One command of a client."""

    def __init__(
        self,
        proxy: Proxy,
        scripts: Sequence[Script],
        view: Callable[[Script], ProxyView],
    ) -> None:
        """`view` gives what a script gets as its `proxy`."""
        self._proxy = proxy
        # Scripts may come and go while the command runs.
        self._scripts = tuple(scripts)
        self._view = view
        # The client's command.
        self._packet = b""
        # From the client to the one that is nearest to the server.
        self._askers: list[_Asker] = []
        # What the proxy is to send, the last of it perhaps with an answer.
        self._out: list[_Command] = []
        self._awaits_answer = False
        # The client's answer until it is sent; of one that the last hook made, and nobody else sees, there are no packets.
        self._answer: _Result | None = None
        self._is_made = False
        # What the last hook returned as its answer; None: it is in proxy.response.
        self._value: Answer | None = None

    def read_query(self, packet: bytes) -> Decision:
        """What the hook `read_query` returns for the client's command."""
        self._packet = packet
        client = _Asker(0, None, [_Command(0, packet, False)])
        self._askers.append(client)
        self._run()
        if self._out:
            if client.has_answered and not self._awaits_answer:
                # An answer can be sent in place of a result only.
                self._out.append(_Command(0, _PING, True))
            self._send()
            return self._proxy.PROXY_SEND_QUERY
        if client.has_answered:
            return self._give_answer()
        if self._askers:
            # Nobody wants to do anything about it.
            return None
        return _NOTHING_LEFT

    def read_query_result(self, inj: Injection) -> Decision:
        """What the hook `read_query_result` returns for the result of a query that was sent."""
        is_kept = self._out[-1].is_needed
        self._out.clear()
        if self._awaits_answer:
            self._awaits_answer = False
            self._rise(_Result(inj, inj, inj.query))
        self._run()
        self._send()
        if self._answer is not None or self._is_made:
            return self._give_answer()
        return self._proxy.PROXY_IGNORE_RESULT if is_kept else None

    def _run(self) -> None:
        """Goes on until the server has to answer, or nobody has any more commands."""
        while self._askers:
            asker = self._askers[-1]
            if asker.queue:
                command = asker.command = asker.queue.popleft()
                if asker.has_answered and not command.is_needed and command.has_answer:
                    _log.warning(
                        "query %d of %s is not run: the result that it would have to be is there already "
                        "(resultset_is_needed is not set)",
                        command.id,
                        asker.script,
                    )
                elif self._descend(asker, command):
                    return
                continue
            self._askers.pop()
            if self._askers and asker.command is not None and not asker.has_answered:
                self._no_result()

    def _descend(self, asker: _Asker, command: _Command) -> bool:
        """Asks the scripts behind `asker` about its command. Whether nothing can be done before the server has answered."""
        proxy = self._proxy
        for position, script in enumerate(self._scripts[asker.next :], asker.next + 1):
            hook = script.hook("read_query")
            decision: object = None
            queue = deque[_Command]()
            if hook is not None:
                other = None if command.packet == self._packet else command.packet
                self._view(script).show_command(other)
                decision, queue = self._call(script, hook, queue, command.packet)
            if isinstance(decision, pyproxy.Send):
                self._warn_about(script, queue)
                self._askers.append(self._sender(position, script, decision, command))
                return False
            if not _is_in(decision, proxy.PROXY_SEND_RESULT, proxy.PROXY_SEND_QUERY):
                raise ValueError(f"read_query of {script} returned {decision!r}")
            if decision == proxy.PROXY_SEND_RESULT:
                self._rise(self._made(len(self._askers) - 1))
                return False
            if decision == proxy.PROXY_SEND_QUERY and queue:
                self._askers.append(_Asker(position, script, queue))
                return False
            self._warn_about(script, queue)
            if script.traits.sees_all_results:
                self._askers.append(_Asker(position, script, ()))
        # Who let it pass has nothing to object to its result.
        while self._askers[-1] is not asker:
            self._askers.pop()
        if asker.script is None:
            return True
        return self._to_server(command)

    def _warn_about(self, script: Script, queue: Iterable[_Command]) -> None:
        if queue:
            _log.warning(
                "read_query of %s queued queries and did not return PROXY_SEND_QUERY", script
            )

    def _sender(
        self, position: int, script: Script, send: pyproxy.Send, command: _Command
    ) -> _Asker:
        """Who sends another command in place of `command`, and has nothing to say about its result."""
        packet = _native.encode_command(self._proxy, send.what, command.packet[0])
        sees_all = script.traits.sees_all_results
        return _Asker(position, script, [_Command(0, packet, sees_all)], is_asked=sees_all)

    def _to_server(self, command: _Command) -> bool:
        """Has a command sent. Whether its answer has to be awaited."""
        is_needed = self._askers[0].has_answered or any(
            asker.command.is_needed
            if asker.command is not None
            else self._asked(number).packet != command.packet
            for number, asker in enumerate(self._askers)
        )
        self._out.append(command._replace(is_needed=is_needed))
        self._awaits_answer = command.has_answer
        return command.has_answer

    def _no_result(self) -> None:
        """All results were dropped that could have been that of the last asker's command."""
        asked = self._asked(len(self._askers) - 1)
        if asked.has_answer and len(self._askers) > 1:
            self._value = _NOTHING_LEFT
            self._rise(self._made(len(self._askers) - 1))

    def _asked(self, number: int) -> _Command:
        """The command that the asker of this number has in progress, or let pass."""
        commands = [asker.command for asker in self._askers[: number + 1]]
        return next(command for command in reversed(commands) if command is not None)

    def _rise(self, result: _Result | None) -> None:
        """Shows a result to those who asked, from the last to the first, as each makes it. None: it is the last hook's answer."""
        proxy = self._proxy
        for number in range(len(self._askers) - 1, 0, -1):
            assert result is not None
            asker = self._askers[number]
            if asker.command is None and result.is_answer_to(self._asked(number)):
                # It is what comes of the command that the script let pass.
                continue
            script = cast(Script, asker.script)
            if script.traits.sees_all_results and result.is_derived:
                result = self._refused(script, result)
            asker.has_rows |= result.has_foreign_rows
            decision: object = None
            hook = script.hook("read_query_result")
            is_part = False
            if hook is not None and asker.is_asked:
                inj = _seen_by(asker, script, result)
                decision, asker.queue = self._call(script, hook, asker.queue, inj)
                is_part = any(self._value is one for one in result.injection.resultsets)
            if not _is_in(decision, proxy.PROXY_SEND_RESULT, proxy.PROXY_IGNORE_RESULT):
                raise ValueError(f"read_query_result of {script} returned {decision!r}")
            if decision and asker.command is not None and not asker.command.is_needed:
                _log.warning(
                    "the result of query %d of %s can be replaced or dropped only with resultset_is_needed",
                    asker.command.id,
                    script,
                )
                decision = None
            if decision == proxy.PROXY_IGNORE_RESULT:
                return
            if asker.command is not None:
                if asker.has_answered:
                    _log.warning(
                        "the result of query %d of %s is dropped: there is a result already",
                        asker.command.id,
                        script,
                    )
                    return
                asker.has_answered = True
            if decision == proxy.PROXY_SEND_RESULT:
                made = self._made(number - 1, result)
                result = made and made._replace(
                    timed=result.timed,
                    query=result.query,
                    is_derived=asker.has_rows
                    and not script.traits.sees_all_results
                    and made.has_rows
                    and not is_part,
                )
        self._askers[0].has_answered = True
        self._answer = result
        self._is_made = result is None

    def _made(self, number: int, result: _Result | None = None) -> _Result | None:
        """The last hook's answer, made to the asker of this number.

        It stays what it is, and there is no result, if nobody but the client will see it and no hook runs before. But rows
        of a `result` that a script made are there only as long as that.
        """
        is_of_made = result is not None and result.packets is not None
        if number == 0 and not is_of_made and not any(asker.queue for asker in self._askers):
            return None
        return self._encoded(self._asked(number).packet)

    def _encoded(self, query: bytes) -> _Result:
        """The last hook's answer as the result of a query."""
        packets = _native.encode_answer(self._proxy, query[0], self._value)
        self._proxy.response = self._value = None
        made = _native.made_result(self._proxy, query, packets)
        return _Result(made, made, query, packets)

    def _refused(self, guard: Script, result: _Result) -> _Result:
        """An ERR in place of rows that a script behind `guard` made of what `guard` did not see."""
        _log.error("refused: rows that were made of results before %s saw them", guard)
        message = "Access denied; the scripts of the proxy do not fit each other, see its log"
        self._value = pyproxy.Error(message, 1227, "42000")
        return self._encoded(self._asked(len(self._askers) - 1).packet)._replace(
            timed=result.timed, query=result.query
        )

    def _call(
        self, script: Script, hook: Callable[..., Any], queue: Iterable[_Command], argument: object
    ) -> tuple[object, deque[_Command]]:
        """Calls a hook with its script's own queue; gives its decision and what is in the queue then."""
        queries = self._proxy.queries
        self._proxy.response = self._value = None
        queries.reset()
        for command in queue:
            queries.append(*command)
        try:
            decision = hook(self._view(script), argument)
            if _is_result_of(argument, decision):
                decision = None
            elif isinstance(decision, ANSWERS):
                self._value = decision
                decision = self._proxy.PROXY_SEND_RESULT
            return decision, deque(_Command(*query) for query in queries)
        finally:
            # What is left of it is not the proxy's to send.
            queries.reset()

    def _send(self) -> None:
        for command in self._out:
            self._proxy.queries.append(*command)

    def _give_answer(self) -> Decision:
        """Has the client's answer sent."""
        answer, self._answer, self._is_made = self._answer, None, False
        if answer is None:
            return self._proxy.PROXY_SEND_RESULT if self._value is None else self._value
        # As the server sent it, or as a script made it.
        return None if answer.packets is None else pyproxy.Raw(answer.packets)


def _seen_by(asker: _Asker, script: Script, result: _Result) -> object:
    """The `inj` of a script: with the command as it queued it."""
    command, inj = asker.command, result.injection
    if command is None:
        return InjectionView(inj, result.timed, None, result.query)
    # Who has to see all results has to know what they are results of.
    query = result.query if script.traits.sees_all_results else command.packet
    if result.packets is None and (inj.id, inj.query) == (command.id, query):
        return inj
    return InjectionView(inj, result.timed, command.id, query)


def _is_result_of(argument: object, decision: object) -> bool:
    """Whether a hook returned the result that it was asked about, as it came."""
    if isinstance(argument, bytes) or decision is None:
        return False
    inj = cast("Injection", argument)
    return decision is inj or decision is inj.resultset


def _is_in(decision: object, *decisions: int) -> TypeGuard[int | None]:
    """Whether a hook may return this: one of `decisions`, or none. A bool is an int to Python only."""
    return decision is None or (decision in (0, *decisions) and not isinstance(decision, bool))
