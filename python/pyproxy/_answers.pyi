"""What hooks may return besides the constants: values that can be made anywhere, also in a test without a proxy."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, final

from typing_extensions import Buffer

from pyproxy import Field, FieldDict, Injection, Resultset

_Data: TypeAlias = str | Buffer

@final
class Ok:
    """An OK, for a hook to return.

    Without `status` it tells the state of the connection, as the server reported it last.
    """

    __match_args__: Final = ("affected_rows", "insert_id")
    def __new__(
        cls,
        affected_rows: int = 0,
        insert_id: int = 0,
        warnings: int = 0,
        status: int | None = None,
        info: _Data = "",
    ) -> Ok: ...
    @property
    def affected_rows(self) -> int:
        """Number of rows changed."""
    @property
    def insert_id(self) -> int:
        """The last AUTO_INCREMENT value."""
    @property
    def warnings(self) -> int:
        """Number of warnings."""
    @property
    def status(self) -> int | None:
        """The status flags; None for those of the connection."""
    @property
    def info(self) -> str:
        """A text for humans."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Error:
    """An ERR, for a hook to return. It is a value and no exception."""

    __match_args__: Final = ("message", "code", "sqlstate")
    def __new__(cls, message: _Data, code: int = 1105, sqlstate: _Data = "HY000") -> Error: ...
    @property
    def message(self) -> str:
        """What the client is told."""
    @property
    def code(self) -> int:
        """The error number."""
    @property
    def sqlstate(self) -> str:
        """The SQL state: five characters."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Rows:
    """A result set, for a hook to return.

    A column is a name, whose type is found in the cells, a pair `(name, type)`, a mapping, or a field of a result. `rows` is any
    iterable of sequences; a generator is run when the answer is sent.
    """

    __match_args__: Final = ("columns", "rows")
    def __new__(
        cls,
        columns: Iterable[_Data | tuple[str, int] | FieldDict | Field],
        rows: Iterable[Iterable[Any]],
    ) -> Rows: ...
    @property
    def columns(self) -> tuple[_Data | tuple[str, int] | FieldDict | Field, ...]:
        """The columns: a tuple of what was given."""
    @property
    def rows(self) -> Iterable[Iterable[Any]]:
        """The rows as they were given."""
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment] # what it holds may change

@final
class Raw:
    """Payloads that the client gets as they are, for a hook to return: one, or an iterable of them."""

    __match_args__: Final = ("packets",)
    def __new__(cls, packets: _Data | Iterable[_Data]) -> Raw: ...
    @property
    def packets(self) -> _Data | Iterable[_Data]:
        """The payloads as they were given."""
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment] # what it holds may change

@final
class Send:
    """What is forwarded in place of the client's command, for `read_query` to return. The answer goes to the client, and
    `read_query_result` is not asked about it.

    `bytes` are a packet with its command byte; text that begins with a printable character is SQL, a COM_QUERY.
    """

    __match_args__: Final = ("what",)
    def __new__(cls, what: _Data) -> Send: ...
    @property
    def what(self) -> str | bytes:
        """What is forwarded, as it was given."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

# What a client can get.
Answer: TypeAlias = Ok | Error | Rows | Raw | Resultset
# What `read_query` and `read_query_result` return.
Decision: TypeAlias = int | Answer | Send | Injection | None
