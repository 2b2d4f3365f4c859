"""Prints the statements of all open transactions as soon as one of them loses a lock.

After ERR 1205 (lock wait timeout) or 1213 (deadlock), standard output of the proxy has the error and what every open
transaction did so far, so that one sees who held the lock:

    [45@127.0.0.1:3306] ERR 1213 (40001): Deadlock found when trying to get lock; ...
      [44@127.0.0.1:3306].1: BEGIN
      [44@127.0.0.1:3306].2: UPDATE stock SET n = n - 1 WHERE id = 1
      [45@127.0.0.1:3306].1: BEGIN
      ...

In brackets stands the server's thread and its address; what follows is the number of the statement. A statement that
runs outside of a transaction is listed while it runs.

Settings, section `[active_transactions]`:

| setting | default | |
|---|---|---|
| `max_statements` | 1000 | how many statements of a transaction are kept; of more the first ones are left out |

What it cannot do: only text queries are seen, not prepared statements, and only those through this proxy. The first
error of an answer counts. Results are kept in memory until they are complete, then sent.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pyproxy
from pyproxy import proto
from pyproxy._common.lines import connection_number, one_line, server_thread
from pyproxy._common.queries import query_text
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy

__all__ = ["disconnect_client", "read_query", "read_query_result", "settings"]

settings = section("active_transactions", max_statements=1000)

_LOCK_WAIT_TIMEOUT = 1205
_DEADLOCK = 1213
_ENDS_TRANSACTION = frozenset((pyproxy.COM_CHANGE_USER, pyproxy.COM_RESET_CONNECTION))


class _Transaction:
    """The last statements of a transaction, or of a query that may become one."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.count = 0
        self.statements: deque[str] = deque()
        self.is_open = False

    def add(self, statement: str) -> None:
        self.count += 1
        self.statements.append(statement)
        while len(self.statements) > max(settings.max_statements, 1):
            self.statements.popleft()

    def lines(self) -> list[str]:
        first = self.count - len(self.statements) + 1
        return [
            f"  [{self.server}].{number}: {one_line(statement)}"
            for number, statement in enumerate(self.statements, first)
        ]


_transactions: dict[int, _Transaction] = {}


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    """Keeps the statement."""
    number = connection_number(proxy)
    if packet and packet[0] in _ENDS_TRANSACTION:
        _transactions.pop(number, None)
    text = query_text(packet)
    if text is None:
        return None
    if number not in _transactions:
        _transactions[number] = _Transaction(server_thread(proxy.connection))
    _transactions[number].add(text)
    # The error's code is known only of results that are kept.
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> None:
    """Forgets the transaction if it is over; prints all of them if a lock was lost."""
    number = connection_number(proxy)
    transaction = _transactions.get(number)
    if transaction is None:
        return
    result = inj.resultset
    if result.query_status == proxy.MYSQLD_PACKET_ERR:
        code = _report(proxy, result.raw or b"")
        # An ERR does not say whether the transaction is still open. A deadlock ends it; every other
        # error leaves it as it was.
        still_open = transaction.is_open and code != _DEADLOCK
    else:
        still_open = result.flags.in_trans
    transaction.is_open = still_open
    if not still_open:
        del _transactions[number]


def disconnect_client(proxy: Proxy) -> None:
    """Forgets the transaction; the server rolls it back."""
    _transactions.pop(connection_number(proxy), None)


def _report(proxy: Proxy, packet: bytes) -> int:
    """Prints all transactions if the ERR is about a lost lock. Gives its code; 0 for no ERR."""
    if packet[:1] != b"\xff":
        return 0
    error = proto.from_err_packet(packet)
    if error.errcode in (_LOCK_WAIT_TIMEOUT, _DEADLOCK):
        message = error.errmsg.decode("utf-8", "surrogateescape")
        state = error.sqlstate.decode("ascii", "replace")
        server = server_thread(proxy.connection)
        lines = [f"[{server}] ERR {error.errcode} ({state}): {one_line(message)}"]
        for transaction in _transactions.values():
            lines += transaction.lines()
        print("\n".join(lines))
    return error.errcode
