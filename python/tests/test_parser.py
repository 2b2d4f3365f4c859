"""pyproxy.parser: the tables of statements of every kind. The default database is `test`."""

from __future__ import annotations

import pytest
from pyproxy.parser import get_tables, tablename_expand
from pyproxy.tokenizer import tokenize

READ, WRITE = "read", "write"
T1 = {"test.t1": READ}
T1_T2 = {"test.t1": READ, "test.t2": READ}
T1_T2_T3 = {**T1_T2, "test.t3": READ}
W1 = {"test.t1": WRITE}
W1_T2 = {"test.t1": WRITE, "test.t2": READ}
W1_W2 = {"test.t1": WRITE, "test.t2": WRITE}


def tables(sql: str, db: str = "test") -> dict[str, str]:
    return get_tables(tokenize(sql), db)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM t1, db1.t2", {"test.t1": READ, "db1.t2": READ}),
        ("SELECT * FROM t1 LEFT JOIN t2 USING (id) WHERE a = 1", T1_T2),
        ("SELECT * FROM t1 a JOIN t2 b ON a.id=b.id", T1_T2),
        ("SELECT * FROM t1 STRAIGHT_JOIN t2 ON(t1.a = t2.a) NATURAL JOIN t3", T1_T2_T3),
        ("SELECT * FROM t1 JOIN t2 ON t1.a = (SELECT 1 FROM t3), t1 x", T1_T2_T3),
        ("SELECT * FROM ((t1, t2) JOIN t3 ON(t1.a=t3.a))", T1_T2_T3),
        ("SELECT * FROM { OJ t1 LEFT OUTER JOIN t2 ON t1.a=t2.a }", T1_T2),
        ("SELECT * FROM t1 WHERE id IN (SELECT id FROM t2)", T1_T2),
        ("SELECT (SELECT 1 FROM t2 WHERE x=(SELECT 2 FROM t3)) FROM t1", T1_T2_T3),
        ("SELECT * FROM (SELECT * FROM t1) x", T1),
        ("SELECT * FROM ((SELECT * FROM t1) UNION (SELECT * FROM t2)) x, t3", T1_T2_T3),
        ("SELECT * FROM t1, LATERAL (SELECT * FROM t2 WHERE t2.a = t1.a) x", T1_T2),
        ("SELECT * FROM t1 UNION SELECT * FROM t2", T1_T2),
        ("(SELECT * FROM t1) UNION ALL (SELECT * FROM t2) ORDER BY 1", T1_T2),
        ("SELECT(1)FROM(SELECT(2)FROM t1)x", T1),
        ("SELECT EXTRACT(YEAR FROM d), TRIM(BOTH 'x' FROM s) FROM t1", T1),
        ("SELECT * FROM t1 USE INDEX FOR ORDER BY (a, b), t2 FORCE INDEX (c) WHERE a", T1_T2),
        ("SELECT * FROM t1 PARTITION (p0, p1) AS x, t2", T1_T2),
        ("SELECT * FROM t1 FOR SYSTEM_TIME AS OF NOW(), t2", T1_T2),
        ("SELECT * FROM t1 WINDOW w AS (ORDER BY a), w2 AS ()", T1),
        ("SELECT * FROM t1 GROUP BY a, b HAVING c ORDER BY d, e LIMIT 1, 2", T1),
        ("SELECT * FROM t1 FOR UPDATE", T1),
        ("SELECT * FROM t1 LOCK IN SHARE MODE", T1),
        ("SELECT a INTO @x FROM t1", T1),
        ("SELECT * FROM t1 INTO OUTFILE 'x' FIELDS TERMINATED BY ','", T1),
        ("SELECT * FROM JSON_TABLE('[]', '$' COLUMNS(a INT)) j, t1", T1),
        ("/* c */ SELECT /* d */ * FROM -- e\n t1", T1),
        ("SET @x = (SELECT a FROM t1)", T1),
        ("DO (SELECT a FROM t1)", T1),
        ("TABLE t1", T1),
        ("HANDLER t1 OPEN", T1),
        ("DESC t1", T1),
        ("EXPLAIN SELECT * FROM t1", T1),
        ("EXPLAIN UPDATE t1 SET a = 1", T1),
        ("EXPLAIN FORMAT=JSON (SELECT * FROM t1)", T1),
        ("EXPLAIN FOR CONNECTION 5", {}),
        ("ANALYZE SELECT * FROM t1", T1),
        ("CHECK TABLE t1, t2", T1_T2),
        ("CHECKSUM TABLE t1", T1),
        ("SELECT 1", {}),
        ("SELECT 1 FROM DUAL", {}),
        ("SHOW TABLES FROM x", {}),
        ("PREPARE s FROM 'SELECT 1'", {}),
        ("BEGIN", {}),
        ("", {}),
        ("/* t1 */", {}),
    ],
)
def test_reading(sql: str, expected: dict[str, str]) -> None:
    assert tables(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO db1.t1 VALUES (1)", {"db1.t1": WRITE}),
        ("INSERT INTO t1(a,b) VALUES (1,2)", W1),
        ("INSERT LOW_PRIORITY IGNORE t1 SET a = 1", W1),
        ("INSERT INTO t1 SELECT b FROM t2 ON DUPLICATE KEY UPDATE a = 1, b = 2", W1_T2),
        ("INSERT INTO t1 (a) VALUES ((SELECT a FROM t2)) RETURNING a", W1_T2),
        ("INSERT INTO t1 WITH c AS (SELECT 1 FROM t2) SELECT * FROM c", W1_T2),
        ("INSERT INTO t1 SELECT * FROM t1", W1),
        ("REPLACE DELAYED INTO t1 SELECT * FROM t2", W1_T2),
        ("UPDATE db1.t1 SET a = 1", {"db1.t1": WRITE}),
        ("UPDATE IGNORE t1, t2 SET t1.a = t2.a WHERE t1.b = 1", W1_W2),
        ("UPDATE t1 x JOIN db.t2 y USING(id) SET x.a = 1", {"test.t1": WRITE, "db.t2": WRITE}),
        ("UPDATE t1 SET a = (SELECT max(a) FROM t2) ORDER BY a, b LIMIT 1", W1_T2),
        ("DELETE FROM t1", W1),
        ("DELETE QUICK FROM t1 AS x WHERE x.a IN (SELECT a FROM t2)", W1_T2),
        ("DELETE x FROM t1 x JOIN t2 ON x.a = t2.a", W1_T2),
        ("DELETE t1, t2.* FROM t1 JOIN t2", W1_W2),
        ("DELETE FROM t1 USING t1 JOIN t2", W1_T2),
        ("DELETE t1 FROM db.t1, t2", {"db.t1": WRITE, "test.t2": READ}),
        ("TRUNCATE t1", W1),
        ("TRUNCATE TABLE db.t1", {"db.t1": WRITE}),
        ("LOAD DATA LOCAL INFILE 'x' IGNORE INTO TABLE t1 FIELDS TERMINATED BY ','", W1),
        ("LOCK TABLES t1 WRITE, t2 AS x READ LOCAL", W1_T2),
        ("LOCK TABLES t2 READ, t1 LOW_PRIORITY WRITE", W1_T2),
        ("CREATE TABLE t1 (id INT, FOREIGN KEY (a) REFERENCES t2(b))", W1),
        ("CREATE TABLE IF NOT EXISTS t1(id INT)", W1),
        ("CREATE TEMPORARY TABLE t1 AS SELECT * FROM t2", W1_T2),
        ("CREATE OR REPLACE TABLE t1 SELECT * FROM t2", W1_T2),
        ("CREATE TABLE t1 LIKE t2", W1_T2),
        ("CREATE TABLE t1 (LIKE t2)", W1_T2),
        ("CREATE VIEW t1 AS SELECT * FROM t2", W1_T2),
        ("CREATE UNIQUE INDEX i ON t1 (a)", W1),
        ("CREATE TRIGGER x BEFORE INSERT ON t1 FOR EACH ROW DELETE FROM t3", W1),
        ("CREATE PROCEDURE p() BEGIN DELETE FROM t1", {}),
        ("CREATE DATABASE t1", {}),
        ("CREATE USER x IDENTIFIED BY 'y'", {}),
        ("DROP TABLE IF EXISTS t1, t2", W1_W2),
        ("DROP VIEW t1", W1),
        ("DROP INDEX i ON t1", W1),
        ("ALTER TABLE t1 ADD COLUMN b INT AFTER a, RENAME INDEX i TO j", W1),
        ("ALTER TABLE t1 RENAME TO t2", W1_W2),
        ("ALTER TABLE t1 EXCHANGE PARTITION p WITH TABLE t2", W1_W2),
        ("RENAME TABLE t1 TO t2, db.a TO db.b", {**W1_W2, "db.a": WRITE, "db.b": WRITE}),
        ("OPTIMIZE TABLE t1, t2", W1_W2),
        ("ANALYZE LOCAL TABLE t1", W1),
        ("SET STATEMENT max_statement_time=1 FOR DELETE FROM t1", W1),
    ],
)
def test_writing(sql: str, expected: dict[str, str]) -> None:
    assert tables(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("WITH c AS (SELECT * FROM t1), d (x) AS (SELECT * FROM c) SELECT * FROM d, t2", T1_T2),
        ("WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT * FROM c JOIN t1", T1),
        ("WITH RECURSIVE c AS (SELECT 1) UPDATE t1 JOIN c SET a = 1", W1),
        ("WITH t1 AS (SELECT * FROM t1) SELECT * FROM t1", T1),
        ("WITH c AS (SELECT 1) SELECT * FROM db.c", {"db.c": READ}),
        ("SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) x, c", {"test.c": READ}),
        ("SELECT a FROM t1 GROUP BY a WITH ROLLUP", T1),
    ],
)
def test_names_of_common_table_expressions_are_no_tables(
    sql: str, expected: dict[str, str]
) -> None:
    assert tables(sql) == expected


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * FROM date, text t, `select`", ["test.date", "test.text", "test.select"]),
        ("SELECT * FROM db.order", ["db.order"]),
        ("SELECT * FROM `a``b`.`c.d`", ["a`b.c.d"]),
        ('SELECT * FROM "t1"', ["test.t1"]),
        ("SELECT * FROM t\u00e4ble, a$b c", ["test.t\u00e4ble", "test.a$b"]),
        ("SELECT * FROM db . t1", ["db.t1"]),
        ("SELECT * FROM T1, t1", ["test.T1", "test.t1"]),
    ],
)
def test_names(sql: str, names: list[str]) -> None:
    assert list(tables(sql)) == names


def test_a_table_that_is_written_anywhere_counts_as_written() -> None:
    assert tables("DELETE FROM t1; SELECT * FROM t1, t2") == W1_T2
    assert tables("SELECT * FROM t1, t2; DELETE FROM t1") == W1_T2


def test_the_same_statement_gives_the_same_again() -> None:
    """The original found DDL once per process."""
    assert tables("CREATE TABLE t1 (a INT)") == tables("CREATE TABLE t1 (a INT)") == W1


def test_without_a_default_database() -> None:
    assert tables("SELECT * FROM t1, db.t2", "") == {"t1": READ, "db.t2": READ}
    assert tablename_expand("t1") == "t1"
    assert tablename_expand("t1", "db") == "db.t1"


@pytest.mark.parametrize(
    "sql", ["SELECT 1 FROM", "WITH", "DELETE", "(((", ")))", "LOCK TABLES", "SELECT FROM ,,,"]
)
def test_nonsense_has_no_tables(sql: str) -> None:
    assert tables(sql) == {}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 20000 + ")" * 20000 + " FROM t1",
        "WITH a AS (SELECT 1) " * 2000 + "SELECT * FROM t1",
        "SET STATEMENT a = 1 FOR " * 2000 + "SELECT * FROM t1",
    ],
    ids=["parentheses", "with", "set"],
)
def test_depth_has_no_end(sql: str) -> None:
    assert tables(sql) == T1


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM `a``b`, ta$ble, žluť", {"a`b": READ, "ta$ble": READ, "žluť": READ}),
        ("SELECT * FROM t1 # , t2\n, t3", {"t1": READ, "t3": READ}),
        ("SELECT 'a'\"b\" FROM t1 WHERE 'c' = '", {"t1": READ}),
        ("SELECT `a\\` FROM t1", {"t1": READ}),
        ("SELECT 1 FROM t1 /* a /* b */, t2", {"t1": READ, "t2": READ}),
        ("SELECT 1 FROM t1 /*!50000 , t2 /* a */ , t3 */, t4", {"t1": READ, "t4": READ}),
        ("SELECT 1 FROM 1a.2b", {"1a.2b": READ}),
    ],
)
def test_texts_are_read_as_servers_read_them(sql: str, expected: dict[str, str]) -> None:
    assert get_tables(sql) == get_tables(sql.encode()) == expected
    assert get_tables(tokenize(sql)) == expected
