"""Several statements in one command, also with an error in the middle."""

from __future__ import annotations

from ..maker import Kind, Maker
from ..steps import Step
from . import reads, settings, writes

__all__ = ["KINDS"]

# One of them, and the effect that it has.
_PARTS = (
    ("BEGIN", "begin"),
    ("COMMIT", "end"),
    ("ROLLBACK", "end"),
    ("SET @u1 = 31", ""),
    ("SELECT LAST_INSERT_ID()", ""),
    ("SELECT ROW_COUNT()", ""),
    ("USE o2", ""),
    ("USE o1", ""),
    ("SET ROLE r1", ""),
    ("CREATE TEMPORARY TABLE IF NOT EXISTS o1.temp1 (a INT)", ""),
    ("SELECT GET_LOCK('lock_b', 0)", ""),
    ("CALL o1.p_select(2)", ""),
    ("SELECT CAST('x' AS SIGNED)", ""),
    ("SHOW WARNINGS", ""),
    ("SELECT no_such", ""),
    ("INSERT INTO o1.t2 (k, v) VALUES (1, 'twice')", ""),
)


def _several(make: Maker) -> Step:
    texts, tables, effects = [], set(), []
    for _ in range(make.number(2, 4)):
        way = make.number(1, 10)
        if way <= 3:
            sql, read = reads.plain(make)
            tables.update(read.split())
        elif way <= 6:
            sql, written = writes.plain(make)
            tables.update(written.split())
        elif way <= 7:
            sql = settings.simple(make)
        else:
            sql, effect = make.choose.choice(_PARTS)
            effects.append(effect)
        texts.append(sql)
    # If one fails, those behind it do not run: a transaction that one began may be open, whatever the text says.
    effect = "begin" if "begin" in effects else ""
    text = make.one_of("; ", ";", " ;\n").join(texts)
    return make.query(text, writes=frozenset(tables) | {"o1.log"}, effect=effect)


KINDS = (Kind("several statements", 5, _several),)
