"""The type of `proxy.response.resultset`, for the type checker only; at run time there is no such module."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, final, overload

from . import Field
from ._responses import FieldDict

@final
class ResponseResultset:
    """The result set that a response has: a mapping whose members are attributes as well."""

    fields: Iterable[Field | FieldDict | tuple[str, int]]
    rows: Iterable[Iterable[Any]]
    @overload
    def __getitem__(
        self, key: Literal["fields"], /
    ) -> Iterable[Field | FieldDict | tuple[str, int]]: ...
    @overload
    def __getitem__(self, key: Literal["rows"], /) -> Iterable[Iterable[Any]]: ...
    @overload
    def __setitem__(
        self, key: Literal["fields"], value: Iterable[Field | FieldDict | tuple[str, int]], /
    ) -> None: ...
    @overload
    def __setitem__(self, key: Literal["rows"], value: Iterable[Iterable[Any]], /) -> None: ...
    def __delitem__(self, key: Literal["fields", "rows"], /) -> None: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
