"""Which prepared statements tie a client to its connection, and what their executions mean."""

from __future__ import annotations

import struct

import pytest
from pyproxy import commands
from pyproxy._splitting.prepared import PreparedStatements
from pyproxy.commands import Command

PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET = 0x16, 0x17, 0x18, 0x19, 0x1A
LAST = 0xFFFFFFFF


def about(command: int, number: int, rest: bytes = b"") -> tuple[Command, bytes]:
    packet = bytes((command,)) + struct.pack("<I", number) + rest
    return commands.parse(packet), packet


def preparation(sql: str) -> Command:
    return commands.parse(bytes((PREPARE,)) + sql.encode())


def prepared(sql: str, *, has_database: bool = True) -> PreparedStatements:
    statements = PreparedStatements()
    statements.prepared(1, preparation(sql), has_database)
    return statements


def execute(statements: PreparedStatements, *, cursor: int = 0, number: int = 1) -> None:
    statements.note_sent(*about(EXECUTE, number, struct.pack("<BI", cursor, 1)))


@pytest.mark.parametrize(
    "sql", ["SELECT a FROM t WHERE b = ?", "INSERT INTO t VALUES (?)", "DELETE FROM t WHERE a = ?"]
)
def test_what_goes_along(sql: str) -> None:
    statements = prepared(sql)
    assert not statements.tie
    execute(statements)
    assert not statements.tie
    assert not statements.preparation(preparation(sql), True).ties


@pytest.mark.parametrize(
    "sql",
    ["SET @a = ?", "CALL p(?)", "SELECT f(?)", "SHOW TABLES", "SELECT ROW_COUNT()", "DROP TABLE t"],
)
def test_what_ties_until_it_is_closed(sql: str) -> None:
    statements = prepared(sql)
    assert statements.tie
    assert statements.reasons == [("1 open prepared statements", "they are closed")]
    statements.note_sent(*about(CLOSE, 1))
    assert not statements.tie


def test_without_a_default_database_it_stays() -> None:
    assert prepared("SELECT 1", has_database=False).tie


def test_executions_mean_what_the_text_means() -> None:
    read, write = prepared("SELECT a FROM t"), prepared("INSERT INTO t VALUES (?)")
    assert read.execution(*about(EXECUTE, 1)).is_read
    # The client may write between the rows of a cursor.
    assert not read.execution(*about(EXECUTE, 1, b"\x01")).is_read
    assert write.execution(*about(EXECUTE, LAST)).inserts
    unknown = read.execution(*about(EXECUTE, 2))
    assert not unknown.is_read
    assert not unknown.ties
    # Nothing was prepared last: the preparation failed, or is under way.
    write.note_sent(preparation("SELECT"), b"\x16SELECT")
    assert not write.execution(*about(EXECUTE, LAST)).inserts


def test_a_cursor_ties_until_it_is_closed() -> None:
    statements = prepared("SELECT a FROM t")
    for end in (RESET, CLOSE):
        statements.prepared(1, preparation("SELECT a FROM t"), True)
        execute(statements, cursor=1)
        assert statements.tie
        assert not statements.is_idle(about(RESET, 1)[0])
        statements.note_sent(*about(end, 1))
        assert not statements.tie
    statements.prepared(1, preparation("SELECT a FROM t"), True)
    execute(statements, cursor=1)
    execute(statements)
    assert not statements.tie
    execute(statements, cursor=1)
    statements.note_refused(about(EXECUTE, 1)[0])
    assert not statements.tie


def test_values_sent_ahead_tie_until_they_are_used() -> None:
    statements = prepared("SELECT a FROM t WHERE b = ?")
    for end in (EXECUTE, RESET):
        statements.note_sent(*about(LONG_DATA, 1, b"\0\0x"))
        assert statements.reasons == [
            ("values that were sent ahead", "their statements are executed")
        ]
        statements.note_sent(*about(end, 1, struct.pack("<BI", 0, 1)))
        assert not statements.tie
    assert statements.is_idle(about(RESET, 1)[0])
