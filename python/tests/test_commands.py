"""pyproxy.commands: every command byte, with what it carries."""

from __future__ import annotations

import dataclasses

import pyproxy
import pytest
from pyproxy import commands
from pyproxy.commands import Command


@pytest.mark.parametrize(
    ("packet", "command"),
    [
        (b"\x03SELECT 1", Command(3, "COM_QUERY", query="SELECT 1")),
        (b"\x16SELECT ?", Command(22, "COM_STMT_PREPARE", query="SELECT ?")),
        (b"\x02shop", Command(2, "COM_INIT_DB", schema="shop")),
        (b"\x05shop", Command(5, "COM_CREATE_DB", schema="shop")),
        (b"\x06shop", Command(6, "COM_DROP_DB", schema="shop")),
        (b"\x04t1\0a%", Command(4, "COM_FIELD_LIST", table="t1", wildcard="a%")),
        (b"\x04t1\0", Command(4, "COM_FIELD_LIST", table="t1", wildcard="")),
        (b"\x17\x01\x02\0\0rest", Command(23, "COM_STMT_EXECUTE", stmt_handler_id=513)),
        (b"\x18\x01\0\0\0", Command(24, "COM_STMT_SEND_LONG_DATA", stmt_handler_id=1)),
        (b"\x19\xff\xff\xff\xff", Command(25, "COM_STMT_CLOSE", stmt_handler_id=2**32 - 1)),
        (b"\x1a\x01\0\0\0", Command(26, "COM_STMT_RESET", stmt_handler_id=1)),
        (b"\x1c\x01\0\0\0", Command(28, "COM_STMT_FETCH", stmt_handler_id=1)),
        (b"\xfa\x01\0\0\0", Command(250, "COM_STMT_BULK_EXECUTE", stmt_handler_id=1)),
        (b"\x1b\x01\0", Command(27, "COM_SET_OPTION", option=1)),
        (b"\x01", Command(1, "COM_QUIT")),
        (b"\x0e", Command(14, "COM_PING")),
        (b"\x12\0\0\0\0", Command(18, "COM_BINLOG_DUMP")),
        (b"\x1d", Command(29, "COM_DAEMON")),
        (b"\x1e", Command(30, "COM_BINLOG_DUMP_GTID")),
        (b"\x1f", Command(31, "COM_RESET_CONNECTION")),
        (b"\x7f", Command(127, None)),
    ],
)
def test_parse(packet: bytes, command: Command) -> None:
    assert commands.parse(packet) == command


def test_every_command_has_its_own_name() -> None:
    numbers = {name: getattr(pyproxy, name) for name in dir(pyproxy) if name.startswith("COM_")}
    assert len(numbers) > 30
    for name, number in numbers.items():
        assert commands.parse(bytes((number,))).type_name == name


def test_text_survives_that_is_not_utf8() -> None:
    query = commands.parse(b"\x03SELECT '\xff\0'").query
    assert query is not None
    assert query.encode("utf-8", "surrogateescape") == b"SELECT '\xff\0'"


def test_text_and_views_are_packets_too() -> None:
    expected = Command(3, "COM_QUERY", query="SELECT '\u00e9'")
    packet = b"\x03SELECT '\xc3\xa9'"
    assert commands.parse("\x03SELECT '\u00e9'") == expected
    assert commands.parse(bytearray(packet)) == commands.parse(memoryview(packet)) == expected


def test_an_empty_packet_is_no_command() -> None:
    with pytest.raises(ValueError, match="without a command byte"):
        commands.parse(b"")


def test_a_number_that_is_cut_short_is_none() -> None:
    assert commands.parse(b"\x17\x01\0\0").stmt_handler_id is None
    assert commands.parse(b"\x1b\x01").option is None


def test_a_command_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        commands.parse(b"\x01").type = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (b"\x03SELECT 1", "[COM_QUERY] SELECT 1"),
        (b"\x16SELECT ?", "[COM_STMT_PREPARE] SELECT ?"),
        (b"\x02shop", "[COM_INIT_DB] shop"),
        (b"\x04t1\0%", "[COM_FIELD_LIST] t1"),
        (b"\x17\x07\0\0\0", "[COM_STMT_EXECUTE] 7"),
        (b"\x1b\0\0", "[COM_SET_OPTION] 0"),
        (b"\x01", "[COM_QUIT]"),
        (b"\x7f", "[command 127]"),
    ],
)
def test_pretty_print(packet: bytes, line: str) -> None:
    assert commands.pretty_print(commands.parse(packet)) == line
