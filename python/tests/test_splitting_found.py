"""Whether a statement changes FOUND_ROWS(): each line as a server answered it."""

from __future__ import annotations

import pytest
from pyproxy._pooling.routing import route_of_text
from pyproxy._splitting.found import changes_found_rows, finds_later, shows_what_was_found

BOTH = """
SELECT 1|(SELECT 1)|WITH w AS (SELECT 1) SELECT * FROM w|SELECT 1 INTO @a|SHOW TABLES|SHOW FULL TABLES|SHOW INDEX FROM t
SHOW VARIABLES LIKE 'a%'|SHOW COUNT(*) WARNINGS|SHOW ENGINES|SHOW PROFILE|DESC t|EXPLAIN t|INSERT INTO t SELECT 7|DELETE t FROM t WHERE a = 3
UPDATE t x, t y SET x.a = 3|CALL p()|SELECT f()|SELECT 1; SELECT 2|BEGIN; SELECT 2
"""
NONE = """
SET @a = 1|SET @a = (SELECT 1)|SET @a = f()|BEGIN; COMMIT|DELETE FROM t WHERE a = 7|INSERT INTO t VALUES (7)|REPLACE INTO t VALUES (7)|BEGIN|COMMIT|USE d
CREATE TABLE t (a INT)|CREATE OR REPLACE VIEW v AS SELECT 1|DROP TABLE t|LOCK TABLES t READ|SHOW FULL PROCESSLIST|SHOW WARNINGS|SHOW CREATE TABLE t|SHOW ENGINE INNODB STATUS
SHOW GRANTS|ANALYZE TABLE t|CHECK TABLE t|HELP 'SELECT'|FLUSH TABLES|XA RECOVER|SHOW PROFILES|ANALYZE UPDATE t SET a = 1
"""
MYSQL = "DO 1|DO f()|UPDATE t SET a = 9 WHERE a = 1"
MARIADB = "SHOW SLAVE STATUS|EXPLAIN SELECT 1|ANALYZE SELECT * FROM t|ANALYZE FORMAT=JSON SELECT 1|ANALYZE INSERT INTO t SELECT 1|CREATE TABLE u AS SELECT 1|CREATE OR REPLACE TEMPORARY TABLE u SELECT 1"


def changes(sql: str, is_mysql: bool, *, is_error: bool = False, has_rows: bool = True) -> bool:
    return changes_found_rows(
        sql,
        route_of_text(sql),
        has_rows=has_rows,
        error=1146 if is_error else None,
        is_mysql=is_mysql,
    )


def each(*texts: str) -> list[str]:
    return [sql for text in texts for sql in text.strip().replace("\n", "|").split("|")]


@pytest.mark.parametrize("sql", each(BOTH, NONE, MYSQL, MARIADB))
def test_as_servers_do(sql: str) -> None:
    both, one = sql in each(BOTH), sql in each(MYSQL)
    assert changes(sql, True) == (both or one)
    assert changes(sql, False) == (both or sql in each(MARIADB))


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT * FROM t",
        "EXPLAIN UPDATE t SET a = 1",
        "SET @a = (SELECT a FROM t)",
        "DO (SELECT a FROM t)",
        "DELETE FROM t WHERE a = (SELECT 1)",
    ],
)
def test_mariadb_counts_what_it_looks_at_or_not(sql: str) -> None:
    assert (
        changes_found_rows(sql, route_of_text(sql), has_rows=False, error=None, is_mysql=False)
        is None
    )


@pytest.mark.parametrize("sql", ["INSERT INTO t SELECT * FROM u", "SET @a = (SELECT a FROM t)"])
def test_an_error_may_come_behind_what_is_selected(sql: str) -> None:
    # A lock that was waited for too long.
    known = {"has_rows": False, "error": 1205}
    assert changes_found_rows(sql, route_of_text(sql), is_mysql=False, **known) is None
    assert changes_found_rows(sql, route_of_text(sql), is_mysql=True, **known) is False


def test_a_block_may_have_found_what_its_last_answer_does_not_show() -> None:
    sql = "IF 1 THEN SELECT 1; END IF"
    assert (
        changes_found_rows(sql, route_of_text(sql), has_rows=False, error=None, is_mysql=False)
        is None
    )


def test_a_statement_with_settings_of_its_own() -> None:
    assert changes("SET STATEMENT a = 1 FOR SELECT 1", False)
    assert not changes("SET STATEMENT a = 1 FOR UPDATE t SET a = 1", False)


def test_errors_change_nothing_if_all_was_seen() -> None:
    assert not changes("SELECT * FROM nowhere", False, is_error=True, has_rows=False)
    assert changes("SELECT (SELECT a FROM t) FROM t", False, is_error=True)
    assert not changes("SELECT (SELECT a FROM t) FROM t", True, is_error=True)
    assert changes("SELECT 1; SELECT a FROM nowhere", True, is_error=True)
    assert changes("CALL p()", True, is_error=True)
    assert changes("CALL p()", False, is_error=True)


def test_what_mysql_tells_later() -> None:
    for sql in ("CREATE TABLE t AS SELECT 1", "CREATE TEMPORARY TABLE t TABLE u"):
        assert finds_later(sql)
    for sql in ("CREATE TABLE t (a INT)", "CREATE VIEW v AS SELECT 1", "SELECT 1"):
        assert not finds_later(sql)
    assert shows_what_was_found("DELETE FROM t")
    assert not shows_what_was_found("UPDATE t SET a = 1")


def test_a_query_that_fails_while_it_runs_may_have_found_nothing() -> None:
    for sql, is_mysql, expected in (
        ("SELECT 0 - CAST(1 AS UNSIGNED)", False, None),
        ("SELECT a FROM t", False, None),
        ("UPDATE t SET a = 1", False, False),
        ("SELECT a FROM t", True, False),
    ):
        found = changes_found_rows(
            sql, route_of_text(sql), has_rows=False, error=1690, is_mysql=is_mysql
        )
        assert found is expected
