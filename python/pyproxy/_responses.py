"""The form of answers, for annotations: mappings that `proxy.response` takes.

    from pyproxy import Proxy, ResponseDict

    def denied(proxy: Proxy) -> ResponseDict:
        return {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "not allowed"}

At run time any mapping will do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from pyproxy import Field, Resultset

__all__ = ["FieldDict", "ResponseDict", "ResultDict", "ResultsetDict"]


class _Named(TypedDict):
    name: str | Buffer


class FieldDict(_Named, total=False):
    """A column. `name` is needed; the others have the values of an expression of that type."""

    type: int
    charset: int
    length: int
    flags: int
    decimals: int
    org_name: str | Buffer
    table: str | Buffer
    org_table: str | Buffer
    database: str | Buffer


class ResultsetDict(TypedDict):
    """Columns and rows. A column may also be a pair of name and type, or a field of another result."""

    fields: Iterable[Field | FieldDict | tuple[str, int]]
    rows: Iterable[Iterable[Any]]


class ResultDict(TypedDict, total=False):
    """One result of `resultsets`: rows, or what an OK says."""

    resultset: ResultsetDict
    affected_rows: int
    insert_id: int
    warnings: int
    server_status: int


class _Typed(TypedDict):
    type: int


class ResponseDict(_Typed, ResultDict, total=False):
    """An answer. `type` is needed, and says which of the others mean something."""

    resultsets: Iterable[ResultDict | Resultset]
    errmsg: str | Buffer
    errcode: int | str
    sqlstate: str | Buffer
    packets: str | Buffer | Iterable[str | Buffer]
