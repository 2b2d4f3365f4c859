"""Objects for calling a single hook by hand: `read_query(fake_proxy(), b"\\x03SELECT 1")`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _native
from .process import LogEntry
from .protocol import Status, to_bytes
from .results import Reply, encode

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
    command: str | bytes | None = None,
    config: Mapping[str, Any] | None = None,
    log: list[LogEntry] | None = None,
) -> pyproxy.Proxy:
    """A `proxy` whose client is logged in on backend 0, for one hook that the test calls itself.

    Its objects can be used at any time: `list(proxy.queries)` after the call is what the hook queued. `hook` is the
    hook that the test plays, on which it depends what may be changed. `command` is what `proxy.command` shows: a packet, command
    byte in front, or the text of a COM_QUERY. Warnings go to the `log` of the fake that was made last.
    """
    entries = [] if log is None else log

    def write(level: str, text: str) -> None:
        entries.append(LogEntry(level, text))

    packet = None if command is None else _packet(command)
    proxy = _native.fake_proxy(user, database, backends, read_only, hook, packet, write)
    for option, value in (config or {}).items():
        setattr(proxy.globals.config, option, value)
    return proxy


def injection(
    id: int, query: str | bytes, answer: Reply, *, resultset_is_needed: bool = True
) -> pyproxy.Injection:
    """The `inj` of `read_query_result`: a query and its complete result.

    `query` is a packet, command byte in front, or the text of a COM_QUERY. The result of a COM_STMT_EXECUTE is
    binary. With `resultset_is_needed=False` there are the counters only.
    """
    packet = _packet(query)
    payloads = encode(answer, Status.AUTOCOMMIT, binary=packet[0] == 0x17)
    return _native.fake_injection(id, packet, payloads, resultset_is_needed)


def auth(answer: Reply | bytes) -> pyproxy.Auth:
    """The `auth` of `read_auth_result`: an Ok or an Error, or the bytes of the packet."""
    if not isinstance(answer, bytes):
        answer = encode(answer, Status.AUTOCOMMIT, binary=False)[0]
    return _native.fake_auth(answer)


def _packet(command: str | bytes) -> bytes:
    return command if isinstance(command, bytes) else b"\x03" + to_bytes(command, "a query")
