"""What differs between the servers, for the generator."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Dialect"]


class Dialect(NamedTuple):
    """A server's kind and version."""

    is_mysql: bool
    version: tuple[int, ...]

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB."""
        return not self.is_mysql

    @property
    def isolation(self) -> str:
        """The variable of the isolation level."""
        return (
            "transaction_isolation" if self.is_mysql or self.version >= (11, 1) else "tx_isolation"
        )

    @property
    def read_only(self) -> str:
        """The variable of read-only transactions."""
        is_new = self.is_mysql or self.version >= (11, 1)
        return "transaction_read_only" if is_new else "tx_read_only"

    @classmethod
    def of(cls, version: str) -> Dialect:
        """That of a server whose `@@version` this is."""
        numbers = version.split("-")[0].split(".")
        return cls("MariaDB" not in version, tuple(int(number) for number in numbers))
