"""Packets of the MySQL protocol: bytes to fields and back.

    >>> from pyproxy import proto
    >>> proto.from_err_packet(b"\\xff\\x15\\x04#28000denied")
    ErrPacket(errcode=1045, sqlstate=b'28000', errmsg=b'denied')
    >>> proto.to_ok_packet(affected_rows=2)
    b'\\x00\\x02\\x00\\x00\\x00\\x00\\x00'

A packet is its payload: no 4-byte header. Commands begin with their command byte, as in
`read_query`.

`from_*` take `str` (UTF-8) or any bytes-like object and give a named tuple; what follows the last
field is ignored. `to_*` take such a tuple, a mapping, keywords, or one of them and keywords, which
win; what is left out has the default of the tuple's class (`to_ok_packet({})` is all defaults),
further keys of a mapping are ignored. Bytes may be given as `str`. Bytes that are not the packet
they should be and fields that cannot be sent raise `PacketError`, which is a ValueError; arguments
of a wrong type raise TypeError.
"""

from __future__ import annotations

import operator
import re
from typing import Any

from pyproxy import _native
from pyproxy._native import PacketError
from pyproxy._protocol.packets import (
    CONNECT_WITH_DB,
    PLUGIN_AUTH,
    PROTOCOL_41,
    ChallengePacket,
    Data,
    EofPacket,
    ErrPacket,
    Fields,
    MasterInfo,
    OkPacket,
    Param,
    ResponsePacket,
    StmtClose,
    StmtExecute,
    StmtPrepare,
    StmtPrepareOk,
    StmtReset,
    StmtSendLongData,
    merged,
    to_bytes,
)
from pyproxy._protocol.results import (
    Column,
    from_binary_row_packet,
    from_column_packet,
    from_resultset_packets,
    from_text_row_packet,
    to_binary_row_packet,
    to_column_packet,
    to_resultset_packets,
    to_text_row_packet,
)
from pyproxy._protocol.statements import (
    Statements,
    from_stmt_close_packet,
    from_stmt_execute_packet,
    from_stmt_prepare_ok_packet,
    from_stmt_prepare_packet,
    from_stmt_reset_packet,
    from_stmt_send_long_data_packet,
    stmt_id_from_stmt_execute_packet,
    to_stmt_close_packet,
    to_stmt_execute_packet,
    to_stmt_prepare_ok_packet,
    to_stmt_prepare_packet,
    to_stmt_reset_packet,
    to_stmt_send_long_data_packet,
)

__all__ = [
    "ChallengePacket",
    "Column",
    "EofPacket",
    "ErrPacket",
    "MasterInfo",
    "OkPacket",
    "PacketError",
    "Param",
    "ResponsePacket",
    "Statements",
    "StmtClose",
    "StmtExecute",
    "StmtPrepare",
    "StmtPrepareOk",
    "StmtReset",
    "StmtSendLongData",
    "from_binary_row_packet",
    "from_challenge_packet",
    "from_column_packet",
    "from_eof_packet",
    "from_err_packet",
    "from_masterinfo_string",
    "from_ok_packet",
    "from_response_packet",
    "from_resultset_packets",
    "from_stmt_close_packet",
    "from_stmt_execute_packet",
    "from_stmt_prepare_ok_packet",
    "from_stmt_prepare_packet",
    "from_stmt_reset_packet",
    "from_stmt_send_long_data_packet",
    "from_text_row_packet",
    "stmt_id_from_stmt_execute_packet",
    "to_binary_row_packet",
    "to_challenge_packet",
    "to_column_packet",
    "to_eof_packet",
    "to_err_packet",
    "to_masterinfo_string",
    "to_ok_packet",
    "to_response_packet",
    "to_resultset_packets",
    "to_stmt_close_packet",
    "to_stmt_execute_packet",
    "to_stmt_prepare_ok_packet",
    "to_stmt_prepare_packet",
    "to_stmt_reset_packet",
    "to_stmt_send_long_data_packet",
    "to_text_row_packet",
]

_DEFAULT_VERSION = ChallengePacket().server_version
_VERSION = re.compile(rb"(\d+)\.(\d+)(?:\.(\d+))?")


def from_err_packet(packet: Data) -> ErrPacket:
    """ERR. The form before 4.1, which has no SQLSTATE, is refused."""
    err = ErrPacket(*_native.decode_err(packet))
    if not err.sqlstate:
        raise PacketError("an ERR packet without SQLSTATE")
    return err


def to_err_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """ERR from an ErrPacket. A SQLSTATE has 5 bytes; without one it is the form before 4.1."""
    return _native.encode_err(*merged(ErrPacket, fields, keywords))


def from_ok_packet(packet: Data) -> OkPacket:
    """OK."""
    return OkPacket(*_native.decode_ok(packet))


def to_ok_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """OK from an OkPacket."""
    return _native.encode_ok(*merged(OkPacket, fields, keywords))


def from_eof_packet(packet: Data) -> EofPacket:
    """EOF."""
    return EofPacket(*_native.decode_eof(packet))


def to_eof_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """EOF from an EofPacket."""
    return _native.encode_eof(*merged(EofPacket, fields, keywords))


def from_challenge_packet(packet: Data) -> ChallengePacket:
    """The server's greeting, protocol 10. MariaDB's extended capabilities are left out."""
    protocol, text, *others = _native.decode_challenge(packet)
    fields: tuple[Any, ...] = (protocol, *others, text)
    return ChallengePacket(*fields)


def to_challenge_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """The server's greeting from a ChallengePacket; its `protocol_version` does not count, it is
    always 10.

    The version is sent as `server_version_text`, unless `server_version` was given and says
    something else: then as that number says, 50734 is `5.7.34`. The capabilities decide about the
    challenge (8 bytes of it without 4.1 authentication) and the plugin name.
    """
    greeting = merged(ChallengePacket, fields, keywords)
    return _native.encode_challenge(
        _version_text(greeting),
        greeting.thread_id,
        greeting.capabilities,
        greeting.charset,
        greeting.server_status,
        greeting.challenge,
        greeting.auth_plugin_name,
    )


def _version_text(greeting: ChallengePacket) -> bytes:
    number, text = operator.index(greeting.server_version), to_bytes(greeting.server_version_text)
    if text and number in (_DEFAULT_VERSION, _version_number(text)):
        return text
    if number < 0:
        raise PacketError(f"{number} is no server version")
    return b"%d.%d.%d" % (number // 10000, number // 100 % 100, number % 100)


def _version_number(text: bytes) -> int:
    """The number that `from_challenge_packet` gives for a version."""
    found = _VERSION.match(text)
    if found is None:
        return 0
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major * 10000 + minor * 100 + patch


def from_response_packet(packet: Data, server_capabilities: int) -> ResponsePacket:
    """The client's login, of 4.1 or before. Its connection attributes are left out.

    A database or plugin name counts only if the server has offered the capability for it.
    """
    capabilities, size, charset, username, response, database, plugin = _native.decode_response(
        packet
    )
    return ResponsePacket(
        server_capabilities,
        capabilities,
        size,
        charset,
        username,
        response,
        plugin if server_capabilities & PLUGIN_AUTH else b"",
        database if server_capabilities & CONNECT_WITH_DB else b"",
    )


def to_response_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """The client's login from a ResponsePacket.

    Database and plugin name are sent if they are not empty and the server has offered the
    capability for it; the client's bit is then set. Without `server_capabilities` it has. To a server without 4.1, or without that
    capability of its own, the client sends the old form.
    """
    login = merged(ResponsePacket, fields, keywords)
    offered = login.server_capabilities
    return _native.encode_response(
        login.capabilities if offered & PROTOCOL_41 else login.capabilities & ~PROTOCOL_41,
        login.max_packet_size,
        login.charset,
        login.username,
        login.response,
        login.database if offered & CONNECT_WITH_DB else b"",
        login.auth_plugin_name if offered & PLUGIN_AUTH else b"",
    )


def from_masterinfo_string(text: Data) -> MasterInfo:
    """The file `master.info` of a replica. Lines behind the known ones are ignored."""
    # What follows the last line end is no line.
    lines = to_bytes(text).split(b"\n")[:-1]
    count = _line_count(_number(lines[0])) if lines else len(MasterInfo._fields)
    if len(lines) < count:
        raise PacketError(f"{len(lines)} lines in a master.info that has {count}")
    fields: list[Any] = [
        _number(line) if isinstance(default, int) else line
        for line, default in zip(lines[:count], MasterInfo())
    ]
    return MasterInfo(*fields)


def to_masterinfo_string(fields: Fields = None, /, **keywords: Any) -> bytes:
    """The file `master.info` of a replica from a MasterInfo.

    `master_ssl_verify_server_cert` is written if `master_lines` is 15 or more.
    """
    info: tuple[Any, ...] = merged(MasterInfo, fields, keywords)
    lines = [
        b"%d" % operator.index(value) if isinstance(default, int) else to_bytes(value)
        for value, default in zip(info, MasterInfo())
    ]
    if any(b"\n" in line for line in lines):
        raise PacketError("a line end inside a line of a master.info")
    return b"".join(line + b"\n" for line in lines[: _line_count(info[0])])


def _line_count(announced: int) -> int:
    """How many lines are fields, if the first one says this number: the last field came later."""
    fields = len(MasterInfo._fields)
    return fields if announced >= fields else fields - 1


def _number(line: bytes) -> int:
    if not line.isdigit():
        raise PacketError(f"{line!r} is no number in a master.info")
    return int(line)
