"""One command of a client on its way through a stack, as the proxy asks about it.

The proxy's own queue has one command with an answer at a time: the next one depends on what the scripts make of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyproxy
from pyproxy._stack.chain import NOTHING_LEFT, Chain
from pyproxy._stack.exchange import Asker, StackCommand, StackResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyproxy import Decision, Injection, Proxy
    from pyproxy._stack.script_view import ProxyView
    from pyproxy._stack.scripts import Script

__all__ = ["Pipeline"]

_PING = bytes((pyproxy.COM_PING,))


class Pipeline(Chain):
    """One command of a client."""

    def __init__(
        self,
        proxy: Proxy,
        scripts: Sequence[Script],
        view: Callable[[Script], ProxyView],
        packet: bytes,
    ) -> None:
        super().__init__(proxy, scripts, view, packet)
        # What the proxy is to send, the last of it perhaps with an answer.
        self._out: list[StackCommand] = []
        self._awaits_answer = False

    async def read_query(self) -> Decision:
        """What the hook `read_query` returns for the client's command."""
        client = Asker(0, None, [StackCommand(0, self._packet, False)])
        self._askers.append(client)
        await self._run()
        if self._out:
            if client.has_answered and not self._awaits_answer:
                # An answer can be sent in place of a result only.
                self._out.append(StackCommand(0, _PING, True))
            self._send()
            return self._proxy.PROXY_SEND_QUERY
        self._queried.clear()
        if client.has_answered:
            return self._give_answer()
        if self._askers:
            # Nobody wants to do anything about it.
            return None
        return NOTHING_LEFT

    async def read_query_result(self, inj: Injection) -> Decision:
        """What the hook `read_query_result` returns for the result of a query that was sent."""
        result = StackResult(inj, inj, inj.query)
        is_kept = self._out[-1].keeps(result)
        self._out.clear()
        if self._awaits_answer:
            self._awaits_answer = False
            await self._rise(result)
        await self._run()
        if self._out:
            self._send()
        else:
            self._queried.clear()
        if self._answer is not None or self._is_made:
            return self._give_answer()
        return self._proxy.PROXY_IGNORE_RESULT if is_kept else None

    async def _pass(self, asker: Asker, command: StackCommand) -> bool:
        if asker.script is None:
            return True
        is_needed = self._askers[0].has_answered or any(
            asker.command.is_needed
            if asker.command is not None
            else self._asked(number).packet != command.packet
            for number, asker in enumerate(self._askers)
        )
        failure_is_needed = any(
            asker.command.failure_is_needed for asker in self._askers if asker.command is not None
        )
        self._out.append(command._replace(is_needed=is_needed, failure_is_needed=failure_is_needed))
        self._awaits_answer = command.has_answer
        return command.has_answer

    def _send(self) -> None:
        for command in self._out:
            command.add_to(self._proxy.queries)

    def _give_answer(self) -> Decision:
        """Has the client's answer sent."""
        answer, self._answer, self._is_made = self._answer, None, False
        if answer is None:
            return self._proxy.PROXY_SEND_RESULT if self._value is None else self._value
        # As the server sent it, or as a script made it.
        return None if answer.packets is None else pyproxy.Raw(answer.packets)
