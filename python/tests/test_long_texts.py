"""What scripts do with a text takes time in proportion to its length, whatever the text: all clients wait meanwhile.

Each text is looked at by a process of its own, which the system ends after more processor time than any machine needs.
Where the time grew with the square of the length, these texts took minutes.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable

import pytest
from pyproxy import parser, tokenizer
from pyproxy.commands import parse
from pyproxy.hooks._fingerprint import fingerprint, without_comments
from pyproxy.hooks._routing import route
from pyproxy.hooks._sources import sources
from pyproxy.hooks._sql_text import statements
from pyproxy.testing import FakeServer, Session

# Seconds of processor time.
_ENOUGH = 20


def _tables(text: bytes) -> None:
    parser.get_tables(tokenizer.tokenize(text))


def _tables_of_text(text: bytes) -> None:
    parser.get_tables(text)


def _route(text: bytes) -> None:
    route(parse(b"\x03" + text))


def _proxy_command(text: bytes) -> None:
    with Session("pyproxy.hooks.histogram", server=FakeServer()) as session:
        session.query(text)


def _numbered(form: str, count: int) -> bytes:
    return "".join(form.format(number) for number in range(count)).encode()


def _run(look: Callable[[bytes], object], text: bytes) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_ENOUGH, _ENOUGH))
    look(text)


def _ends_well(look: Callable[[bytes], object], text: bytes) -> bool:
    process = multiprocessing.get_context("fork").Process(target=_run, args=(look, text))
    process.start()
    process.join()
    return process.exitcode == 0


_WORD = b"a" * 200
_PAIRS: list[tuple[str, Callable[[bytes], object], bytes]] = [
    ("string in double quotes", sources, b'SELECT "' + b"a" * 60_000 + b'"'),
    ("word", sources, b"SELECT 1 FROM t WHERE " + b"a" * 60_000 + b" = 1"),
    ("parse error", sources, b"select 1; " + b"a" * 60_000),
    ("open backtick", sources, b"select `" + b"a(" * 200_000),
    ("backticks", sources, b"select " + b"`" * 200_000),
    ("names", sources, b"select " + b"`a`," * 50_000),
    ("open parentheses", sources, b"select " + b"(" * 200_000),
    ("tables of a WITH", sources, b"with " + b"a as(" * 40_000),
    ("functions", sources, b"select " + b"a(" * 100_000),
    ("slashes", sources, b"select " + b"/*" * 100_000),
    ("blanks", sources, b"select" + b" " * 200_000 + b"a"),
    ("prepares", fingerprint, b"PREPARE a FROM ? USING " * 65_000),
    ("dollars", fingerprint, b"SELECT 1, $" + b"$a" * 200_000),
    ("comments", without_comments, b"/*!/*" * 100_000),
    ("lines behind #", statements, b"#\n" * 200_000),
    ("# in strings", statements, b"'" + b"#" * 200_000),
    ("words in pieces", _tables, b"SELECT 1 FROM " + (_WORD + b"$") * 50_000),
    ("dots", _tables_of_text, b"SELECT 1 FROM " + b"a." * 200_000),
    ("common tables", _tables, b"WITH " + _numbered("a{} AS (SELECT 1), ", 100_000)),
    ("targets of a DELETE", _tables, b"DELETE " + b"a," * 40_000 + b"a FROM " + b"a," * 40_000),
    ("pieces of a SET", _route, b"SET a=" + (_WORD + b"%") * 50_000),
    ("prepared statements", _route, _numbered("PREPARE a{} FROM 'x';", 100_000)),
    ("blanks of a command", _proxy_command, b"PROXY SHOW CONFIG" + b" " * 200_000 + b"x"),
]


@pytest.mark.parametrize(
    ("look", "text"), [pair[1:] for pair in _PAIRS], ids=[p[0] for p in _PAIRS]
)
def test_a_long_text_does_not_stop_the_proxy(look: Callable[[bytes], object], text: bytes) -> None:
    assert _ends_well(look, text)
