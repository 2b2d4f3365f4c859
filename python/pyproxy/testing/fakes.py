"""Objects for calling a single hook by hand: `read_query(fake_proxy(), b"\\x03SELECT 1")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .._offline.access import Slot
from .._offline.process import Config, Globals
from .._offline.proxy import Proxy
from .._offline.result import Injection
from .._offline.state import (
    READ_ONLY,
    READ_WRITE,
    UP,
    ClientSide,
    InjectionState,
    QueuedQuery,
    ServerSide,
    SessionState,
    Shared,
)
from .._offline.text import to_bytes
from .._offline.values import Auth, address_of
from .._offline.wire.login import NATIVE_PASSWORD, Login
from .._offline.wire.replies import Status, is_err
from .._offline.wire.tracker import Tracker
from ._engine.process import LogEntry
from .results import Reply, encode
from .server import FakeServer

if TYPE_CHECKING:
    import pyproxy

__all__ = ["auth", "fake_proxy", "injection"]


def fake_proxy(
    *,
    user: str = "u",
    database: str = "",
    backends: int = 1,
    read_only: int = 0,
    hook: str = "read_query",
    config: Mapping[str, Any] | None = None,
    log: list[LogEntry] | None = None,
) -> pyproxy.Proxy:
    """A `proxy` whose client is logged in on backend 0, for one hook that the test calls itself.

    Its objects can be used at any time: `list(proxy.queries)` after the call is what the hook queued. `hook` is the
    hook that the test plays, on which it depends what may be changed. Warnings go to `log`.
    """
    entries = [] if log is None else log
    shared = Shared(lambda level, text: entries.append(LogEntry(level, text)), unguarded=True)
    for ndx in range(backends + read_only):
        kind = READ_WRITE if ndx < backends else READ_ONLY
        shared.add(address_of(f"127.0.0.1:{3306 + ndx}"), kind)
    capabilities = 0xA685
    name, schema = user.encode(), database.encode()
    login = Login(capabilities, name, bytes(20), schema or None, NATIVE_PASSWORD)
    client = ClientSide(address_of("127.0.0.1:50001"), address_of("127.0.0.1:4045"))
    client.login, client.default_db = login, schema
    session = SessionState(1, client, shared)
    session.hook, session.command, session.login_accepted = hook, 0x03, True
    if shared.backends:
        link = FakeServer().accept()
        server = ServerSide(link, 0, address_of("127.0.0.1:40001"), shared.backends[0].address)
        server.logged_in(login, Status.AUTOCOMMIT, True)
        session.server = server
        session.count()
        shared.backends[0].set_state(UP)
    settings = Config()
    for option, value in (config or {}).items():
        setattr(settings, option, value)
    proxy = Proxy(Globals(shared, settings), session.slot)
    return cast("pyproxy.Proxy", proxy)


def injection(
    id: int, query: str | bytes, answer: Reply, *, resultset_is_needed: bool = True
) -> pyproxy.Injection:
    """The `inj` of `read_query_result`: a query and its complete result.

    `query` is a packet, command byte in front, or the text of a COM_QUERY. The result of a COM_STMT_EXECUTE is
    binary. With `resultset_is_needed=False` there are the counters only.
    """
    packet = query if isinstance(query, bytes) else b"\x03" + to_bytes(query, "a query")
    packets = encode(answer, Status.AUTOCOMMIT, binary=packet[0] == 0x17)
    tracker = Tracker(packet[0])
    for payload in packets:
        tracker.feed(payload)
    state = InjectionState(QueuedQuery(id, packet, resultset_is_needed))
    state.first_packet_at = state.last_packet_at = state.query.queued_at
    state.summary = tracker.summary()
    if is_err(packets[-1]):
        state.error = packets[-1]
    state.packets = packets if resultset_is_needed else []
    return cast("pyproxy.Injection", Injection(Slot(state, unguarded=True)))


def auth(answer: Reply | bytes) -> pyproxy.Auth:
    """The `auth` of `read_auth_result`: an Ok or an Error, or the bytes of the packet."""
    if not isinstance(answer, bytes):
        answer = encode(answer, Status.AUTOCOMMIT, binary=False)[0]
    return cast("pyproxy.Auth", Auth(answer))
