"""Logins whose names a server would read in another way than scripts do."""

from __future__ import annotations

import pytest
from pyproxy.testing import LoginRefused, Session

SCRIPT = "def read_query(proxy, packet): pass\n"


@pytest.mark.parametrize(
    ("user", "database", "reason"),
    [
        ("u\udcff", "", "the user name is not UTF-8"),
        ("u", "d\udcff", "the name of the database is not UTF-8"),
        ("u" * 200, "", "the user name is longer than the server keeps"),
        ("u\U0001f600", "", "a name has a letter that the server takes for a question mark"),
        ("u", "d\U0001f600", "a name has a letter that the server takes for a question mark"),
    ],
)
def test_a_name_that_the_server_would_change_is_refused(
    user: str, database: str, reason: str
) -> None:
    with Session(SCRIPT, user=user, database=database) as session:
        with pytest.raises(LoginRefused, match=reason):
            session.query("SELECT 1")
        assert session.server_queries == []
        assert any(reason in entry.text for entry in session.log)


def test_letters_of_utf8_are_a_name() -> None:
    with Session(SCRIPT, user="j\u00fcrg", database="d\u00e4") as session:
        assert session.query("SELECT 1").ok


@pytest.mark.parametrize("user", [b"u\xff", b"u" * 200])
def test_a_change_of_user_is_refused_too(user: bytes) -> None:
    with Session(SCRIPT) as session:
        answer = session.command(b"\x11" + user + b"\0" + bytes(2) + b"\x2d\0")
        assert answer.error is not None and answer.error.errno == 1045
        assert session.closed
