"""The proxy before the primary and the replica."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tests.library.support.process import PATIENCE
from tests.library.support.proxy import Proxy

from ..wire.connection import Connection, ConnectionLost, Refused
from ..wire.login import Identity
from .node import Node

__all__ = ["IDLE", "Splitter"]

# Connections of each identity that should be idle on each server when a session begins.
IDLE = 5

_CONFIG = """\
[{section}]
min_idle_connections = {least}
max_idle_connections = {most}
"""
# The scripts that pool, and the sections of their settings.
_SECTIONS = {"rw_splitting": "rwsplit", "read_your_writes": "read_your_writes"}


class Splitter:
    """A running proxy with a script, and its pools."""

    def __init__(
        self,
        folder: Path,
        script: Path | None,
        primary: Node,
        replica: Node,
        identities: Sequence[Identity],
        options: Sequence[str],
        settings: Sequence[str],
    ) -> None:
        """`options` are the proxy's, `settings` the script's: `name=value`.

        Without a script everything goes to the primary. The pools of other scripts than ours are left alone."""
        self._primary = primary
        self._replica = replica
        self._identities = identities
        config = None
        section = _SECTIONS.get(script.stem) if script is not None else None
        self._pools = section is not None
        if section is not None:
            least = IDLE * len(identities)
            config = _CONFIG.format(section=section, least=least, most=4 * least)
            config += "".join(f"{setting}\n" for setting in settings)
        self.proxy = Proxy(
            folder,
            script,
            backends=[primary.address],
            read_only=[replica.address] if script is not None else [],
            config=config,
            options={"log-level": "warning", **dict(option.split("=", 1) for option in options)},
        )
        self.address = ("127.0.0.1", self.proxy.port)

    def fill(self) -> None:
        """Sees to it that the pools have idle connections of each identity: only clients that connect open some.

        There must be no clients at this moment.
        """
        if not self._pools:
            return
        for attempt in range(4):
            counts = [node.clients() for node in (self._primary, self._replica)]
            lacking = [
                identity
                for identity in self._identities
                if any(count.get(identity.user, 0) < IDLE - 1 for count in counts)
            ]
            if not lacking:
                return
            if attempt:
                # A pool that is full of others' connections gets none of this identity.
                self.empty()
                lacking = list(self._identities)
            for _ in range(2 * IDLE):
                for identity in lacking:
                    self._visit(identity)

    def empty(self) -> None:
        """Ends all server connections."""
        if not self._pools:
            return
        for node in (self._primary, self._replica):
            node.kill()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if not any(node.clients() for node in (self._primary, self._replica)):
                break
            time.sleep(0.002)
        # The proxy sees their ends a moment later.
        time.sleep(0.02)

    def wait_for_primary(self) -> None:
        """Waits until clients of each identity can write again."""
        deadline = time.monotonic() + PATIENCE
        for identity in self._identities:
            while True:
                try:
                    connection = Connection(self.address, identity)
                    answer = connection.query("DO 0")
                    connection.quit()
                    if type(answer[-1]).__name__ == "Ok":
                        break
                except (ConnectionLost, Refused):
                    pass
                if time.monotonic() > deadline:
                    raise RuntimeError(f"no client can write:\n{self.proxy.log()}")
                time.sleep(0.05)

    def _visit(self, identity: Identity) -> None:
        try:
            Connection(self.address, identity).quit()
        except (ConnectionLost, Refused):
            # Of a connection that was killed and still lay in the pool.
            pass
