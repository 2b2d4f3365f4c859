"""The parts of the script `result_cache`: what changes what, what is steady, and how results are packed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import pyproxy
import pytest
from pyproxy import proto
from pyproxy._pooling.session import Outcome
from pyproxy._pooling.steady import steady_tables
from pyproxy._result_cache.changes import EVERYTHING, NOTHING, changed_tables
from pyproxy._result_cache.entry import pack, unpack
from pyproxy._result_cache.session import Request, Session
from pyproxy._result_cache.tables import Definition, parse, show


def changed(sql: str) -> frozenset[str]:
    return changed_tables(sql.encode(), "d")


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("INSERT INTO t VALUES (1)", {"d.t"}),
        ("insert into x.t select * from u", {"x.t"}),
        ("UPDATE t, u SET t.a = u.a", {"d.t", "d.u"}),
        ("DELETE FROM t WHERE a IN (SELECT a FROM u)", {"d.t"}),
        ("LOAD DATA INFILE 'x' INTO TABLE t", {"d.t"}),
        ("TRUNCATE TABLE t", {"d.t"}),
        ("RENAME TABLE t TO u", {"d.t", "d.u"}),
        ("ALTER TABLE t ADD INDEX (a)", {"d.t"}),
        ("CREATE UNIQUE INDEX i ON t (a)", {"d.t"}),
        ("DROP TABLE IF EXISTS t, u", {"d.t", "d.u"}),
        ("INSERT INTO t VALUES ('\N{LATIN SMALL LETTER E WITH ACUTE}')", {"d.t"}),
        ("INSERT INTO t VALUES ('a\\'b')", {"d.t"}),
    ],
)
def test_what_a_statement_changes(sql: str, tables: Iterable[str]) -> None:
    assert changed(sql) == frozenset(tables)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "(SELECT 1)",
        "SELECT NOW()",
        "SELECT * FROM t FOR UPDATE",
        "SET NAMES utf8mb4",
        "BEGIN",
        "START TRANSACTION",
        "COMMIT",
        "SHOW TABLES",
        "EXPLAIN DELETE FROM t",
        "USE x",
        "LOCK TABLES t WRITE",
        "-- nothing",
    ],
)
def test_what_changes_nothing(sql: str) -> None:
    assert changed(sql) == NOTHING


@pytest.mark.parametrize(
    "sql",
    [
        "CALL p()",
        "DO f()",
        "SELECT f(1)",
        "SET @a = f(1)",
        "SELECT `NOW`(1)",
        'SELECT "f"(1)',
        "GRANT SELECT ON t TO u",
        "FLUSH PRIVILEGES",
        "SET GLOBAL sql_mode = ''",
        "SET @@global.sql_mode = ''",
        "SET PASSWORD = 'x'",
        "DROP DATABASE d",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
        "ALTER USER u IDENTIFIED BY 'x'",
        "EXECUTE s",
        "EXECUTE IMMEDIATE 'DROP TABLE t'",
        "BEGIN NOT ATOMIC DELETE FROM t; END",
        "/*!40000 DELETE FROM t */",
        "DELETE FROM t; CREATE TABLE u (a INT)",
        "WITH x AS (SELECT 1) UPDATE t SET a = 1",
        "ANALYZE UPDATE t SET a = 1",
        "XA COMMIT 'x'",
        "START SLAVE",
        "INSERT INTO `\N{LATIN SMALL LETTER E WITH ACUTE}` VALUES (1)",
        "INSERT INTO t VALUES ('\N{LATIN SMALL LETTER E WITH ACUTE}\\'')",
        'INSERT INTO t VALUES ("a\\"")',
        "INSERT INTO t VALUES ('" + "x" * 70_000 + "')",
        "NONSENSE",
    ],
)
def test_what_may_change_anything(sql: str) -> None:
    assert changed(sql) == EVERYTHING


def test_without_a_database_a_name_says_nothing() -> None:
    assert changed_tables(b"DELETE FROM t", "") == EVERYTHING
    assert changed_tables(b"DELETE FROM x.t", "") == frozenset(("x.t",))


def test_backslashes_are_read_as_the_server_says() -> None:
    sql = b"SELECT a FROM t WHERE a = 'x\\' FROM u '"
    assert steady_tables(sql, "d") == frozenset(("d.t",))
    assert steady_tables(sql, "d", no_backslash_escapes=True) is None


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT user, version FROM t", {"d.t"}),
        ("SELECT COUNT(*) FROM t JOIN x.u USING (a)", {"d.t", "x.u"}),
        ("SELECT * FROM (SELECT a FROM t) z WHERE a IN (SELECT a FROM u)", {"d.t", "d.u"}),
        ("SELECT a FROM t UNION SELECT a FROM u", {"d.t", "d.u"}),
        ("SELECT DATE_FORMAT(a, '%Y') FROM t -- at the end", {"d.t"}),
    ],
)
def test_steady_queries(sql: str, tables: Iterable[str]) -> None:
    assert steady_tables(sql.encode(), "d") == frozenset(tables)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT UNIX_TIMESTAMP() FROM t",
        "SELECT UUID() FROM t",
        "SELECT * FROM t WHERE a > SYSDATE",
        "SELECT * FROM t WHERE a = CURRENT_USER",
        "SELECT x.f(a) FROM t",
        "SELECT COUNT (*) FROM t",
        "SELECT * FROM t INTO @a",
        "SELECT * FROM t INTO OUTFILE 'x'",
        "SELECT NEXTVAL(s) FROM t",
        "SELECT * FROM t WHERE a IN (TABLE u)",
        "SELECT * FROM `a.b`",
        "SELECT * FROM INFORMATION_SCHEMA.TABLES",
        "SELECT 1 FROM DUAL",
        "SELECT a FROM t; SELECT a FROM u",
        "TABLE t",
        "DELETE FROM t RETURNING a",
    ],
)
def test_what_is_not_steady(sql: str) -> None:
    assert steady_tables(sql.encode(), "d") is None


def test_names_need_a_database() -> None:
    assert steady_tables(b"SELECT * FROM t", "") is None


def test_packed_results() -> None:
    packets = [b"\x01", b"", b"x" * 100_000]
    versions = {"*": "a", "d.t": "b"}
    data = pack(versions, packets)
    assert unpack(data) == (versions, packets)
    for length in (0, 1, 3, 10, len(data) - 1):
        assert unpack(data[:length]) is None
    assert unpack(pack({}, [b"x"]).replace(b"{}", b"[]")) is None


TABLE = """CREATE TABLE `c` (
  `id` int(11) DEFAULT NULL COMMENT 'x',
  KEY `id` (`id`),
  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `p` (`id`) ON DELETE CASCADE,
  CONSTRAINT `g` FOREIGN KEY (`id`) REFERENCES `o`.`q``r` (`id`) ON UPDATE SET NULL,
  CONSTRAINT `h` FOREIGN KEY (`id`) REFERENCES `harmless` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""


def test_definitions_of_tables() -> None:
    columns = ("Table", "Create Table")
    parents = frozenset(("d.p", "o.q`r"))
    assert parse(columns, TABLE, "d") == Definition(True, True, parents)
    assert not parse(columns, TABLE.replace("InnoDB", "FEDERATED"), "d").is_steady
    assert not parse(columns, TABLE.replace("ENGINE=", "SEQUENCE=1 ENGINE="), "d").is_steady
    hidden = TABLE.replace("'x'", "'ON DELETE CASCADE'")
    assert parse(columns, hidden, "d") == Definition(is_table=True)
    temporary = TABLE.replace("CREATE TABLE", "CREATE TEMPORARY TABLE")
    assert parse(columns, temporary, "d")[:2] == (True, False)
    assert parse(("View", "Create View"), "CREATE VIEW `v` AS select 1", "d") == Definition(False)
    assert show("d.a`b") == "SHOW CREATE TABLE `d`.`a``b`"


# --- sessions


SELECT = b"SELECT id FROM t WHERE id = ?"
ID = (7).to_bytes(4, "little")


def session(text: bytes = SELECT, params: int = 1) -> Session:
    made = Session("d", None)
    answer = proto.to_stmt_prepare_ok_packet(stmt_id=7, num_params=params)
    made.note_prepared(b"\x16" + text, answer)
    return made


def execution(value: object, is_bound: bool = True, type: int = 3) -> bytes:
    return proto.to_stmt_execute_packet(
        stmt_id=7, new_params_bound=is_bound, params=[proto.Param(type, value)]
    )


def ask(of: Session, packet: bytes) -> Request:
    return of.request(packet, False)


def test_the_server_gets_the_types_that_it_missed() -> None:
    of = session()
    first = ask(of, execution(1))
    of.note_served(first)
    # The client sends no types, as the server ought to know them.
    second = ask(of, execution(2, is_bound=False))
    assert second.packet == execution(2)
    of.note_sent(second)
    third = ask(of, execution(3, is_bound=False))
    assert third.packet == execution(3, is_bound=False)
    assert third.params == (proto.Param(3, 3),)


def test_a_value_that_was_sent_ahead_is_not_sent_twice() -> None:
    of = session()
    of.note_served(ask(of, execution(b"x", type=252)))
    of.note_unanswered(proto.to_stmt_send_long_data_packet(stmt_id=7, param=0, data=b"ahead"))
    request = ask(of, b"\x17" + ID + b"\0" + b"\1\0\0\0" + b"\0" + b"\0")
    assert request.params is None
    assert request.packet == execution(None, type=252)


def test_executions_that_are_not_kept() -> None:
    of = session()
    cursor = proto.to_stmt_execute_packet(stmt_id=7, flags=1, params=[proto.Param(3, 1)])
    assert ask(of, cursor).params is None
    assert ask(of, b"\x17" + ID).params is None
    unknown = proto.to_stmt_execute_packet(stmt_id=8, params=[])
    assert ask(of, unknown).changes == EVERYTHING
    of.note_unanswered(b"\x19" + ID)
    assert ask(of, execution(1)).text is None


def test_an_execution_means_what_its_text_means() -> None:
    of = session(b"UPDATE t SET a = ?")
    assert ask(of, execution(1)).changes == frozenset(("d.t",))
    date = datetime.datetime(2024, 1, 2, 3, 4, 5)
    assert ask(of, execution(date, type=12)).params == (proto.Param(12, date),)


def test_names_of_a_prepared_statement_stay_what_they_were() -> None:
    of = session()
    run(of, b"\x02other")
    assert ask(of, execution(1)).database == "d"
    assert ask(of, b"\x03SELECT 1").database == "other"


def run(of: Session, packet: bytes, **outcome: bool) -> None:
    of.note_sent(ask(of, packet))
    of.note_result(Outcome(is_error=False, **outcome))


def test_changes_of_a_transaction_are_told_again_at_its_end() -> None:
    of = Session("d", None)
    run(of, b"\x03BEGIN", in_transaction=True)
    assert not of.has_news
    run(of, b"\x03UPDATE t SET a = 1", in_transaction=True)
    assert of.has_news
    of.note_told(of.changed)
    run(of, b"\x03SELECT 1 FROM t", in_transaction=True)
    assert of.changed == frozenset(("d.t",)) and not of.has_news
    run(of, b"\x03COMMIT", in_transaction=False)
    assert of.has_news
    of.note_told(of.changed)
    assert not of.changed


def test_a_session_stops_being_plain() -> None:
    of = Session("d", None)
    run(of, b"\x03SET @a = 1")
    run(of, b"\x03SET NAMES latin1")
    assert of.is_plain and of.settings == ("SET NAMES latin1",)
    run(of, b"\x03SET ROLE x")
    assert not of.is_plain
    assert not Session("d", None, of.outlasts_reset).is_plain
    assert bytes((pyproxy.COM_QUERY,)) == b"\x03"
