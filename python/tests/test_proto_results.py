"""pyproxy.proto: packets of result sets."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from pyproxy import proto
from pyproxy.proto import Column

# `SELECT id AS i FROM test.t1 AS t`, as a server sends it.
DEFINITION = (
    b"\x03def\x04test\x01t\x02t1\x01i\x02id\x0c\x3f\x00\x0b\x00\x00\x00\x03\x03\x42\x00\x00\x00"
)
COLUMNS = [Column(b"n", type=3, flags=32), Column(b"text"), Column(b"day", type=10)]
TEXT_ROW = b"\x015\xfb\x0a2010-10-17"
BINARY_ROW = b"\x00\x08\x05\0\0\0\x04\xda\x07\x0a\x11"
DAY = datetime.date(2010, 10, 17)


def test_a_definition_both_ways() -> None:
    column = proto.from_column_packet(DEFINITION)
    assert column == Column(
        b"i", 3, 63, 11, 0x4203, 0, database=b"test", table=b"t", org_table=b"t1", org_name=b"id"
    )
    assert proto.to_column_packet(column) == DEFINITION
    assert proto.from_column_packet(proto.to_column_packet(name="x")) == Column(b"x")


def test_a_cut_definition_is_refused() -> None:
    for end in range(len(DEFINITION)):
        with pytest.raises(proto.PacketError):
            proto.from_column_packet(DEFINITION[:end])


def test_rows_both_ways() -> None:
    assert proto.to_text_row_packet([5, None, DAY]) == TEXT_ROW
    assert proto.from_text_row_packet(TEXT_ROW, 3) == (b"5", None, b"2010-10-17")
    assert proto.to_binary_row_packet(COLUMNS, ["5", None, DAY]) == BINARY_ROW
    assert proto.from_binary_row_packet(BINARY_ROW, COLUMNS) == (5, None, DAY)
    assert proto.from_binary_row_packet(BINARY_ROW, [(3, True), 253, 10]) == (5, None, DAY)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, b"1"),
        (-(2**80), b"-1208925819614629174706176"),
        (1e300, b"1e+300"),
        (0.1, b"0.1"),
        (Decimal("1.50"), b"1.50"),
        (Decimal("1E+3"), b"1000"),
        ("caf\u00e9", b"caf\xc3\xa9"),
        ("\udcff", b"\xff"),
        (memoryview(b"\0"), b"\0"),
        (datetime.datetime(2010, 1, 2), b"2010-01-02 00:00:00"),
        (datetime.datetime(2010, 1, 2, 3, 4, 5, 6), b"2010-01-02 03:04:05.000006"),
        (datetime.time(1, 2, 3), b"01:02:03"),
        (datetime.timedelta(hours=100, seconds=1), b"100:00:01"),
        (datetime.timedelta(seconds=-1), b"-00:00:01"),
        (datetime.timedelta(days=-1, microseconds=1), b"-23:59:59.999999"),
    ],
)
def test_cells_are_written_as_mysql_writes_them(cell: Any, text: bytes) -> None:
    assert proto.from_text_row_packet(proto.to_text_row_packet([cell]), 1) == (text,)


@pytest.mark.parametrize("cell", [float("inf"), Decimal("NaN")])
def test_what_is_no_number_in_mysql_is_refused(cell: Any) -> None:
    with pytest.raises(ValueError, match="no form in MySQL"):
        proto.to_text_row_packet([cell])


def test_unsigned_is_what_the_definition_says() -> None:
    for flags, number in ((32, 255), (0, -1)):
        columns = [Column(b"n", type=1, flags=flags)]
        assert proto.from_binary_row_packet(b"\0\0\xff", columns) == (number,)


def test_rows_need_a_cell_per_column() -> None:
    with pytest.raises(proto.PacketError):
        proto.from_text_row_packet(TEXT_ROW, 2)
    with pytest.raises(proto.PacketError):
        proto.to_binary_row_packet(COLUMNS, [1, 2])
    with pytest.raises(proto.PacketError):
        proto.to_resultset_packets(COLUMNS, [[1]])


@pytest.mark.parametrize(
    ("binary", "cells"), [(False, (b"5", None, b"2010-10-17")), (True, (5, None, DAY))]
)
def test_a_result_set_both_ways(binary: bool, cells: tuple[Any, ...]) -> None:
    rows = [[5, None, DAY]] * 2
    packets = proto.to_resultset_packets(COLUMNS, rows, binary=binary, warnings=1)
    eof = b"\xfe\x01\0\x02\0"
    assert (len(packets), packets[0]) == (8, b"\x03")
    assert (packets[4], packets[7]) == (eof, eof)
    assert packets[5] == (BINARY_ROW if binary else TEXT_ROW)
    assert proto.from_resultset_packets(packets, binary=binary) == (COLUMNS, [cells] * 2)
    for end in range(len(packets)):
        with pytest.raises(proto.PacketError):
            proto.from_resultset_packets(packets[:end], binary=binary)


def test_a_long_row_that_begins_like_eof_is_a_row() -> None:
    cell = b"x" * (1 << 24)
    packets = proto.to_resultset_packets([Column(b"c")], [[cell]])
    assert packets[3][:1] == b"\xfe"
    assert proto.from_resultset_packets(packets)[1] == [(cell,)]


def test_a_result_set_has_columns() -> None:
    with pytest.raises(proto.PacketError):
        proto.to_resultset_packets([], [])
