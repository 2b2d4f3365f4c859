"""Prints what all connections are doing, each time something changes.

A snapshot on standard output of the proxy: when a command starts, when its result is complete, and when a client that
sent one is gone. Idle connections are counted, but have no line:

    2026-02-03 14:15:16
      #connections: 2, #active trx: 1, max(active trx): 1
      [45@127.0.0.1:3306] (app@shop) (COM_QUERY) "SELECT 1" (state=started)

In brackets stands the server's thread and its address. A connection is `started` (a command runs), `in_trans` (its
transaction is open) or `idle`. The commands of `pyproxy.auto_config` (`PROXY SHOW CONFIG` ...) are answered here.

Settings, section `[active_queries]`:

| setting | default | |
|---|---|---|
| `show_idle_connections` | false | print a line for idle connections, too |

What it cannot do: commands without an answer (COM_QUIT, closing a statement) and those after which the proxy cannot wait
for one (COM_CHANGE_USER, binary logs) are not shown. A busy proxy prints two snapshots for each query, and no
other client is served meanwhile: this is for looking, not for keeping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyproxy
from pyproxy import auto_config, commands
from pyproxy._common.lines import connection_number, now, one_line, server_thread
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy

__all__ = ["disconnect_client", "read_query", "read_query_result", "settings"]

settings = section("active_queries", show_idle_connections=False)

_UNSEEN = frozenset(
    (
        pyproxy.COM_QUIT,
        pyproxy.COM_CHANGE_USER,
        pyproxy.COM_BINLOG_DUMP,
        pyproxy.COM_BINLOG_DUMP_GTID,
        pyproxy.COM_STMT_CLOSE,
        pyproxy.COM_STMT_SEND_LONG_DATA,
    )
)


@dataclass
class _Activity:
    """What one connection does: `state`, and the command if one runs."""

    server: str
    username: str
    db: str
    command: str
    state: str = "started"

    def line(self) -> str:
        command = f" {self.command}" if self.command else ""
        return f"  [{self.server}] ({self.username}@{self.db}){command} (state={self.state})"


class _Overview:
    """The connections that sent a command, and the most that were active at a time."""

    def __init__(self) -> None:
        self.activities: dict[int, _Activity] = {}
        self.most_active = 0

    def print(self) -> None:
        activities = self.activities.values()
        active = sum(activity.state != "idle" for activity in activities)
        self.most_active = max(self.most_active, active)
        lines = [
            now(),
            f"  #connections: {len(activities)}, #active trx: {active}, "
            f"max(active trx): {self.most_active}",
        ]
        lines += [
            activity.line()
            for activity in activities
            if activity.state != "idle" or settings.show_idle_connections
        ]
        print("\n".join(lines))


_overview = _Overview()


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    """Notes the command, and sends it so that its end can be seen."""
    if not packet or packet[0] in _UNSEEN:
        return None
    command = commands.parse(packet)
    answer = auto_config.handle(proxy, command)
    if answer is not None:
        return answer
    connection = proxy.connection
    _overview.activities[connection_number(proxy)] = _Activity(
        server=server_thread(connection),
        username=connection.client.username or "",
        db=connection.client.default_db,
        command=f'({command.type_name}) "{one_line(command.query or "")}"',
    )
    proxy.queries.append(1, packet)
    _overview.print()
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> None:
    """Notes the end of the command."""
    activity = _overview.activities.get(connection_number(proxy))
    if activity is None:
        return
    activity.command = ""
    activity.state = "in_trans" if inj.resultset.flags.in_trans else "idle"
    _overview.print()


def disconnect_client(proxy: Proxy) -> None:
    """Forgets the connection."""
    if _overview.activities.pop(connection_number(proxy), None) is not None:
        _overview.print()
