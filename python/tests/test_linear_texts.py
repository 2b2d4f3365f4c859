"""What looks at SQL text takes steps in proportion to the text's length: counted, not timed.

A step is a bytecode instruction of the library. The lexers of `pyproxy._native` give tokens, which are counted, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from pyproxy import auto_config, parser, tokenizer
from pyproxy._native import lex
from pyproxy._pooling import routing
from pyproxy._sql import fingerprint, sources, text
from pyproxy.commands import parse
from pyproxy.testing import Ok, Session

DOUBLINGS = 4

# A piece, and how often it is there at first.
TEXTS = {
    "rows": ("INSERT INTO t VALUES ", "(1, 'a', 0x41, NULL), "),
    "numbers": ("SELECT 1 FROM t WHERE a IN (", "1, "),
    "tables": ("SELECT a FROM ", "db.t AS x, "),
    "joins": ("SELECT a FROM t ", "JOIN u USING (a) "),
    "parentheses": ("SELECT ", "("),
    "derived tables": ("SELECT a FROM ", "(SELECT a FROM "),
    "common tables": ("WITH ", "c AS (SELECT 1), "),
    "names": ("SELECT ", "`a`.`b`, "),
    "functions": ("SELECT ", "f("),
    "unions": ("SELECT a FROM t ", "UNION SELECT a FROM t "),
    "statements": ("", "SELECT 1; "),
    "settings": ("SET ", "@a = 1, b = 2, GLOBAL c = 3, "),
    "modes": ("SET ", "sql_mode = '', "),
    "variables": ("SELECT ", "@@session.a, @b, "),
    "comments": ("SELECT 1 ", "/* a */ "),
    "versioned comments": ("SELECT 1 ", "/*!50000 a */ "),
    "open comments": ("SELECT 1 ", "/*! "),
    "hints": ("SELECT ", "/*+ a */ "),
    "quotes": ("SELECT ", "'a' \"b\" "),
    "backslashes": ("SELECT '", "\\\\'"),
    "letters": ("SELECT '", "\u00e9\\\\"),
    "labels": ("", "a: "),
    "prepares": ("", "PREPARE s FROM @a; "),
    "deletes": ("DELETE ", "a, "),
    "blanks": ("XTAB", " "),
    "words": ("XTAB ", "a.b "),
    "options": ("PROXY SET GLOBAL a.b = ", "'a' "),
}

SCANNERS: dict[str, Callable[[str], object]] = {
    "fingerprint": lambda sql: fingerprint._compute(sql.encode(), fingerprint.DEFAULT_QUOTING),
    "ansi fingerprint": lambda sql: fingerprint._compute(
        sql.encode(), fingerprint.Quoting(ansi_quotes=True, safe_charset=True)
    ),
    "without_comments": lambda sql: fingerprint.without_comments(sql.encode()),
    "routing": lambda sql: routing._of_statements(sql),
    "masking": lambda sql: sources.sources(sql.encode()),
    "parser": lambda sql: parser.get_tables(sql),
    "parser of tokens": lambda sql: parser.get_tables(tokenizer.tokenize(sql)),
    "normalize": lambda sql: tokenizer.normalize(sql),
    "statements": lambda sql: text.statements(sql),
    "commands": lambda sql: parse("\x03" + sql),
    # Is put here when the script is loaded.
    "xtab": lambda sql: None,
    "auto_config": lambda sql: auto_config._COMMAND.fullmatch(sql),
}


def steps(look: Callable[[str], object], sql: str) -> int:
    """How many instructions of the library run."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += 1
        return trace

    sys.settrace(trace)
    try:
        look(sql)
    finally:
        sys.settrace(None)
    return count


def lengths(of: tuple[str, str]) -> list[str]:
    start, piece = of
    return [start + piece * (32 << doubling) for doubling in range(DOUBLINGS + 1)]


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What is made at first use is made."""
    with Session("pyproxy.hooks.xtab") as session:
        SCANNERS["xtab"] = session.script._words
        for look in SCANNERS.values():
            look("SELECT 1")


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("scanner", SCANNERS)
def test_steps_grow_as_the_text_does(scanner: str, kind: str) -> None:
    look = SCANNERS[scanner]
    # Since Python 3.12 the first run of a function under a tracer shows only some of its instructions.
    start, piece = TEXTS[kind]
    steps(look, start + piece * 31)
    counts = [steps(look, sql) for sql in lengths(TEXTS[kind])]
    for one, other in zip(counts, counts[1:]):
        assert other <= 2.1 * one + 50, counts


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("look", [lex, tokenizer.tokenize])
def test_tokens_grow_as_the_text_does(look: Callable[[str], Any], kind: str) -> None:
    counts = [len(look(sql)) for sql in lengths(TEXTS[kind])]
    for one, other in zip(counts, counts[1:]):
        assert other <= 2.1 * one + 50, counts


@pytest.mark.parametrize(
    ("script", "question"),
    [
        ("histogram", "SELECT * FROM histogram.queries"),
        ("analyze_query", "SELECT * FROM histogram.queries"),
    ],
)
def test_what_is_too_long_is_counted_and_not_looked_at(script: str, question: str) -> None:
    config = f"[{script}]\nmax_statement_bytes = 100\n"
    with Session(f"pyproxy.hooks.{script}", script_config=config) as session:
        session.server.on("SELECT 1", Ok())
        session.query("SELECT 1")
        for number in range(2):
            session.query(f"SELECT {number} /* {'a' * 100} */")
        rows = session.query(question).rows
        assert rows is not None
        assert "(longer than max_statement_bytes)" in repr(rows)
        assert len(rows) == 2


@pytest.mark.parametrize("sql", ["XTAB HELP" + " " * 10_000, "PROXY SHOW CONFIG" + " " * 70_000])
def test_a_command_that_is_too_long_is_the_servers(sql: str) -> None:
    script = "xtab" if sql.startswith("XTAB") else "histogram"
    with Session(f"pyproxy.hooks.{script}") as session:
        session.query(sql)
        assert [query.text for query in session.server_queries] == [sql]
