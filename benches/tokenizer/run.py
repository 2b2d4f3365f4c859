"""Throughput of `pyproxy.tokenizer`, and of an original mysql-proxy's tokenizer in Lua.

    python benches/tokenizer/run.py [--lua-dir DIR/lib/mysql-proxy/lua]

The Python that runs it needs the installed package (`pip install ./python`). With `--lua-dir`, the
folder that has `proxy/tokenizer.lua` and `mysql.so`, the same queries go through the original too,
in a Lua 5.1 interpreter, and the table shows how many times faster pyproxy is. Libraries beside it
are found in the folder above (`--library-dir`).

Numbers are MB/s (10^6 bytes) of CPU time, the best of several rounds. Tasks: `tokenize` keeps the
tokens and looks at none; `visit` reads text and id of every token; `normalize` makes the normalized
text of a query.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

from pyproxy.tokenizer import normalize, tokenize
from queries import KINDS

DRIVER = Path(__file__).with_name("original.lua")
# Bytes that go through the tokenizer between two looks at the clock, at least.
PASS = 100_000


def visit(sql: bytes) -> None:
    """Reads what most scripts read of every token."""
    for token in tokenize(sql):
        _ = token.text, token.token_id


TASKS: dict[str, Callable[[bytes], object]] = {
    "tokenize": tokenize,
    "visit": visit,
    "normalize": normalize,
}


def measure(
    queries: list[bytes], work: Callable[[bytes], object], options: argparse.Namespace
) -> float:
    """MB/s of one task."""
    size = sum(map(len, queries))
    best = 0.0
    for _ in range(options.rounds):
        done, start, spent = 0, time.process_time(), 0.0
        while spent < options.seconds:
            for sql in queries:
                work(sql)
            done += size
            spent = time.process_time() - start
        best = max(best, done / spent / 1e6)
    return best


def original(queries: list[bytes], options: argparse.Namespace) -> dict[str, float]:
    """MB/s of every task in Lua."""
    folder = options.lua_dir
    environment = {
        **os.environ,
        "LUA_PATH": f"{folder}/?.lua",
        "LUA_CPATH": f"{folder}/?.so",
        "LD_LIBRARY_PATH": str(options.library_dir or folder.parent.parent),
    }
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(sql + b"\n" for sql in queries))
        file.flush()
        command = [options.lua, DRIVER, file.name, str(options.rounds), str(options.seconds)]
        output = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    return {name: float(rate) for name, rate in map(str.split, output.splitlines())}


def main() -> None:
    """Prints a table: a line per kind of query and task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lua-dir", type=Path, help="folder with proxy/tokenizer.lua and mysql.so")
    parser.add_argument("--library-dir", type=Path, help="folder with libmysql-proxy.so")
    parser.add_argument("--lua", default="lua5.1", help="Lua 5.1 interpreter (default: lua5.1)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU time of a round")
    options = parser.parse_args()

    print(f"Python {sys.version.split()[0]}, MB/s")
    print(f"{'':<28}{'task':<12}{'pyproxy':>10}{'original':>10}{'ratio':>8}")
    for kind, texts in KINDS.items():
        queries = [sql.encode() for sql in texts]
        # Between two looks at the clock there is work enough that these do not count.
        queries *= 1 + PASS // sum(map(len, queries))
        lua = original(queries, options) if options.lua_dir else {}
        for name, work in TASKS.items():
            rate = measure(queries, work, options)
            line = f"{kind:<28}{name:<12}{rate:>10.1f}"
            if name in lua:
                line += f"{lua[name]:>10.1f}{rate / lua[name]:>8.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
