"""The script `rw_splitting` without a proxy: where commands go, and what a connection is told before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pyproxy._splitting.answers import QUESTION, QUESTION_OF_MYSQL, SHOW_WARNINGS
from pyproxy.testing import Changes, Error, FakeServer, LoginRefused, Ok, Result, Session

PRIMARY, READER = 0, 1
RESET = (READER, 31, "")
SCRIPT = "pyproxy.hooks.rw_splitting"
SMALL = {"rwsplit": {"min_idle_connections": 1}}


def start(
    read_only: FakeServer | None = None,
    users: dict[str, str] | None = None,
    tracks: bool = True,
    version: str = "8.0.36",
    **options: Any,
) -> Session:
    """A session whose proxy has one idle connection in each pool: the client's own, and that of another one."""
    options.setdefault("config", SMALL)
    primary = FakeServer(users=users, tracks=tracks, version=version)
    reader = read_only or FakeServer(users=users, tracks=True, version=version)
    for server in (primary, reader):
        server.on(re.compile(r"^SELECT \d$"), number("1"))
    session = Session(SCRIPT, backends=[primary], read_only=[reader], **options)
    session.connect()
    session.new_client().connect()
    return session


def number(value: str) -> Result:
    """A result of one number."""
    return Result([("x", 8)], [(value,)])


def second(session: Session) -> Session:
    """The other client that `start` made: the two share one connection to each backend."""
    (client,) = session._others
    return client


@pytest.fixture
def session() -> Iterator[Session]:
    with start() as session:
        yield session
    assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def sent(session: Session, action: Callable[[], Any]) -> list[tuple[int, int, str]]:
    """What the servers got during `action`: backend, command, text."""
    before = len(session.server_queries)
    action()
    return [
        (q.backend, q.command, q.text)
        for q in session.server_queries[before:]
        # Each connection is told once what to report, and asked about its last statement if the answer does not tell.
        if "session_track" not in q.text and q.text not in (QUESTION, QUESTION_OF_MYSQL)
    ]


@pytest.fixture
def mariadb() -> Iterator[Session]:
    with start(version="10.11.6-MariaDB") as session:
        yield session


def queries(session: Session, *statements: str) -> list[tuple[int, str]]:
    """Runs the statements; gives which servers got them."""

    def run() -> None:
        for sql in statements:
            answer = session.query(sql)
            assert answer.error is None, answer.error

    return [(backend, text) for backend, _, text in sent(session, run) if text in statements]


def texts(session: Session) -> list[str]:
    """What the servers got so far."""
    return [query.text for query in session.server_queries]


def idle(session: Session) -> list[int]:
    """How many connections of the user each backend's pool has."""
    with session.inspect() as proxy:
        return [backend.pool.users["u"].cur_idle_connections for backend in proxy.globals.backends]


def test_reads_and_writes_part(session: Session) -> None:
    statements = ["SELECT 1", "INSERT INTO t VALUES (1)", "SELECT 1 FOR UPDATE", "SHOW TABLES"]
    backends = [backend for backend, _ in queries(session, *statements)]
    assert backends == [READER, PRIMARY, PRIMARY, PRIMARY]


def test_transactions_stay(session: Session) -> None:
    statements = ["BEGIN", "SELECT 1", "COMMIT", "SELECT 2"]
    backends = [backend for backend, _ in queries(session, *statements)]
    assert backends == [PRIMARY, PRIMARY, PRIMARY, READER]


def test_an_error_does_not_end_a_transaction(session: Session) -> None:
    session.servers[PRIMARY].on("garbage", Error(1064, "42000", "Syntax"))
    session.query("BEGIN")
    session.query("garbage")
    assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]


def test_without_autocommit_nothing_moves(session: Session) -> None:
    statements = ["SET autocommit=0", "SELECT 1", "SET autocommit=1"]
    assert {backend for backend, _ in queries(session, *statements)} == {PRIMARY}
    assert queries(session, "SELECT 1")[-1] == (READER, "SELECT 1")


def test_a_connection_of_its_own_is_told_nothing(session: Session) -> None:
    # What comes of no other client's hands needs no reset.
    assert sent(session, lambda: session.query("DO 1")) == [
        (PRIMARY, 3, "DO 1"),
    ]


def test_settings_go_along_by_value(session: Session) -> None:
    session.servers[PRIMARY].on("SET a = b + 1", Ok(changes=Changes({"a": "4"})))
    queries(session, "SELECT 1")
    session.servers[PRIMARY].on("SELECT @@session.a", number("4"))
    assert sent(session, lambda: session.query("SET a = b + 1")) == [
        (PRIMARY, 3, "SET SESSION transaction_read_only = 0"),
        (PRIMARY, 3, "SET a = b + 1"),
        (PRIMARY, 3, "SELECT @@session.a"),
    ]
    with session.inspect() as proxy:
        assert proxy.connection.client_session.settings["a"] == "4"
    assert sent(session, lambda: session.query("SELECT 1")) == [
        (READER, 3, "SET SESSION a = 4"),
        (READER, 3, "SELECT 1"),
    ]
    assert sent(session, lambda: session.query("SELECT 2")) == [(READER, 3, "SELECT 2")]


def test_a_value_that_cannot_be_given_to_another_ties(session: Session) -> None:
    session.servers[PRIMARY].on("SELECT @@session.a", Result(["@@session.a"], [("\\",)]))
    statements = ["SET a = X'5C'", "SELECT 1"]
    assert {backend for backend, _ in queries(session, *statements)} == {PRIMARY}


def test_names_stand_for_three(session: Session) -> None:
    queries(session, "SET NAMES utf8mb4")
    names = ("character_set_client", "character_set_results", "collation_connection")
    assert "SELECT " + ", ".join(f"@@session.{name}" for name in names) in texts(session)
    told = " ".join(text for _, _, text in sent(session, lambda: session.query("SELECT 1")))
    assert all(f"{name} = 'utf8mb4'" in told for name in names)


def test_a_connection_of_another_client_is_reset(session: Session) -> None:
    session.servers[READER].on(
        re.compile("information_schema.COLLATIONS WHERE ID = 45"),
        Result(["NAME", "COLLATION_NAME", "IS_DEFAULT"], [("utf8mb4", "utf8mb4_general_ci", "")]),
    )
    other = session.new_client()
    other.connect()
    queries(session, "SET a = 1", "SELECT 1")
    told = sent(session, lambda: other.query("SELECT 2"))
    settings = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, transaction_read_only = 1"
    # The names of the collation are asked for once.
    assert told == [RESET, (READER, 3, settings), (READER, 3, "SELECT 2")]


def test_a_connection_that_cannot_be_prepared_runs_nothing() -> None:
    with start() as session:
        cannot_be_prepared(session)


def cannot_be_prepared(session: Session) -> None:
    setting = "SET SESSION a = 1, transaction_read_only = 1"
    session.servers[READER].on(setting, Error(1193, "HY000", "Unknown variable"))
    queries(session, "SET a = 1")
    answer = session.query("SELECT 1")
    assert answer.error is not None
    assert answer.error.errno == 1193
    assert answer.error.message.endswith(": Unknown variable")
    assert texts(session).count("SELECT 1") == 0
    assert queries(session, "DO 1") == [(PRIMARY, "DO 1")]
    # Whatever it is left with, nobody finds it.
    assert idle(session)[READER] == 0


def test_the_default_database_goes_along(session: Session) -> None:
    queries(session, "SELECT 1")
    session.command(b"\x02db")
    assert sent(session, lambda: session.query("SELECT 1")) == [
        (READER, 2, "db"),
        (READER, 3, "SELECT 1"),
    ]
    assert sent(session, lambda: session.query("SELECT 2")) == [(READER, 3, "SELECT 2")]
    queries(session, "USE other")
    assert (READER, 2, "other") in sent(session, lambda: session.query("SELECT 1"))


def test_the_last_insert_id_goes_along(session: Session) -> None:
    session.servers[PRIMARY].on("INSERT", Ok(affected_rows=1, insert_id=7))
    queries(session, "SELECT 1", "INSERT")
    with session.inspect() as proxy:
        assert proxy.connection.client_session.insert_id == 7
    assert sent(session, lambda: session.query("SELECT 1")) == [
        (READER, 3, "SET SESSION last_insert_id = 7"),
        (READER, 3, "SELECT 1"),
    ]
    assert queries(session, "SELECT LAST_INSERT_ID()") == [(PRIMARY, "SELECT LAST_INSERT_ID()")]
    assert idle(session) == [1, 1]


def test_an_insert_id_of_a_prepared_statement_is_asked_for(mariadb: Session) -> None:
    sql = "INSERT INTO t VALUES (1) RETURNING id"
    mariadb.servers[PRIMARY].on(sql, Result(["id"], [(7,)]))
    statement = mariadb.prepare(sql)
    mariadb.execute(statement)
    last = [(name, 8) for name in QUESTION[len("SELECT ") :].split(", ")]
    mariadb.servers[PRIMARY].on(QUESTION, Result(last, [(-1, 0, 7, 0)]))
    # The answer does not tell it; the connection is asked as soon as it is given back.
    mariadb.close_statement(statement)
    queries(mariadb, "DO 1")
    with mariadb.inspect() as proxy:
        assert proxy.connection.client_session.insert_id == 7


def test_an_insert_id_is_nobody_elses() -> None:
    settings = {"rwsplit": {"min_idle_connections": 0}}
    server = FakeServer(tracks=True)
    with Session(SCRIPT, server=server, config=settings, pool_change_user=False) as session:
        session.server.on("INSERT", Ok(affected_rows=1, insert_id=7))
        session.query("INSERT")
        session.quit()
        other = session.new_client()
        other.connect()
        told = sent(session, lambda: other.query("SELECT LAST_INSERT_ID()"))
        assert len(session.server.connections) == 1
        assert (PRIMARY, 31, "") in told[:2]


def test_a_reset_by_the_client_ends_the_insert_id(session: Session) -> None:
    session.servers[PRIMARY].on("INSERT", Ok(affected_rows=1, insert_id=7))
    queries(session, "INSERT")
    session.command(b"\x1f")
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


@pytest.mark.parametrize("sql", ["SELECT LASTVAL(s)", "SHOW PROFILES"])
def test_what_no_connection_knows_is_refused(session: Session, sql: str) -> None:
    queries(session, "SELECT 1")

    def ask() -> None:
        for answer in (session.query(sql), session.command(b"\x16" + sql.encode())):
            assert answer.error is not None
            assert answer.error.errno == 1105

    assert sent(session, ask) == []
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


@pytest.mark.parametrize(
    ("before", "sql", "expected"),
    [
        ("UPDATE t SET a = 1", "SELECT ROW_COUNT()", "3"),
        ("SELECT SQL_CALC_FOUND_ROWS 1", "SELECT FOUND_ROWS()", "7"),
        ("SELECT 1", "SELECT FOUND_ROWS()", "1"),
    ],
)
def test_questions_about_the_last_statement_are_answered(
    mariadb: Session, before: str, sql: str, expected: str
) -> None:
    for server in mariadb.servers:
        server.on("UPDATE t SET a = 1", Ok(affected_rows=3)).on("SELECT 1", number("1"))
        server.on("SELECT SQL_CALC_FOUND_ROWS 1", Result(["1"], [("1",)] * 7))
    assert mariadb.query(before).error is None

    def ask() -> None:
        assert mariadb.query(sql).rows == [(expected,)]

    assert sent(mariadb, ask) == []
    # Whoever is given the connection: it is not asked.
    mariadb.new_client().query(before)
    assert mariadb.query("SELECT ROW_COUNT()").rows == [("-1",)]


def test_what_cannot_be_answered_from_memory_is_refused(mariadb: Session) -> None:
    for server in mariadb.servers:
        server.on("UPDATE t SET a = 1", Ok(affected_rows=3))
    queries(mariadb, "UPDATE t SET a = 1")
    error = mariadb.query("SELECT ROW_COUNT() + 1").error
    assert error is not None
    assert "with other clients" in error.message


def test_what_is_asked_in_other_words_is_asked_behind_something_like_it(mariadb: Session) -> None:
    queries(mariadb, "SELECT 1")
    told = [text for _, _, text in sent(mariadb, lambda: mariadb.query("SELECT ROW_COUNT() + 1"))]
    assert told[-1] == "SELECT ROW_COUNT() + 1"
    assert "LIMIT 1" in told[-2]


def test_mysql_says_how_answers_look_and_memory_what_they_are(session: Session) -> None:
    for server in session.servers:
        server.on("UPDATE t SET a = 1", Ok(affected_rows=3))
    queries(session, "UPDATE t SET a = 1")
    second(session).query("SELECT 1")

    def ask() -> None:
        assert session.query("SELECT ROW_COUNT()").rows == [("3",)]

    assert [text for _, _, text in sent(session, ask)][-1] == "SELECT ROW_COUNT() LIMIT 0"


def test_in_a_transaction_questions_go_to_the_server(session: Session) -> None:
    statements = ["BEGIN", "UPDATE t SET a = 1", "SELECT ROW_COUNT() + 1", "SHOW WARNINGS"]
    assert queries(session, *statements) == [(PRIMARY, sql) for sql in statements]


def test_warnings_are_fetched_while_the_connection_is_there(mariadb: Session) -> None:
    mariadb.servers[READER].on("SELECT a", Result(["a"], [("1",)], warnings=1))
    mariadb.query("SELECT a")
    assert texts(mariadb)[-3:] == ["SELECT a", QUESTION, SHOW_WARNINGS]

    def ask() -> None:
        assert mariadb.query("SHOW WARNINGS").rows == [("Warning", "1105", "Unknown error")]
        assert mariadb.query("SHOW ERRORS").rows == []
        assert mariadb.query("SHOW COUNT(*) WARNINGS").rows == [("1",)]

    assert sent(mariadb, ask) == []


def test_what_an_error_left_can_be_asked_for(session: Session) -> None:
    session.servers[PRIMARY].on("garbage", Error(1064, "42000", "Syntax"))
    session.query("garbage")
    assert session.query("SHOW ERRORS").rows == [("Error", "1064", "Syntax")]


@pytest.mark.parametrize(
    ("before", "sql"),
    [
        ("SELECT NEXTVAL(s)", "SELECT LASTVAL(s)"),
        ("CALL p()", "SELECT LASTVAL(s)"),
        ("SET profiling = 1", "SHOW PROFILES"),
    ],
)
def test_what_one_connection_knows_is_asked_there(session: Session, before: str, sql: str) -> None:
    assert queries(session, before, sql) == [(PRIMARY, before), (PRIMARY, sql)]


def test_there_are_no_warnings_of_others(session: Session) -> None:
    session.servers[PRIMARY].on("DROP TABLE IF EXISTS t", Ok(warnings=1))
    session.servers[READER].on("SELECT a FROM t", number("1"))
    second(session).query("DROP TABLE IF EXISTS t")
    queries(session, "SELECT a FROM t")

    def ask() -> None:
        assert session.query("SHOW WARNINGS").rows == []

    # It is asked how that looks, whatever it has.
    assert (PRIMARY, 3, "SHOW WARNINGS") in sent(session, ask)


def test_what_a_connection_was_told_is_nothing_that_the_client_did(session: Session) -> None:
    columns = [("Level", 253), ("Code", 253), ("Message", 253)]
    session.servers[PRIMARY].on(
        "SHOW WARNINGS", Result(columns, [("Warning", "1681", "Updating 'collation_database'")])
    )
    queries(session, "UPDATE t SET a = 1")
    assert session.command(b"\x1f").error is None
    assert session.query("SHOW WARNINGS").rows == []


def test_warnings_stay_behind_a_statement_without_a_table(mariadb: Session) -> None:
    mariadb.servers[PRIMARY].on("DROP TABLE IF EXISTS t", Ok(warnings=1))
    queries(mariadb, "DROP TABLE IF EXISTS t", "SELECT 1")
    assert mariadb.query("SHOW WARNINGS").rows == [("Warning", "1105", "Unknown error")]


@pytest.mark.parametrize("command", [b"\x1b\1\0", b"\x03SET profiling = 1"])
def test_what_a_reset_keeps_is_nobody_elses(session: Session, command: bytes) -> None:
    assert session.command(command).error is None
    session.command(b"\x1f")
    assert queries(session, "SELECT 1")[-1] == (PRIMARY, "SELECT 1")
    session.quit()
    assert idle(session) == [0, 1]


def test_a_setting_of_all_transactions_goes_along(session: Session) -> None:
    isolation = Result(["x"], [("SERIALIZABLE",)])
    session.servers[PRIMARY].on("SELECT @@session.transaction_isolation", isolation)
    session.servers[PRIMARY].on("SELECT @@session.transaction_read_only", number("1"))
    settings = [
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET SESSION TRANSACTION READ ONLY",
    ]
    queries(session, *settings)
    told = [text for _, _, text in sent(session, lambda: session.query("SELECT 1"))]
    assert "SET SESSION transaction_isolation = 'SERIALIZABLE', transaction_read_only = 1" in told
    # What it is on replicas anyway stays so on the primary: the client wants it.
    assert sent(session, lambda: session.query("DO 1"))[0] == (PRIMARY, 3, "DO 1")


def test_replicas_write_nothing(session: Session) -> None:
    told = sent(session, lambda: session.query("SELECT 1"))
    assert told[-2:] == [
        (READER, 3, "SET SESSION transaction_read_only = 1"),
        (READER, 3, "SELECT 1"),
    ]


@pytest.mark.parametrize("errno", [1792, 1290, 1836])
def test_what_a_replica_refuses_runs_on_the_primary(session: Session, errno: int) -> None:
    session.servers[READER].on("SELECT 1", Error(errno, "HY000", "read only"))
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1"), (PRIMARY, "SELECT 1")]
    assert session.query("SELECT FOUND_ROWS()").rows == [("1",)]
    assert idle(session) == [1, 1]


def test_other_errors_of_replicas_are_the_clients(session: Session) -> None:
    session.servers[READER].on("SELECT 1", Error(1146, "42S02", "No table"))
    error = session.query("SELECT 1").error
    assert error is not None and error.errno == 1146
    assert texts(session).count("SELECT 1") == 1


def test_the_second_try_waits_for_the_primary() -> None:
    with start(clock="fake") as session:
        session.servers[READER].on("SELECT 1", Error(1792, "25006", "read only"))
        other = second(session)
        assert other.query("BEGIN").error is None
        pending = session.begin_query("SELECT 1")
        assert not pending.done
        session.clock.advance(0.5)
        assert not pending.done
        assert other.query("COMMIT").error is None
        session.clock.advance(0.1)
        assert pending.answer().rows == [("1",)]
        assert [q.backend for q in session.server_queries if q.text == "SELECT 1"] == [1, 0]


def test_a_reset_by_the_client_ends_settings_and_ties(session: Session) -> None:
    queries(session, "SET a = 1", "SET @x = 1", "SELECT 1")
    assert sent(session, lambda: session.command(b"\x1f")) == [(PRIMARY, 31, "")]
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


@pytest.mark.parametrize(
    "statements",
    [
        ["SET ROLE r"],
        ["SET a = 1, ROLE r"],
        ["PREPARE s FROM 'SET ROLE r'", "EXECUTE s", "DEALLOCATE PREPARE s"],
        ["EXECUTE IMMEDIATE 'SET ROLE r'"],
        ["CALL p()"],
        ["BEGIN NOT ATOMIC SET ROLE r; END"],
        ["IF 1 THEN SET ROLE r; END IF"],
    ],
)
@pytest.mark.parametrize("command", [None, b"\x1f", b"\x11u\0" + bytes(22)])
def test_a_connection_with_a_role_is_nobody_elses(
    session: Session, statements: list[str], command: bytes | None
) -> None:
    queries(session, *statements)
    if command is not None:
        # Neither a reset nor a change of user ends a role on every server.
        assert session.command(command).error is None
    backends = {backend for backend, _ in queries(session, "SELECT 1", "SELECT 2")}
    assert backends == {PRIMARY}
    assert idle(session) == [0, 1]
    session.quit()
    assert idle(session) == [0, 1]


def test_a_role_that_is_prepared_ties(session: Session) -> None:
    session.close_statement(session.prepare("SET ROLE r"))
    session.quit()
    assert idle(session) == [0, 1]


def test_a_change_of_user_begins_a_new_session(session: Session) -> None:
    queries(session, "SET a = 1", "SET @x = 1")
    packet = b"\x11u\0" + bytes((20,)) + bytes(20) + b"shop\0" + b"\x2d\0mysql_native_password\0"
    answer = session.command(packet)
    assert answer.error is None
    told = sent(session, lambda: session.query("SELECT 1"))
    assert told[-1] == (READER, 3, "SELECT 1")
    assert not any("a = 1" in text for _, _, text in told)


def test_a_change_that_the_text_does_not_explain_ties(session: Session) -> None:
    session.servers[PRIMARY].on("UPDATE t SET a = 1", Ok(changes=Changes({"sql_mode": ""})))
    statements = ["UPDATE t SET a = 1", "SELECT 2"]
    assert {backend for backend, _ in queries(session, *statements)} == {PRIMARY}
    with session.inspect() as proxy:
        assert proxy.connection.server is not None
        assert proxy.connection.server.session.ties
    session.quit()
    assert idle(session) == [0, 1]


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("UPDATE t SET a = 1", Changes(gtids="5-1-9")),
        ("UPDATE t SET a = 1", Changes({"last_gtid": "0-1-9"})),
        ("SET a = 1", Changes({"a": "1"}, state=True)),
        ("USE db", Changes(schema="db", state=True)),
    ],
)
def test_what_the_text_explains_ties_to_nothing(
    session: Session, sql: str, changes: Changes
) -> None:
    session.servers[PRIMARY].on(sql, Ok(changes=changes))
    assert queries(session, sql, "SELECT 2")[-1] == (READER, "SELECT 2")


def test_a_transaction_that_the_server_reports_ties(session: Session) -> None:
    begun = Changes(transaction="T_______")
    session.servers[PRIMARY].on("DO 1", Ok(changes=begun))
    assert queries(session, "DO 1", "SELECT 1") == [(PRIMARY, "DO 1"), (PRIMARY, "SELECT 1")]
    session.servers[PRIMARY].on("DO 2", Ok(changes=Changes(transaction="________")))
    assert queries(session, "DO 2", "SELECT 1")[-1] == (READER, "SELECT 1")


def test_a_server_that_reports_nothing_is_not_trusted() -> None:
    with start(FakeServer(), tracks=False) as session:
        statements = ["UPDATE t SET a = 1", "SELECT 1", "SHOW TABLES", "SELECT 1"]
        backends = [backend for backend, _ in queries(session, *statements)]
        # What SHOW may have left there nobody knows.
        assert backends == [PRIMARY, READER, PRIMARY, PRIMARY]


def test_a_ping_goes_where_the_client_is(session: Session) -> None:
    session.servers[READER].on("SELECT 1", Ok(changes=Changes(state=True)))
    session.query("SELECT 1")
    assert sent(session, lambda: session.command(b"\x0e")) == [(READER, 14, "")]
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


def test_a_client_that_is_tied_to_a_replica_has_to_come_again_to_write(session: Session) -> None:
    session.servers[READER].on("SELECT 1", Ok(changes=Changes(state=True)))
    session.query("SELECT 1")
    answer = session.query("UPDATE t SET a = 1")
    assert answer.error is not None
    assert answer.error.errno == 1040
    assert session.closed


def test_a_ping_needs_no_primary(session: Session) -> None:
    session.query("BEGIN")
    session.globals.config.rwsplit.min_idle_connections = 0
    # It logs in on what the other client has left on the reader.
    with session.inspect() as proxy:
        proxy.globals.backends[PRIMARY].state = proxy.BACKEND_STATE_DOWN
    other = session.new_client()
    other.connect()
    assert sent(session, lambda: other.command(b"\x0e")) == [(READER, 14, "")]


def test_a_refused_login_is_no_trouble() -> None:
    with start(users={"u": "p"}) as session:
        with pytest.raises(LoginRefused):
            session.new_client(password="wrong").query("SELECT 1")
        assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]
        assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def test_without_change_user_a_pooled_connection_has_its_settings_still() -> None:
    settings = {"rwsplit": {"min_idle_connections": 0}}
    server = FakeServer(tracks=True)
    with Session(SCRIPT, server=server, config=settings, pool_change_user=False) as session:
        session.query("SET a = 1")
        session.quit()
        other = session.new_client()
        told = sent(session, lambda: other.query("DO 1"))
        assert len(session.server.connections) == 1
        assert (PRIMARY, 31, "") in told[:2]


def test_a_lost_transaction_does_not_go_on_elsewhere() -> None:
    script = """
from pyproxy.hooks import rw_splitting
from pyproxy.hooks.rw_splitting import *

def read_query(proxy, packet):
    if packet == b"\x03LOSE":
        proxy.connection.backend_ndx = -1
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    return rw_splitting.read_query(proxy, packet)
"""
    with Session(script, config=SMALL) as session:
        session.query("BEGIN")
        # One that is free.
        session.new_client().connect()
        session.query("LOSE")
        answer = session.query("INSERT INTO t VALUES (1)")
        assert answer.error is not None
        assert answer.error.errno == 1040


def test_open_statements_of_a_client_without_a_database_tie(session: Session) -> None:
    session.servers[PRIMARY].on("SELECT ?", Result(["a"], [(1,)]))
    statement = session.prepare("SELECT ?")
    assert statement.id is not None
    assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]
    session.close_statement(statement)
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


def test_a_user_gets_connections_of_its_own_only(session: Session) -> None:
    stranger = session.new_client(user="v")
    stranger.connect()
    # Its own connection went to the primary's pool; on the reader there is none of this user.
    assert sent(session, lambda: stranger.query("SELECT 1")) == [(PRIMARY, 3, "SELECT 1")]


def test_quit_does_not_reach_the_server(session: Session) -> None:
    session.query("SELECT 1")
    assert sent(session, session.quit) == []


def test_pooled_connections_outlive_their_clients(session: Session) -> None:
    session.query("SELECT 1")
    session.quit()
    assert idle(session) == [1, 1]


def test_what_is_tied_is_closed_with_the_client(session: Session) -> None:
    queries(session, "SET @x = 1")
    session.quit()
    assert idle(session) == [0, 1]


def test_no_more_idle_connections_than_wanted() -> None:
    settings = {"rwsplit": {"min_idle_connections": 1, "max_idle_connections": 1}}
    with start(config=settings) as session:
        # The connection is the client's as long as this lasts.
        queries(session, "SET autocommit=0")
        session.new_client().connect()
        session.quit()
        with session.inspect() as proxy:
            assert proxy.globals.backends[PRIMARY].pool.users["u"].cur_idle_connections == 1


def test_a_client_waits_for_a_connection() -> None:
    with start(clock="fake") as session:
        other = second(session)
        assert other.query("BEGIN").error is None
        pending = session.begin_query("DO 1")
        session.clock.advance(1.0)
        assert not pending.done
        assert other.query("COMMIT").error is None
        session.clock.advance(0.1)
        assert pending.answer().error is None
        assert [q.text for q in session.server_queries].count("DO 1") == 1


def test_a_client_without_a_connection_has_to_come_again() -> None:
    settings = {"rwsplit": {"min_idle_connections": 1, "wait_seconds": 0.5}}
    with start(clock="fake", config=settings) as session:
        assert session.query("BEGIN").error is None
        other = second(session)
        assert other.query("SELECT 1").error is None
        pending = other.begin_query("DO 1")
        session.clock.advance(0.4)
        assert not pending.done
        session.clock.advance(0.2)
        answer = pending.answer()
        assert answer.error is not None
        assert (answer.error.errno, answer.error.sqlstate) == (1040, "08004")
        assert other.closed


def mark(session: Session, ndx: int, state: str) -> None:
    with session.inspect() as proxy:
        proxy.globals.backends[ndx].state = getattr(proxy, f"BACKEND_STATE_{state}")


@pytest.mark.parametrize("state", ["DRAIN", "MAINT"])
def test_reads_leave_a_replica_that_is_to_be_left(session: Session, state: str) -> None:
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]
    mark(session, READER, state)
    assert idle(session) == [1, 0]
    assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]
    session.new_client().connect()
    assert idle(session) == [2, 0]
    mark(session, READER, "UP")
    session.new_client().connect()
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


def test_a_client_that_is_on_a_drained_replica_moves_on_as_soon_as_it_can(session: Session) -> None:
    session.servers[READER].on("SELECT 1", Ok(changes=Changes(state=True)))
    session.query("SELECT 1")
    mark(session, READER, "DRAIN")
    # What ties it there goes with the reset, which runs where that is.
    assert queries(session, "SELECT 2") == [(READER, "SELECT 2")]
    assert sent(session, lambda: session.command(b"\x1f")) == [RESET]
    assert queries(session, "SELECT 2") == [(PRIMARY, "SELECT 2")]
    assert idle(session) == [1, 0]


def test_nobody_waits_for_backends_that_are_down() -> None:
    with start(clock="fake") as session:
        assert second(session).query("BEGIN").error is None
        with session.inspect() as proxy:
            proxy.globals.backends[PRIMARY].state = proxy.BACKEND_STATE_DOWN
        answer = session.query("DO 1")
        assert answer.error is not None
        assert answer.error.errno == 1040


def test_without_a_primary_settings_are_made_on_a_replica() -> None:
    with start(clock="fake") as session:
        assert second(session).query("BEGIN").error is None
        assert queries(session, "SET a = 1") == [(READER, "SET a = 1")]
        pending = session.begin_query("SET autocommit = 0")
        assert not pending.done


def test_a_reader_that_is_down_is_not_waited_for() -> None:
    with start(FakeServer(down=True)) as session:
        assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]


def test_proxy_commands_are_for_those_who_may(session: Session) -> None:
    answer = session.query("PROXY SHOW CONFIG")
    assert answer.error is not None
    assert answer.error.errno == 1227
    session.globals.config.auto_config.allowed_users = ("u",)
    session.query("PROXY SET GLOBAL rwsplit.is_debug = true")
    assert session.script.settings.is_debug is True


def test_debug_output_names_backend_and_command(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.query("SELECT 1")
    assert "[rw_splitting]" not in capsys.readouterr().out
    session.script.settings.is_debug = True
    session.query("SELECT 1")
    assert "[COM_QUERY] SELECT 1\n" in capsys.readouterr().out


def shown(client: Session) -> dict[tuple[str, str], str]:
    """What SHOW PROXY SPLIT says, by what it is about."""
    answer = client.query("show proxy split;")
    assert answer.error is None
    return {(str(about), str(what)): str(value) for about, what, value in answer.rows or ()}


def test_a_client_can_see_where_it_is_and_why(session: Session) -> None:
    assert shown(session)["connection", "backend"].startswith("none")
    session.query("SELECT 1")
    session.query("BEGIN")
    session.query("SELECT GET_LOCK('a', 1)")
    told = shown(session)
    assert told["connection", "backend"].endswith("(read-write)")
    assert told["tied by", "a transaction"] == "until COMMIT or ROLLBACK"
    assert told["tied by", "a user lock"].startswith("until a reset of the connection")
    assert (told["this client", "moves"], told["all clients", "moves"]) == ("2", "2")
    other = session.new_client()
    other.connect()
    told = shown(other)
    assert told["this client", "moves"] == "0"
    assert told["ties of all clients", "a user lock"] == "1"
    assert not [about for about, _ in told if about == "tied by"]


def test_what_goes_along_can_be_seen(session: Session) -> None:
    session.servers[PRIMARY].on("INSERT INTO t VALUES (1)", Ok(insert_id=7))
    session.servers[PRIMARY].on(QUESTION, Result(list("abcd"), [[1, 0, 7, 0]]))
    session.query("INSERT INTO t VALUES (1)")
    assert shown(session)["goes along", "last_insert_id"] == "7"


def test_asking_changes_nothing(session: Session) -> None:
    before = len(session.server_queries)
    shown(session)
    assert len(session.server_queries) == before


def test_what_a_hint_sets_does_not_stay(session: Session) -> None:
    sql = "SELECT /*+ SET_VAR(sort_buffer_size = 65536) */ 1"
    changes = Changes({"sort_buffer_size": "65536"}, state=True)
    session.servers[READER].on(sql, Result([("1", 8)], [("1",)], changes=changes))
    assert queries(session, sql, "DO 1") == [(READER, sql), (PRIMARY, "DO 1")]


def test_a_program_of_a_view_changes_nothing_on_a_replica(session: Session) -> None:
    answer = Result([("x", 8)], [("1",)], changes=Changes(schema="", state=True))
    session.servers[READER].on("SELECT x FROM v", answer)
    assert queries(session, "SELECT x FROM v", "DO 1")[-1] == (PRIMARY, "DO 1")


def test_a_client_that_wants_other_reports_stays(session: Session) -> None:
    sql = "SET session_track_state_change = ON"
    queries(session, sql)
    assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]
