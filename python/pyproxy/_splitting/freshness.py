"""Which replicas may answer a client's reads. What they have is found out by a question in front of a read."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproxy import Injection, Proxy

__all__ = ["Freshness"]


class Freshness:
    """As it is when nobody asks: any of them. One for each script."""

    tries_others = False
    """Whether another replica is tried in place of one that will not do, before the primary is."""

    def may_read(self, proxy: Proxy) -> bool:
        """Whether a replica may answer at all."""
        return True

    def unfit(self, proxy: Proxy) -> Set[int]:
        """The backends that are known not to do for this client now."""
        return frozenset()

    def question(self, proxy: Proxy) -> str | None:
        """What the attached replica is asked before it answers; None if it will do."""
        return None

    def version(self, proxy: Proxy) -> int:
        """What is to be given back with the answer."""
        return 0

    def is_fresh(self, proxy: Proxy, inj: Injection, version: int) -> bool:
        """Whether the answer to the question, asked when that was the version, says that the attached replica will do."""
        return True

    def note(self, proxy: Proxy, gtids: list[str], has_written: bool, is_error: bool) -> None:
        """A command is answered. It may have committed something."""
