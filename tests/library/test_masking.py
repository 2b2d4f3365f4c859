"""The script `masking` in a real proxy: what the server says about columns, in both protocols."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mysql.connector
import pymysql
import pytest
from pymysql.constants import CLIENT
from support.mariadb import IS_MYSQL, PASSWORD, USER, MariaDb, mariadb_has
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/masking.py"
CONFIG = """
[masking_rules]
masked.email = email
masked.card = last4
*.ssn = text:withheld
masked.born = hash
masked.id = null

[masking]
hash_key = k
unmasked_users = root
"""
ADA = "a***@example.com"


@pytest.fixture(scope="module")
def table(mariadb: MariaDb) -> MariaDb:
    """A table with something to hide, a view on it and a procedure."""
    mariadb.execute(
        "CREATE TABLE test.masked (id INT PRIMARY KEY, name VARCHAR(20), email VARCHAR(50) NOT NULL,"
        " card BIGINT, ssn INT, born DATE)",
        "INSERT INTO test.masked VALUES"
        " (1, 'Ada', 'ada@example.com', 4111111111111111, 123456789, '1815-12-10'),"
        " (2, 'Nobody', 'nobody', NULL, NULL, NULL)",
        "CREATE VIEW test.mail AS SELECT email AS address FROM test.masked",
        "CREATE PROCEDURE test.one() SELECT email FROM masked",
        "CREATE PROCEDURE test.two() BEGIN SELECT name FROM masked; SELECT email FROM masked; END",
    )
    return mariadb


@pytest.fixture
def proxy(start_proxy: Callable[..., Proxy], table: MariaDb) -> Proxy:
    return start_proxy(SCRIPT, config=CONFIG)


def query(proxy: Proxy, sql: str, **options: Any) -> Any:
    with proxy.connect(database="test", **options) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def prepared(proxy: Proxy, sql: str, parameters: tuple[Any, ...] = ()) -> Any:
    """The rows of a prepared statement, which come in the binary protocol."""
    connection = mysql.connector.connect(
        host="127.0.0.1", port=proxy.port, user=USER, password=PASSWORD, database="test"
    )
    cursor = connection.cursor(prepared=True)
    cursor.execute(sql, parameters)
    rows = cursor.fetchall()
    connection.close()
    return rows


def test_columns_of_all_types_in_both_protocols(proxy: Proxy) -> None:
    sql = "SELECT * FROM masked ORDER BY name"
    first, second = query(proxy, sql)
    hashed = first[5]
    assert first == (None, "Ada", ADA, "************1111", "withheld", hashed)
    assert second == (None, "Nobody", "***", None, None, None)
    assert len(hashed) == 32
    assert prepared(proxy, sql) == [first, second]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT m.email AS harmless FROM masked AS m WHERE id = 1",
        "SELECT email FROM (SELECT email, id FROM masked) d WHERE id = 1",
        "WITH d AS (SELECT email FROM masked WHERE id = 1) SELECT email FROM d",
        "SELECT email FROM masked WHERE id = 1 UNION SELECT email FROM masked WHERE id = 1",
        "SELECT MAX(email) FROM masked WHERE id = 1",
        "SELECT DISTINCT email FROM masked WHERE id = 1 ORDER BY 1",
        "SELECT (SELECT email FROM masked WHERE id = 1)",
    ],
)
def test_ways_to_the_same_column(proxy: Proxy, sql: str) -> None:
    assert query(proxy, sql) == ((ADA,),)
    assert prepared(proxy, sql) == [(ADA,)]


def test_parameters_and_a_statement_that_runs_twice(proxy: Proxy) -> None:
    assert prepared(proxy, "SELECT email FROM masked WHERE id = ?", (1,)) == [(ADA,)]


def test_what_the_page_says_is_not_masked(proxy: Proxy) -> None:
    for sql in (
        "SELECT x FROM (SELECT email AS x, id FROM masked) d WHERE id = 1",
        "SELECT CONCAT(email) AS x FROM masked WHERE id = 1",
        "SELECT address FROM mail WHERE address LIKE 'ada%'",
    ):
        assert query(proxy, sql) == (("ada@example.com",),)


def test_strict_refuses_what_has_no_origin(
    start_proxy: Callable[..., Proxy], table: MariaDb
) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "strict = yes\n")
    for sql in (
        "SELECT x FROM (SELECT email AS x, id FROM masked) d WHERE id = 1",
        "SELECT CONCAT(email) AS x FROM masked WHERE id = 1",
        "SELECT COUNT(*) FROM masked",
    ):
        with pytest.raises(pymysql.OperationalError, match="does not tell where") as caught:
            query(proxy, sql)
        assert caught.value.args[0] == 1227
        with pytest.raises(mysql.connector.Error, match="does not tell where"):
            prepared(proxy, sql)
    assert query(proxy, "SELECT name, email FROM masked WHERE id = 1") == (("Ada", ADA),)
    assert query(proxy, "SELECT DATABASE(), 1") == (("test", 1),)
    assert query(proxy, "SHOW TABLES LIKE 'masked'") == (("masked",),)
    assert prepared(proxy, "SELECT name FROM masked WHERE id = 1") == [("Ada",)]


# Ways to `email` under another name.
HIDDEN = (
    "SELECT masked.x FROM (SELECT email AS x FROM masked) masked",
    "WITH name AS (SELECT email AS x FROM masked) SELECT name.x FROM name",
    "WITH n (x) AS (SELECT email FROM masked) SELECT x FROM n",
    "SELECT x FROM (SELECT email AS x FROM masked)`d`",
    "SELECT x FROM (SELECT email AS x FROM masked)/**/`d(`",
    "SELECT x FROM (SELECT DISTINCT email AS x FROM masked) d",
    f"SELECT x FROM (VALUES {'ROW' if IS_MYSQL else ''}(1)) v JOIN (SELECT email AS x FROM masked) d",
    "SELECT name AS x FROM masked UNION ALL SELECT email FROM masked",
    "SELECT IF(1, email, name) AS x FROM masked",
    "SELECT GROUP_CONCAT(email) AS x FROM masked",
    "SELECT x FROM (SELECT JSON_ARRAYAGG(email) AS a FROM masked) d,"
    " JSON_TABLE(d.a, '$[*]' COLUMNS (x VARCHAR(50) PATH '$')) AS j",
    f"VALUES {'ROW' if IS_MYSQL else ''}((SELECT email FROM masked WHERE id = 1))",
)
if not IS_MYSQL:
    HIDDEN += (
        "SELECT x FROM JSON_TABLE((SELECT JSON_ARRAYAGG(email) FROM masked), '$[*]'"
        " COLUMNS (x VARCHAR(50) PATH '$')) AS j",
        "SELECT email AS x FROM masked PROCEDURE ANALYSE()",
        "EXECUTE IMMEDIATE 'SELECT email AS x FROM masked'",
        "BEGIN NOT ATOMIC SELECT x FROM (SELECT email AS x FROM masked) d; END",
    )


def test_strict_has_no_way_around(start_proxy: Callable[..., Proxy], table: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "strict = yes\n")
    for sql in HIDDEN:
        assert "ada@example.com" in str(query(proxy, sql, user="root", password="")), sql
        try:
            rows = query(proxy, sql)
        except pymysql.OperationalError as error:
            assert "does not tell where" in error.args[1], sql
        else:
            assert "ada@example.com" not in str(rows), sql


def test_names_in_other_character_sets(start_proxy: Callable[..., Proxy], table: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "strict = yes\n")
    with proxy.connect(database="test") as connection:
        connection.query("SET character_set_client = latin1")
        with pytest.raises(pymysql.OperationalError, match="does not tell where"):
            connection.query(b"SELECT x FROM (SELECT email AS x FROM masked) \xe9")


@mariadb_has("derived tables without a name")
def test_derived_tables_without_a_name(start_proxy: Callable[..., Proxy], table: MariaDb) -> None:
    proxy = start_proxy(SCRIPT, config=CONFIG + "strict = yes\n")
    with proxy.connect(database="test") as connection:
        connection.query("SET sql_mode = 'ORACLE'")
        with pytest.raises(pymysql.OperationalError, match="does not tell where"):
            connection.query("SELECT x AS __2 FROM (SELECT email AS x FROM masked)")
        with pytest.raises(pymysql.OperationalError, match="does not tell where"):
            connection.query('SELECT x FROM (SELECT email AS x FROM masked) "d"')


def test_results_of_procedures(proxy: Proxy) -> None:
    assert query(proxy, "CALL one()") == ((ADA,), ("***",))
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("CALL two()")
        assert _all_results(cursor) == [(("Ada",), ("Nobody",)), ((ADA,), ("***",)), ()]


def test_several_statements(proxy: Proxy) -> None:
    options = {"client_flag": pymysql.constants.CLIENT.MULTI_STATEMENTS}
    with proxy.connect(database="test", **options) as connection, connection.cursor() as cursor:
        cursor.execute("SET @a = 1; SELECT email FROM masked WHERE id = 1")
        assert _all_results(cursor) == [(), ((ADA,),)]
        cursor.execute(
            "SELECT name FROM masked WHERE id = 1; SELECT email FROM masked WHERE id = 1; SELECT 2"
        )
        assert _all_results(cursor) == [(("Ada",),), ((ADA,),), ((2,),)]
        with pytest.raises(pymysql.ProgrammingError):
            cursor.execute("SELECT email FROM masked WHERE id = 1; SELECT nothing FROM missing")
            _all_results(cursor)
        connection.ping(reconnect=False)


def _all_results(cursor: pymysql.cursors.Cursor) -> list[tuple[object, ...]]:
    results = [tuple(cursor.fetchall())]
    while cursor.nextset():
        results.append(tuple(cursor.fetchall()))
    return results


def test_exempt_users_see_everything(proxy: Proxy) -> None:
    rows = query(proxy, "SELECT email FROM masked WHERE id = 1", user="root", password="")
    assert rows == (("ada@example.com",),)


def test_everything_else_goes_on(proxy: Proxy, tmp_path: Path) -> None:
    with proxy.connect(database="test", local_infile=True) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
        file = tmp_path / "rows"
        file.write_text("1\n2\n")
        assert cursor.execute(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE t") == 2
        with pytest.raises(pymysql.ProgrammingError, match="doesn't exist"):
            cursor.execute("SELECT * FROM no_such_table")
        connection.begin()
        cursor.execute("SELECT email FROM masked WHERE id = 1")
        assert cursor.fetchall() == ((ADA,),)
        assert connection.server_status & 1, "the transaction is told of"
        connection.rollback()
        connection.ping(reconnect=False)
        assert cursor.execute("UPDATE masked SET name = 'Ada' WHERE id = 1") == 0


def test_a_large_result(proxy: Proxy) -> None:
    rows = query(proxy, "SELECT email, seq FROM masked, seq_1_to_20000 WHERE id = 1")
    assert len(rows) == 20_000
    assert {address for address, _ in rows} == {ADA}


@pytest.mark.parametrize(
    "sql",
    ['SELECT "{}"', 'SELECT name FROM masked WHERE name <> "{}"', "SELECT 1; {}"],
    ids=["string", "condition", "parse error"],
)
def test_a_long_word_does_not_stop_the_proxy(proxy: Proxy, sql: str) -> None:
    flags = CLIENT.MULTI_STATEMENTS
    with proxy.connect(database="test", read_timeout=60, client_flag=flags) as connection:
        connection.cursor().execute(sql.format("a" * 60_000))
    assert query(proxy, "SELECT email FROM masked WHERE id = 1", read_timeout=60) == ((ADA,),)


def test_rows_for_a_long_statement_are_refused(proxy: Proxy) -> None:
    long = " " * 300_000
    with pytest.raises(pymysql.OperationalError, match="max_statement_bytes"):
        query(proxy, f"SELECT name FROM masked WHERE {long} id = 1")
    with pytest.raises(mysql.connector.Error, match="max_statement_bytes"):
        prepared(proxy, f"SELECT name FROM masked WHERE {long} id = %s", (1,))
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE t (a INT)")
        assert cursor.execute("INSERT INTO t VALUES (1)" + ", (1)" * 100_000) == 100_001


def test_binary_logs_are_refused(proxy: Proxy) -> None:
    with proxy.connect() as connection:
        with pytest.raises(pymysql.OperationalError, match="binary logs"):
            connection._execute_command(0x12, b"\4\0\0\0\0\0\1\0\0\0")
            connection._read_query_result()
        connection.ping(reconnect=False)


@pytest.mark.skipif(not IS_MYSQL, reason="MariaDB has no information_schema.column_statistics")
def test_statistics_have_values_of_columns_and_are_refused(proxy: Proxy, table: MariaDb) -> None:
    table.execute("ANALYZE TABLE test.masked UPDATE HISTOGRAM ON name, email")
    for sql in (
        "SELECT HISTOGRAM FROM information_schema.COLUMN_STATISTICS",
        "SELECT s.`histogram` AS x FROM INFORMATION_SCHEMA . `column_statistics` s",
        "SELECT JSON_EXTRACT(histogram, '$.buckets') FROM information_schema.column_statistics",
    ):
        assert len(query(proxy, sql, user="root", password="")) == 2, sql
        with pytest.raises(pymysql.OperationalError) as caught:
            query(proxy, sql)
        assert caught.value.args[0] == 1227, sql


def test_a_masked_result_keeps_parameters_safe(proxy: Proxy) -> None:
    """Client libraries escape by the status: without NO_BACKSLASH_ESCAPES this text would end its literal."""
    evil = "x' or 1=1 -- "
    with proxy.connect(database="test") as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
        assert cursor.execute("SELECT email FROM masked") == 2
        assert connection.server_status & 0x0200
        assert cursor.execute("SELECT email FROM masked WHERE name = %s", (evil,)) == 0
        assert cursor.execute("SELECT email FROM masked WHERE name = %s", ("Ada",)) == 1
