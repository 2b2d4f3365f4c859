"""The command phase: the client's commands, the queue of the script, and the one answer to each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..._offline.reply import proxy_error
from ..._offline.state import InjectionState, QueuedQuery
from ..._offline.wire.basic import WireError
from ..._offline.wire.login import Login
from ..._offline.wire.replies import Err, Ok
from ..._offline.wire.tracker import NO_REPLY, Progress, Tracker, TrackError, command_name
from .changes import note_changes, note_database
from .exchange import Effect, Exchange, effect_of
from .hooks import Decision, Outcome, hook_failed
from .phase import Phase

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Commands"]

_QUIT, _QUERY, _CHANGE_USER = 0x01, 0x03, 0x11
_MALFORMED = Err(1835, b"HY000", b"Malformed communication packet").encode()
_NO_RESULT = "no result was left for this command"
_LOCAL_INFILE = b"\xfb"


class Commands:
    """What becomes of the commands of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = connection.session
        self._exchange = Exchange()
        self._tracker = Tracker(0)
        self._goes_on = self._is_going_on = False
        # How much was sent to the client before the answer that is being read.
        self._written = 0
        self._answer_packets: list[bytes] = []

    @property
    def _is_open(self) -> bool:
        return self._connection.phase is Phase.COMMANDS

    def read(self, payload: bytes) -> None:
        """The client's next packet: a command, or a part of its file."""
        if self._exchange.infile:
            self._read_file(payload)
            return
        connection, session = self._connection, self._session
        connection.process.counters["queries"] += 1
        if not payload:
            connection.refuse([_MALFORMED])
            return
        # A packet for a client that expects none would be taken for the answer to its next command.
        expects_none = payload[0] in NO_REPLY - {_QUIT}
        self._exchange = Exchange(answered=expects_none)
        session.command = payload[0]
        session.queries.clear()
        outcome = Outcome(Decision.PROCEED)
        if connection.process.options.profiling:
            outcome = connection.binding.read_query(payload)
        self._decide(payload, outcome)

    def _decide(self, payload: bytes, outcome: Outcome) -> None:
        connection, queries = self._connection, self._session.queries
        decision = outcome.decision
        if decision is Decision.SEND_RESULT:
            effect = self._effect_of(payload)
            # The server knows nothing of the script's own OK to COM_INIT_DB.
            if outcome.packets[0][:1] == b"\0" and isinstance(effect, bytes):
                self._session.client.default_db = effect
            self._answer(outcome.packets)
        elif decision is Decision.SEND_QUERY and queries:
            self._run_queue()
        elif decision is Decision.FAILED:
            queries.clear()
            if connection.rejects:
                self._fail(hook_failed("read_query"))
            else:
                self._forward_command(payload)
        else:
            if decision is Decision.SEND_QUERY:
                connection.warn(
                    "read_query returned PROXY_SEND_QUERY but queued nothing: the command is "
                    "forwarded"
                )
            elif queries:
                queries.clear()
                connection.warn(
                    "read_query queued queries but did not return PROXY_SEND_QUERY: they are "
                    "discarded"
                )
            self._forward_command(payload)

    # --- answers of the proxy itself

    def _answer(self, packets: list[bytes]) -> None:
        command = self._session.command or 0
        if command == _QUIT:
            # A client may wait for the close that its server would answer with.
            self._session.close_after_result = True
        self._exchange.answered = True
        if command not in NO_REPLY:
            self._connection.to_client(packets)
            if command == _QUERY and packets[0][:1] == _LOCAL_INFILE:
                self._exchange.infile = self._exchange.infile_from_script = True
                self._exchange.answered = False
        self._sent_to_client()

    def _fail(self, message: str) -> None:
        """The command failed in the proxy; the connection goes on with the next one."""
        self._answer(proxy_error(message))

    # --- sending

    def _forward_command(self, payload: bytes) -> None:
        connection, session = self._connection, self._session
        link = connection.link
        if link is None or session.server is None:
            self._fail("no server connection is attached")
            return
        if link.closed:
            session.close_server()
            connection.refuse(proxy_error("the server closed the connection"))
            return
        self._exchange.effect = self._effect_of(payload)
        command = payload[0]
        # After COM_QUIT the server is on its way out, though it says nothing.
        session.server.busy = command not in NO_REPLY or command == _QUIT
        session.server.cursors.sent(payload)
        self._tracker = Tracker(command)
        self._receive(link.receive(payload))

    def _effect_of(self, payload: bytes) -> Effect:
        return effect_of(payload, self._session.client.login)

    def _run_queue(self) -> None:
        if self._session.server is None:
            self._session.queries.clear()
            self._fail("no server connection is attached")
        elif not self._start_next():
            self._fail("the queued queries have no result")

    def _start_next(self) -> bool:
        """Sends queued queries up to one that is answered; False if none was left."""
        queries = self._session.queries
        while queries:
            query = queries.popleft()
            has_reply = query.packet[0] not in NO_REPLY
            if self._exchange.answered and not query.resultset_is_needed and has_reply:
                self._connection.warn(
                    f"query {query.id} is not run: the client has its result already or expects "
                    "none, and this one would have to be sent to it (resultset_is_needed is not "
                    "set)"
                )
            elif self._start(query):
                return True
        return False

    def _start(self, query: QueuedQuery) -> bool:
        connection, session = self._connection, self._session
        link, server = connection.link, session.server
        if link is None or server is None:
            session.queries.clear()
            return False
        connection.process.counters["queued_queries"] += 1
        command = query.packet[0]
        server.cursors.sent(query.packet)
        if command == _QUIT:
            if session.command != _QUIT:
                connection.warn("a queued COM_QUIT ends the connection")
        elif command in NO_REPLY:
            link.receive(query.packet)
            client_waits = session.command not in NO_REPLY
            if not session.queries and not client_waits:
                self._exchange.answered = True
                return True
            return False
        server.busy = True
        self._exchange.effect = self._effect_of(query.packet)
        cursor = server.cursors.columns(query.packet)
        self._exchange.injection = InjectionState(query, cursor=cursor)
        self._tracker = Tracker(command)
        self._receive(link.receive(query.packet))
        return True

    # --- the server's answer

    def _receive(self, packets: list[bytes]) -> None:
        """Reads the answer of the server, all of it: the fake one has no delays."""
        connection = self._connection
        self._written = connection.written
        self._answer_packets = packets
        for packet in packets:
            if not self._is_open or self._session.server is None:
                return
            if self._read_packet(packet):
                return
        command, link = self._tracker.command, connection.link
        if command in NO_REPLY - {_QUIT}:
            self._exchange.answered = True
        elif link is None or link.closed:
            # In the middle of an answer, or after COM_QUIT.
            self._hang_up()
        else:
            raise RuntimeError(
                f"the fake server's answer to {command_name(command)} has no end: a client would "
                "wait for ever"
            )

    def _read_packet(self, packet: bytes) -> bool:
        """Takes one packet; True if it ends the reading."""
        try:
            progress = self._tracker.feed(packet)
        except (TrackError, WireError) as error:
            self._connection.process.counters["malformed_packets"] += 1
            self._connection.complain(f"cannot follow the server's answer: {error}")
            self._broken("cannot follow the server's answer, see the proxy log")
            return True
        injection = self._exchange.injection
        if injection is not None and injection.first_packet_at is None:
            injection.first_packet_at = time.monotonic()
        if progress is Progress.LOCAL_INFILE:
            self._request_file(packet)
            return True
        if progress is Progress.AUTH:
            self._change_user_round(packet)
            return True
        if progress is Progress.STREAM:
            self._forward(packet)
            return False
        if progress is Progress.DONE:
            note_changes(self._session, self._exchange, self._tracker, packet, self._answer_packets)
        elif self._tracker.is_between_results:
            note_database(self._session, self._exchange, self._tracker, packet)
        self._keep_or_forward(packet)
        if progress is Progress.DONE:
            self._finish()
            return True
        return False

    def _keep_or_forward(self, packet: bytes) -> None:
        injection = self._exchange.injection
        if injection is not None and injection.query.resultset_is_needed:
            self._keep_packet(injection, packet)
        else:
            self._forward(packet)

    def _forward(self, packet: bytes) -> None:
        self._connection.to_client([packet])
        self._exchange.forwarded = True

    def _broken(self, message: str) -> None:
        """The answer cannot be followed to its end: the connection ends."""
        untouched = not self._exchange.forwarded and not self._exchange.answered
        self._session.close_server()
        if untouched:
            self._connection.refuse(proxy_error(message))
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        """The server's answer has no end. The client does not see its beginning: that was not written yet."""
        self._connection.forget_since(self._written)
        self._connection.close()

    def _finish(self) -> None:
        """The answer is complete: asks the script about a queued query's result and goes on."""
        exchange, injection = self._exchange, self._exchange.injection
        exchange.injection = None
        if injection is None:
            exchange.answered = True
        else:
            injection.summary = self._tracker.summary()
            injection.last_packet_at = time.monotonic()
            self._session.result_status = injection.summary.status
            self._finish_injection(injection)
        if not exchange.answered and self._session.server is None:
            self._session.queries.clear()
        if not exchange.answered and not self._session.queries:
            self._connection.to_client(proxy_error(_NO_RESULT))
            exchange.answered = True
        self._sent_to_client()

    def _keep_packet(self, injection: InjectionState, packet: bytes) -> None:
        limit = self._session.shared.max_kept_bytes
        if injection.overflowed:
            return
        # With what the plugin notes about a packet.
        injection.kept_bytes += len(packet) + 12
        if injection.kept_bytes <= limit:
            injection.packets.append(packet)
            return
        injection.overflowed = True
        injection.packets.clear()
        self._connection.complain(
            f"the result of query {injection.query.id} is larger than pyproxy-max-kept-bytes={limit}: it is dropped"
        )

    def _refuse_large(self) -> None:
        """The result was too large to be kept: the script is not asked about it."""
        if not self._exchange.answered:
            limit = self._session.shared.max_kept_bytes
            message = f"the result is larger than pyproxy-max-kept-bytes={limit}"
            self._connection.to_client(proxy_error(message))
            self._exchange.answered = True

    def _finish_injection(self, injection: InjectionState) -> None:
        if injection.overflowed:
            self._refuse_large()
            return
        outcome = self._connection.binding.read_query_result(injection)
        if injection.query.resultset_is_needed:
            self._deliver(injection, outcome)
            return
        self._exchange.answered = True
        if outcome.decision in (Decision.SEND_RESULT, Decision.IGNORE_RESULT):
            self._connection.warn(
                f"the result of query {injection.query.id} was sent already: it can be replaced or "
                "dropped only with resultset_is_needed"
            )

    def _deliver(self, injection: InjectionState, outcome: Outcome) -> None:
        """Sends a kept result, what the script wants instead, or nothing."""
        exchange, connection = self._exchange, self._connection
        decision = outcome.decision
        if decision is Decision.IGNORE_RESULT:
            return
        if exchange.answered:
            if decision is not Decision.FAILED:
                connection.warn(
                    f"the result of query {injection.query.id} is dropped: the client has its "
                    "result already"
                )
            return
        if decision is Decision.SEND_RESULT:
            connection.to_client(outcome.packets)
        elif decision is Decision.FAILED and connection.rejects:
            connection.to_client(proxy_error(hook_failed("read_query_result")))
        else:
            connection.to_client(injection.packets)
        exchange.answered = True

    def _sent_to_client(self) -> None:
        """What was queued for the client is written: goes on with the queue, or the next command."""
        self._goes_on = True
        if self._is_going_on:
            # The loop below does it: a long queue is no deep recursion.
            return
        self._is_going_on = True
        try:
            while self._goes_on:
                self._goes_on = False
                self._go_on()
        finally:
            self._is_going_on = False

    def _go_on(self) -> None:
        exchange = self._exchange
        if exchange.infile or not self._is_open:
            return
        if exchange.answered and self._session.close_after_result:
            self._connection.close()
        elif not self._start_next() and not exchange.answered:
            # What was left in the queue had no answer, and the client still waits for one.
            exchange.answered = True
            self._connection.to_client(proxy_error(_NO_RESULT))
            self._goes_on = True

    # --- LOAD DATA LOCAL

    @property
    def wants_file(self) -> bool:
        """Whether the client's next packets are those of a file."""
        return self._exchange.infile

    def _request_file(self, packet: bytes) -> None:
        link = self._connection.link
        if self._exchange.answered and link is not None:
            # The client is not waiting for anything any more: the server gets an empty file.
            self._receive(link.receive(b""))
            return
        self._forward(packet)
        self._exchange.infile = True

    def _read_file(self, payload: bytes) -> None:
        exchange, link = self._exchange, self._connection.link
        is_last = not payload
        if exchange.infile_from_script or link is None:
            if is_last:
                exchange.infile = False
                exchange.answered = True
                self._connection.to_client([Ok(status=self._connection.session.status()).encode()])
                self._sent_to_client()
            return
        packets = link.receive(payload)
        if is_last:
            exchange.infile = False
            self._receive(packets)

    # --- COM_CHANGE_USER

    def _change_user_round(self, packet: bytes) -> None:
        """COM_CHANGE_USER takes rounds, like a login."""
        session, connection = self._session, self._connection
        injection, self._exchange.injection = self._exchange.injection, None
        if injection is not None:
            if session.command != _CHANGE_USER or self._exchange.answered:
                connection.complain("a queued COM_CHANGE_USER needs the client's password")
                self._broken("a queued COM_CHANGE_USER cannot be followed")
                return
            # It stands for the client's own: the client answers, what is queued behind is not run.
            session.queries.clear()
        effect, self._exchange.effect = self._exchange.effect, None
        if not isinstance(effect, Login):
            self._broken("cannot read the COM_CHANGE_USER of the client")
            return
        connection.login.begin_change_user(effect, packet)
