"""Queries that only read: what a replica may answer, and what looks like it."""

from __future__ import annotations

from ..maker import Kind, Maker
from ..steps import Step

__all__ = ["KINDS", "plain"]

_PLAIN = (
    ("SELECT id, a, b FROM o1.t1 ORDER BY id", "o1.t1"),
    ("SELECT a FROM o1.t1 WHERE id = {n}", "o1.t1"),
    ("SELECT COUNT(*), SUM(a), MAX(b) FROM o1.t1", "o1.t1"),
    ("SELECT b, a FROM o1.t1 WHERE a BETWEEN {n} AND 40 ORDER BY a, id", "o1.t1"),
    ("SELECT * FROM o1.t2 ORDER BY k", "o1.t2"),
    ("SELECT v FROM o1.t2 WHERE k IN (1, {n}, 3) ORDER BY k LIMIT 2", "o1.t2"),
    ("SELECT t1.id, t2.v FROM o1.t1 STRAIGHT_JOIN o1.t2 ON t2.k = t1.id ORDER BY 1", "o1.t1 o1.t2"),
    ("SELECT id FROM o1.t1 WHERE id < 3 UNION SELECT k FROM o1.t2 ORDER BY 1", "o1.t1 o1.t2"),
    ("(SELECT id FROM o1.t1 WHERE id = {n}) UNION ALL (SELECT 0)", "o1.t1"),
    ("WITH w AS (SELECT id, a FROM o1.t1 WHERE id < 4) SELECT * FROM w ORDER BY id", "o1.t1"),
    ("SELECT id, a FROM o1.v1 ORDER BY id", "o1.t1"),
    ("SELECT COUNT(*) FROM o1.log", "o1.log"),
    ("SELECT what FROM o1.log ORDER BY id DESC LIMIT 3", "o1.log"),
    ("SELECT id, a FROM o1.t3 ORDER BY id", "o1.t3"),
    ("SELECT k, v FROM o2.only ORDER BY k", "o2.only"),
    ("SELECT id, b FROM o2.t1 ORDER BY id", "o2.t1"),
    ("SELECT (SELECT MAX(a) FROM o1.t1) AS top, {n} AS n", "o1.t1"),
    ("SELECT v, ROW_NUMBER() OVER (ORDER BY k) FROM o1.t2", "o1.t2"),
    ("SELECT {n} + 1", ""),
    ("SELECT 'text' AS t, NULL AS nothing", ""),
)
# Their tables are those of the default database, if there is one.
_HERE = (
    ("SELECT id, a FROM t1 ORDER BY id", "o1.t1 o2.t1"),
    ("SELECT COUNT(*) FROM t1", "o1.t1 o2.t1"),
    ("SELECT v FROM only WHERE k = 1", "o2.only"),
    ("SELECT f_pure({n})", ""),
)
# What the answer is depends on settings of the session.
_OF_SETTINGS = (
    'SELECT "id" FROM o1.t1 WHERE id < 3',
    "SELECT 'a' || 'b'",
    "SELECT 1 / 7, 10 / 3",
    "SELECT GROUP_CONCAT(b ORDER BY id) FROM o1.t1",
    "SELECT id FROM o1.t1 ORDER BY id",
    "SELECT id, at FROM o1.stamps ORDER BY id",
    "SELECT FROM_UNIXTIME(1000000000)",
    "SELECT DATE_FORMAT(d, '%M %W') FROM o1.t2 WHERE k = 1",
    "SELECT WEEK('2024-01-03'), YEARWEEK('2024-01-03')",
    "SELECT 'a\\nb', LENGTH('a\\nb')",
    "SELECT b, COUNT(*), id FROM o1.t1 GROUP BY b ORDER BY b",
    "SELECT id, l, u, HEX(l), HEX(u) FROM o1.texts ORDER BY id",
    "SELECT id FROM o1.texts WHERE u = 'é' ORDER BY id",
    "SELECT CHARSET('x'), COLLATION('x'), HEX('é')",
    "SELECT 'ss' = 'ß', 'e' = 'é'",
    "SELECT CAST('2020-02-30' AS DATE)",
    "SELECT NOT 1 BETWEEN -5 AND 5",
    "SELECT COUNT (*) FROM o1.t1",
    "SELECT 0 - 1, CAST(0 AS UNSIGNED) - 1",
    "SELECT id FROM o1.t1 WHERE id IS NULL",
    "SHOW CREATE TABLE o1.t2",
    "SELECT k FROM o1.t2 WHERE d = '2020-01-02T03:04:05'",
)
_WITH_WARNINGS = (
    "SELECT CAST('x' AS SIGNED)",
    "SELECT id + 'y' FROM o1.t1 WHERE id < 4 ORDER BY id",
    "SELECT 1 / 0",
    "SELECT CAST('12abc' AS SIGNED), CAST(NULL AS DATE)",
    "SELECT CONVERT('abc', CHAR(2))",
    "SELECT a FROM o1.t1 WHERE b = 5 ORDER BY id",
)
_WITH_ERRORS = (
    "SELECT no_such FROM o1.t1",
    "SELECT * FROM o1.no_such",
    "SELECT * FROM no_such_database.t",
    "SELEC 1",
    "SELECT f_missing(1)",
    "SELECT v FROM o3.secret ORDER BY k",
    # They fail at a row behind the first.
    "SELECT id, (SELECT k FROM o1.t2 WHERE k <= id) FROM o1.t1 ORDER BY id",
    "SELECT id, (SELECT v FROM o1.t2 WHERE k > 5 - id) FROM o1.t1",
    "SELECT EXP(id * 300) FROM o1.t1",
)
_LOCKING = (
    ("SELECT id, a FROM o1.t1 WHERE id = {n} FOR UPDATE", "o1.t1"),
    ("SELECT v FROM o1.t2 WHERE k = {n} LOCK IN SHARE MODE", "o1.t2"),
    ("SELECT v FROM o2.only FOR UPDATE", "o2.only"),
    ("SELECT a FROM o1.t1 WHERE id = {n} /*!50000 FOR UPDATE */", "o1.t1"),
    ("SELECT a FROM o1.v1 WHERE id = {n} FOR UPDATE", "o1.t1"),
)
_SHOWS = (
    "SHOW TABLES FROM o1",
    "SHOW COLUMNS FROM o1.t1",
    "DESCRIBE o1.t2",
    "SHOW CREATE TABLE o1.t3",
    "SHOW CREATE VIEW o1.v1",
    "SHOW INDEX FROM o1.texts WHERE Key_name = 'none'",
    "SHOW VARIABLES LIKE 'sql\\_mode'",
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('time_zone', 'sql_select_limit')",
    "SHOW GLOBAL VARIABLES LIKE 'div_precision_increment'",
    "SHOW DATABASES LIKE 'o_'",
    "SHOW CREATE PROCEDURE o1.p_out",
    "SHOW TRIGGERS FROM o2",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'o1' ORDER BY 1",
    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'o2'"
    " AND table_name = 'only' ORDER BY ordinal_position",
    "SHOW TABLES",
    "TABLE o2.only",
    "VALUES ROW(1, 2), ROW(3, 4)",
    "HELP 'nothing of this name'",
    "CHECK TABLE o1.t2",
    "EXPLAIN SELECT 1",
)


def plain(make: Maker) -> tuple[str, str]:
    """A query that a replica may answer, and its tables."""
    sql, tables = make.choose.choice(_PLAIN)
    return sql.format(n=make.number(1, 6)), tables


def _plain(make: Maker) -> Step:
    sql, tables = plain(make)
    return make.query(sql, reads=tables)


def _here(make: Maker) -> Step:
    sql, tables = make.choose.choice(_HERE)
    return make.query(sql.format(n=make.number()), reads=tables)


def _locking(make: Maker) -> Step:
    sql, tables = make.choose.choice(_LOCKING)
    return make.query(sql.format(n=make.number(1, 4)), writes=tables)


def _of_settings(make: Maker) -> Step:
    return make.query(make.choose.choice(_OF_SETTINGS), reads="o1.t1 o1.t2 o1.texts o1.stamps")


def _with_warnings(make: Maker) -> Step:
    return make.query(make.choose.choice(_WITH_WARNINGS), reads="o1.t1")


def _with_errors(make: Maker) -> Step:
    return make.query(make.choose.choice(_WITH_ERRORS), reads="o1.t1 o1.t2 o3.secret")


def _shows(make: Maker) -> Step:
    return make.query(make.choose.choice(_SHOWS))


def _global_values(make: Maker) -> Step:
    names = make.some(("div_precision_increment", "max_error_count", "sql_mode", "time_zone"), 2)
    return make.query("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in names))


KINDS = (
    Kind("read", 26, _plain),
    Kind("read here", 6, _here),
    Kind("read of settings", 10, _of_settings),
    Kind("read with warnings", 5, _with_warnings),
    Kind("read with an error", 4, _with_errors),
    Kind("locking read", 4, _locking),
    Kind("show", 5, _shows),
    Kind("read of global values", 1, _global_values),
)
