"""The script `rw_splitting` without a proxy: where commands go, and what a connection is told before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyproxy.testing import Error, FakeServer, LoginRefused, Ok, Result, Session

PRIMARY, READER = 0, 1
SCRIPT = "pyproxy.hooks.rw_splitting"
SMALL = {"rwsplit": {"min_idle_connections": 1}}


def start(
    read_only: FakeServer | None = None, users: dict[str, str] | None = None, **options: Any
) -> Session:
    """A session whose proxy has one idle connection in each pool: the client's own, and that of another one."""
    options.setdefault("config", SMALL)
    session = Session(
        SCRIPT,
        backends=[FakeServer(users=users)],
        read_only=[read_only or FakeServer(users=users)],
        **options,
    )
    session.connect()
    session.new_client().connect()
    return session


@pytest.fixture
def session() -> Iterator[Session]:
    with start() as session:
        yield session
    assert [entry for entry in session.log if entry.level in ("critical", "warning")] == []


def sent(session: Session, action: Callable[[], Any]) -> list[tuple[int, int, str]]:
    """What the servers got during `action`: backend, command, text."""
    before = len(session.server_queries)
    action()
    return [(q.backend, q.command, q.text) for q in session.server_queries[before:]]


def queries(session: Session, *statements: str) -> list[tuple[int, str]]:
    """Runs the statements; gives what the servers got, without the command byte."""

    def run() -> None:
        for sql in statements:
            answer = session.query(sql)
            assert answer.error is None, answer.error

    return [(backend, text) for backend, _, text in sent(session, run)]


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


def test_a_new_client_tells_a_connection_nothing(session: Session) -> None:
    assert queries(session, "SELECT 1", "DO 1", "SELECT 2") == [
        (READER, "SELECT 1"),
        (PRIMARY, "DO 1"),
        (READER, "SELECT 2"),
    ]


def test_settings_are_repeated_once_for_each_connection(session: Session) -> None:
    assert queries(session, "SET a = 1", "SELECT 1", "SELECT 2", "DO 1") == [
        (PRIMARY, "SET a = 1"),
        (READER, "SET a = 1"),
        (READER, "SELECT 1"),
        (READER, "SELECT 2"),
        (PRIMARY, "DO 1"),
    ]


def test_a_connection_with_other_settings_is_reset(session: Session) -> None:
    session.servers[READER].on(
        "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID = 45",
        Result(["CHARACTER_SET_NAME", "COLLATION_NAME"], [("utf8mb4", "utf8mb4_general_ci")]),
    )
    other = session.new_client()
    other.connect()
    queries(session, "SET a = 1", "SELECT 1")
    told = sent(session, lambda: other.query("SELECT 2"))
    assert told[0] == (READER, 31, "")
    assert [text for _, _, text in told[-2:]] == [
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
        "SELECT 2",
    ]
    # The names of the collation are asked for once.
    queries(session, "SELECT 1")
    assert sent(session, lambda: other.query("SELECT 2")) == [told[0], *told[-2:]]


def test_clients_with_the_same_settings_need_no_reset(session: Session) -> None:
    queries(session, "SET a = 1", "SELECT 1")
    other = session.new_client()
    other.query("SET a = 1")
    assert sent(session, lambda: other.query("SELECT 2")) == [(READER, 3, "SELECT 2")]


def test_a_connection_that_cannot_be_prepared_runs_nothing(session: Session) -> None:
    session.servers[READER].on("SET a = 1", Error(1193, "HY000", "Unknown variable"))
    queries(session, "SET a = 1")
    answer = session.query("SELECT 1")
    assert answer.error is not None
    assert answer.error.errno == 1193
    assert answer.error.message.endswith(": Unknown variable")
    assert [q.text for q in session.server_queries].count("SELECT 1") == 0
    assert queries(session, "DO 1") == [(PRIMARY, "DO 1")]
    # Whatever it is left with, the next client does not find it.
    other = session.new_client()
    other.connect()
    assert sent(session, lambda: other.query("SELECT 2"))[0] == (READER, 31, "")


def test_the_default_database_goes_along(session: Session) -> None:
    # USE is sent as the command it stands for.
    assert sent(session, lambda: session.query("USE `db`")) == [(PRIMARY, 2, "db")]
    assert sent(session, lambda: session.query("SELECT 1")) == [
        (READER, 2, "db"),
        (READER, 3, "SELECT 1"),
    ]
    assert sent(session, lambda: session.query("SELECT 2")) == [(READER, 3, "SELECT 2")]


def test_an_insert_id_holds_the_connection(session: Session) -> None:
    session.servers[PRIMARY].on("INSERT", Ok(affected_rows=1, insert_id=7))
    statements = ["INSERT", "SELECT 1", "SELECT LAST_INSERT_ID()"]
    assert queries(session, *statements) == [(PRIMARY, sql) for sql in statements]
    assert idle(session) == [0, 1]


def test_an_insert_id_of_a_prepared_statement_holds_the_connection(session: Session) -> None:
    sql = "INSERT INTO t VALUES (1) RETURNING id"
    session.servers[PRIMARY].on(sql, Result(["id"], [(7,)]))
    statement = session.prepare(sql)
    session.execute(statement)
    session.close_statement(statement)
    assert queries(session, "SELECT 1") == [(PRIMARY, "SELECT 1")]


def test_an_insert_id_is_nobody_elses() -> None:
    settings = {"rwsplit": {"min_idle_connections": 0}}
    with Session(SCRIPT, config=settings, pool_change_user=False) as session:
        session.server.on("INSERT", Ok(affected_rows=1, insert_id=7))
        session.query("INSERT")
        session.quit()
        other = session.new_client()
        other.connect()
        told = sent(session, lambda: other.query("SELECT LAST_INSERT_ID()"))
        assert len(session.server.connections) == 1
        assert told[0] == (PRIMARY, 31, "")


def test_a_reset_by_the_client_ends_the_insert_id(session: Session) -> None:
    session.servers[PRIMARY].on("INSERT", Ok(affected_rows=1, insert_id=7))
    queries(session, "INSERT")
    session.command(b"\x1f")
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


@pytest.mark.parametrize(
    "sql", ["SELECT FOUND_ROWS()", "SELECT ROW_COUNT()", "SELECT LASTVAL(s)", "SHOW PROFILES"]
)
def test_what_no_connection_knows_is_refused(session: Session, sql: str) -> None:
    queries(session, "SELECT 1")

    def ask() -> None:
        for answer in (session.query(sql), session.command(b"\x16" + sql.encode())):
            assert answer.error is not None
            assert answer.error.errno == 1105

    assert sent(session, ask) == []
    assert queries(session, "SELECT 1") == [(READER, "SELECT 1")]


@pytest.mark.parametrize(
    ("before", "sql"),
    [
        ("UPDATE t SET a = 1", "SELECT ROW_COUNT()"),
        ("SELECT NEXTVAL(s)", "SELECT LASTVAL(s)"),
        ("CALL p()", "SELECT LASTVAL(s)"),
        ("SET profiling = 1", "SHOW PROFILES"),
    ],
)
def test_what_one_connection_knows_is_asked_there(session: Session, before: str, sql: str) -> None:
    assert queries(session, before, sql) == [(PRIMARY, before), (PRIMARY, sql)]


def test_there_are_no_warnings_of_others(session: Session) -> None:
    # It left none, or the connection would still be the client's.
    queries(session, "SELECT 1")
    assert queries(session, "SHOW WARNINGS") == [(PRIMARY, "DO 0"), (PRIMARY, "SHOW WARNINGS")]


@pytest.mark.parametrize("command", [b"\x1b\1\0", b"\x03SET profiling = 1"])
def test_what_a_reset_keeps_is_nobody_elses(session: Session, command: bytes) -> None:
    assert session.command(command).error is None
    session.command(b"\x1f")
    assert queries(session, "SELECT 1")[-1] == (PRIMARY, "SELECT 1")
    session.quit()
    assert idle(session) == [0, 1]


def test_both_forms_of_a_transaction_setting_are_repeated(session: Session) -> None:
    settings = [
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET SESSION TRANSACTION READ ONLY",
    ]
    told = queries(session, *settings, "SELECT 1")
    assert [text for backend, text in told if backend == READER] == [*settings, "SELECT 1"]


def test_a_held_connection_is_not_reset(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    queries(session, "CREATE TEMPORARY TABLE t (a INT)")
    monkeypatch.setattr(server_connections, "_profiles", {})
    assert queries(session, "SELECT a FROM t") == [(PRIMARY, "SELECT a FROM t")]


def test_a_database_is_not_chosen_twice(session: Session) -> None:
    other = session.new_client(database="o")
    other.connect()
    session.query("USE x")
    # Both connections of the primary are in the other's database now.
    for _ in range(2):
        other.query("DO 1")
    assert sent(session, lambda: session.query("USE y")) == [(PRIMARY, 2, "y")]


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
    assert "SET a = 1" not in [text for _, _, text in told]


def test_what_asks_about_the_statement_before_follows_it(session: Session) -> None:
    assert queries(session, "SELECT SQL_CALC_FOUND_ROWS 1", "SELECT FOUND_ROWS()") == [
        (READER, "SELECT SQL_CALC_FOUND_ROWS 1"),
        (READER, "SELECT FOUND_ROWS()"),
    ]


def test_a_held_reader_serves_on(session: Session) -> None:
    statements = ["SELECT SQL_CALC_FOUND_ROWS 1", "SELECT 2"]
    assert [backend for backend, _ in queries(session, *statements)] == [READER, READER]


def test_a_ping_goes_where_the_client_is(session: Session) -> None:
    session.query("SELECT SQL_CALC_FOUND_ROWS 1")
    assert sent(session, lambda: session.command(b"\x0e")) == [(READER, 14, "")]
    assert queries(session, "SELECT FOUND_ROWS()") == [(READER, "SELECT FOUND_ROWS()")]


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
    with Session(SCRIPT, config=settings, pool_change_user=False) as session:
        session.query("SET a = 1")
        session.quit()
        other = session.new_client()
        told = sent(session, lambda: other.query("DO 1"))
        assert len(session.server.connections) == 1
        assert told[0] == (PRIMARY, 31, "")


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


def test_the_memory_of_connections_is_bounded(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connections, "_MOST", 1)
    for _ in range(3):
        queries(session, "SET a = 1", "SELECT 1")
    assert len(server_connections._profiles) == 1
    # What was forgotten is reset.
    assert [command for _, command, _ in sent(session, lambda: session.query("DO 1"))][0] == 31


def test_open_statements_tie(session: Session) -> None:
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
        session.servers[PRIMARY].on("UPDATE", Ok(affected_rows=1))
        # The connection is still the client's: the next statement may ask for ROW_COUNT().
        queries(session, "UPDATE")
        session.new_client().connect()
        session.quit()
        with session.inspect() as proxy:
            assert proxy.globals.backends[PRIMARY].pool.users["u"].cur_idle_connections == 1


def test_a_client_without_a_connection_has_to_come_again() -> None:
    with Session(
        SCRIPT, backends=[FakeServer()], read_only=[FakeServer()], config=SMALL
    ) as session:
        session.connect()
        other = session.new_client()
        # Its own connection went to the reader.
        other.connect()
        session.query("BEGIN")
        assert other.query("SELECT 1").error is None
        answer = other.query("DO 1")
        assert answer.error is not None
        assert (answer.error.errno, answer.error.sqlstate) == (1040, "08004")
        assert other.closed


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
