"""What a fake server answers with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Union

from .. import _native
from . import tracking
from .protocol import Status, to_bytes
from .tracking import Changes

__all__ = ["Disconnect", "Error", "LocalInfile", "Ok", "Packets", "Reply", "Result"]


class Ok:
    """An OK: the statement is done and has no rows. `changes` are for a server that `tracks`."""

    def __init__(
        self,
        affected_rows: int = 0,
        insert_id: int = 0,
        warnings: int = 0,
        info: str = "",
        *,
        changes: Changes | None = None,
    ) -> None:
        self.affected_rows = affected_rows
        self.insert_id = insert_id
        self.warnings = warnings
        self.info = info
        self.changes = changes

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
        """The payloads."""
        if tracks:
            counts = self.affected_rows, self.insert_id, status, self.warnings
            return [tracking.ok(*counts, self.info, self.changes)]
        ok = _native.encode_ok(self.affected_rows, self.insert_id, status, self.warnings)
        return [ok + self.info.encode()]


class Error:
    """An ERR: the statement failed."""

    def __init__(self, errno: int, sqlstate: str = "HY000", message: str = "") -> None:
        self.errno = errno
        self.sqlstate = sqlstate
        self.message = message

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
        """The payloads."""
        return [_native.encode_err(self.errno, self.sqlstate, self.message)]


class Result:
    """A result set.

    `fields` are those of a response of a script: `(name, type)`, mappings with `name`, `type`, `table`, `charset`,
    `flags` ..., or names alone, which are text columns. `rows` are sequences of cells: None, str, bytes, int,
    float, Decimal, dates and times. The same result is sent as text, or as binary to a prepared statement. `changes` are for a
    server that `tracks`.
    """

    def __init__(
        self,
        fields: Sequence[Any],
        rows: Iterable[Sequence[Any]] = (),
        *,
        warnings: int = 0,
        status: int = 0,
        changes: Changes | None = None,
    ) -> None:
        self.fields = [(field, 253) if isinstance(field, str) else field for field in fields]
        self.rows = [tuple(row) for row in rows]
        self.warnings = warnings
        self.status = status
        self.changes = changes

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
        """The payloads."""
        flags = status | self.status
        packets = _native.encode_result(self.fields, self.rows, binary, flags, self.warnings)
        if tracks:
            packets[-1] = tracking.end_of_rows(flags, self.warnings, self.changes)
            del packets[len(self.fields) + 1]
        return packets


class Packets:
    """Payloads as they are, for what has no class of its own."""

    def __init__(self, *payloads: bytes | str) -> None:
        self.payloads = [to_bytes(payload, "a payload") for payload in payloads]

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
        """The payloads."""
        return list(self.payloads)


class LocalInfile:
    """LOAD DATA LOCAL: asks the client for a file, and answers `then` when it is there."""

    def __init__(self, filename: str, then: Reply | None = None) -> None:
        self.filename = filename
        self.then: Reply = Ok() if then is None else then

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
        """The payloads."""
        return [b"\xfb" + self.filename.encode()]


class Disconnect:
    """The server hangs up, after the payloads that are given."""

    def __init__(self, *payloads: bytes) -> None:
        self.payloads = list(payloads)

    def encode(self, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
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


def encode(reply: Reply, status: int, binary: bool, tracks: bool = False) -> list[bytes]:
    """The payloads of an answer, with the session's status flags, in the form for a client that tracks or one that does not."""
    # Those that are made elsewhere need not know of reports.
    form = (True,) if tracks else ()
    if not isinstance(reply, Sequence):
        return reply.encode(status, binary, *form)
    packets: list[bytes] = []
    for n, part in enumerate(reply, 1):
        more = Status.MORE_RESULTS_EXISTS if n < len(reply) else 0
        packets += part.encode(status | more, binary, *form)
    return packets


def prepared(
    statement: int, reply: Reply, parameters: int, status: int, tracks: bool = False
) -> list[bytes]:
    """The answer to COM_STMT_PREPARE for a statement that is answered so."""
    fields = reply.fields if isinstance(reply, Result) else []
    packets = [_native.encode_stmt_prepare_ok(statement, len(fields), parameters, 0)]
    for each in ([("?", 253)] * parameters, fields):
        if each:
            # Behind the definitions is an EOF.
            end = len(each) if tracks else None
            packets += _native.encode_result(each, (), False, status, 0)[1:-1][:end]
    return packets
