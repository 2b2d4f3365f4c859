"""What scripts remember of prepared statements."""

from __future__ import annotations

from pyproxy import proto
from pyproxy._sql.prepared import Prepared, Statement

LAST = b"\xff\xff\xff\xff"


def number(statement: int) -> bytes:
    return statement.to_bytes(4, "little")


def prepared(*texts: bytes) -> Prepared:
    """Statements 1, 2 ... with a parameter each."""
    statements = Prepared(keeps_values=True)
    for n, text in enumerate(texts, 1):
        statements.add(text, proto.to_stmt_prepare_ok_packet(stmt_id=n, num_params=1))
    return statements


def execute(statement: bytes, value: bytes | None, with_type: bool = True) -> bytes:
    """COM_STMT_EXECUTE with a text; without one the value was sent ahead."""
    packet = b"\x17" + statement + b"\0\1\0\0\0" + b"\0" + (b"\1\xfd\0" if with_type else b"\0")
    return packet + (b"" if value is None else bytes((len(value),)) + value)


def ahead(statement: bytes, value: bytes) -> bytes:
    return b"\x18" + statement + b"\0\0" + value


def test_statements_are_found_by_number() -> None:
    statements = prepared(b"one", b"two")
    assert statements.of(execute(number(1), b"")) == Statement(b"one", 1)
    assert statements.of(execute(number(2), b"")) == Statement(b"two", 1)
    assert statements.of(execute(number(3), b"")) is None


def test_the_last_statement_has_a_number_of_its_own() -> None:
    statements = prepared(b"one", b"two")
    assert statements.of(execute(LAST, b"")) == Statement(b"two", 1)
    assert statements.values(execute(LAST, b"x")) == [b"x"]
    assert statements.values(execute(number(2), b"y", with_type=False)) == [b"y"]
    assert Prepared().of(execute(LAST, b"")) is None


def test_what_a_command_runs() -> None:
    statements = Prepared()
    ok = proto.to_stmt_prepare_ok_packet(stmt_id=1, num_params=1)
    statements.add(b"one", ok, "a")
    assert statements.run_by(execute(number(1), b""), "b") == Statement(b"one", 1, "a")
    assert statements.run_by(b"\xfa" + number(1), "b") == Statement(b"one", 1, "a")
    assert statements.run_by(b"\x03two", "b") == Statement(b"two", 0, "b")
    # Fetching runs nothing, nor does a statement that does not exist.
    assert statements.run_by(b"\x1c" + number(1), "b") is None
    assert statements.run_by(execute(number(2), b""), "b") is None


def test_an_error_prepares_nothing() -> None:
    statements = Prepared()
    statements.add(b"one", proto.to_err_packet(errcode=1064))
    statements.add(b"two", None)
    assert len(statements) == 0


def test_types_and_values_are_remembered_until_they_are_dropped() -> None:
    statements = prepared(b"one")
    assert statements.values(execute(number(1), b"x", with_type=False)) is None
    assert statements.values(execute(number(1), b"x")) == [b"x"]
    assert statements.values(execute(number(1), b"y", with_type=False)) == [b"y"]
    statements.follow(ahead(number(1), b"long "))
    statements.follow(ahead(number(1), b"value"))
    assert statements.values(execute(number(1), None, with_type=False)) == [b"long value"]
    statements.follow(ahead(number(1), b"dropped"))
    statements.follow(b"\x1a" + number(1))
    assert statements.values(execute(number(1), b"z", with_type=False)) == [b"z"]


def test_without_values_there_are_none() -> None:
    statements = Prepared()
    statements.add(b"one", proto.to_stmt_prepare_ok_packet(stmt_id=1, num_params=1))
    statements.follow(ahead(number(1), b"x"))
    assert statements.values(execute(number(1), b"x")) is None
    assert statements.of(execute(number(1), b"x")) == Statement(b"one", 1)


def test_closed_statements_are_forgotten() -> None:
    statements = prepared(b"one", b"two")
    statements.follow(b"\x19" + number(1))
    assert statements.of(execute(number(1), b"")) is None
    assert statements.values(execute(number(1), b"x")) is None
    assert len(statements) == 1


def test_a_new_session_has_no_statements() -> None:
    for command in (b"\x1f", b"\x11other\0\0\0"):
        statements = prepared(b"one")
        statements.follow(command)
        assert len(statements) == 0
        assert statements.values(execute(number(1), b"x")) is None


def test_packets_that_are_too_short() -> None:
    statements = prepared(b"one")
    for packet in (b"\x17\1", b"\x18\1\0\0\0\0", b"\x19", b"\x1a\1"):
        statements.follow(packet)
    assert statements.of(b"\x17\1") is None
    assert statements.values(b"\x17\1") is None
    assert statements.values(b"\x17" + number(1)) is None
    assert len(statements) == 1
