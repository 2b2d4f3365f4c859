"""What an answer tells of the state that the server, and the client, are in now."""

from __future__ import annotations

from collections.abc import Sequence

from ..._offline.state import SessionState
from ..._offline.wire.login import Login
from ..._offline.wire.replies import is_err, is_ok
from ..._offline.wire.tracker import Tracker
from .exchange import Exchange

__all__ = ["note_changes", "note_database"]


def note_changes(
    session: SessionState,
    exchange: Exchange,
    tracker: Tracker,
    packet: bytes,
    answer: Sequence[bytes],
) -> None:
    """Learns from the last packet of an answer what the server is in now."""
    injection, server = exchange.injection, session.server
    if injection is not None and is_err(packet):
        injection.error = packet
    if server is not None:
        server.busy = False
        status = tracker.reported_status
        if status is not None:
            server.reported(status)
        server.cursors.answered(answer, status or 0)
    note_database(session, exchange, tracker, packet)


def note_database(
    session: SessionState, exchange: Exchange, tracker: Tracker, packet: bytes
) -> None:
    """Learns from the first OK of an answer who the user is and which the default database."""
    server = session.server
    effect, exchange.effect = exchange.effect, None
    if server is None or effect is None or not is_ok(packet):
        return
    # What a script queues changes the server only, unless the client asked for the same.
    asked = session.command == tracker.command
    if isinstance(effect, Login):
        server.login = effect
        if asked:
            session.client.login = effect
            session.server_user = effect.username
        database = effect.database or b""
    else:
        database = effect
    if exchange.injection is None or asked:
        session.client.default_db = database
    server.default_db = database
