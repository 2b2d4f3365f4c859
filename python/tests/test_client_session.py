"""pyproxy._pooling.session: what a client takes along, and what ties it to its connection."""

from __future__ import annotations

import pytest
from pyproxy._pooling.routing import route
from pyproxy._pooling.session import ClientSession, Outcome
from pyproxy.commands import parse

OK = Outcome(False, in_transaction=False, auto_commit=True)
ERROR = Outcome(True)
IN_TRANSACTION = Outcome(False, in_transaction=True, auto_commit=True)
NO_AUTOCOMMIT = Outcome(False, in_transaction=False, auto_commit=False)


def run(session: ClientSession, sql: str, outcome: Outcome = OK) -> None:
    session.note_sent(route(parse("\x03" + sql)))
    session.note_result(outcome)


@pytest.fixture
def session() -> ClientSession:
    return ClientSession("db")


def test_a_new_session_is_free(session: ClientSession) -> None:
    assert not session.must_stay
    assert not session.leaves_something
    assert session.settings == ()


def test_settings_are_kept_in_order_and_once(session: ClientSession) -> None:
    for sql in ("SET a = 1", "SET b = 1", "SET a = 2", "SELECT 1"):
        run(session, sql)
    assert session.settings == ("SET b = 1", "SET a = 2")
    assert not session.must_stay


def test_a_refused_setting_is_none(session: ClientSession) -> None:
    run(session, "SET a = 1", ERROR)
    assert session.settings == ()


def test_too_many_settings_tie(session: ClientSession) -> None:
    for number in range(32):
        run(session, f"SET a{number} = 1")
    assert not session.must_stay
    run(session, "SET another = 1")
    assert session.must_stay


def test_transactions_tie_until_they_end(session: ClientSession) -> None:
    run(session, "BEGIN", IN_TRANSACTION)
    assert session.must_stay
    run(session, "SELECT nonsense", ERROR)
    assert session.must_stay
    assert session.leaves_something
    run(session, "COMMIT")
    assert not session.must_stay


def test_a_failure_among_several_statements_may_have_begun_one(session: ClientSession) -> None:
    run(session, "SELECT nonsense", ERROR)
    assert not session.must_stay
    run(session, "BEGIN; SELECT nonsense", ERROR)
    assert session.must_stay
    run(session, "SELECT 1")
    assert not session.must_stay


def test_without_autocommit_one_stays_and_leaves_nothing(session: ClientSession) -> None:
    run(session, "SET autocommit = 0", NO_AUTOCOMMIT)
    assert session.must_stay
    assert not session.leaves_something
    session.note_sent(route(parse(b"\x0e")))
    session.note_result(Outcome(False))
    assert session.must_stay
    run(session, "SET autocommit = 1")
    assert not session.must_stay


def test_ties_last_until_they_are_freed(session: ClientSession) -> None:
    run(session, "LOCK TABLES t READ")
    assert session.must_stay
    run(session, "SELECT 1")
    assert session.leaves_something
    run(session, "UNLOCK TABLES")
    assert not session.must_stay


def test_a_failed_statement_may_have_tied(session: ClientSession) -> None:
    run(session, "CALL p()", ERROR)
    assert session.must_stay


@pytest.mark.parametrize(
    ("sql", "outcome"),
    [
        ("INSERT INTO t VALUES ()", Outcome(False, False, True, insert_id=7)),
        ("INSERT INTO t VALUES ()", ERROR),
        ("LOAD DATA INFILE 'x' INTO TABLE t", OK),
    ],
)
def test_an_insert_id_ties_and_leaves_nothing(
    session: ClientSession, sql: str, outcome: Outcome
) -> None:
    run(session, "UPDATE t SET a = 1", OK)
    assert not session.must_stay
    run(session, sql, outcome)
    assert session.must_stay
    assert not session.leaves_something
    assert session.outlasts_reset == frozenset()


def test_what_a_command_needs_may_be_unseen(session: ClientSession) -> None:
    needs = frozenset(("x",))
    assert session.has(frozenset())
    assert not session.has(needs)
    run(session, "CALL p()")
    assert session.has(needs)


def test_the_database_is_the_last_one_that_was_accepted(session: ClientSession) -> None:
    run(session, "USE nowhere", ERROR)
    assert session.database == "db"
    run(session, "USE other")
    assert session.database == "other"
    run(session, "DROP DATABASE db")
    assert session.database == "other"
    run(session, "DROP DATABASE other")
    assert session.database == ""


def test_writes_count_when_they_are_committed(session: ClientSession) -> None:
    assert not session.take_written()
    run(session, "INSERT INTO t VALUES (1)")
    assert session.take_written()
    assert not session.take_written()
    run(session, "BEGIN", IN_TRANSACTION)
    run(session, "INSERT INTO t VALUES (1)", IN_TRANSACTION)
    run(session, "SELECT 1", IN_TRANSACTION)
    assert not session.take_written()
    run(session, "COMMIT")
    assert session.take_written()
    run(session, "SELECT 1")
    assert not session.take_written()
    run(session, "INSERT INTO nowhere VALUES (1)", ERROR)
    assert session.take_written()
