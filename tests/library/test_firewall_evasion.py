"""The firewall against a server: what passes because it looks like an allowed statement must not do more than that one.

A table has one row, which the allowed statements do not find. Random pieces are put into their literals. Whatever the
firewall lets through, in any sql_mode and character set, none may find the row.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/firewall.py"
# For each character set. The known attacks come up several times.
VARIANTS = 1500
CHARSETS = ("utf8mb4", "latin1", "gbk", "sjis", "big5")
PIECES = (
    b"' \" ` \\ '' \"\" \\' \\\" x 0 1. .5e1 e N' _utf8' x' b' 0x @ $$ ; { } / * + || ! -- # /* */ /*! /*M!"
).split(b" ")
PIECES += [b" ", b"\n", b"\r", b"\x00", b"\x0c", b"\xa0", b"\xbf", b" OR 1=1 ", b"AND 0"]
PIECES += [b"-- ", b"--\n", b"--\t", b"--\x0b", b"--\xa0"]
# What works if the firewall does not know of it, in one piece: by chance it would come up too rarely.
PIECES += [b"/*! OR 1=1 */", b"/*M! OR 1=1 */", b"\xbf\\' OR 1=1 -- ", b"'\"' OR 1=1 -- "]
ALLOWED = (
    (b"SELECT name FROM fenced WHERE name = 'z", b"'"),
    (b"SELECT name FROM fenced WHERE name = 'z' AND name = 'y", b"'"),
    (b"SELECT name FROM fenced WHERE name = ", b"'z'"),
    (b"SELECT name FROM fenced WHERE id = 5", b""),
    (b"SELECT name FROM fenced /*", b"*/ WHERE name = 'z'"),
)
LIST = """\
*\tSELECT name FROM fenced WHERE name = '?'
*\tSELECT name FROM fenced WHERE name = '?' AND name = '?'
*\tSELECT name FROM fenced WHERE id = ?
*\tSET AUTOCOMMIT = 1
"""


@pytest.mark.parametrize("mode", ["", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"])
def test_nothing_gets_through_that_finds_the_row(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, tmp_path: Path, mode: str
) -> None:
    mariadb.execute(
        "DROP TABLE IF EXISTS test.fenced",
        "CREATE TABLE test.fenced (id INT, name VARCHAR(20)) CHARSET utf8mb4",
        "INSERT INTO test.fenced VALUES (1, 'Ada')",
    )
    sets = [f"SET NAMES {charset}" for charset in CHARSETS] + [f"SET sql_mode = '{mode}'"]
    allow = tmp_path / "allow"
    allow.write_text(LIST + "".join(f"*\t{statement}\n" for statement in sets))
    setting = "ansi_quotes = on" if mode == "ANSI_QUOTES" else ""
    config = f"[firewall]\nmode = enforce\nallow_file = {allow}\n{setting}\n"
    proxy = start_proxy(SCRIPT, config=config)
    chance = random.Random(1)
    for charset in CHARSETS:
        with proxy.connect(database="test", charset="utf8mb4") as connection:
            connection.query(f"SET sql_mode = '{mode}'")
            connection.query(f"SET NAMES {charset}")
            passed = sum(passes_without_the_row(connection, chance) for _ in range(VARIANTS))
            assert passed > VARIANTS / 10, "the variants are too wild to show anything"


def passes_without_the_row(connection: pymysql.Connection, chance: random.Random) -> bool:
    """Whether the firewall let a random variant through, which then must not find the row."""
    before, behind = chance.choice(ALLOWED)
    pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 6))]
    statement = before + b"".join(pieces) + behind
    try:
        connection.query(statement)
    except pymysql.MySQLError as error:
        return error.args[0] != 1227
    result = connection._result
    assert result is not None and not result.rows, statement
    return True
