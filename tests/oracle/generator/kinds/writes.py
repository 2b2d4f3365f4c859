"""Changes of data, also such that give warnings, fail, or leave a last insert id in an odd way."""

from __future__ import annotations

from collections.abc import Callable

from ..maker import Kind, Maker
from ..steps import Step

__all__ = ["KINDS", "plain"]

_PLAIN = (
    ("INSERT INTO o1.t1 (a, b) VALUES ({n}, 'new')", "o1.t1"),
    ("INSERT INTO o1.t1 (a) VALUES ({n}), ({n} + 1), ({n} + 2)", "o1.t1"),
    ("INSERT INTO o1.t1 SET a = {n}, b = 'set'", "o1.t1"),
    ("INSERT INTO o1.t3 (a) VALUES ({n})", "o1.t3 o1.log"),
    ("INSERT INTO o2.t1 (a, b) VALUES ({n}, 'neu')", "o2.t1"),
    ("INSERT INTO o1.log (what) VALUES ('direct')", "o1.log"),
    ("UPDATE o1.t1 SET a = a + {n} WHERE id = {k}", "o1.t1"),
    ("UPDATE o1.t1 SET a = a + 1", "o1.t1"),
    ("UPDATE o1.t2 SET n = {n} WHERE k = {k}", "o1.t2"),
    ("UPDATE o1.t1 SET a = a WHERE id = {k}", "o1.t1"),
    ("DELETE FROM o1.t1 WHERE id = {k} + 4", "o1.t1"),
    ("DELETE FROM o1.log WHERE what = 'direct'", "o1.log"),
    ("UPDATE o1.t1 JOIN o1.t2 ON k = id SET t1.a = {n}, t2.n = {n} WHERE id = 2", "o1.t1 o1.t2"),
    ("UPDATE o2.only SET v = v + {n}", "o2.only"),
    ("INSERT INTO t1 (a, b) VALUES ({n}, 'here')", "o1.t1 o2.t1"),
    ("INSERT INTO o1.t1 (a, b) SELECT a, b FROM o2.t1 ORDER BY id", "o1.t1 o2.t1"),
    ("DELETE t1 FROM o1.t1 JOIN o1.t2 ON k = id WHERE k = {k}", "o1.t1 o1.t2"),
)
# What LAST_INSERT_ID() is afterwards is not what the OK says.
_INSERT_IDS = (
    ("INSERT INTO o1.t1 (id, a) VALUES ({big}, {n})", "o1.t1"),
    ("INSERT INTO o1.t1 (id, a) VALUES ({k}, 1) ON DUPLICATE KEY UPDATE a = a + 1", "o1.t1"),
    (
        "INSERT INTO o1.t1 (id, a) VALUES ({k}, 1) ON DUPLICATE KEY"
        " UPDATE id = LAST_INSERT_ID(id), a = 7",
        "o1.t1",
    ),
    ("REPLACE INTO o1.t1 (id, a) VALUES ({k}, {n})", "o1.t1"),
    ("REPLACE INTO o1.t1 (a) VALUES ({n})", "o1.t1"),
    ("INSERT IGNORE INTO o1.t1 (id, a) VALUES ({k}, {n})", "o1.t1"),
    ("UPDATE o1.t3 SET a = LAST_INSERT_ID({n} + 500) WHERE id = 1", "o1.t3"),
    ("SELECT LAST_INSERT_ID({n} + 600)", ""),
    ("DO LAST_INSERT_ID({n} + 700)", ""),
    ("SELECT o1.f_id({n} + 800)", ""),
    ("INSERT INTO o1.t1 (id, a) VALUES (NULL, 1), ({big} + 1, 2)", "o1.t1"),
    ("INSERT INTO o1.t1 (a) SELECT {n} FROM o1.t1 WHERE id < 0", "o1.t1"),
    ("LOAD DATA LOCAL INFILE 'three.txt' INTO TABLE o1.t1 (id, b)", "o1.t1"),
    ("LOAD DATA LOCAL INFILE 'odd.txt' INTO TABLE o1.t1 (a, b)", "o1.t1"),
)
_RETURNING = (
    ("INSERT INTO o1.t1 (a) VALUES ({n}) RETURNING id, a", "o1.t1"),
    ("REPLACE INTO o1.t1 (id, a) VALUES ({k}, {n}) RETURNING id", "o1.t1"),
    ("DELETE FROM o1.t1 WHERE id = {k} RETURNING id, b", "o1.t1"),
    ("INSERT INTO o1.t1 (a) VALUES ({n}), ({n}) RETURNING LAST_INSERT_ID()", "o1.t1"),
)
_WITH_WARNINGS = (
    ("INSERT IGNORE INTO o1.t2 (k, v) VALUES (1, 'again'), ({n} + 10, 'ok{n}')", "o1.t2"),
    ("INSERT IGNORE INTO o1.t1 (a, b) VALUES ('x', 'much too long a text')", "o1.t1"),
    ("UPDATE IGNORE o1.t2 SET k = 1 WHERE k = 2", "o1.t2"),
    ("INSERT INTO o1.t1 (a, b) VALUES ({n}, 'much too long a text')", "o1.t1"),
    ("INSERT INTO o1.t2 (k) VALUES ({n} + 20)", "o1.t2"),
    ("UPDATE o1.t2 SET d = '2020-13-45' WHERE k = 1", "o1.t2"),
    ("DROP TABLE IF EXISTS o1.never_made", ""),
)
_WITH_ERRORS = (
    ("INSERT INTO o1.t2 (k, v) VALUES (1, 'twice')", "o1.t2"),
    ("INSERT INTO o1.t2 (k, v) VALUES ({n} + 30, 'first'), (1, 'twice')", "o1.t2"),
    ("INSERT INTO o1.t1 (a, id) VALUES ({n}, NULL), ({n}, 1)", "o1.t1"),
    ("INSERT INTO o1.t2 (k, v) VALUES ({n} + 40, NULL)", "o1.t2"),
    ("UPDATE o1.t2 SET v = 'x'", "o1.t2"),
    ("INSERT INTO o1.no_such VALUES (1)", ""),
    ("UPDATE o1.t1 SET no_such = 1", "o1.t1"),
    ("DELETE FROM o3.secret WHERE k = 2", "o3.secret"),
    ("INSERT INTO o1.v1 (id, a) VALUES (1, 5)", "o1.t1"),
)


def _fill(make: Maker, what: tuple[str, str]) -> tuple[str, str]:
    sql, tables = what
    return sql.format(n=make.number(), k=make.number(1, 4), big=make.number(400, 480)), tables


def plain(make: Maker) -> tuple[str, str]:
    """An ordinary write, and the tables whose rows it locks."""
    return _fill(make, make.choose.choice(_PLAIN))


def _of(texts: tuple[tuple[str, str], ...]) -> Callable[[Maker], Step]:
    def make_one(make: Maker) -> Step:
        sql, tables = _fill(make, make.choose.choice(texts))
        return make.query(sql, writes=tables)

    return make_one


def _returning(make: Maker) -> Step | None:
    return _of(_RETURNING)(make) if make.dialect.is_mariadb else None


KINDS = (
    Kind("write", 14, _of(_PLAIN)),
    Kind("write and insert id", 6, _of(_INSERT_IDS)),
    Kind("write with warnings", 4, _of(_WITH_WARNINGS)),
    Kind("write with an error", 4, _of(_WITH_ERRORS)),
    Kind("RETURNING", 2, _returning),
)
