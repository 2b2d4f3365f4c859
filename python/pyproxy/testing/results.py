"""What a fake server answers with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Union

from .. import _native
from .protocol import Status, to_bytes

__all__ = ["Disconnect", "Error", "LocalInfile", "Ok", "Packets", "Reply", "Result"]


class Ok:
    """An OK: the statement is done and has no rows."""

    def __init__(
        self, affected_rows: int = 0, insert_id: int = 0, warnings: int = 0, info: str = ""
    ) -> None:
        self.affected_rows = affected_rows
        self.insert_id = insert_id
        self.warnings = warnings
        self.info = info

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        ok = _native.encode_ok(self.affected_rows, self.insert_id, status, self.warnings)
        return [ok + self.info.encode()]


class Error:
    """An ERR: the statement failed."""

    def __init__(self, errno: int, sqlstate: str = "HY000", message: str = "") -> None:
        self.errno = errno
        self.sqlstate = sqlstate
        self.message = message

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        return [_native.encode_err(self.errno, self.sqlstate, self.message)]


class Result:
    """A result set.

    `fields` are those of a response of a script: `(name, type)`, mappings with `name`, `type`, `table`, `charset`,
    `flags` ..., or names alone, which are text columns. `rows` are sequences of cells: None, str, bytes, int,
    float, Decimal, dates and times. The same result is sent as text, or as binary to a prepared statement.
    """

    def __init__(
        self,
        fields: Sequence[Any],
        rows: Iterable[Sequence[Any]] = (),
        *,
        warnings: int = 0,
        status: int = 0,
    ) -> None:
        self.fields = [(field, 253) if isinstance(field, str) else field for field in fields]
        self.rows = [tuple(row) for row in rows]
        self.warnings = warnings
        self.status = status

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        flags = status | self.status
        return _native.encode_result(self.fields, self.rows, binary, flags, self.warnings)


class Packets:
    """Payloads as they are, for what has no class of its own."""

    def __init__(self, *payloads: bytes | str) -> None:
        self.payloads = [to_bytes(payload, "a payload") for payload in payloads]

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        return list(self.payloads)


class LocalInfile:
    """LOAD DATA LOCAL: asks the client for a file, and answers `then` when it is there."""

    def __init__(self, filename: str, then: Reply | None = None) -> None:
        self.filename = filename
        self.then: Reply = Ok() if then is None else then

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        return [b"\xfb" + self.filename.encode()]


class Disconnect:
    """The server hangs up, after the payloads that are given."""

    def __init__(self, *payloads: bytes) -> None:
        self.payloads = list(payloads)

    def encode(self, status: int, binary: bool) -> list[bytes]:
        """The payloads."""
        return list(self.payloads)


# A list is a multi-result: each part says that another one follows.
Reply = Union[Ok, Error, Result, Packets, LocalInfile, Disconnect, Sequence[Any]]
Handler = Union[Reply, Callable[[str], Reply]]


class Rule(NamedTuple):
    """Which query gets which answer."""

    query: str | re.Pattern[str]
    answer: Handler

    def fits(self, sql: str) -> bool:
        """Whether the rule is for this text."""
        if isinstance(self.query, str):
            return sql == self.query
        return self.query.search(sql) is not None


def encode(reply: Reply, status: int, binary: bool) -> list[bytes]:
    """The payloads of an answer, with the session's status flags."""
    if not isinstance(reply, Sequence):
        return reply.encode(status, binary)
    packets: list[bytes] = []
    for n, part in enumerate(reply, 1):
        more = Status.MORE_RESULTS_EXISTS if n < len(reply) else 0
        packets += part.encode(status | more, binary)
    return packets


def prepared(statement: int, reply: Reply, parameters: int, status: int) -> list[bytes]:
    """The answer to COM_STMT_PREPARE for a statement that is answered so."""
    columns = _definitions(reply.fields, status) if isinstance(reply, Result) else []
    # Behind the definitions is an EOF.
    count = max(len(columns) - 1, 0)
    packets = [_native.encode_stmt_prepare_ok(statement, count, parameters, 0)]
    if parameters:
        packets += _definitions([("?", 253)] * parameters, status)
    return packets + columns


def _definitions(fields: Sequence[Any], status: int) -> list[bytes]:
    """The columns of a result set, and the EOF behind them."""
    return _native.encode_result(fields, (), False, status, 0)[1:-1]
