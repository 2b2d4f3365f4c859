"""`python -m tests.oracle`, from the root of the repository: see README.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / "python/pyproxy/hooks"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.oracle",
        description="Runs random sessions directly on a server and through the splitter, and compares all answers.",
    )
    add = parser.add_argument
    add("--server", metavar="DIR", help="as scripts/servers.sh made it; else the system's MariaDB")
    add(
        "--sessions",
        type=int,
        default=100,
        metavar="N",
        help="how many, without faults (%(default)s)",
    )
    add(
        "--faults",
        type=int,
        default=0,
        metavar="N",
        help="how many more, with faults (%(default)s)",
    )
    add(
        "--fault-kinds",
        type=names,
        default="kill,ddl,restart,down",
        metavar="LIST",
        help="%(default)s",
    )
    add(
        "--causal",
        action="store_true",
        help="the replica may lag: clients must read what they wrote; with the fault lag",
    )
    add(
        "--without",
        type=names,
        default="",
        metavar="LIST",
        help="kinds of statements to leave out; no database",
    )
    add("--seconds", type=float, metavar="N", help="go on so long, whatever the number of sessions")
    add("--seed", default="1", help="sessions of another seed are others (%(default)s)")
    add(
        "--part",
        type=part,
        default=(0, 1),
        metavar="K/N",
        help="the K-th of N parts of the sessions, so that several processes share them",
    )
    add("--only-seed", metavar="SEED", help="this session only, as a finding names it")
    add(
        "--steps",
        type=int,
        default=50,
        metavar="N",
        help="the most steps of a session (%(default)s)",
    )
    add(
        "--script",
        default="rw_splitting",
        help="a ready-made script, a path, or none (%(default)s)",
    )
    add("--host", metavar="PATH", help="a mysql-proxy, as PYPROXY_HOST")
    add(
        "--shrink",
        type=int,
        default=2,
        metavar="N",
        help="findings of one kind to shrink (%(default)s)",
    )
    add("--most-findings", type=int, default=0, metavar="N", help="stop after so many; 0: never")
    add("--report", type=Path, metavar="FILE", help="write findings and figures there, too")
    add("--trace", action="store_true", help="print every step with its answers")
    add(
        "--proxy-options",
        type=items,
        default="",
        metavar="LIST",
        help="options of the proxy: name=value,...",
    )
    add(
        "--settings",
        type=items,
        default="",
        metavar="LIST",
        help="settings of the script: name=value,...",
    )
    add("--keep", metavar="DIR", help="where data and logs are, and stay")
    return parser.parse_args()


def part(text: str) -> tuple[int, int]:
    """A part, counted from 0, and of how many."""
    number, _, of = text.partition("/")
    if not 1 <= int(number) <= int(of):
        raise ValueError(text)
    return int(number) - 1, int(of)


def names(text: str) -> frozenset[str]:
    """The names of a list with commas."""
    return frozenset(text.split(",")) - {""}


def items(text: str) -> tuple[str, ...]:
    """The parts of a list with commas."""
    return tuple(part for part in text.split(",") if part)


def main() -> int:
    """Runs it; 0 if there was no difference."""
    given = vars(arguments())
    server, host, keep = (given.pop(name) for name in ("server", "host", "keep"))
    if server:
        # Read when the modules are imported.
        os.environ["PYPROXY_TEST_SERVER"] = str(Path(server).resolve(strict=True))
    if host:
        os.environ["PYPROXY_HOST"] = str(Path(host).resolve(strict=True))
    from tests.library.support.folders import private_folder

    from .runner import Options, Runner

    if given["causal"]:
        given["fault_kinds"] |= {"lag"}
    given["script"] = script(given["script"])
    with private_folder("oracle", keep) as folder:
        return Runner(Options(**given), folder).run()


def script(name: str) -> Path | None:
    """The file of a script."""
    if name == "none":
        return None
    return Path(name).resolve(strict=True) if "/" in name else HOOKS / f"{name}.py"


if __name__ == "__main__":
    sys.exit(main())
