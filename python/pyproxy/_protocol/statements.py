"""Prepared statements: their packets, and what has to be remembered between them. Part of
`pyproxy.proto`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Union

from pyproxy import _native
from pyproxy._native import PacketError
from pyproxy._protocol.packets import (
    Data,
    Fields,
    Param,
    StmtClose,
    StmtExecute,
    StmtPrepare,
    StmtPrepareOk,
    StmtReset,
    StmtSendLongData,
    merged,
    to_bytes,
)

# The type of a parameter as it is remembered: the type byte, with whether it is unsigned, or a
# parameter of that type.
ParamType = Union[int, tuple[int, bool], Param]

# Geometries are sent as BLOB. The byte is more likely a sign of something that is no execution.
_GEOMETRY = 255
# A flag: the packet has the number of parameters though the statement has none.
_PARAMETER_COUNT = 8


def from_stmt_prepare_packet(packet: Data) -> StmtPrepare:
    """COM_STMT_PREPARE."""
    return StmtPrepare(_native.decode_stmt_prepare(packet))


def to_stmt_prepare_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """COM_STMT_PREPARE from a StmtPrepare."""
    return _native.encode_stmt_prepare(*merged(StmtPrepare, fields, keywords))


def from_stmt_prepare_ok_packet(packet: Data) -> StmtPrepareOk:
    """The first packet of the answer to COM_STMT_PREPARE."""
    return StmtPrepareOk(*_native.decode_stmt_prepare_ok(packet))


def to_stmt_prepare_ok_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """The first packet of the answer to COM_STMT_PREPARE, from a StmtPrepareOk."""
    return _native.encode_stmt_prepare_ok(*merged(StmtPrepareOk, fields, keywords))


def stmt_id_from_stmt_execute_packet(packet: Data) -> int:
    """The number of the statement that a COM_STMT_EXECUTE runs, without which the rest cannot be
    read."""
    return _native.decode_stmt_execute_id(packet)


def from_stmt_execute_packet(
    packet: Data,
    param_count: int,
    types: Iterable[ParamType] | None = None,
    long_data: Mapping[int, bytes] | None = None,
    capabilities: int | None = None,
) -> StmtExecute:
    """COM_STMT_EXECUTE of a statement with `param_count` parameters, from a client with these
    `capabilities`: with query attributes the packet has another form.

    The packet has the types of its parameters only if they are new. For others, `types` are those
    of the execution before, of which the `params` will do; without them `params` is None.
    `long_data` has the values that were sent ahead with COM_STMT_SEND_LONG_DATA, by the number of
    the parameter. `Statements` remembers both.
    """
    pairs = None if types is None else [type_pair(kind) for kind in types]
    stmt_id, flags, iterations, bound, found, further = _native.decode_stmt_execute(
        packet, param_count, pairs, dict(long_data or {}), capabilities or 0
    )
    params = None
    if found is not None:
        if any(kind == _GEOMETRY for kind, *_ in found):
            raise PacketError("no client sends a parameter of type GEOMETRY")
        params = _params(found)
    attributes = None if further is None else _params(further)
    return StmtExecute(stmt_id, flags, iterations, bound, params, attributes)


def to_stmt_execute_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """COM_STMT_EXECUTE from a StmtExecute. A parameter may be a pair of type and value, too.

    The value must be one of the type, or its text. Raises PacketError if it is not, or if the
    parameters are unknown. For a client with query attributes `attributes` is a sequence, which may
    be empty.
    """
    execute = merged(StmtExecute, fields, keywords)
    if execute.params is None:
        raise PacketError("the types of the parameters are not known")
    flags = execute.flags | (_PARAMETER_COUNT if execute.attributes else 0)
    return _native.encode_stmt_execute(
        execute.stmt_id,
        flags,
        execute.iteration_count,
        execute.new_params_bound,
        _tuples(execute.params),
        None if execute.attributes is None else _tuples(execute.attributes),
    )


def _params(found: Iterable[tuple[int, bool, Any, bytes]]) -> tuple[Param, ...]:
    return tuple(Param(kind, value, unsigned, name) for kind, unsigned, value, name in found)


def _tuples(params: Iterable[Iterable[Any]]) -> list[tuple[int, bool, Any, Data]]:
    """Parameters as the native functions take them."""
    whole = [Param(*param) for param in params]
    return [(param.type, param.unsigned, param.value, param.name) for param in whole]


def type_pair(kind: ParamType) -> tuple[int, bool]:
    """A type as the native functions take it."""
    if isinstance(kind, Param):
        return kind.type, kind.unsigned
    return (kind, False) if isinstance(kind, int) else kind


def from_stmt_send_long_data_packet(packet: Data) -> StmtSendLongData:
    """COM_STMT_SEND_LONG_DATA."""
    return StmtSendLongData(*_native.decode_stmt_long_data(packet))


def to_stmt_send_long_data_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """COM_STMT_SEND_LONG_DATA from a StmtSendLongData."""
    return _native.encode_stmt_long_data(*merged(StmtSendLongData, fields, keywords))


def from_stmt_reset_packet(packet: Data) -> StmtReset:
    """COM_STMT_RESET."""
    return StmtReset(_native.decode_stmt_reset(packet))


def to_stmt_reset_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """COM_STMT_RESET from a StmtReset."""
    return _native.encode_stmt_reset(*merged(StmtReset, fields, keywords))


def from_stmt_close_packet(packet: Data) -> StmtClose:
    """COM_STMT_CLOSE."""
    return StmtClose(_native.decode_stmt_close(packet))


def to_stmt_close_packet(fields: Fields = None, /, **keywords: Any) -> bytes:
    """COM_STMT_CLOSE from a StmtClose."""
    return _native.encode_stmt_close(*merged(StmtClose, fields, keywords))


class _Statement:
    """What is remembered of one statement."""

    def __init__(self, text: bytes, param_count: int) -> None:
        self.text = text
        self.param_count = param_count
        self.types: list[tuple[int, bool]] | None = None
        self.long_data: dict[int, bytes] = {}


class Statements:
    """The prepared statements of one connection: reads executions that leave out types or values.

    Feed it the packets of the connection in their order, for instance one object per client
    connection:

        statements.prepared(prepare_ok, text)     # the answer to COM_STMT_PREPARE
        statements.long_data(packet)              # COM_STMT_SEND_LONG_DATA
        statements.execute(packet).params         # COM_STMT_EXECUTE
        statements.reset(packet)                  # COM_STMT_RESET
        statements.close(packet)                  # COM_STMT_CLOSE

    A packet for a statement it does not know raises KeyError with the number, except where the
    server is silent too. Long data is kept in memory until the execution. `capabilities` are those of
    the client.
    """

    def __init__(self, capabilities: int | None = None) -> None:
        self._capabilities = capabilities
        self._statements: dict[int, _Statement] = {}

    def __len__(self) -> int:
        """How many statements are prepared."""
        return len(self._statements)

    def __contains__(self, stmt_id: object) -> bool:
        """Whether a statement has this number."""
        return stmt_id in self._statements

    def text(self, stmt_id: int) -> bytes:
        """The text of a statement."""
        return self._statements[stmt_id].text

    def prepared(self, ok: Data | StmtPrepareOk, text: Data = b"") -> StmtPrepareOk:
        """The server has prepared `text`; `ok` is the first packet of its answer, or the fields of
        it."""
        if not isinstance(ok, StmtPrepareOk):
            ok = from_stmt_prepare_ok_packet(ok)
        self._statements[ok.stmt_id] = _Statement(to_bytes(text), ok.num_params)
        return ok

    def execute(self, packet: Data) -> StmtExecute:
        """The client runs a statement.

        After a PacketError the types are unknown until the client sends them again.
        """
        statement = self._statements[stmt_id_from_stmt_execute_packet(packet)]
        types, statement.types = statement.types, None
        long_data, statement.long_data = statement.long_data, {}
        execute = from_stmt_execute_packet(
            packet, statement.param_count, types, long_data, self._capabilities
        )
        if execute.params is not None:
            statement.types = [type_pair(param) for param in execute.params]
        return execute

    def long_data(self, packet: Data) -> None:
        """The client sends a piece of a parameter; pieces add up. Ignored for what does not
        exist."""
        stmt_id, param, data = from_stmt_send_long_data_packet(packet)
        statement = self._statements.get(stmt_id)
        if statement is not None and param < statement.param_count:
            statement.long_data[param] = statement.long_data.get(param, b"") + data

    def reset(self, packet: Data) -> None:
        """The client drops what it has sent ahead. The types stay."""
        self._statements[from_stmt_reset_packet(packet).stmt_id].long_data = {}

    def close(self, packet: Data) -> None:
        """The client ends a statement. Ignored for one that does not exist."""
        self._statements.pop(from_stmt_close_packet(packet).stmt_id, None)

    def clear(self) -> None:
        """All statements are gone: after COM_CHANGE_USER and COM_RESET_CONNECTION."""
        self._statements.clear()
