"""sysbench through the proxy before a primary and its replica: how many transactions a second, and what each costs the proxy.

The ways of going there take turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.library.support.mariadb import PASSWORD, USER
from tests.oracle.servers.node import Node
from tests.oracle.servers.replication import Replication

from .ways import Direct, LuaScript, Script, Way

_TABLE_SIZE = 10_000
_MODES = {"in transactions": [], "each by itself": ["--skip-trx=on"]}
_HOOKS = Path(__file__).parents[2] / "python/pyproxy/hooks"


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh --splitting")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run (%(default)s)")
    parser.add_argument("--threads", type=int, default=8, help="clients (%(default)s)")
    parser.add_argument(
        "--lua", type=Path, metavar="PATH", help="a script of the Lua plugin, to compare with"
    )
    parser.add_argument(
        "--prepared",
        action="store_true",
        help="sysbench uses prepared statements, as it does by default; Lua scripts mix them up",
    )
    given = parser.parse_args()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pyproxy-splitting-", dir=memory) as folder:
        _run(Path(folder), given)


def _run(folder: Path, given: argparse.Namespace) -> None:
    primary, replica = Node(folder / "primary", 1, "B"), Node(folder / "replica", 2, "C")
    replication = Replication(primary, replica)
    primary.run("CREATE DATABASE sbtest")
    _sysbench(primary.port, given.threads, "prepare")
    replication.catch_up()
    ways: list[Way] = [
        Direct(primary),
        Script("pyproxy, no script", folder, primary, replica, None),
        Script("rw_splitting", folder, primary, replica, _HOOKS / "rw_splitting.py"),
        Script("read_your_writes", folder, primary, replica, _HOOKS / "read_your_writes.py"),
    ]
    if given.lua and not given.prepared:
        ways.append(LuaScript(folder, primary, replica, given.lua))
    try:
        texts = [] if given.prepared else ["--db-ps-mode=disable"]
        for mode, options in _MODES.items():
            print(f"oltp_read_write, {mode}, {given.threads} clients: medians of {given.rounds}")
            _measure(ways, replica, given, options + texts)
    finally:
        for way in ways:
            way.stop()
        primary.stop()
        replica.stop()


def _measure(ways: list[Way], replica: Node, given: argparse.Namespace, options: list[str]) -> None:
    rates, costs, shares = defaultdict(list), defaultdict(list), defaultdict(list)
    for _ in range(given.rounds):
        for way in ways:
            way.begin()
            reads, seconds = _reads(replica), way.processor_seconds()
            count, rate = _sysbench(
                way.port, given.threads, "run", f"--time={given.seconds}", *options
            )
            rates[way.name].append(rate)
            costs[way.name].append((way.processor_seconds() - seconds) / count * 1e6)
            shares[way.name].append((_reads(replica) - reads) / count)
    for way in ways:
        rate, cost, share = (statistics.median(each[way.name]) for each in (rates, costs, shares))
        print(
            f"  {way.name:20} {rate:7.0f} transactions/s {cost:7.0f} us of the proxy each"
            f" {share:5.1f} SELECTs of each on the replica"
        )


def _reads(node: Node) -> int:
    return int(node.named("SHOW GLOBAL STATUS LIKE 'Com_select'")["Value"] or 0)


def _sysbench(port: int, threads: int, command: str, *options: str) -> tuple[int, float]:
    """How many transactions there were, and how many a second."""
    done = subprocess.run(
        ["sysbench", "oltp_read_write", "--mysql-host=127.0.0.1", f"--mysql-port={port}"]
        + [f"--mysql-user={USER}", f"--mysql-password={PASSWORD}", "--db-driver=mysql"]
        # Without transactions two clients insert the same row now and then.
        + ["--mysql-ignore-errors=1062,1213,1020,1205", f"--table-size={_TABLE_SIZE}"]
        + [f"--threads={threads}", *options, command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"port {port}: {done.stdout}")
    found = re.search(r"transactions: +(\d+) +\(([\d.]+) per sec", done.stdout)
    return (int(found[1]), float(found[2])) if found else (0, 0.0)


if __name__ == "__main__":
    main()
