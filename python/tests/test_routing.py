"""pyproxy.hooks._routing: what commands mean for the choice of a server connection."""

from __future__ import annotations

import pytest
from pyproxy.commands import parse
from pyproxy.hooks._routing import Route, Setting, route


def of(sql: str) -> Route:
    return route(parse(b"\x03" + sql.encode("utf-8", "surrogateescape")))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select a from t where b = 'FOR UPDATE' and c = '@x'",
        "  /* INSERT */ SELECT a FROM t -- FOR UPDATE",
        "(SELECT a FROM t) UNION (SELECT b FROM u) ORDER BY 1",
        "WITH RECURSIVE w AS (SELECT 1) SELECT * FROM w",
        "SELECT COUNT(*), MAX(a), CONCAT(b, NOW()), IF(a, b, c), JSON_EXTRACT(a, '$.b') FROM t",
        "SELECT count (*) FROM t WHERE a IN (1, 2) AND (b OR NOT(c)) HAVING(d)",
        "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) FROM t",
        "SELECT CAST(a AS DECIMAL(10, 2)), CONVERT(b, CHAR(5)) FROM t",
        "SELECT * FROM t USE INDEX FOR JOIN (i) FORCE INDEX FOR ORDER BY (j)",
        "SELECT @@global.max_connections",
        "SELECT SQL_CALC_FOUND_ROWS a FROM t LIMIT 1",
        "SELECT REPLACE(a, 'b', 'c'), INSERT(a, 1, 2, 'x') FROM t",
        "SELECT 1;",
        "SELECT 1 # a comment",
        "SELECT `f`, `get_lock` FROM t",
    ],
)
def test_reads(sql: str) -> None:
    found = of(sql)
    assert found.is_read
    assert not found.is_write
    assert found.ties == frozenset()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t FOR UPDATE",
        "SELECT a FROM t FOR SHARE SKIP LOCKED",
        "SELECT a FROM t LOCK IN SHARE MODE",
        "SELECT a INTO OUTFILE '/tmp/x' FROM t",
        "SELECT a INTO @x FROM t",
        "SELECT @x",
        "SELECT @x := 1",
        "SELECT @'quoted'",
        "SELECT @@autocommit",
        "SELECT @@session.sql_mode",
        "SELECT LAST_INSERT_ID()",
        "SELECT LAST_INSERT_ID ( )",
        "SELECT FOUND_ROWS()",
        "SELECT GET_LOCK('a', 1)",
        "SELECT IS_USED_LOCK('a')",
        "SELECT CONNECTION_ID()",
        "SELECT my_function(1)",
        "SELECT db.my_function(1)",
        "SELECT my_function (1)",
        "SELECT `my_function`(1)",
        "SELECT NEXTVAL(s)",
        "SELECT NEXT VALUE FOR s",
        "SELECT s.nextval",
        "SELECT a /*!50000 FOR UPDATE */ FROM t",
        "SELECT a FROM t /*M!100100 FOR UPDATE */",
        "SELECT 1; SELECT 2",
        "SELECT a FROM t # it's\nFOR UPDATE",
        "WITH w AS (SELECT 1) DELETE FROM t",
        "SHOW TABLES",
        "INSERT INTO t SELECT 1",
        "EXPLAIN SELECT 1",
        "",
        "/* nothing */",
        "garbage",
        "'",
        ") SELECT 1",
        "\udcff",
    ],
)
def test_no_reads(sql: str) -> None:
    assert not of(sql).is_read


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "REPLACE INTO t VALUES (1)",
        "update t set a = 1",
        "DELETE FROM t",
        "CREATE TABLE t (a INT)",
        "CALL p()",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "SELECT my_function()",
        "SELECT 1; DELETE FROM t",
        "EXECUTE s",
        "SET PASSWORD = 'x'",
        "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t",
        "WITH w AS (SELECT 1) UPDATE t SET a = 1",
        "BEGIN NOT ATOMIC DELETE FROM t",
        "(",
    ],
)
def test_writes(sql: str) -> None:
    assert of(sql).is_write


@pytest.mark.parametrize(
    "sql",
    ["BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "SET a = 1", "USE db", "SHOW TABLES"]
    + ["SELECT a FROM t FOR UPDATE", "SELECT @x"],
)
def test_neither_reads_nor_writes(sql: str) -> None:
    found = of(sql)
    assert (found.is_read, found.is_write) == (False, False)


@pytest.mark.parametrize(
    ("sql", "ties"),
    [
        ("CREATE TEMPORARY TABLE t (a INT)", {"a temporary table"}),
        ("CREATE OR REPLACE TEMPORARY TABLE t (a INT)", {"a temporary table"}),
        ("CREATE TABLE temporary (a INT)", set()),
        ("CREATE TABLE t (a INT) COMMENT 'TEMPORARY'", set()),
        ("SELECT GET_LOCK('a', 1)", {"a user lock"}),
        ("DO GET_LOCK('a', 1)", {"a user lock"}),
        ("LOCK TABLES t READ", {"locked tables"}),
        ("FLUSH TABLES WITH READ LOCK", {"locked tables"}),
        ("FLUSH TABLES", set()),
        ("BACKUP STAGE START", {"locked tables"}),
        ("HANDLER t OPEN", {"a handler"}),
        ("XA START 'x'", {"an XA transaction"}),
        ("PREPARE S FROM 'SELECT 1'", {"prepared statement s"}),
        ("EXECUTE s", {"dynamic SQL"}),
        ("EXECUTE IMMEDIATE 'SELECT 1'", {"dynamic SQL"}),
        ("CALL p()", {"a stored procedure"}),
        ("SET @x = 1", {"a user variable"}),
        ("SET sql_mode = '', @x = 1", {"a user variable"}),
        ("SELECT @x := 1", {"a user variable"}),
        ("SELECT 1 INTO @x", {"a user variable"}),
        ("LOAD DATA INFILE 'x' INTO TABLE t (@a)", {"a user variable"}),
        ("SELECT @x", set()),
        ("SELECT CONNECTION_ID()", {"the connection's id"}),
        ("SET timestamp = 5", {"a session variable"}),
        ("SET SESSION sql_log_bin = 0", {"a session variable"}),
        ("SET sql_mode = @old", {"a session variable"}),
        ("SET sql_mode = (SELECT 'ANSI')", {"a session variable"}),
        ("SET sql_mode = my_function()", {"a session variable"}),
        ("SET ROLE admin", {"a role"}),
        ("set/**/role none", {"a role"}),
        ("SET a = 1, ROLE admin", {"a role"}),
        ("SET@x = 1, ROLE admin", {"a role", "a user variable"}),
        (r"SET a = '\', ROLE admin -- '", {"a role"}),
        ("SET STATEMENT a = 1 FOR SET ROLE admin", {"a role"}),
        ("/*!80000 SET ROLE admin */", {"a role", "a session variable"}),
        ("UPDATE users SET role = 'admin'", set()),
        ("BEGIN SET ROLE admin; END", {"a compound statement"}),
        ("IF 1 THEN SET ROLE admin; END IF", {"a compound statement"}),
        ("l: LOOP SET ROLE admin; END LOOP", {"a compound statement"}),
        ("BEGIN WORK", set()),
        ("SET TRANSACTION READ ONLY", {"the next transaction"}),
        ("/*!50000 SET sql_mode = '' */", {"a session variable"}),
        ("/*!40101 SET @old = @@sql_mode */", {"a user variable"}),
        ("SELECT 1; CREATE TEMPORARY TABLE t (a INT)", {"a temporary table"}),
        ("LOCK TABLES t READ; UNLOCK TABLES", set()),
        ("SELECT 1; USE db", {"several statements"}),
        ("SELECT 1; SET sql_mode = ''", {"several statements"}),
        ("SELECT 1 /*!50000 ; CREATE TEMPORARY TABLE t (a INT) */", {"a temporary table"}),
        ("BEGIN", set()),
        ("INSERT INTO t VALUES (1)", set()),
    ],
)
def test_ties(sql: str, ties: set[str]) -> None:
    assert of(sql).ties == ties


@pytest.mark.parametrize(
    ("sql", "frees"),
    [
        ("UNLOCK TABLES", {"locked tables"}),
        ("DEALLOCATE PREPARE S", {"prepared statement s"}),
        ("DROP PREPARE s", {"prepared statement s"}),
        ("DROP TABLE s", set()),
    ],
)
def test_frees(sql: str, frees: set[str]) -> None:
    assert of(sql).frees == frees


@pytest.mark.parametrize(
    ("sql", "names", "text"),
    [
        ("SET sql_mode = 'ANSI'", ("SQL_MODE",), None),
        ("set session SQL_MODE=''", ("SQL_MODE",), None),
        ("SET @@session.sql_mode = ''", ("SQL_MODE",), None),
        ("SET @@local.sql_mode := '', autocommit = 0", ("SQL_MODE", "AUTOCOMMIT"), None),
        ("SET sql_mode = CONCAT(@@sql_mode, ',ANSI'), a = 1", ("SQL_MODE", "A"), None),
        ("SET NAMES utf8mb4 COLLATE utf8mb4_bin", ("NAMES",), None),
        ("SET CHARACTER SET utf8mb4", ("NAMES",), None),
        ("/*!40101 SET NAMES utf8 */", ("NAMES",), "SET NAMES utf8"),
        ("SET /* why */ a =\n 1;", ("A",), "SET a = 1"),
        ("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", ("TRANSACTION",), None),
        ("SET GLOBAL a = 1, SESSION b = 2", ("B",), None),
    ],
)
def test_settings(sql: str, names: tuple[str, ...], text: str | None) -> None:
    found = of(sql)
    assert found.setting == Setting(names, sql if text is None else text)
    assert found.ties == frozenset()


@pytest.mark.parametrize(
    "sql",
    [
        "SET GLOBAL max_connections = 5",
        "SET @@global.max_connections = 5",
        "SET PERSIST max_connections = 5",
        "SET GLOBAL TRANSACTION READ ONLY",
        "SET PASSWORD = 'x'",
        "SET DEFAULT ROLE x FOR y",
        "SET STATEMENT a = 1 FOR SELECT 1",
    ],
)
def test_what_changes_no_session(sql: str) -> None:
    assert of(sql).setting is None
    assert of(sql).ties == frozenset()


@pytest.mark.parametrize(
    ("sql", "database"),
    [
        ("USE db", "db"),
        ("use `a``b`", "a`b"),
        ("USE t\u00e4st", "t\u00e4st"),
        ("/* c */ USE db;", "db"),
        ("SELECT 1", None),
    ],
)
def test_databases(sql: str, database: str | None) -> None:
    assert of(sql).database == database


def test_a_dropped_database_is_named() -> None:
    assert of("DROP DATABASE IF EXISTS `db`").dropped_database == "db"
    assert of("DROP SCHEMA db").dropped_database == "db"
    assert of("DROP TABLE db").dropped_database is None


@pytest.mark.parametrize(
    "sql",
    ["SELECT FOUND_ROWS()", "SELECT ROW_COUNT ()", "SHOW WARNINGS", "SHOW COUNT(*) ERRORS"]
    + ["GET DIAGNOSTICS @n = NUMBER", "SELECT @@warning_count", "SELECT @@session.error_count"],
)
def test_what_asks_about_the_statement_before(sql: str) -> None:
    assert of(sql).asks_about_last


def test_what_asks_for_the_insert_id() -> None:
    for sql in ("SELECT LAST_INSERT_ID()", "INSERT INTO t VALUES (last_insert_id ())"):
        assert of(sql).asks_insert_id
    for sql in ("SELECT @@identity", "SELECT @@local.last_insert_id"):
        assert of(sql).asks_insert_id
    assert not of("SELECT 'LAST_INSERT_ID()'").asks_insert_id


def test_what_is_asked_about() -> None:
    assert of("SELECT SQL_CALC_FOUND_ROWS a FROM t").is_asked_about
    assert not of("SELECT a FROM t").is_asked_about


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"\x02db", Route(database="db")),
        (b"\x0e", Route(goes_anywhere=True)),
        (b"\x09", Route(goes_anywhere=True)),
        (b"\x16SELECT a FROM t", Route()),
        (b"\x16DELETE FROM t", Route(is_write=True)),
        (b"\x16SET @x = ?", Route(ties=frozenset(("a user variable",)))),
        (b"\x16SET ROLE a", Route(ties=frozenset(("a role",)))),
        (b"\x16SET a = 1", Route(ties=frozenset(("a session variable",)))),
        (b"\x1b\0\0", Route(ties=frozenset(("an option of the connection",)))),
        (b"\x12\0\0\0\0", Route(ties=frozenset(("replication",)))),
        (b"\x05db", Route(is_write=True)),
        (b"\x06db", Route(is_write=True)),
        (b"\x04t\0", Route()),
        (b"\x7f", Route(is_write=True)),
    ],
)
def test_other_commands(packet: bytes, expected: Route) -> None:
    assert route(parse(packet)) == expected


@pytest.mark.parametrize("sql", ["(" * 50000, "SELECT 1;" * 5000, "/*!1 " * 5000, "# \n" * 2000])
def test_hostile_texts_have_a_route(sql: str) -> None:
    assert not of(sql).is_read


LONG = "INSERT INTO t VALUES " + ", ".join(["(1, 'a@b.c', 'it''s -- x')"] * 5000)


@pytest.mark.parametrize(
    ("more", "ties"),
    [
        ("", set()),
        (", (GET_LOCK('a', 1))", {"a user lock"}),
        (", (`get_lock` ('a', 1))", {"a user lock"}),
        (", (@x := 1)", {"a user variable"}),
        ("; CREATE TEMPORARY TABLE t (a INT)", {"a temporary table"}),
        (" /*!50000 ; CREATE TEMPORARY TABLE t (a INT) */", {"a temporary table"}),
        (", (CONNECTION_ID ())", {"the connection's id"}),
    ],
)
def test_a_long_insert_hides_nothing(more: str, ties: set[str]) -> None:
    found = of(LONG + more)
    assert found.is_write
    assert found.ties == ties


def test_a_long_insert_may_ask_for_the_insert_id() -> None:
    assert of(LONG + ", (LAST_INSERT_ID())").asks_insert_id
    assert of(LONG + ", (@@identity)").asks_insert_id
    assert not of(LONG).asks_insert_id


def test_strings_end_where_servers_end_them() -> None:
    # Each is one string to the tokenizer of scripts.
    assert of("SELECT 'a'\"b\", @x := 1 -- '").ties == {"a user variable"}
    assert of("SELECT `a\\`, GET_LOCK('a', 1) -- `").ties == {"a user lock"}
    assert not of("SELECT 'open").is_read
    assert not of("SELECT 1 \x01").is_read


def test_a_hint_may_hide_its_end_in_quotes() -> None:
    assert of("SELECT /*+ MAX_EXECUTION_TIME(10) */ 1").is_read
    assert not of("SELECT /*+ QB_NAME(`*/`) */ 1 INTO @a -- `").is_read


def test_names_are_whole() -> None:
    assert of("USE žluť$1").database == "žluť$1"
    assert of("DROP DATABASE `a``b`").dropped_database == "a`b"
    assert of("/*!50000 USE a */").database == "a"
