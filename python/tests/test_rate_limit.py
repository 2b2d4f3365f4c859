"""The script `rate_limit`: buckets, connections, and what is free."""

from __future__ import annotations

import pytest
from pyproxy.settings import SettingsError
from pyproxy.testing import Answer, FakeServer, LoginRefused, Session

SCRIPT = "pyproxy.hooks.rate_limit"


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self, session: Session) -> None:
        self.now = 1000.0
        session.script._clock = lambda: self.now


def limited(config: str, user: str = "app") -> Session:
    return Session(SCRIPT, user=user, script_config=config + "\n")


def refused(answer: Answer) -> bool:
    """Whether the limit is what the client was told of."""
    assert answer.error is None or answer.error[:2] == (1226, "42000")
    return answer.error is not None


def test_a_burst_and_then_a_steady_rate() -> None:
    with limited("[rate_limit]\nqueries_per_second = 2\nburst = 3") as session:
        clock = Clock(session)
        assert [refused(session.query("SELECT 1")) for _ in range(4)] == [False] * 3 + [True]
        clock.now += 0.5
        assert [refused(session.query("SELECT 1")) for _ in range(2)] == [False, True]
        clock.now += 3600
        assert [refused(session.query("SELECT 1")) for _ in range(4)] == [False] * 3 + [True]
        assert len(session.server_queries) == 7


def test_the_error_names_user_and_limit() -> None:
    with limited("[rate_limit]\nqueries_per_second = 0.5") as session:
        Clock(session)
        assert session.query("SELECT 1").ok
        error = session.query("SELECT 1").error
        assert error is not None
        assert error.message == (
            "User 'app' has exceeded the 'queries_per_second' resource (current value: 0.5)"
        )
        assert not session.closed


def test_without_limits_everything_passes() -> None:
    with limited("[rate_limit]") as session:
        Clock(session)
        assert all(session.query("SELECT 1").ok for _ in range(100))
        assert len(session.script._buckets) == 0


def test_prepared_statements_cost_too_and_pings_do_not() -> None:
    with limited("[rate_limit]\nqueries_per_second = 1\nburst = 3") as session:
        Clock(session)
        statement = session.prepare("SELECT 1")
        assert session.execute(statement).ok
        assert all(session.command(b"\x0e").ok for _ in range(10))
        session.command(b"\x18" + bytes(7) + b"ahead")
        assert session.execute(statement).ok
        assert refused(session.execute(statement))
        # A refused close would leave the statement open: it has no answer that could tell.
        session.close_statement(statement)
        assert session.server_queries[-1].command == 0x19


def test_users_have_buckets_of_their_own() -> None:
    with limited("[rate_limit]\nqueries_per_second = 1") as session:
        Clock(session)
        other = session.new_client(user="other")
        assert session.query("SELECT 1").ok
        assert refused(session.new_client().query("SELECT 1"))
        assert other.query("SELECT 1").ok
        assert refused(other.query("SELECT 1"))


def test_a_user_with_limits_of_its_own() -> None:
    config = """
[rate_limit]
queries_per_second = 1
[rate_limit_users]
free = queries_per_second=0
quick = queries_per_second=5 burst=2
"""
    with limited(config, user="free") as session:
        Clock(session)
        assert not any(refused(session.query("SELECT 1")) for _ in range(20))
        quick = session.new_client(user="quick")
        assert [refused(quick.query("SELECT 1")) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("app = speed=5", "app: speed=5: expected queries_per_second"),
        ("app = burst=x", "app: burst=x: expected a number"),
        ("app = burst=-1", "app: burst=-1: expected a number from 0 on"),
        ("app = queries_per_second=inf", "expected a number from 0 on"),
    ],
)
def test_a_limit_that_makes_no_sense_stops_the_start(line: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        limited(f"[rate_limit_users]\n{line}")


def test_connections_at_the_same_time() -> None:
    with limited("[rate_limit]\nmax_connections = 2") as session:
        assert session.connect().ok
        second = session.new_client()
        assert second.connect().ok
        third = session.new_client()
        answer = third.connect()
        assert refused(answer)
        assert answer.error is not None and "'max_connections'" in answer.error.message
        assert third.closed
        assert session.new_client(user="other").connect().ok
        second.quit()
        assert session.new_client().connect().ok


def test_a_failed_login_does_not_count() -> None:
    server = FakeServer(users={"app": "right"})
    config = "[rate_limit]\nmax_connections = 1\n"
    session = Session(SCRIPT, server=server, user="app", password="x", script_config=config)
    with session:
        for _ in range(3):
            with pytest.raises(LoginRefused, match="Access denied"):
                session.new_client().query("SELECT 1")
        assert session.new_client(password="right").connect().ok


def test_a_changed_user_is_counted_as_the_new_one() -> None:
    with limited("[rate_limit]\nmax_connections = 1") as session:
        assert session.connect().ok
        other = session.new_client(user="other")
        assert other.connect().ok
        assert other.command(change_user("app")).ok
        assert refused(other.command(b"\x0e"))
        assert other.closed
        # The name it came with is free again.
        assert session.new_client(user="other").connect().ok


def test_a_changed_user_leaves_the_old_one() -> None:
    with limited("[rate_limit]\nmax_connections = 2", user="other") as session:
        assert session.command(change_user("app")).ok
        assert session.query("SELECT 1").ok
        assert session.script._connections == {"app": 1}


def test_addresses_can_count_by_themselves() -> None:
    with limited("[rate_limit]\nmax_connections = 1\nper_address = yes") as session:
        session.connect()
        assert session.script._connections == {"app\x00127.0.0.1": 1}
        assert refused(session.new_client().connect())


def test_buckets_are_bounded() -> None:
    config = "[rate_limit]\nqueries_per_second = 1\nmax_tracked = 3"
    with limited(config) as session:
        Clock(session)
        for n in range(10):
            session.new_client(user=f"user{n}").query("SELECT 1")
        assert len(session.script._buckets) == 3
        # Those that were used last are kept.
        assert refused(session.new_client(user="user9").query("SELECT 1"))
        assert session.new_client(user="user0").query("SELECT 1").ok


def test_connections_leave_nothing_behind() -> None:
    with limited("[rate_limit]\nmax_connections = 5") as session:
        for n in range(10):
            client = session.new_client(user=f"user{n}")
            client.connect()
            client.disconnect()
        assert session.script._connections == {}


def change_user(name: str) -> bytes:
    """COM_CHANGE_USER without a password."""
    return b"\x11" + name.encode() + b"\0\0\0\x2d\0mysql_native_password\0"
