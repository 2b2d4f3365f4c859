"""The end of a session: the data of all servers, and everything as it was."""

from __future__ import annotations

import time

from tests.library.support.mariadb import IS_MYSQL

from ..generator.fixtures import DATABASES
from ..generator.steps import Session
from ..servers.node import Node
from ..servers.replication import ReplicationBroken
from ..servers.world import GLOBALS, World
from .data import Data

__all__ = ["end_of_session"]

Difference = tuple[str, str, str]
# How long a server may take to see that a connection ended.
_SECONDS = 20


def end_of_session(world: World, session: Session) -> Difference | None:
    """Compares what the servers have, and restores it. Gives what differs: in words, directly and split."""
    found: Difference | None = None
    for node in (world.alone, world.primary):
        # What a session has left of XA belongs to nobody.
        _end_xa(node)
    world.replication.go_on()
    is_broken = False
    try:
        world.replication.catch_up()
    except ReplicationBroken as error:
        is_broken = True
        found = ("the replica does not follow, or was written", "", str(error))
    tags = {tag for step in session.steps for tag in step.tags}
    has_ddl = "ddl" in tags
    if "global" in tags:
        found = _globals(world) or found
    alone, primary, replica = (
        Data.of(n, has_ddl) for n in (world.alone, world.primary, world.replica)
    )
    if found is None and alone.difference(primary):
        found = ("data of the primary", "", alone.difference(primary))
    wanted, followed = primary.without_counters(), replica.without_counters()
    if found is None and wanted.difference(followed):
        found = ("data of the replica", "", wanted.difference(followed))
    if is_broken or wanted.difference(followed):
        world.splitter.empty()
        world.replication.rebuild(list(DATABASES))
        world.objects.make(world.primary)
        world.objects.restore(world.alone, alone)
        world.replication.catch_up()
        return found
    world.objects.restore(world.alone, alone)
    world.objects.restore(world.primary, primary)
    world.replication.catch_up()
    return found


def _end_xa(node: Node) -> None:
    until = time.monotonic() + _SECONDS
    while (found := node.rows("XA RECOVER")) and time.monotonic() < until:
        for row in found:
            # An error as long as the server has not seen that its connection ended.
            node.answer(f"XA ROLLBACK '{row[3]}'")
        time.sleep(0.01)


def _globals(world: World) -> Difference | None:
    """What SET GLOBAL has done: the same on the two that are written, and nothing on the replica."""
    alone, primary, replica = (
        n.global_values(GLOBALS) for n in (world.alone, world.primary, world.replica)
    )
    for node in (world.alone, world.primary, world.replica):
        for name, value in zip(GLOBALS, world.globals):
            node.run(f"SET GLOBAL {name} = {value}")
        if IS_MYSQL:
            node.run("RESET PERSIST")
    if alone != primary:
        return ("global variables of the primary", str(alone), str(primary))
    if replica != world.globals:
        return ("global variables of the replica", str(world.globals), str(replica))
    return None
