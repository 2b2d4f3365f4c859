"""The script `xtab` in a real proxy: the generated SQL is run by a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from support.mariadb import MariaDb
from support.proxy import Proxy

SCRIPT = Path(__file__).parents[2] / "python/pyproxy/hooks/xtab.py"
STAFF = """
    INSERT INTO test.staff (dept, gender, pay) VALUES
    ('sales', 'm', 10), ('sales', 'f', 20), ('sales', 'm', 30), ('it', 'f', 40), ('it', NULL, 5)
"""


@pytest.fixture
def staff(mariadb: MariaDb) -> Iterator[None]:
    mariadb.execute(
        "CREATE TABLE test.staff (id INT PRIMARY KEY AUTO_INCREMENT, dept VARCHAR(20), "
        "gender VARCHAR(300), pay INT) CHARACTER SET utf8mb4",
        STAFF,
    )
    yield
    mariadb.execute("DROP TABLE test.staff")


@pytest.fixture
def connection(start_proxy: Callable[..., Proxy]) -> Iterator[pymysql.Connection]:
    with start_proxy(SCRIPT).connect(database="test") as connection:
        yield connection


def run(connection: pymysql.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns, and the rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [column[0] for column in cursor.description or ()], list(cursor.fetchall())


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize(
    ("text", "it", "sales"),
    [
        ("XTAB staff dept gender COUNT id", (1, 0, 2), (1, 2, 3)),
        ("select xtab test.staff `dept` gender sum pay;", (40, None, 45), (20, 40, 60)),
        ("xtab staff dept gender Avg pay", (40, None, 22.5), (20, 20, 20)),
        ("XTAB staff dept gender MIN pay", (40, None, 5), (20, 10, 10)),
        ("XTAB staff dept gender MAX pay", (40, None, 40), (20, 30, 30)),
    ],
)
def test_operations(
    connection: pymysql.Connection, text: str, it: tuple[Any, ...], sales: tuple[Any, ...]
) -> None:
    names, rows = run(connection, text)
    assert names == ["dept", "gender_f", "gender_m", "total"]
    assert sorted(rows) == [("it", *it), ("sales", *sales)]


@pytest.mark.usefixtures("staff")
def test_summary(connection: pymysql.Connection) -> None:
    run(connection, "INSERT INTO staff (dept, gender, pay) VALUES (NULL, 'm', 1)")
    _, rows = run(connection, "XTAB staff dept gender COUNT id summary")
    assert rows == [
        (None, 0, 1, 1),
        ("it", 1, 0, 2),
        ("sales", 1, 2, 3),
        ("Grand Total", 2, 3, 6),
    ]
    # A number as row field: the total's text must not break the client's conversion.
    _, rows = run(connection, "XTAB staff pay gender COUNT id SUMMARY")
    assert rows[-1] == ("Grand Total", 2, 3, 6)
    assert rows[0] == ("1", 0, 1, 1)


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("sql_mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
@pytest.mark.parametrize("charset", ["utf8mb4", "latin1"])
def test_values_of_all_kinds_are_quoted(
    start_proxy: Callable[..., Proxy], sql_mode: str, charset: str
) -> None:
    values = ["it's", 'a "b"', "back\\slash", "\\", "`tick`", "", "ü", "x' OR '1'='1", "two\nlines"]
    with start_proxy(SCRIPT).connect(database="test", charset=charset) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM staff")
            for value in values:
                cursor.execute("INSERT INTO staff (dept, gender) VALUES ('d', %s)", (value,))
            cursor.execute("SET sql_mode = %s", (sql_mode,))
        names, rows = run(connection, "XTAB staff dept gender COUNT id")
    assert len(names) == len(values) + 2
    assert rows == [("d", *(1 for _ in values), len(values))]
    assert {"gender_it's", "gender_`tick`", "gender_", "gender_\\"} <= set(names)
    assert ("gender_ü" if charset == "utf8mb4" else "gender_\\xfc") in names


@pytest.mark.usefixtures("staff")
def test_a_value_that_the_server_takes_for_no_name(start_proxy: Callable[..., Proxy]) -> None:
    with start_proxy(SCRIPT).connect(database="test", charset="utf8mb4") as connection:
        run(connection, "UPDATE staff SET gender = '\U0001f600' WHERE gender = 'f'")
        names, rows = run(connection, "XTAB staff dept gender COUNT id")
    # Which of the two is first is a matter of the server's default collation.
    assert [dict(zip(names, row)) for row in sorted(rows)] == [
        {"dept": "it", "gender_?": 1, "gender_m": 0, "total": 2},
        {"dept": "sales", "gender_?": 1, "gender_m": 2, "total": 3},
    ]


def test_names_are_quoted(connection: pymysql.Connection) -> None:
    run(connection, "CREATE TABLE `odd ``name` (`select` INT, `a b` INT, `c.d` INT)")
    run(connection, "INSERT INTO `odd ``name` VALUES (1, 2, 3)")
    assert run(connection, "XTAB `odd ``name` select `a b` SUM `c.d`") == (
        ["select", "a b_2", "total"],
        [(1, 3, 3)],
    )
    run(connection, "DROP TABLE `odd ``name`")


def test_an_empty_table(connection: pymysql.Connection) -> None:
    run(connection, "CREATE TABLE nothing (a INT, b INT)")
    assert run(connection, "XTAB nothing a b COUNT a") == (["a", "total"], [])
    run(connection, "DROP TABLE nothing")


def test_no_value_is_cut_off(start_proxy: Callable[..., Proxy], mariadb: MariaDb) -> None:
    # More than the server's group_concat_max_len of 1 MB.
    mariadb.execute(
        "USE test",
        "CREATE TABLE many (a INT, b VARCHAR(3000))",
        "INSERT INTO many SELECT 1, CONCAT(seq, REPEAT('x', 2500)) FROM seq_1_to_600",
    )
    with start_proxy(SCRIPT).connect(database="test") as connection:
        names, rows = run(connection, "XTAB many a b COUNT a")
    assert len(names) == 602
    assert rows == [(1, *[1] * 600, 600)]
    proxy = start_proxy(SCRIPT, config="[xtab]\nmax_columns = 599")
    with (
        proxy.connect(database="test") as connection,
        pytest.raises(pymysql.MySQLError, match="b has more than 599 values"),
    ):
        run(connection, "XTAB many a b COUNT a")
    mariadb.execute("DROP TABLE test.many")


@pytest.mark.usefixtures("staff")
def test_the_query_in_place_of_its_result(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect(database="test") as one, proxy.connect(database="test") as other:
        names, rows = run(one, "XTAB QUERY")
        assert names == ["XTAB query "]
        assert (len(rows), rows[-1]) == (7, ("Current setting: returns a query",))
        names, ((sql,),) = run(one, "XTAB staff dept gender COUNT id")
        assert names == ["XTAB query"]
        # The text is good for what it says, and the other client is not affected.
        expected = run(other, "XTAB staff dept gender COUNT id")
        assert run(other, sql) == expected
        assert run(one, "XTAB NOQUERY")[1][-1] == ("Current setting: returns a result set",)
        assert run(one, "XTAB staff dept gender COUNT id") == expected


@pytest.mark.parametrize("text", ["XTAB", "xtab HELP", "SELECT XTAB help;"])
def test_help(connection: pymysql.Connection, text: str) -> None:
    names, rows = run(connection, text)
    assert names == ["XTAB help"]
    assert len(rows) == 19


def test_version(connection: pymysql.Connection) -> None:
    assert run(connection, "XTAB VERSION") == (["XTAB version"], [("0.1.3",)])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("XTAB nonsense", 1),
        ("XTAB t a b", 1),
        ("XTAB t a b COUNT", 1),
        ("XTAB t a b COUNT c total", 1),
        ("XTAB t a b COUNT c summary more", 1),
        ("XTAB t, a", 1),
        ("XTAB t a b MEDIAN c", 3),
    ],
)
def test_wrong_commands(connection: pymysql.Connection, text: str, rows: int) -> None:
    names, found = run(connection, text)
    assert names == ["XTAB ERROR"]
    assert len(found) == rows


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("XTAB missing dept gender COUNT id", 1146),
        ("XTAB staff dept missing COUNT id", 1054),
        ("XTAB staff missing gender COUNT id", 1054),
        ("XTAB staff missing gender COUNT id summary", 1054),
    ],
)
def test_a_step_that_fails_is_an_error(
    connection: pymysql.Connection, text: str, code: int
) -> None:
    with pytest.raises(pymysql.MySQLError) as error:
        run(connection, text)
    assert error.value.args[0] == code
    assert run(connection, "SELECT 1")[1] == [(1,)]


def test_queries_about_a_column_of_that_name(connection: pymysql.Connection) -> None:
    run(connection, "CREATE TABLE t (xtab INT, x INT)")
    run(connection, "INSERT INTO t VALUES (3, 4)")
    assert run(connection, "SELECT xtab FROM t")[1] == [(3,)]
    assert run(connection, "SELECT xtab AS y FROM t")[1] == [(3,)]
    assert run(connection, "SELECT xtab, x FROM t")[1] == [(3, 4)]
    assert run(connection, "SELECT xtab + 1 FROM t")[1] == [(4,)]
    run(connection, "DROP TABLE t")
