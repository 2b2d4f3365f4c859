"""A log of all commands, one JSON object per line.

    {"time": "2026-03-01T12:00:00.000123Z", "connection_id": 17, "user": "app", "client": "10.0.0.5:51442",
     "backend": "10.0.0.9:3306", "database": "shop", "command": "COM_QUERY", "query": "SELECT name FROM t WHERE id = 5",
     "truncated": false, "normalized": "SELECT `name` FROM `t` WHERE `id` = ?", "parameters": null, "duration_ms": 0.412,
     "rows": 1, "affected_rows": null, "warnings": 0, "error": null, "answered_by": "server"}

`time` is when the command arrived, in UTC. `duration_ms` is until the last packet of the answer. `error` is null or
`{"errno": 1146, "sqlstate": "42S02", "message": "..."}`. For COM_STMT_EXECUTE, `query` is the text that was prepared.
Each line has all names; what is not known is null. Results are not kept: rows pass while they arrive.

`answered_by` is `proxy` where the answer came from another script, which refused the command, for example; such a line is
written with the client's next command, or at its end. Two lines are about no command: `LOGIN`, with the `error` of a refused
one, and `DISCONNECT`.

Settings, section `[query_log]`:

| setting | default | |
|---|---|---|
| `path` | | the file; without one, standard output of the proxy. It is made anew when it was moved or removed |
| `max_query_bytes` | 4096 | longer texts are cut, and `truncated` is true |
| `normalize` | true | fill `normalized` |
| `parameters` | `none` | of prepared statements: `none`, `count`, or `values` |
| `commands` | | log these only, such as `LOGIN, COM_QUERY, COM_STMT_EXECUTE`; without them all |
| `slower_than_ms` | 0.0 | log only what took as long, and what failed |

What it cannot do:

* COM_QUIT, COM_STMT_CLOSE and COM_STMT_SEND_LONG_DATA, which have no answer, are not logged.
* Of COM_CHANGE_USER and of binary logs that are streamed, `duration_ms` and all that comes after it is null.
* Of a log-in that another script refused it is not known why.
* Of an answer with several results, `rows` is the sum, and `affected_rows` null if there were rows.
* `connection_id` is the server's: two backends can have the same number.
* Queries have secrets in them: a new file can be read by its owner only. Passwords in a text are not hidden.
* A line that cannot be written is lost; the proxy's log says so. A slow disk slows down all clients.
"""

from __future__ import annotations

import datetime
import json
import math
from typing import TYPE_CHECKING, Any

import pyproxy
from pyproxy import commands, proto, tokenizer
from pyproxy._query_log.log_file import LogFile
from pyproxy._sql.prepared import Prepared
from pyproxy.settings import SettingsError, section

if TYPE_CHECKING:
    from pyproxy import Auth, Connection, Injection, Proxy

__all__ = [
    "disconnect_client",
    "init",
    "read_auth_result",
    "read_query",
    "read_query_result",
    "settings",
    "shutdown",
]

settings = section(
    "query_log",
    path="",
    max_query_bytes=4096,
    normalize=True,
    parameters="none",
    commands=(),
    slower_than_ms=0.0,
)

_PARAMETERS = ("none", "count", "values")
_UNANSWERED = (pyproxy.COM_QUIT, pyproxy.COM_STMT_CLOSE, pyproxy.COM_STMT_SEND_LONG_DATA)
# Commands whose answer never ends, or is a conversation: they are forwarded, and logged as they come.
_FOLLOWED_ELSEWHERE = (
    pyproxy.COM_CHANGE_USER,
    pyproxy.COM_BINLOG_DUMP,
    pyproxy.COM_BINLOG_DUMP_GTID,
    pyproxy.COM_TABLE_DUMP,
    pyproxy.COM_CLONE,
)
_WITH_STATEMENT = (
    pyproxy.COM_STMT_EXECUTE,
    pyproxy.COM_STMT_FETCH,
    pyproxy.COM_STMT_RESET,
    pyproxy.COM_STMT_BULK_EXECUTE,
)
_QUERY_ID = 1
_LOGIN, _DISCONNECT = "LOGIN", "DISCONNECT"
# First bytes of the answer to a log-in.
_OK, _ERR = 0, 0xFF

# What is known of a command: the members of its line.
Record = dict[str, Any]

_file = LogFile("")


def init(proxy: Proxy) -> None:
    """Opens the file; what is wrong with the settings stops the start."""
    global _file
    if settings.parameters not in _PARAMETERS:
        expected = ", ".join(_PARAMETERS)
        raise SettingsError(f"[query_log] parameters={settings.parameters}: expected {expected}")
    for name in settings.commands:
        is_command = name.startswith("COM_") and hasattr(pyproxy, name)
        if not (is_command or name in (_LOGIN, _DISCONNECT)):
            raise SettingsError(f"[query_log] commands: there is no command {name}")
    _file.close()
    _file = LogFile(settings.path)
    try:
        _file.open()
    except OSError as error:
        raise SettingsError(f"[query_log] path={settings.path}: {error.strerror}") from None


def read_auth_result(proxy: Proxy, auth: Auth) -> None:
    """Writes the line of a log-in, once the server has decided."""
    kind = auth.packet[:1]
    if kind not in (bytes((_OK,)), bytes((_ERR,))):
        return
    connection = proxy.connection
    connection.query_log_has_login = True
    record = _line(connection, _LOGIN)
    record["answered_by"] = "server"
    if kind == bytes((_ERR,)):
        record["error"] = _error(auth.packet)
    _write(record)


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    """Queues the command as it is, to be told of its result."""
    connection = proxy.connection
    connection.query_log_has_login = True
    _write_unanswered(connection, "proxy")
    prepared = _prepared(connection)
    prepared.follow(packet)
    command = packet[0]
    if command in _UNANSWERED:
        return None
    # Statements are remembered even where nothing is logged: settings can change while the proxy runs.
    is_prepare = command == pyproxy.COM_STMT_PREPARE
    record = _record(connection, packet, prepared)
    if command in _FOLLOWED_ELSEWHERE:
        _write(record)
        return None
    connection.query_log_record = record
    # The answer to a prepare has no rows, and it has the statement's number.
    proxy.queries.append(_QUERY_ID, packet, resultset_is_needed=is_prepare)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> int | None:
    """Writes the line."""
    connection = proxy.connection
    record: Record | None = getattr(connection, "query_log_record", None)
    if inj.id != _QUERY_ID or record is None:
        return None
    connection.query_log_record = None
    result = inj.resultset
    if inj.query[0] == pyproxy.COM_STMT_PREPARE:
        limit: int = settings.max_query_bytes
        _prepared(connection).add(inj.query[1 : limit + 2], result.raw)
    if connection.backend is not None:
        record["backend"] = str(connection.backend.dst)
    has_rows = result.affected_rows is None
    record.update(
        duration_ms=None if inj.response_time is None else inj.response_time / 1000,
        rows=result.row_count if has_rows else None,
        affected_rows=result.affected_rows,
        warnings=result.warning_count,
        answered_by="server",
    )
    if result.query_status == proxy.MYSQLD_PACKET_ERR:
        record.update(rows=None, affected_rows=None, error=_error(result.error))
    _write(record)
    return None


def disconnect_client(proxy: Proxy) -> None:
    """Writes the line of a command that was never answered, of a log-in that was refused by a script, and the last one."""
    connection = proxy.connection
    _write_unanswered(connection, None)
    if not getattr(connection, "query_log_has_login", False):
        if connection.client.username is None:
            return
        record = _line(connection, _LOGIN)
        record.update(answered_by="proxy", error=_error(None))
        _write(record)
    _write(_line(connection, _DISCONNECT))


def shutdown(proxy: Proxy) -> None:
    """Closes the file."""
    _file.close()


def _prepared(connection: Connection) -> Prepared:
    prepared = getattr(connection, "query_log_prepared", None)
    if not isinstance(prepared, Prepared):
        prepared = connection.query_log_prepared = Prepared(
            keeps_values=settings.parameters == "values",
            capabilities=connection.client.capabilities,
        )
    return prepared


def _record(connection: Connection, packet: bytes, prepared: Prepared) -> Record:
    """The line as far as it is known when the command arrives."""
    command = commands.parse(packet[:1])
    text, parameters = _statement(packet, prepared)
    limit: int = settings.max_query_bytes
    record = _line(connection, command.type_name or str(command.type))
    if text is not None:
        record.update(query=_text(text[:limit]), truncated=len(text) > limit)
        if settings.normalize:
            record["normalized"] = tokenizer.normalize(text[:limit]).rstrip()
    record["parameters"] = parameters
    return record


def _line(connection: Connection, command: str) -> Record:
    """What every line has."""
    now = datetime.datetime.now(datetime.timezone.utc)
    client = connection.client
    return {
        "time": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "connection_id": client.thread_id,
        "user": client.username,
        "client": None if client.src is None else str(client.src),
        "backend": None if connection.backend is None else str(connection.backend.dst),
        "database": client.default_db or None,
        "command": command,
        "query": None,
        "truncated": False,
        "normalized": None,
        "parameters": None,
        "duration_ms": None,
        "rows": None,
        "affected_rows": None,
        "warnings": None,
        "error": None,
        "answered_by": None,
    }


def _statement(packet: bytes, prepared: Prepared) -> tuple[bytes | None, Any]:
    """The text that belongs to a command, and its parameters in the form of the settings."""
    if packet[0] in (pyproxy.COM_QUERY, pyproxy.COM_STMT_PREPARE):
        return packet[1:], None
    if packet[0] == pyproxy.COM_INIT_DB:
        return packet[1:], None
    if packet[0] not in _WITH_STATEMENT:
        return None, None
    statement = prepared.of(packet)
    if statement is None:
        return None, None
    if packet[0] != pyproxy.COM_STMT_EXECUTE or settings.parameters == "none":
        return statement.text, None
    if settings.parameters == "count":
        return statement.text, statement.param_count
    return statement.text, _values(prepared.values(packet))


def _values(values: list[object] | None) -> list[object] | None:
    """Parameters as JSON has them; long ones are cut."""
    return None if values is None else [_value(value) for value in values]


def _value(value: object) -> object:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        # JSON has no infinity.
        return value if math.isfinite(value) else str(value)
    limit: int = settings.max_query_bytes
    return _text(value[:limit]) if isinstance(value, bytes) else str(value)


def _error(packet: bytes | None) -> dict[str, object]:
    """What the server says went wrong."""
    if packet is None:
        return {"errno": None, "sqlstate": None, "message": None}
    error = proto.from_err_packet(packet)
    return {
        "errno": error.errcode,
        "sqlstate": _text(error.sqlstate) or None,
        "message": _text(error.errmsg),
    }


def _write_unanswered(connection: Connection, answered_by: str | None) -> None:
    record: Record | None = getattr(connection, "query_log_record", None)
    if record is not None:
        connection.query_log_record = None
        record["answered_by"] = answered_by
        _write(record)


def _write(record: Record) -> None:
    if settings.commands and record["command"] not in settings.commands:
        return
    duration = record["duration_ms"]
    if record["error"] is None and duration is not None and duration < settings.slower_than_ms:
        return
    _file.write(json.dumps(record, ensure_ascii=False))


def _text(data: bytes) -> str:
    """Text for JSON, which has no bytes: what is not UTF-8 is shown as an escape."""
    return data.decode("utf-8", "backslashreplace")
