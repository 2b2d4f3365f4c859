"""User variables, in the ways in which they are set and read."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]


def _set(make: Maker) -> Step:
    sql = make.one_of(
        "SET @u1 = {n}",
        "SET @u2 := 'text'",
        "SET @u1 = (SELECT MAX(a) FROM o1.t1)",
        "SET @u1 = @u1 + 1, @u2 = NULL",
        "SELECT @u1 := {n}",
        "SELECT @u1 := a FROM o1.t1 WHERE id = 2",
        "SELECT a INTO @u1 FROM o1.t1 WHERE id = {n}",
        "SELECT a, b INTO @u1, @u2 FROM o1.t1 WHERE id = 1",
        "SELECT id FROM o1.t1 LIMIT 1 INTO @u2",
        "DO @u1 := {n}",
        "SET @`u2` = _latin1 'x', @'u1' = 1.50",
        "SELECT COUNT(*) FROM o1.t1 WHERE (@u2 := id) > 0",
    )
    return make.query(sql.format(n=make.number(1, 6)), reads="o1.t1")


def _read(make: Maker) -> Step:
    sql, writes = make.one_of(
        ("SELECT @u1, @u2", ""),
        ("SELECT @u1 IS NULL, @never_set", ""),
        ("SELECT a FROM o1.t1 WHERE id = @u1", ""),
        ("UPDATE o1.t1 SET a = @u1 WHERE id = 3", "o1.t1"),
        ("INSERT INTO o1.log (what) VALUES (@u2)", "o1.log"),
        ("SELECT @trigger_saw, @function_saw, @procedure_saw, @out", ""),
        ("SELECT @u1 + 1 AS next, CHARSET(@u2), COLLATION(@u2)", ""),
    )
    return make.query(sql, writes=writes, reads="o1.t1")


def _load(make: Maker) -> Burst:
    load = (
        "LOAD DATA LOCAL INFILE 'three.txt' INTO TABLE o1.t1 (@id, @what)"
        " SET id = @id + 50, b = @what"
    )
    return make.burst(make.query(load, writes="o1.t1"), make.query("SELECT @id, @what"))


KINDS = (
    Kind("user variable is set", 4, _set),
    Kind("user variable is read", 4, _read),
    Kind("LOAD DATA into variables", 0.6, _load),
)
