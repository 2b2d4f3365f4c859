"""The fields of packets: what `pyproxy.proto` gives and takes.

Defaults are those of the `to_*` functions. A byte string that a packet does not have is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, Union

# Capabilities that decide what is in a packet.
CONNECT_WITH_DB = 1 << 3
PROTOCOL_41 = 1 << 9
SECURE_CONNECTION = 1 << 15
PLUGIN_AUTH = 1 << 19


class ErrPacket(NamedTuple):
    """The answer to a command that failed."""

    errcode: int = 0
    sqlstate: bytes = b"07000"
    errmsg: bytes = b""


class OkPacket(NamedTuple):
    """The answer to a command that gives no rows."""

    affected_rows: int = 0
    insert_id: int = 0
    server_status: int = 0
    warnings: int = 0


class EofPacket(NamedTuple):
    """The end of column definitions or rows."""

    server_status: int = 0
    warnings: int = 0


class ChallengePacket(NamedTuple):
    """The server's greeting."""

    # Always 10.
    protocol_version: int = 10
    # major * 10000 + minor * 100 + patch; 0 if the text has no such numbers.
    server_version: int = 50099
    thread_id: int = 0
    capabilities: int = PROTOCOL_41 | SECURE_CONNECTION
    charset: int = 0
    server_status: int = 0
    # 20 bytes; with a plugin name what the plugin needs, usually 20 bytes and a NUL.
    challenge: bytes = b"01234567890123456789"
    auth_plugin_name: bytes = b""
    # The version as announced, such as b"5.5.5-10.11.2-MariaDB".
    server_version_text: bytes = b""


class ResponsePacket(NamedTuple):
    """The client's login."""

    # What the server offered in its greeting. By default all that decides what is in a login.
    server_capabilities: int = PROTOCOL_41 | SECURE_CONNECTION | CONNECT_WITH_DB | PLUGIN_AUTH
    capabilities: int = PROTOCOL_41 | SECURE_CONNECTION
    max_packet_size: int = 0
    charset: int = 0
    username: bytes = b""
    response: bytes = b""
    auth_plugin_name: bytes = b""
    database: bytes = b""


class MasterInfo(NamedTuple):
    """The file `master.info` of a replica: its lines in their order."""

    # Number of lines; the last field exists only from 15 on.
    master_lines: int = 0
    master_log_file: bytes = b""
    master_log_pos: int = 0
    master_host: bytes = b""
    master_user: bytes = b""
    master_password: bytes = b""
    master_port: int = 0
    # Seconds.
    master_connect_retry: int = 0
    master_ssl: int = 0
    master_ssl_ca: bytes = b""
    master_ssl_capath: bytes = b""
    master_ssl_cert: bytes = b""
    master_ssl_cipher: bytes = b""
    master_ssl_key: bytes = b""
    master_ssl_verify_server_cert: int = 0


class StmtPrepare(NamedTuple):
    """The command that prepares a statement."""

    stmt_text: bytes


class StmtPrepareOk(NamedTuple):
    """The answer to it, without the definitions that follow."""

    stmt_id: int
    num_columns: int = 0
    num_params: int = 0
    warnings: int = 0


class Param(NamedTuple):
    """One parameter of an execution.

    The value is None, int, float, bytes for every kind of text, `datetime.date`, `.datetime` or
    `.timedelta`; a date that Python does not have, such as that of zeros, is the `str` that MySQL
    shows for it. To be sent it may be anything that stands for a value of the type.
    """

    # Type byte of the protocol, such as 3 (LONG), 12 (DATETIME) or 253 (VAR_STRING).
    type: int
    value: Any
    # Of an integer.
    unsigned: bool = False
    # Sent only where there can be query attributes. The server takes a parameter with a name for
    # one of them, too.
    name: bytes = b""


class StmtExecute(NamedTuple):
    """The command that runs a prepared statement."""

    stmt_id: int
    # Cursor to open: 0 none, 1 read-only, 2 for update, 4 scrollable; and 8 for query attributes of a
    # statement without parameters.
    flags: int = 0
    iteration_count: int = 1
    # Whether the packet has the types of the parameters. They may be left out from the second
    # execution on.
    new_params_bound: bool = True
    # None if their types are not known.
    params: tuple[Param, ...] | None = ()
    # Query attributes. They need types. None in the form of a connection without, and of an
    # execution without parameters and the flag 8.
    attributes: tuple[Param, ...] | None = None


class StmtSendLongData(NamedTuple):
    """The command that sends a piece of a parameter ahead of the execution. It has no answer."""

    stmt_id: int
    # The parameter, counted from 0.
    param: int
    data: bytes


class StmtReset(NamedTuple):
    """The command that drops what was sent ahead, and closes the cursor."""

    stmt_id: int


class StmtClose(NamedTuple):
    """The command that ends a prepared statement. It has no answer."""

    stmt_id: int


Packet = TypeVar("Packet", bound="tuple[Any, ...]")
# What stands for bytes: text is encoded as UTF-8.
Data = Union[str, bytes, bytearray, memoryview]
# What a packet can be made of, besides keywords.
Fields = Union[tuple[Any, ...], Mapping[str, Any], None]


def merged(kind: type[Packet], fields: Fields, keywords: Mapping[str, Any]) -> Packet:
    """The fields of a packet out of what a `to_*` function was given; `kind` is one of the classes
    above."""
    record: Any = kind
    given: Mapping[str, Any] = {}
    if isinstance(fields, kind):
        given = record._asdict(fields)
    elif isinstance(fields, Mapping):
        given = {name: fields[name] for name in record._fields if name in fields}
    elif fields is not None or not keywords:
        name = type(fields).__name__
        raise TypeError(f"{kind.__name__}, a mapping or keywords are needed, not {name}")
    packet: Packet = record(**{**given, **keywords})
    return packet


def to_bytes(data: Data) -> bytes:
    """What was given as text or data, as the native functions take it."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogateescape")
    # By way of a view: bytes(5) are five NULs.
    return bytes(memoryview(data))
