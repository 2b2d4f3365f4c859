"""The script `masking`: which columns are masked and how, and what is refused."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from pyproxy import proto
from pyproxy.settings import SettingsError
from pyproxy.testing import Answer, Error, FakeServer, Ok, Result, Session

SCRIPT = "pyproxy.hooks.masking"
RULES = """
[masking_rules]
customers.email = email
shop.customers.card = last4
*.ssn = text:withheld
customers.id = null
customers.born = hash
"""
VAR_STRING, LONG, DATE = 253, 3, 10


def column(
    name: str, org_name: str | None = None, type: int = VAR_STRING, **more: Any
) -> dict[str, Any]:
    """A column of `shop.customers` that the query calls `name`."""
    origin = {"table": "c", "org_table": "customers", "database": "shop"}
    charset = 45 if type == VAR_STRING else 63
    field = {"name": name, "org_name": name if org_name is None else org_name, "type": type}
    return {**field, **origin, "charset": charset, "flags": 1, **more}


def expression(name: str, type: int = VAR_STRING) -> dict[str, Any]:
    return {"name": name, "type": type, "charset": 45}


def masking(
    answer: Any, rules: str = RULES, settings: str = "hash_key = k", user: str = "app"
) -> Session:
    server = FakeServer().on(re.compile("^(SELECT|CALL|SHOW|/)"), answer)
    config = f"{rules}\n[masking]\n{settings}\n"
    return Session(SCRIPT, server=server, user=user, script_config=config)


def masked(cell: Any, field: dict[str, Any], settings: str = "hash_key = k") -> Any:
    """What a text query sees of a cell."""
    with masking(Result([field], [(cell,)]), settings=settings) as session:
        rows = session.query("SELECT a FROM customers JOIN orders").rows
        assert rows is not None
        return rows[0][0]


def refused(answer: Answer) -> bool:
    assert answer.error is None or answer.error[:2] == (1227, "42000")
    return answer.error is not None


@pytest.mark.parametrize(
    ("name", "cell", "shown"),
    [
        ("email", "ada@example.com", "a***@example.com"),
        ("email", "żółw@example.com", "ż***@example.com"),
        ("email", "no address", "***"),
        ("email", "@example.com", "***"),
        ("card", "4111111111111111", "************1111"),
        ("card", "1234567", "*******"),
        ("ssn", "123", "withheld"),
        ("id", "5", None),
        ("name", "Ada", "Ada"),
    ],
)
def test_functions(name: str, cell: str, shown: str | None) -> None:
    assert masked(cell, column(name)) == shown


@pytest.mark.parametrize("name", ["email", "card", "ssn", "id", "born"])
def test_null_stays_null(name: str) -> None:
    assert masked(None, column(name)) is None


def test_hashes_are_equal_for_equal_values_of_one_key() -> None:
    first = masked("1815-12-10", column("born"))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert masked("1815-12-10", column("born")) == first
    assert masked("1815-12-11", column("born")) != first
    assert masked("1815-12-10", column("born"), "hash_key = other") != first
    # Without a key it is another one each time.
    assert masked("1815-12-10", column("born"), "") != masked("1815-12-10", column("born"), "")


def test_an_alias_makes_no_difference() -> None:
    assert masked("a@b.c", column("harmless", "email")) == "a***@b.c"
    assert masked("a@b.c", column("EMAIL", "EMAIL", org_table="Customers")) == "a***@b.c"
    assert masked("a@b.c", column("email", "name")) == "a@b.c"
    assert masked("a@b.c", column("email", org_table="orders")) == "a@b.c"


def test_a_rule_may_name_the_database() -> None:
    assert masked("4111111111111111", column("card", database="other")) == "4111111111111111"


def test_the_first_rule_counts() -> None:
    rules = "[masking_rules]\ncustomers.e* = text:first\n*.* = text:second"
    with masking(Result([column("email"), column("x")], [("a", "b")]), rules) as session:
        assert session.query("SELECT a").rows == [("first", "second")]


@pytest.mark.parametrize("name", ["MAX(email)", "email", "concat(`c`.`email`,'')", "SSN"])
def test_an_expression_is_masked_if_it_is_called_by_the_column(name: str) -> None:
    assert masked("ada@example.com", expression(name)) != "ada@example.com"


@pytest.mark.parametrize("name", ["emails", "m", "my_email"])
def test_an_expression_of_another_name_passes(name: str) -> None:
    assert masked("ada@example.com", expression(name)) == "ada@example.com"


def test_columns_that_are_no_text_become_text() -> None:
    fields = [column("ssn", type=LONG), column("born", type=DATE), column("id", type=LONG)]
    with masking(Result(fields, [(5, datetime.date(1815, 12, 10), 7)])) as session:
        answer = session.query("SELECT a")
    assert answer.fields is not None
    assert [field.type for field in answer.fields] == [VAR_STRING, VAR_STRING, LONG]
    assert [field.flags & 1 for field in answer.fields] == [0, 0, 0]
    assert [field.name for field in answer.fields] == ["ssn", "born", "id"]
    assert answer.rows is not None
    assert answer.rows[0][0] == "withheld" and answer.rows[0][2] is None


def test_binary_columns_stay_binary() -> None:
    field = column("card", type=252, charset=63)
    assert masked(b"\xff\xff\xff\xff1111", field) == b"****1111"
    assert len(masked(b"\xff", column("born", type=252, charset=63))) == 32


def test_prepared_statements() -> None:
    fields = [
        column("ssn", type=LONG),
        column("email"),
        column("born", type=DATE),
        column("id", type=LONG),
    ]
    rows = [(5, "ada@example.com", datetime.date(1815, 12, 10), 7), (None, None, None, None)]
    with masking(Result(fields, rows)) as session:
        text = session.query("SELECT a").rows
        binary = session.execute(session.prepare("SELECT a")).rows
    assert text == binary
    assert binary is not None and binary[1] == (None, None, None, None)


def test_times_have_the_same_hash_in_both_protocols() -> None:
    rows = [
        (datetime.timedelta(hours=-30, minutes=5),),
        (datetime.timedelta(seconds=1, microseconds=5),),
    ]
    with masking(Result([column("born", type=11)], rows)) as session:
        text = session.query("SELECT a").rows
        assert session.execute(session.prepare("SELECT a")).rows == text


def test_cursors_are_turned_off() -> None:
    with masking(Result([column("email")], [("a@b.c",)])) as session:
        statement = session.prepare("SELECT a")
        assert session.execute(statement, flags=1).rows == [("a***@b.c",)]
        sent = session.server_queries[-1].packet
        assert proto.from_stmt_execute_packet(sent, 0).flags == 0
        fetch = session.command(b"\x1c" + bytes(4) + b"\1\0\0\0")
        assert fetch.error is not None and fetch.error.errno == 1421


def test_status_and_warnings_are_kept() -> None:
    answer = Result([column("email")], [("a@b.c",)], warnings=3, status=0x20)
    with masking(answer) as session:
        session.query("BEGIN")
        seen = session.query("SELECT a")
    assert (seen.warnings, seen.server_status) == (3, 0x01 | 0x02 | 0x20)


def test_users_who_see_everything() -> None:
    answer = Result([column("email")], [("a@b.c",)])
    with masking(answer, settings="unmasked_users = root, dba", user="dba") as session:
        assert session.query("SELECT a").rows == [("a@b.c",)]
        assert session.new_client(user="app").query("SELECT a").rows == [("a***@b.c",)]


def test_each_of_several_results_is_masked() -> None:
    one = Result([column("email")], [("a@b.c",)])
    for answer in (
        [one, one],
        [Ok(), one],
        [Result([column("email")]), one],
        [one, Error(1146, "42S02", "no")],
    ):
        with masking(answer) as session:
            seen = b"".join(session.query("CALL p()").packets)
            assert b"a***@b.c" in seen and b"a@b.c" not in seen
    # A procedure with one result ends with an OK.
    with masking([one, Ok()]) as session:
        assert session.query("CALL p()").rows == [("a***@b.c",)]


def test_an_error_behind_rows_comes_without_them() -> None:
    rows = Result([column("email")], [("a@b.c",)]).encode(2, False)[:-1]
    error = Error(1317, "70100", "killed").encode(2, False)

    class Broken(Ok):
        def encode(self, status: int, binary: bool) -> list[bytes]:
            return rows + error

    with masking(Broken()) as session:
        seen = session.query("SELECT a")
        assert seen.error == (1317, "70100", "killed")
        assert len(seen.packets) == 1


@pytest.mark.parametrize("command", [0x12, 0x13, 0x15, 0x1E, 0x20])
def test_raw_data_is_refused(command: int) -> None:
    with masking(Ok()) as session:
        assert refused(session.command(bytes((command,)) + bytes(20)))
        assert session.server_queries == []


def test_errors_and_other_answers_pass() -> None:
    with masking(Error(1146, "42S02", "no")) as session:
        assert session.query("SELECT a").error == (1146, "42S02", "no")
        assert session.query("INSERT").affected_rows == 0
        assert session.command(b"\x0e").ok


def test_with_an_empty_section_nothing_is_kept() -> None:
    with masking(Result([column("email")], [("a@b.c",)]), rules="[masking_rules]") as session:
        assert session.query("SELECT a").rows == [("a@b.c",)]


def test_strict_refuses_columns_without_an_origin() -> None:
    answer = Result([column("name"), expression("m")], [("Ada", "x")])
    with masking(answer, settings="strict = yes") as session:
        assert refused(session.query("SELECT name, MAX(email) AS m FROM customers"))
        assert refused(session.query("SELECT f(1) AS m"))
        assert refused(session.query("SELECT @a AS m"))
        assert refused(session.query("SELECT 1 AS m UNION TABLE customers"))
        assert refused(session.query("SELECT (SELECT email/**/FROM customers) AS m"))
        assert refused(session.query("SELECT /*! email FROM customers */"))
        assert refused(session.query("/**/CALL p()"))
        assert refused(session.query("SELECT shop . version() AS m"))
        assert refused(session.query('SELECT "f"() AS m'))
        assert refused(session.query("SELECT `version`() AS m"))
        assert not refused(session.query("SELECT NOW(), @@version, 'from a string'"))
        assert not refused(session.query("SHOW TABLES FROM shop"))
        assert refused(session.execute(session.prepare("SELECT MAX(email) AS m FROM customers")))
        assert not refused(session.execute(session.prepare("SELECT 1")))


def test_strict_lets_columns_with_an_origin_pass() -> None:
    answer = Result([column("name"), column("email")], [("Ada", "a@b.c")])
    with masking(answer, settings="strict = yes") as session:
        assert session.query("SELECT * FROM customers").rows == [("Ada", "a***@b.c")]


def test_rows_for_a_long_statement_are_refused() -> None:
    field = column("name")
    server = FakeServer().on(re.compile("^SELECT"), Result([field], [("Ada",)]))
    config = f"{RULES}\n[masking]\nmax_statement_bytes = 1000\n"
    fits = "SELECT name FROM customers WHERE id".ljust(1000)
    with Session(SCRIPT, server=server, script_config=config) as session:
        assert session.query(fits).rows == [("Ada",)]
        answer = session.query(fits + " ")
        assert refused(answer) and "max_statement_bytes" in answer.error.message
        assert session.execute(session.prepare(fits)).rows == [("Ada",)]
        assert refused(session.execute(session.prepare(fits + " ")))
        assert session.query("INSERT INTO t VALUES" + " (1)," * 1000).ok
        assert session.query("SELECT name").rows == [("Ada",)]


def test_several_quoted_names_are_understood() -> None:
    answer = Result([column("name"), column("email", org_table="orders")], [("Ada", "a@b.c")])
    with masking(answer, settings="strict = yes") as session:
        seen = session.query(
            'SELECT `name`, `o`.`email` FROM customers, `orders` `o`, t -- "a", "b"'
        )
        assert seen.rows == [("Ada", "a@b.c")]


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("email = null", "expected table.column"),
        ("a.b.c.d = null", "expected table.column"),
        ("a.b = blur", "expected null, last4"),
    ],
)
def test_a_rule_that_makes_no_sense_stops_the_start(rule: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        masking(Ok(), f"[masking_rules]\n{rule}")


# --- derived tables, which servers name as if they were tables


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a FROM (SELECT a FROM customers) d",
        "SELECT a FROM (SELECT a FROM customers)AS`d`",
        'SELECT a FROM (SELECT a FROM customers) /* x */ AS "D"',
        "WITH d AS (SELECT a FROM customers) SELECT a FROM d",
        "WITH RECURSIVE c AS (SELECT 1), d (a, b) AS (SELECT a FROM customers) SELECT a FROM d",
        "SELECT a FROM JSON_TABLE(x, '$[*]' COLUMNS (a INT PATH '$')) AS d",
        "CALL p()",
        "EXECUTE s",
        "SELECT a FROM t # x",
        "SELECT a FROM (SELECT a FROM customers)",
        "SELECT a FROM (SELECT a FROM customers) é",
        "SELECT a FROM (SELECT a FROM customers) `d`, `(`",
        "WITH d (`a)`) AS (SELECT a FROM customers) SELECT a FROM d",
        r"SELECT a, '\' FROM (SELECT a FROM customers) d -- '",
    ],
)
def test_derived_tables_have_no_origin(statement: str) -> None:
    field = column("email", table="d", org_table="d")
    server = FakeServer().on(statement, Result([field], [("ada@example.com",)]))
    with Session(SCRIPT, server=server, script_config=RULES) as session:
        assert session.query(statement).rows == [("a***@example.com",)]
        if not statement.startswith(("CALL", "EXECUTE")):
            rows = session.execute(session.prepare(statement)).rows
            assert rows == [("a***@example.com",)]


@pytest.mark.parametrize(
    "origin", [{"database": ""}, {"org_table": ""}, {"org_name": ""}, {"database": "*any*"}]
)
def test_temporary_tables_have_no_origin(origin: dict[str, str]) -> None:
    field = {**column("email", org_table="orders"), **origin}
    assert masked("ada@example.com", field) == "a***@example.com"


def test_what_a_server_knows_of_a_derived_column_counts() -> None:
    """MySQL tells the table behind a derived one, MariaDB the column behind a temporary one."""
    statement = "SELECT x FROM (SELECT email AS x FROM orders) d"
    field = column("x", "email", table="d", org_table="orders")
    server = FakeServer().on(statement, Result([field], [("ada@example.com",)]))
    with Session(SCRIPT, server=server, script_config=RULES) as session:
        assert session.query(statement).rows == [("a***@example.com",)]


def test_closed_statements_are_forgotten() -> None:
    with masking(Result([column("email")], [("a@b.c",)])) as session:
        session.close_statement(session.prepare("SELECT a"))
        with session.inspect() as proxy:
            assert len(proxy.connection.masking_prepared) == 0


def test_a_derived_table_without_a_name_has_no_origin() -> None:
    field = column("email", table="__2", org_table="__2")
    statement = "SELECT email AS __2 FROM (SELECT email FROM customers)"
    server = FakeServer().on(statement, Result([field], [("ada@example.com",)]))
    with Session(SCRIPT, server=server, script_config=RULES) as session:
        assert session.query(statement).rows == [("a***@example.com",)]


@pytest.mark.parametrize(
    "statement", ["SELECT email FROM D", "SELECT email FROM `d` WHERE (a) = 1"]
)
def test_a_table_that_is_no_derived_one_has_an_origin(statement: str) -> None:
    field = column("email", table="d", org_table="d")
    server = FakeServer().on(statement, Result([field], [("ada@example.com",)]))
    with Session(SCRIPT, server=server, script_config=RULES) as session:
        assert session.query(statement).rows == [("ada@example.com",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT histogram FROM information_schema.column_statistics",
        "select * from `COLUMN_STATISTICS`",
        "CREATE VIEW v AS SELECT * FROM mysql.column_stats",
        "PREPARE s FROM 'SELECT * FROM information_schema.column_statistics'",
    ],
)
def test_statistics_of_columns_are_refused(sql: str) -> None:
    with masking(Ok()) as session:
        for answer in (session.query(sql), session.prepare(sql).answer):
            assert answer.error is not None and answer.error.errno == 1227
        assert session.server_queries == []
        assert session.new_client(user="app").query("SELECT 1").ok
    with masking(Ok(), settings="unmasked_users = app") as session:
        assert session.query(sql).ok


def test_statistics_are_refused_whatever_statement_shows_them() -> None:
    field = column("h", "HISTOGRAM", org_table="COLUMN_STATISTICS", database="information_schema")
    with masking(Result([field], [("{}",)])) as session:
        answer = session.query("SELECT h FROM v")
        assert answer.error is not None and answer.error.errno == 1227
