"""The script `admin_sql`: which packet each text becomes, and what its answer becomes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyproxy.testing import Answer, Error, FakeServer, Packets, Result, Session

SCRIPT = "pyproxy.hooks.admin_sql"

PACKETS = {
    "COMMIT SUICIDE": "08",
    "PING": "0e",
    "STATISTICS": "09",
    "PROCINFO": "0a",
    "TIME": "0f",
    "DEBUG": "0d",
    "PROCKILL": "0c",
    "SETOPT": "1b",
    "BINLOGDUMP": "12",
    "BINLOGDUMP1": "12 04000000 0100 02000000",
    "REGSLAVE": "15",
    "REGSLAVE1": "15 01000000 00 00 00 0100 00000000 01000000",
    "PREP": "16",
    "PREP1": "16 53454c454354203f",
    "EXEC": "17",
    "EXEC1": "17 01000000 00 01000000 00 01 fd00 04 31323334",
    "RESET": "1a",
    "RESET1": "1a 01000000",
    "FETCH": "1c",
    "FETCH1": "1c 01000000 80000000",
    "FLIST": "04",
    "FLIST1": "04 743100 696400 0000",
}
# Of the commands above, those whose answer goes to the client as it is.
PASSED_ON = ("PING", "TIME", "PROCKILL", "REGSLAVE1", "RESET1", "PROCINFO")
OTHERS_OK = ("COMMIT SUICIDE", "DEBUG", "SETOPT", "BINLOGDUMP1", "FETCH1", "FLIST1")


@pytest.mark.parametrize("text", PACKETS)
def test_the_packet(text: str) -> None:
    packet = bytes.fromhex(PACKETS[text])
    with Session(SCRIPT, server=FakeServer().on_command(packet[0], Error(1))) as session:
        session.query(text)
        assert [query.packet for query in session.server_queries] == [packet]


@pytest.mark.parametrize("text", PACKETS)
def test_an_error_stays_an_error(text: str) -> None:
    server = FakeServer().on_command(int(PACKETS[text][:2], 16), Error(1234, "42000", "no"))
    with Session(SCRIPT, server=server) as session:
        assert session.query(text).error == (1234, "42000", "no")


@pytest.mark.parametrize("text", OTHERS_OK)
def test_an_eof_becomes_an_ok(text: str) -> None:
    command = int(PACKETS[text][:2], 16)
    server = FakeServer().on_command(command, Packets(b"\xfe\0\0\2\0"))
    with Session(SCRIPT, server=server) as session:
        answer = session.query(text)
        assert answer.ok
        assert answer.packets[0][0] == 0


def test_prepare_answers_ok() -> None:
    with Session(SCRIPT) as session:
        answer = session.query("PREP1")
        assert (answer.ok, len(answer.packets), answer.affected_rows) == (True, 1, 0)


@pytest.mark.parametrize("text", PASSED_ON)
def test_fitting_answers_are_passed_on(text: str) -> None:
    ok = b"\0\7\0\2\0\0\0"
    server = FakeServer().on_command(int(PACKETS[text][:2], 16), Packets(ok))
    if text == "PROCINFO":
        server.on_command(10, Result(["Id"], [("5",)]))
    with Session(SCRIPT, server=server) as session:
        answer = session.query(text)
        if text == "PROCINFO":
            assert answer.rows == [("5",)]
        else:
            assert answer.packets == [ok]


def test_statistics_are_a_row() -> None:
    server = FakeServer().on_command(9, Packets("Uptime: 5"))
    with Session(SCRIPT, server=server) as session:
        answer = session.query("STATISTICS")
        assert answer.fields is not None
        assert [field.name for field in answer.fields] == ["statistics"]
        assert answer.rows == [("Uptime: 5",)]


def test_rows_of_a_statement_become_text() -> None:
    server = FakeServer().on("SELECT ?", Result([("a", 8), ("b", 253)], [(7, "x"), (None, "y")]))
    with Session(SCRIPT, server=server) as session:
        session.query("PREP1")
        assert session.query("EXEC1").rows == [("7", "x"), (None, "y")]


@pytest.mark.parametrize(("text", "number"), [("DEAL", 0), ("DEAL1", 1)])
def test_closing_a_statement_is_answered(text: str, number: int) -> None:
    with Session(SCRIPT) as session:
        assert session.query(text).ok
        assert [query.packet for query in session.server_queries] == [
            b"\x19" + number.to_bytes(4, "little"),
            b"\x0e",
        ]
        assert session.query("SELECT 1").ok


@pytest.mark.parametrize("text", ["TDUMP", "TDUMP1", "TDUMP2"])
def test_table_dumps_are_refused(text: str) -> None:
    with Session(SCRIPT) as session:
        error = session.query(text).error
        assert error is not None
        assert error[:2] == (1047, "08S01")
        assert "obsolete" in error.message
        assert session.server_queries == []


@pytest.mark.parametrize("text", ["ping", "PING ", "SELECT 1", "", "DEAL2"])
def test_other_texts_pass(text: str) -> None:
    with Session(SCRIPT) as session:
        assert session.query(text).ok
        assert [query.packet for query in session.server_queries] == [b"\x03" + text.encode()]


def _with_privilege(answer: Result | Error) -> FakeServer:
    return FakeServer().on(re.compile("user_privileges"), answer)


def _rows(answer: Answer) -> list[tuple[Any, ...]]:
    assert answer.rows is not None, answer
    return answer.rows


SEEN = Result(["1"], [(1,)])


def test_the_most_costly_statements_are_rows() -> None:
    with Session(SCRIPT, server=_with_privilege(SEEN), query_stats=10) as session:
        for number in range(3):
            session.query(f"SELECT {number} FROM t WHERE a = 'secret'")
        session.query("INSERT INTO t VALUES (1), (2)")
        answer = session.query("SHOW PROXY QUERIES")
        names = [field.name for field in answer.fields or ()]
        assert names[:4] == ["fingerprint", "digest", "calls", "errors"]
        counted = {row[0]: (int(row[2]), int(row[3])) for row in _rows(answer)}
        assert counted["SELECT ? FROM t WHERE a = ?"] == (3, 0)
        assert counted["INSERT INTO t VALUES (?)"] == (1, 0)
        assert "secret" not in str(answer.rows)
        assert sum(float(row[names.index("share")]) for row in _rows(answer)) == pytest.approx(1)
        # It counts itself, when it is answered, and not what it asks the server.
        again = {row[0]: int(row[2]) for row in _rows(session.query("SHOW PROXY QUERIES"))}
        assert again["SHOW PROXY QUERIES"] == 1
        assert not any("privilege" in text for text in again)


def test_not_for_everyone() -> None:
    nobody = Result(["1"], [])
    with Session(SCRIPT, server=_with_privilege(nobody), query_stats=10) as session:
        error = session.query("SHOW PROXY QUERIES").error
        assert error is not None and error[:2] == (1227, "42000")
    broken = _with_privilege(Error(1064, "42000", "no"))
    with Session(SCRIPT, server=broken, query_stats=10) as session:
        assert session.query("SHOW PROXY QUERIES").error == (1064, "42000", "no")


def test_nothing_is_counted_unless_it_is_asked_for() -> None:
    with Session(SCRIPT) as session:
        error = session.query("SHOW PROXY QUERIES").error
        assert error is not None and error[0] == 1235
        assert session.server_queries == []
