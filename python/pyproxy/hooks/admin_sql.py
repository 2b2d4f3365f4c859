"""Lets a client that can only send SQL texts send the other commands of the protocol, and see what the proxy counts.

The text must be exactly one of these, in upper case; everything else passes untouched.

| text | command |
|---|---|
| `COMMIT SUICIDE` | COM_SHUTDOWN |
| `PING` `STATISTICS` `PROCINFO` `TIME` `DEBUG` `PROCKILL` `SETOPT` | the command without an argument |
| `BINLOGDUMP`, `BINLOGDUMP1` | COM_BINLOG_DUMP bare; from position 4 to the end, as server 2 |
| `REGSLAVE`, `REGSLAVE1` | COM_REGISTER_SLAVE bare; as server 1 |
| `PREP`, `PREP1` | COM_STMT_PREPARE bare; of `SELECT ?` |
| `EXEC`, `EXEC1` | COM_STMT_EXECUTE bare; of statement 1 with the text `1234` |
| `DEAL`, `DEAL1` | COM_STMT_CLOSE of statement 0, which does not exist; of statement 1 |
| `RESET`, `RESET1` | COM_STMT_RESET bare; of statement 1 |
| `FETCH`, `FETCH1` | COM_STMT_FETCH bare; 128 rows of statement 1 |
| `FLIST`, `FLIST1` | COM_FIELD_LIST bare; column `id` of table `t1` |
| `TDUMP`, `TDUMP1`, `TDUMP2` | an error: servers have no COM_TABLE_DUMP any more |

The client sent a text query, so it gets an answer that fits one: rows of STATISTICS, PROCINFO and EXEC as a result set,
an ERR as it is, an OK for everything else.

`SHOW PROXY QUERIES` gives the statements that took the most time, as `pyproxy-query-stats` has them counted: without their values.
It is for users with the privilege PROCESS, as the server's own list of what others run is: the server is asked.

Settings: none.

`SHOW PROXY SPLIT` is answered by the scripts that split (`rw_splitting` and the like), with or without this one.

What it cannot do: for `SHOW PROXY QUERIES`, a privilege that comes with a role does not count. For commands it asks nobody: the server decides who may shut it down, as it does directly. Numbers of statements
are those of the server; the first statement of a connection is 1. A server closes the connection after a
COM_BINLOG_DUMP. The rows of FETCH and the column of FLIST are not shown.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pyproxy
from pyproxy import Error, Ok, Rows
from pyproxy._common.queries import query_text
from pyproxy._stack.traits import declare

if TYPE_CHECKING:
    from pyproxy import Decision, Injection, Proxy

__all__ = ["init", "read_query", "read_query_result"]

# Sends what is in the binary log and ends then, in place of waiting for more.
_DUMP_NON_BLOCK = 1
_STATEMENT = struct.pack("<I", 1)


def _packet(command: int, argument: bytes = b"") -> bytes:
    return bytes((command,)) + argument


_PACKETS = {
    "COMMIT SUICIDE": _packet(pyproxy.COM_SHUTDOWN),
    "PING": _packet(pyproxy.COM_PING),
    "STATISTICS": _packet(pyproxy.COM_STATISTICS),
    "PROCINFO": _packet(pyproxy.COM_PROCESS_INFO),
    "TIME": _packet(pyproxy.COM_TIME),
    "DEBUG": _packet(pyproxy.COM_DEBUG),
    "PROCKILL": _packet(pyproxy.COM_PROCESS_KILL),
    "SETOPT": _packet(pyproxy.COM_SET_OPTION),
    "BINLOGDUMP": _packet(pyproxy.COM_BINLOG_DUMP),
    # Position, flags, server id, and an empty file name: the oldest file.
    "BINLOGDUMP1": _packet(pyproxy.COM_BINLOG_DUMP, struct.pack("<IHI", 4, _DUMP_NON_BLOCK, 2)),
    "REGSLAVE": _packet(pyproxy.COM_REGISTER_SLAVE),
    # Server id; empty host, user and password; port, rank, the master's id.
    "REGSLAVE1": _packet(pyproxy.COM_REGISTER_SLAVE, struct.pack("<I3BHII", 1, 0, 0, 0, 1, 0, 1)),
    "PREP": _packet(pyproxy.COM_STMT_PREPARE),
    "PREP1": _packet(pyproxy.COM_STMT_PREPARE, b"SELECT ?"),
    "EXEC": _packet(pyproxy.COM_STMT_EXECUTE),
    # No cursor, one iteration, no NULL, types follow, a signed VAR_STRING, its length and text.
    "EXEC1": _packet(
        pyproxy.COM_STMT_EXECUTE,
        _STATEMENT
        + struct.pack("<BIBBBBB", 0, 1, 0, 1, pyproxy.MYSQL_TYPE_VAR_STRING, 0, 4)
        + b"1234",
    ),
    # A server may answer a COM_STMT_CLOSE without a number, which no client could tell from the
    # answer to its next command: 0 is the number of no statement.
    "DEAL": _packet(pyproxy.COM_STMT_CLOSE, struct.pack("<I", 0)),
    "DEAL1": _packet(pyproxy.COM_STMT_CLOSE, _STATEMENT),
    "RESET": _packet(pyproxy.COM_STMT_RESET),
    "RESET1": _packet(pyproxy.COM_STMT_RESET, _STATEMENT),
    "FETCH": _packet(pyproxy.COM_STMT_FETCH),
    "FETCH1": _packet(pyproxy.COM_STMT_FETCH, _STATEMENT + struct.pack("<I", 128)),
    "FLIST": _packet(pyproxy.COM_FIELD_LIST),
    "FLIST1": _packet(pyproxy.COM_FIELD_LIST, b"t1\0id\0\0\0"),
}
_SHOW_QUERIES = "SHOW PROXY QUERIES"
# The id of the query that asks who may see them: no command byte.
_ASKS = 256
# Whether the account of this session has the privilege. Names of accounts are in quotes there, and not escaped.
_PRIVILEGE = (
    "SELECT 1 FROM information_schema.user_privileges WHERE privilege_type IN ('PROCESS', 'SUPER')"
    " AND grantee = CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - 1"
    " - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1))), '''@''',"
    " SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')"
)
_TABLE_DUMPS = frozenset(("TDUMP", "TDUMP1", "TDUMP2"))
# Their answers are what a text query can have, too: an OK, or rows as text.
_FITTING = frozenset(
    (
        pyproxy.COM_PING,
        pyproxy.COM_PROCESS_INFO,
        pyproxy.COM_PROCESS_KILL,
        pyproxy.COM_REGISTER_SLAVE,
        pyproxy.COM_STMT_RESET,
        pyproxy.COM_TIME,
    )
)


def init(proxy: Proxy) -> None:
    """Says what it makes of results, to scripts that are stacked with it."""
    declare(makes_rows_of_results=True)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Sends the command that the text stands for."""
    text = query_text(packet)
    if text in _TABLE_DUMPS:
        return Error("COM_TABLE_DUMP is obsolete: servers do not know it", 1047, "08S01")
    if text == _SHOW_QUERIES:
        if proxy.globals.query_stats is None:
            return Error("nothing is counted: set pyproxy-query-stats", 1235, "42000")
        proxy.queries.append(_ASKS, _PRIVILEGE, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    command = _PACKETS.get(text) if text is not None else None
    if command is None:
        return None
    proxy.queries.append(command[0], command, resultset_is_needed=True)
    if command[0] == pyproxy.COM_STMT_CLOSE:
        # A server does not answer it; the OK of a ping behind it says that it got there.
        proxy.queries.append(pyproxy.COM_PING, _packet(pyproxy.COM_PING), resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Turns the answer into one that fits a text query."""
    result = inj.resultset
    if inj.id == _ASKS:
        return _queries(proxy, is_allowed=bool(result.rows)) if result.error is None else None
    if inj.id in _FITTING or result.raw is None or result.raw[:1] == b"\xff":
        return None
    if inj.id == pyproxy.COM_STATISTICS:
        text = result.raw.decode("utf-8", "replace")
        return Rows([("statistics", proxy.MYSQL_TYPE_STRING)], [(text,)])
    if inj.id == pyproxy.COM_STMT_EXECUTE and result.rows is not None:
        return Rows(result.fields or (), result.rows)
    return Ok()


def _queries(proxy: Proxy, *, is_allowed: bool) -> Decision:
    stats = proxy.globals.query_stats
    if not is_allowed or stats is None:
        message = (
            "Access denied; you need (at least one of) the PROCESS privilege(s) for this operation"
        )
        return Error(message, 1227, "42000")
    all_seconds = stats.seconds
    rows = [
        (
            *(query.fingerprint, query.digest, query.calls, query.errors, query.rows, query.bytes),
            *(query.seconds, query.seconds / all_seconds if all_seconds else 0.0),
            *(query.min_seconds, query.max_seconds),
            *(int(query.first_seen), int(query.last_seen)),
        )
        for query in stats.top()
    ]
    return Rows(_columns(proxy), rows)


def _columns(proxy: Proxy) -> list[tuple[str, int]]:
    text, number = proxy.MYSQL_TYPE_VAR_STRING, proxy.MYSQL_TYPE_LONGLONG
    fraction = proxy.MYSQL_TYPE_DOUBLE
    return [
        *((name, text) for name in ("fingerprint", "digest")),
        *((name, number) for name in ("calls", "errors", "rows", "bytes")),
        *((name, fraction) for name in ("seconds", "share", "min_seconds", "max_seconds")),
        *((name, number) for name in ("first_seen", "last_seen")),
    ]
