"""Queries that look like reads and are none: functions that write, sequences, SQL_CALC_FOUND_ROWS."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]

_WRITING = (
    "SELECT o1.f_write({n})",
    "SELECT id, o1.f_write(id) FROM o1.t3 WHERE id < 3 ORDER BY id",
    "SELECT id, w FROM o1.v_write ORDER BY id",
    "SELECT * FROM o1.v_write",
    "SELECT id FROM o1.t3 WHERE o1.f_write(id) > 3 ORDER BY id",
    "SELECT COUNT(*) FROM (SELECT w FROM o1.v_write) AS d",
    "SELECT IF(id = 2, o1.f_write(id), 0) FROM o1.t3 ORDER BY id",
    "DO o1.f_write({n})",
)
_OTHER = (
    "SELECT o1.f_read({n})",
    "SELECT o1.f_pure({n})",
    "SELECT o1.f_pure ({n}), o2.f_pure({n})",
    "SELECT o1.f_variable({n})",
    "SELECT o1.f_temporary({n})",
    "SELECT SLEEP(0)",
    "SELECT BENCHMARK(1, 1)",
)


# In the eyes of who reads them in another character set or mode, or skips what looks like a comment, these only read.
_DISGUISED = (
    ("SET NAMES gbk", "SELECT '\udcbf\\', o1.f_write({n}) -- '", "SET NAMES utf8mb4"),
    ("SET NAMES sjis", "SELECT '\udc95\\', o1.f_write({n}) -- '", "SET NAMES utf8mb4"),
    (
        "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
        "SELECT 'x\\', o1.f_write({n}) -- '",
        "SET sql_mode = ''",
    ),
    ("SET sql_mode = 'ANSI_QUOTES'", 'SELECT o1."f_write"({n})', "SET sql_mode = DEFAULT"),
    ("SET sql_mode = 'IGNORE_SPACE'", "SELECT o1.f_write ({n})", "SET sql_mode = ''"),
    ("DO 0", "SELECT `o1`.`f_write`({n})", "DO 0"),
    ("DO 0", "SELECT /*!50000 o1.f_write({n}) */", "DO 0"),
    ("DO 0", "SELECT 1 /*!, o1.f_write({n}) */", "DO 0"),
    ("DO 0", "SELECT 1 /*!99999 FROM */, o1.f_write({n})", "DO 0"),
    ("DO 0", "SELECT o1 . f_write /**/ ({n})", "DO 0"),
    ("USE o1", "SELECT f_write({n}), CAST(f_write(1) AS CHAR)", "DO 0"),
    ("DO 0", "WITH w AS (SELECT o1.f_write({n}) AS x) SELECT x FROM w", "DO 0"),
    ("DO 0", "SELECT (SELECT o1.f_write({n}) FROM o1.t3 LIMIT 1)", "DO 0"),
    ("DO 0", "SELECT id FROM o1.t3 ORDER BY o1.f_write(id)", "DO 0"),
)


def _disguised(make: Maker) -> Burst:
    before, sql, after = make.choose.choice(_DISGUISED)
    text = make.step("query", sql.format(n=make.number()), writes="o1.log o1.t3")
    steps = [make.query(before)] if before != "DO 0" else []
    steps.append(text)
    if after != "DO 0" and make.chance(0.7):
        steps.append(make.query(after))
    return make.burst(*steps)


def _explain(make: Maker) -> Step:
    """What the optimizer reckons is not compared. MariaDB's ANALYZE does what it explains."""
    words = ["EXPLAIN"] if make.dialect.is_mysql else ["EXPLAIN", "ANALYZE"]
    sql, writes = make.one_of(
        ("SELECT id FROM o1.t1 WHERE id = 2", ""),
        ("UPDATE o1.t1 SET a = a + 1 WHERE id = 2", "o1.t1"),
        ("SELECT (SELECT o1.f_write(3))", "o1.log"),
        ("INSERT INTO o1.log (what) VALUES ('explained')", "o1.log"),
    )
    return make.query(f"{make.choose.choice(words)} {sql}", writes=writes)


def _writing(make: Maker) -> Burst:
    steps = [
        make.query(make.choose.choice(_WRITING).format(n=make.number()), writes="o1.log o1.t3")
    ]
    if make.chance(0.4):
        after = make.one_of(
            "SELECT LAST_INSERT_ID()", "SELECT COUNT(*) FROM o1.log", "SELECT ROW_COUNT()"
        )
        steps.append(make.query(after, reads="o1.log"))
    return make.burst(*steps)


def _other(make: Maker) -> Burst:
    sql = make.choose.choice(_OTHER).format(n=make.number())
    steps = [make.query(sql, reads="o1.t1")]
    if "f_variable" in sql:
        steps.append(make.query("SELECT @function_saw"))
    if "f_temporary" in sql:
        steps.append(make.query("SELECT * FROM o1.of_function"))
    return make.burst(*steps)


def _sequence(make: Maker) -> Burst | None:
    if make.dialect.is_mysql:
        return None
    draws = make.one_of(
        "SELECT NEXTVAL(o1.s1)",
        "SELECT NEXT VALUE FOR o1.s1",
        "INSERT INTO o1.t1 (a) VALUES (NEXTVAL(o1.s1))",
        "SELECT NEXTVAL(o1.s1), id FROM o1.t3 ORDER BY id",
    )
    asks = make.one_of("SELECT LASTVAL(o1.s1)", "SELECT PREVIOUS VALUE FOR o1.s1")
    steps = [make.query(draws, writes="o1.s1 o1.t1")] if make.chance(0.85) else []
    return make.burst(*steps, make.query(asks))


def _set_sequence(make: Maker) -> Step | None:
    if make.dialect.is_mysql:
        return None
    return make.query(f"SELECT SETVAL(o1.s1, {make.number(20, 90)})", writes="o1.s1")


def _found_rows(make: Maker) -> Burst:
    sql = make.one_of(
        "SELECT SQL_CALC_FOUND_ROWS id FROM o1.t1 ORDER BY id LIMIT 2",
        "SELECT SQL_CALC_FOUND_ROWS k FROM o1.t2 WHERE k > 1 LIMIT 1",
        "SELECT id FROM o1.t1 ORDER BY id LIMIT 3",
    )
    return make.burst(make.query(sql, reads="o1.t1 o1.t2"), make.query("SELECT FOUND_ROWS()"))


def _row_count(make: Maker) -> Burst:
    sql, writes = make.one_of(
        ("UPDATE o1.t1 SET a = 5 WHERE id < 4", "o1.t1"),
        ("DELETE FROM o1.t1 WHERE id > 4", "o1.t1"),
        ("INSERT INTO o1.log (what) VALUES ('a'), ('b')", "o1.log"),
        ("SELECT id FROM o1.t1", ""),
        ("INSERT INTO o1.t2 (k, v) VALUES (1, 'twice')", "o1.t2"),
    )
    return make.burst(
        make.query(sql, writes=writes, reads="o1.t1"), make.query("SELECT ROW_COUNT()")
    )


KINDS = (
    Kind("function that writes", 4, _writing),
    Kind("function that writes, in disguise", 1.5, _disguised),
    Kind("EXPLAIN", 0.7, _explain),
    Kind("function", 3, _other),
    Kind("sequence", 1.5, _sequence),
    Kind("SETVAL", 0.3, _set_sequence),
    Kind("FOUND_ROWS", 2.5, _found_rows),
    Kind("ROW_COUNT", 2, _row_count),
)
