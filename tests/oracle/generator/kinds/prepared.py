"""Prepared statements of the binary protocol, with cursors and long data."""

from __future__ import annotations

from typing import Any

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]

# Text, kinds of parameters (i number, s text, d decimal fraction), tables that are written, tables that are read.
_TEXTS = (
    ("SELECT id, a, b FROM o1.t1 WHERE id = ?", "i", "", "o1.t1"),
    ("SELECT id, a, b FROM o1.t1 ORDER BY id", "", "", "o1.t1"),
    ("SELECT k, v, n, d FROM o1.t2 WHERE v > ? ORDER BY k", "s", "", "o1.t2"),
    ("SELECT id, b FROM t1 ORDER BY id", "", "", "o1.t1 o2.t1"),
    ("SELECT ?, ? + 1", "sd", "", ""),
    ("SELECT 1 / 7, CHARSET('x')", "", "", ""),
    ("SELECT LAST_INSERT_ID()", "", "", ""),
    ("SELECT FOUND_ROWS(), ROW_COUNT()", "", "", ""),
    ("SELECT @u1, @u2", "", "", ""),
    ("SELECT CAST('x' AS SIGNED)", "", "", ""),
    ("SELECT o1.f_write(?)", "i", "o1.log", ""),
    ("SELECT a FROM o1.t1 WHERE id = ? FOR UPDATE", "i", "o1.t1", ""),
    ("INSERT INTO o1.t1 (a, b) VALUES (?, ?)", "is", "o1.t1", ""),
    ("INSERT INTO o1.t3 (a) VALUES (?)", "i", "o1.t3 o1.log", ""),
    ("INSERT INTO o1.t2 (k, v) VALUES (?, ?)", "is", "o1.t2", ""),
    ("UPDATE o1.t1 SET a = ? WHERE id = ?", "ii", "o1.t1", ""),
    ("DELETE FROM o1.t1 WHERE id = ?", "i", "o1.t1", ""),
    ("SET div_precision_increment = 5", "", "", ""),
    ("SET @u1 = ?", "s", "", ""),
    ("CREATE TEMPORARY TABLE o1.temp1 (a INT)", "", "", ""),
    ("CALL o1.p_select(?)", "i", "", "o1.t1"),
    ("CALL o1.p_out(?, ?)", "ii", "", ""),
    ("SELECT GET_LOCK('lock_a', 0)", "", "", ""),
    ("SHOW WARNINGS", "", "", ""),
    ("DO LAST_INSERT_ID(?)", "i", "", ""),
    ("COMMIT", "", "", ""),
)
_WRONG = (
    "SELECT no_such FROM o1.t1",
    "SELECT * FROM o1.missing WHERE id = ?",
    "SELEC ?",
    "SELECT 1; SELECT 2",
)


def _values(make: Maker, kinds: str) -> tuple[Any, ...]:
    def value(kind: str) -> Any:
        if make.chance(0.08):
            return None
        if kind == "i":
            return make.number(1, 6)
        return (
            make.number() / 4
            if kind == "d"
            else make.one_of("x", "text", "é", "much too long a text")
        )

    return tuple(value(kind) for kind in kinds)


def _execute(make: Maker, name: str, text: tuple[str, str, str, str], cursor: bool = False) -> Step:
    effect = f"cursor:{name}" if cursor else f"no cursor:{name}"
    if text[0] == "COMMIT":
        effect = "end"
    values = _values(make, text[1])
    return make.step(
        "execute", name, values, cursor, kind="", writes=text[2], reads=text[3], effect=effect
    )


def _has_cursor(make: Maker, name: str, text: str) -> bool:
    """MySQL 9.7 answers an execution without cursor, behind one with, by rows that have no end: there it is one or the other."""
    if not text.startswith("SELECT id"):
        return False
    if not make.dialect.is_mysql:
        return make.chance(0.35)
    if name not in make.client.with_cursor:
        make.client.with_cursor[name] = make.chance(0.35)
    return make.client.with_cursor[name]


def _is_always_with_cursor(make: Maker, name: str) -> bool:
    return make.dialect.is_mysql and make.client.with_cursor.get(name, False)


def _fetches(make: Maker, name: str) -> list[Step]:
    return [make.step("fetch", name, make.one_of(1, 2, 100)) for _ in range(make.number(1, 3))]


def _life(make: Maker) -> Burst:
    """From PREPARE to CLOSE, mostly."""
    name = make.name("p")
    text = make.choose.choice(_TEXTS)
    make.client.prepared[name] = text
    steps = [make.step("prepare", name, text[0])]
    for _ in range(make.number(1, 3)):
        cursor = _has_cursor(make, name, text[0])
        if "s" in text[1] and make.chance(0.15):
            steps.append(make.step("long_data", name, text[1].index("s"), "long "))
            steps.append(make.step("long_data", name, text[1].index("s"), "data"))
        steps.append(_execute(make, name, text, cursor))
        if cursor:
            steps += _fetches(make, name)
        if make.chance(0.1):
            steps.append(make.step("reset_statement", name, effect=f"no cursor:{name}"))
    if make.chance(0.7):
        steps.append(make.step("close", name, effect=f"close:{name}"))
    return make.burst(*steps)


def _again(make: Maker) -> Burst | None:
    """An execution of a statement that was prepared long ago."""
    if not make.client.prepared:
        return None
    name = make.choose.choice(sorted(make.client.prepared))
    text = make.client.prepared[name]
    steps = [_execute(make, name, text, _is_always_with_cursor(make, name))]
    if make.chance(0.2):
        steps.append(make.step("close", name, effect=f"close:{name}"))
    return make.burst(*steps)


def _last(make: Maker) -> Burst | None:
    """MariaDB executes the statement that was prepared last under this number."""
    if make.dialect.is_mysql:
        return None
    name = make.name("p")
    make.client.prepared[name] = text = _TEXTS[1]
    return make.burst(
        make.step("prepare", name, text[0]), make.step("execute_number", 0xFFFFFFFF, reads="o1.t1")
    )


def _wrong(make: Maker) -> Burst:
    name = make.name("p")
    steps = [make.step("prepare", name, make.choose.choice(_WRONG))]
    if make.chance(0.3):
        # There is no such statement.
        steps.append(make.step("execute_number", 4711))
    return make.burst(*steps)


KINDS = (
    Kind("prepared statement", 7, _life),
    Kind("prepared statement again", 4, _again),
    Kind("prepared statement that is the last", 0.4, _last),
    Kind("prepared statement that fails", 0.8, _wrong),
)
