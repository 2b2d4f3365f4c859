"""`python -m tests.scaling`, from the root of the repository: docs/scaling.md."""

from __future__ import annotations

import argparse
import sys

from tests.library.support.folders import private_folder

from .run import Run


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.scaling",
        description="Kills, drains, adds and takes over proxies behind HAProxy under load, and looks whether anything is lost.",
    )
    add = parser.add_argument
    add(
        "--works",
        type=int,
        default=100,
        metavar="N",
        help="what each client does between two events (%(default)s)",
    )
    add("--clerks", type=int, default=8, metavar="N", help="clients that book (%(default)s)")
    add("--keep", metavar="DIR", help="where data and logs are, and stay")
    return parser.parse_args()


def main() -> int:
    """Runs it; 0 if everything holds."""
    given = arguments()
    with private_folder("scaling", given.keep) as folder:
        return Run(folder, given.works, given.clerks).run()


if __name__ == "__main__":
    sys.exit(main())
