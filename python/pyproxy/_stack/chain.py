"""Commands on their way through a stack of scripts, and their results on the way back.

A script of the stack is to the one behind it what the client is to the proxy: it sends commands one after the other, and
each gets one result. What a script queues goes to the next one, which may pass it, answer it, or queue commands of its own
in its place. What nobody answers goes to the server. A result goes back the same way: to the last script that asked, whose
decision makes it the result of the one before, until it is the client's.

    client ──SELECT──► xtab ──SELECT DISTINCT ..──► masking ──SELECT DISTINCT ..──► server
           ◄──table───      ◄─────masked rows──────         ◄──────rows───────────

What a script awaits of `proxy.query` goes the same way, from the script behind it on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pyproxy
from pyproxy import _native
from pyproxy._stack.exchange import (
    Asker,
    StackCommand,
    StackResult,
    is_one_of,
    is_result_of,
    seen_by,
)
from pyproxy._stack.script_view import ProxyView
from pyproxy._stack.scripts import Script
from pyproxy._stack.waiting import outcome

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pyproxy import Answer, Proxy, Resultset

__all__ = ["ANSWERS", "NOTHING_LEFT", "Chain", "ScriptQuery"]

# What a script may return in place of PROXY_SEND_RESULT.
ANSWERS = (pyproxy.Ok, pyproxy.Error, pyproxy.Rows, pyproxy.Raw, pyproxy.Resultset)
NOTHING_LEFT = pyproxy.Error("pyproxy: no result was left for this command")

_log = logging.getLogger("pyproxy.hooks.load_multi")


class Chain:
    """Scripts, and who sends commands to them."""

    def __init__(
        self,
        proxy: Proxy,
        scripts: Sequence[Script],
        view: Callable[[Script], ProxyView],
        packet: bytes = b"",
    ) -> None:
        """`view` gives what a script gets as its `proxy`; `packet` is the client's command."""
        self._proxy = proxy
        # Scripts may come and go while the command runs.
        self._scripts = tuple(scripts)
        self._view = view
        self._packet = packet
        # From the client to the one that is nearest to the server.
        self._askers: list[Asker] = []
        # The answer to the first asker; of one that the last hook made, and nobody else sees, there are no packets.
        self._answer: StackResult | None = None
        self._is_made = False
        # What the last hook returned as its answer; None: it is in proxy.response.
        self._value: Answer | None = None
        # What scripts got for queries that they awaited.
        self._queried: list[tuple[Script, Resultset, StackResult]] = []
        # Those that the hook which runs awaits, one of which goes through the scripts at a time.
        self._tasks: list[asyncio.Task[Resultset | None]] = []
        self._turn: asyncio.Lock | None = None

    async def ask(
        self, script: Script, position: int, hook: Callable[..., Any], argument: object
    ) -> Any:
        """What a hook returns. The scripts from `position` on are behind it."""
        returned = self._returned(script, position, hook, argument)
        return await self._outcome(returned) if inspect.iscoroutine(returned) else returned

    def _returned(
        self, script: Script, position: int, hook: Callable[..., Any], argument: object
    ) -> Any:
        view = self._view(script)
        view.ask_through(self, script, position)
        return hook(view, argument)

    async def _outcome(self, returned: Any) -> Any:
        try:
            return await outcome(returned)
        finally:
            if self._tasks:
                await self._end_tasks()

    def query(
        self, script: Script, position: int, what: str | Buffer
    ) -> Awaitable[Resultset | None]:
        """Runs a query of `script` as the scripts from `position` on let it run."""
        packet = _native.checked_query(self._proxy, what)
        behind = self._scripts[position:]
        if not any(one.hook("read_query") for one in behind):
            awaited = cast("asyncio.Future[Resultset | None]", self._proxy.query(packet))
            awaited.add_done_callback(functools.partial(self._note_server_result, script))
            return awaited
        task = asyncio.ensure_future(self._query_through(script, behind, packet))
        self._tasks.append(task)
        return task

    def _note_server_result(self, script: Script, future: asyncio.Future[Resultset | None]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        resultset = future.result()
        if resultset is not None:
            inj = _native.injection_of(resultset)
            self._queried.append((script, resultset, StackResult(inj, inj, inj.query)))

    async def _query_through(
        self, script: Script, behind: Sequence[Script], packet: bytes
    ) -> Resultset | None:
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            result = await ScriptQuery(self._proxy, behind, self._view, self._packet).run(packet)
        if result is None:
            return None
        resultset = result.injection.resultset
        self._queried.append((script, resultset, result))
        return resultset

    async def _run(self) -> None:
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
                elif await self._descend(asker, command):
                    return
                continue
            self._askers.pop()
            if self._askers and asker.command is not None and not asker.has_answered:
                await self._no_result()

    async def _descend(self, asker: Asker, command: StackCommand) -> bool:
        """Asks the scripts behind `asker` about its command. Whether nothing can be done before the server has answered."""
        proxy = self._proxy
        for position, script in enumerate(self._scripts[asker.next :], asker.next + 1):
            hook = script.hook("read_query")
            decision: object = None
            queue = deque[StackCommand]()
            if hook is not None:
                other = None if command.packet == self._packet else command.packet
                self._view(script).show_command(other)
                decision, queue = await self._call(script, position, hook, queue, command.packet)
            if isinstance(decision, pyproxy.Send):
                self._warn_about(script, queue)
                self._askers.append(self._sender(position, script, decision, command))
                return False
            if not is_one_of(decision, proxy.PROXY_SEND_RESULT, proxy.PROXY_SEND_QUERY):
                raise ValueError(f"read_query of {script} returned {decision!r}")
            if decision == proxy.PROXY_SEND_RESULT:
                await self._rise(self._made(len(self._askers) - 1, script))
                return False
            if decision == proxy.PROXY_SEND_QUERY and queue:
                self._askers.append(Asker(position, script, queue))
                return False
            self._warn_about(script, queue)
            if script.traits.sees_all_results:
                self._askers.append(Asker(position, script, ()))
        # Who let it pass has nothing to object to its result.
        while self._askers[-1] is not asker:
            self._askers.pop()
        return await self._pass(asker, command)

    async def _pass(self, asker: Asker, command: StackCommand) -> bool:
        """Sends a command that no script behind `asker` changed to the server. Whether its answer has to be awaited."""
        raise NotImplementedError

    def _warn_about(self, script: Script, queue: Iterable[StackCommand]) -> None:
        if queue:
            _log.warning(
                "read_query of %s queued queries and did not return PROXY_SEND_QUERY", script
            )

    def _sender(
        self, position: int, script: Script, send: pyproxy.Send, command: StackCommand
    ) -> Asker:
        """Who sends another command in place of `command`, and has nothing to say about its result."""
        packet = _native.encode_command(self._proxy, send.what, command.packet[0])
        sees_all = script.traits.sees_all_results
        return Asker(position, script, [StackCommand(0, packet, sees_all)], is_asked=sees_all)

    async def _no_result(self) -> None:
        """All results were dropped that could have been that of the last asker's command."""
        asked = self._asked(len(self._askers) - 1)
        if asked.has_answer and len(self._askers) > 1:
            self._value = NOTHING_LEFT
            await self._rise(self._made(len(self._askers) - 1, None))

    def _asked(self, number: int) -> StackCommand:
        """The command that the asker of this number has in progress, or let pass."""
        commands = [asker.command for asker in self._askers[: number + 1]]
        return next(command for command in reversed(commands) if command is not None)

    async def _rise(self, result: StackResult | None) -> None:
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
            if hook is not None and asker.is_asked:
                inj = seen_by(asker, script, result)
                decision, asker.queue = await self._call(script, asker.next, hook, asker.queue, inj)
            if not is_one_of(decision, proxy.PROXY_SEND_RESULT, proxy.PROXY_IGNORE_RESULT):
                raise ValueError(f"read_query_result of {script} returned {decision!r}")
            if decision and asker.command is not None and not asker.command.keeps(result):
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
                result = self._made(number - 1, script, asker, result)
        self._askers[0].has_answered = True
        self._answer = result
        self._is_made = result is None

    def _made(
        self,
        number: int,
        script: Script | None,
        asker: Asker | None = None,
        result: StackResult | None = None,
    ) -> StackResult | None:
        """The answer of `script`, the last hook's, made to the asker of this number; perhaps in place of a `result`.

        It stays what it is, and there is no result, if nobody but the client will see it and no hook runs before. But rows
        of a `result` that a script made are there only as long as that.
        """
        is_of_made = result is not None and result.packets is not None
        if number == 0 and not is_of_made and not any(one.queue for one in self._askers):
            return None
        return self._encoded(self._asked(number).packet, script, asker, result)

    def _encoded(
        self,
        query: bytes,
        script: Script | None,
        asker: Asker | None = None,
        result: StackResult | None = None,
    ) -> StackResult:
        """The last hook's answer as the result of a query."""
        value = self._value
        packets = _native.encode_answer(self._proxy, query[0], value)
        self._proxy.response = self._value = None
        made = _native.made_result(self._proxy, query, packets)
        encoded = StackResult(made, made, query, packets)
        if result is not None:
            encoded = encoded._replace(timed=result.timed, query=result.query)
        if isinstance(value, pyproxy.Resultset):
            return self._as_it_came(encoded, value, result)
        has_seen_rows = asker is not None and asker.has_rows
        has_seen_rows |= any(
            one is script and got.has_foreign_rows for one, _, got in self._queried
        )
        sees_all = script is None or script.traits.sees_all_results
        return encoded._replace(is_derived=has_seen_rows and not sees_all and encoded.has_rows)

    def _as_it_came(
        self, encoded: StackResult, value: Resultset, result: StackResult | None
    ) -> StackResult:
        """A result, or a part of one, that a script gives as its answer."""
        known = [got for _, resultset, got in self._queried if resultset is value]
        if result is not None and any(value is one for one in result.injection.resultsets):
            known.append(result)
        if known:
            return encoded._replace(query=known[0].query, is_derived=known[0].is_derived)
        return encoded._replace(query=_native.injection_of(value).query)

    def _refused(self, guard: Script, result: StackResult) -> StackResult:
        """An ERR in place of rows that a script behind `guard` made of what `guard` did not see."""
        _log.error("refused: rows that were made of results before %s saw them", guard)
        message = "Access denied; the scripts of the proxy do not fit each other, see its log"
        self._value = pyproxy.Error(message, 1227, "42000")
        return self._encoded(self._asked(len(self._askers) - 1).packet, None, None, result)

    async def _call(
        self,
        script: Script,
        position: int,
        hook: Callable[..., Any],
        queue: Iterable[StackCommand],
        argument: object,
    ) -> tuple[object, deque[StackCommand]]:
        """Calls a hook with its script's own queue; gives its decision and what is in the queue then.

        The scripts from `position` on are behind it.
        """
        queries = self._proxy.queries
        self._proxy.response = self._value = None
        queries.reset()
        for command in queue:
            command.add_to(queries)
        try:
            decision = self._returned(script, position, hook, argument)
            if inspect.iscoroutine(decision):
                decision = await self._outcome(decision)
            if is_result_of(argument, decision):
                decision = None
            elif isinstance(decision, ANSWERS):
                self._value = decision
                decision = self._proxy.PROXY_SEND_RESULT
            return decision, deque(StackCommand(*query) for query in _native.queued(queries))
        finally:
            # What is left of it is not the proxy's to send.
            queries.reset()

    async def _end_tasks(self) -> None:
        """Nobody awaits the queries any more: no script behind may still be asked about them."""
        tasks = [task for task in self._tasks if not task.done()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class ScriptQuery(Chain):
    """A query that a script awaits, and the scripts behind it."""

    async def run(self, packet: bytes) -> StackResult | None:
        """What it gets as its result; None if there is none for such a command.

        The script has a queue and a response of its own in the making.
        """
        proxy = self._proxy
        queued = [StackCommand(*query) for query in _native.queued(proxy.queries)]
        response = _fields(proxy.response)
        client = Asker(0, None, [StackCommand(0, packet, True)])
        self._askers.append(client)
        try:
            await self._run()
            if self._answer is None and StackCommand(0, packet, True).has_answer:
                self._value = NOTHING_LEFT
                return self._encoded(packet, None)
            return self._answer
        finally:
            proxy.queries.reset()
            for query in queued:
                query.add_to(proxy.queries)
            proxy.response = response

    async def _pass(self, asker: Asker, command: StackCommand) -> bool:
        resultset = await self._proxy.query(command.packet)
        if resultset is not None:
            inj = _native.injection_of(resultset)
            await self._rise(StackResult(inj, inj, inj.query))
        return False

    def _made(
        self,
        number: int,
        script: Script | None,
        asker: Asker | None = None,
        result: StackResult | None = None,
    ) -> StackResult | None:
        return self._encoded(self._asked(number).packet, script, asker, result)


def _fields(response: pyproxy.Response) -> pyproxy.ResponseDict:
    """What is set of a response."""
    names = (*pyproxy.ResponseDict.__required_keys__, *pyproxy.ResponseDict.__optional_keys__)
    found = ((name, getattr(response, name)) for name in names)
    return cast("pyproxy.ResponseDict", {name: value for name, value in found if value is not None})
