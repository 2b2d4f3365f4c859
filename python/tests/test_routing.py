"""pyproxy._pooling.routing: what commands mean for the choice of a server connection."""

from __future__ import annotations

import pytest
from pyproxy._pooling.routing import Route, Setting, route
from pyproxy._pooling.ties import INSERT_ID, PROFILES, SEQUENCE
from pyproxy.commands import parse


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
        "SELECT lower (a), COUNT(*) FROM t WHERE a IN (1, 2) AND (b OR NOT(c)) HAVING(d)",
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
        "SELECT db.format(1)",
        "SELECT `db` . `format`(1)",
        "SELECT now (1)",
        "SELECT `count`(a) FROM t",
        "SELECT LASTVAL(s)",
        "SELECT @@last_gtid",
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
        "FLUSH TABLES WITH READ LOCK",
        "LOCK TABLES t READ",
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
        ("LOAD DATA INFILE 'x' INTO TABLE t (@a)", {"a user variable", INSERT_ID}),
        ("SELECT @x", set()),
        ("SELECT CONNECTION_ID()", {"the connection's id"}),
        ("SET timestamp = 5", {"a session variable"}),
        ("SET SESSION sql_log_bin = 0", {"a session variable"}),
        ("SET sql_mode = @old", {"a session variable"}),
        ("SET sql_mode = (SELECT 'ANSI')", {"a session variable"}),
        ("SET sql_mode = my_function()", {"a session variable", "a stored function"}),
        ("SET ROLE admin", {"a role"}),
        ("set/**/role none", {"a role"}),
        ("SET a = 1, ROLE admin", {"a role"}),
        ("SET@x = 1, ROLE admin", {"a role", "a user variable"}),
        (r"SET a = '\', ROLE admin -- '", {"a role", "a session variable"}),
        ("SET STATEMENT a = 1 FOR SET ROLE admin", {"a role", "dynamic SQL"}),
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
    ("sql", "tie"),
    [
        ("LOAD DATA INFILE 'x' INTO TABLE t", INSERT_ID),
        ("LOAD XML LOCAL INFILE 'x' INTO TABLE t", INSERT_ID),
        ("INSERT INTO t VALUES (1) RETURNING id", INSERT_ID),
        ("REPLACE INTO t VALUES (1) RETURNING id", INSERT_ID),
        ("ANALYZE INSERT INTO t VALUES (1)", INSERT_ID),
        ("CREATE TABLE t (id INT AUTO_INCREMENT KEY) SELECT 5 AS x", INSERT_ID),
        ("DO 1; INSERT INTO t VALUES (1)", INSERT_ID),
        ("SELECT LAST_INSERT_ID(5)", INSERT_ID),
        ("DO LAST_INSERT_ID (5)", INSERT_ID),
        ("UPDATE t SET a = last_insert_id(a + 1)", INSERT_ID),
        ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)", INSERT_ID),
        ("SET last_insert_id = 5", "a session variable"),
        ("SET @@identity = 5", "a session variable"),
        ("SELECT NEXTVAL(s)", SEQUENCE),
        ("SELECT NEXT VALUE FOR s", SEQUENCE),
        ("INSERT INTO t VALUES (s.nextval)", SEQUENCE),
        ("SET profiling = 1", PROFILES),
        ("SET @@session.`profiling` = 1", PROFILES),
        ("SET STATEMENT profiling = 1 FOR SELECT 1", PROFILES),
        ("SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", "a session variable"),
        ("SET a = DEFAULT", "a session variable"),
        ("SET a = CURRENT_TIMESTAMP", "a session variable"),
        ("SET a = 'h\u00e9'", "a session variable"),
        ('SET a = "x"', "a session variable"),
        ("SET NAMES DEFAULT", "a session variable"),
        ("SET CHARACTER SET utf8mb4", "a session variable"),
        ("SET GLOBAL a = 1, SESSION b = 2", "a session variable"),
        ("SET GLOBAL a = 1, b = 2", "a session variable"),
        ("SET b = 2, PERSIST a = 1", "a session variable"),
        ("SET @@transaction_isolation = 'SERIALIZABLE'", "the next transaction"),
        ("SET @@tx_read_only = 1", "the next transaction"),
        ("SET RESOURCE GROUP g", "a resource group"),
        ("FLUSH STATUS", "counters of the session"),
        ("SELECT db.format(1)", "a stored function"),
        ("SELECT now (1)", "a stored function"),
        ("INSERT INTO t (a) VALUES (my_function(1))", "a stored function"),
        ("CREATE TABLE t (a INT) SELECT my_function(1)", "a stored function"),
    ],
)
def test_what_no_other_connection_can_be_told(sql: str, tie: str) -> None:
    found = of(sql)
    assert tie in found.ties
    assert found.setting is None
    if ";" not in sql:
        # Its execution may come much later.
        assert tie in route(parse(b"\x16" + sql.encode())).ties


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO t (a) VALUES (NOW())", "CREATE TABLE t (a INT)", "UPDATE t SET a = LOWER(a)"]
    + ["SELECT RELEASE_LOCK('a')", "DELETE FROM t WHERE a IN (1)", "SELECT t.count FROM t"],
)
def test_what_leaves_nothing(sql: str) -> None:
    assert of(sql).ties == frozenset()


@pytest.mark.parametrize(
    ("sql", "needs"),
    [
        ("SELECT LASTVAL(s)", {SEQUENCE}),
        ("SELECT PREVIOUS VALUE FOR s", {SEQUENCE}),
        ("SELECT s.currval", {SEQUENCE}),
        ("SELECT NEXTVAL(s); SELECT LASTVAL(s)", set()),
        ("SHOW PROFILE FOR QUERY 1", {PROFILES}),
        ("SHOW PROFILES", {PROFILES}),
        ("SELECT * FROM information_schema . `profiling`", {PROFILES}),
        ("SELECT profiling FROM t", set()),
    ],
)
def test_what_must_be_there_before(sql: str, needs: set[str]) -> None:
    assert of(sql).needs == needs


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
        ("SET sql_mode = CONCAT('ANSI', ',', 'STRICT_ALL_TABLES')", ("SQL_MODE",), None),
        ("SET a = -1, b = ON", ("A", "B"), None),
        ("SET NAMES utf8mb4 COLLATE utf8mb4_bin", ("NAMES",), None),
        ("/*!40101 SET NAMES utf8 */", ("NAMES",), "SET NAMES utf8"),
        ("SET /* why */ a =\n 1;", ("A",), "SET a = 1"),
        (
            "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            ("TRANSACTION_ISOLATION",),
            None,
        ),
        ("SET SESSION TRANSACTION READ ONLY", ("TRANSACTION_READ_ONLY",), None),
        (
            "SET LOCAL TRANSACTION READ WRITE, ISOLATION LEVEL READ COMMITTED",
            ("TRANSACTION_ISOLATION", "TRANSACTION_READ_ONLY"),
            None,
        ),
        ("SET tx_isolation = 'SERIALIZABLE'", ("TRANSACTION_ISOLATION",), None),
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
        "SET GLOBAL a = 1, @@global.b = 2",
    ],
)
def test_what_changes_no_session(sql: str) -> None:
    assert of(sql).setting is None
    assert of(sql).ties == frozenset()


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SET GLOBAL a = 1, @@global.b = 2", {"A", "B"}),
        ("SET PERSIST a = (SELECT 1, 2); SET @@PERSIST.b := 1", {"A", "B"}),
        ("SET GLOBAL a = 1, b = 2", {"A", "B"}),
        ("SET SESSION a = 1, @b = @@GLOBAL.c", set()),
        ("SET GLOBAL TRANSACTION READ ONLY", {"TRANSACTION_READ_ONLY"}),
        ("SELECT 1", set()),
    ],
)
def test_what_may_change_for_sessions_to_come(sql: str, names: set[str]) -> None:
    assert of(sql).global_names == names


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


@pytest.mark.parametrize(
    "sql",
    ["SELECT LAST_INSERT_ID()", "SELECT @@identity", "SELECT @@local.last_insert_id"],
)
def test_what_asks_for_the_insert_id_leaves_it(sql: str) -> None:
    assert (of(sql).is_read, of(sql).ties) == (False, frozenset())


def test_what_is_asked_about() -> None:
    assert of("SELECT SQL_CALC_FOUND_ROWS a FROM t").is_asked_about
    assert not of("SELECT a FROM t").is_asked_about


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"\x02db", Route(database="db", is_plain=True, keeps_diagnostics=True)),
        (b"\x0e", Route(goes_anywhere=True, keeps_diagnostics=True)),
        (b"\x09", Route(goes_anywhere=True, keeps_diagnostics=True)),
        (b"\x16SELECT a FROM t", Route(is_plain=True, keeps_diagnostics=True)),
        (b"\x16DELETE FROM t", Route(is_write=True, is_plain=True, keeps_diagnostics=True)),
        (
            b"\x16SET @x = ?",
            Route(
                ties=frozenset(("a user variable",)),
                has_no_table=True,
                is_plain=True,
                keeps_diagnostics=True,
            ),
        ),
        (
            b"\x16SET ROLE a",
            Route(
                ties=frozenset(("a role",)),
                has_no_table=True,
                is_plain=True,
                keeps_diagnostics=True,
            ),
        ),
        (
            b"\x16SET a = 1",
            Route(
                ties=frozenset(("a session variable",)),
                has_no_table=True,
                is_plain=True,
                keeps_diagnostics=True,
            ),
        ),
        (
            b"\x1b\0\0",
            Route(ties=frozenset(("an option of the connection",)), keeps_diagnostics=True),
        ),
        (b"\x12\0\0\0\0", Route(ties=frozenset(("replication",)))),
        (b"\x05db", Route(is_write=True)),
        (b"\x06db", Route(is_write=True)),
        (b"\x04t\0", Route(keeps_diagnostics=True, is_plain=True)),
        (b"\x7f", Route(is_write=True)),
    ],
)
def test_other_commands(packet: bytes, expected: Route) -> None:
    assert route(parse(packet)) == expected


@pytest.mark.parametrize("sql", ["(" * 50000, "SELECT 1;" * 5000, "/*!1 " * 5000, "# \n" * 2000])
def test_hostile_texts_have_a_route(sql: str) -> None:
    assert not of(sql).is_read


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES " + ", ".join(["(1, 'a@b.c', 'it''s -- x')"] * 5000),
        "SELECT 1 /* " + "a" * 100_000 + "*/",
    ],
)
def test_what_is_too_long_to_be_read_ties(sql: str) -> None:
    found = of(sql)
    assert (found.is_read, found.is_write, found.setting) == (False, True, None)
    assert found.ties == {"a statement too long to read", INSERT_ID}


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
