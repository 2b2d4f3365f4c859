"""The packets of `pyproxy.testing`, against bytes that servers and clients really send."""

from __future__ import annotations

import datetime

import pytest
from pyproxy._offline.wire import use_statement
from pyproxy._offline.wire.basic import Reader, WireError, lenenc, lenenc_bytes
from pyproxy._offline.wire.columns import (
    Column,
    binary_row,
    read_binary_row,
    read_text_row,
    result_set,
)
from pyproxy._offline.wire.login import ChangeUser, Handshake, Login, native_password
from pyproxy._offline.wire.replies import Err, Ok, eof, is_eof, is_progress
from pyproxy._offline.wire.tracker import Progress, Tracker, TrackError
from pyproxy._offline.wire.values import ValueType, from_text, read

DATE, TIME, DATETIME = 10, 11, 12
MORE, DONE = Progress.MORE, Progress.DONE


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, b"\0"),
        (250, b"\xfa"),
        (251, b"\xfc\xfb\0"),
        (65536, b"\xfd\0\0\1"),
        (1 << 40, b"\xfe\0\0\0\0\0\1\0\0"),
    ],
)
def test_length_encoded_integers(number: int, data: bytes) -> None:
    assert lenenc(number) == data
    assert Reader(data).lenenc() == number
    with pytest.raises(WireError, match="too short"):
        Reader(data[:-1]).lenenc()


def test_what_is_no_length() -> None:
    for first in (b"\xfb", b"\xff"):
        with pytest.raises(WireError, match="does not start a length-encoded integer"):
            Reader(first).lenenc()
    assert lenenc_bytes(None) == b"\xfb"
    assert Reader(b"\xfb").lenenc_cell() is None


def test_answers() -> None:
    assert Err(1045, b"28000", b"denied").encode() == b"\xff\x15\x04#28000denied"
    assert Err.parse(b"\xff\x10\x04Too many") == (1040, None, b"Too many")
    assert Ok(3, 300, 2, 1).encode() == b"\0\x03\xfc\x2c\x01\x02\0\x01\0"
    assert Ok.parse(b"\0\x03\xfc\x2c\x01\x02\0\x01\0text") == (3, 300, 2, 1, b"text")
    assert eof(2, 1) == b"\xfe\x01\0\x02\0"
    assert not is_eof(b"\xfe" + bytes(8))
    assert is_progress(b"\xff\xff\xff\x01\x01\x02\x10\x27\x00\x04copy")
    assert not is_progress(b"\xff\xff\xff#HY000text")


def test_a_column() -> None:
    # SELECT id AS i FROM test.t1 AS t
    golden = (
        b"\x03def\x04test\x01t\x02t1\x01i\x02id\x0c\x3f\x00\x0b\x00\x00\x00\x03\x03\x42\x00\x00\x00"
    )
    column = Column(b"i", 3, b"id", b"t", b"t1", b"test", 63, 11, 0x4203, 0)
    assert Column.parse(golden) == column
    assert column.encode() == golden
    with pytest.raises(WireError):
        Column.parse(golden[:-4])


BINARY = [
    (DATE, b"\x04\xda\x07\x0a\x11", b"2010-10-17", datetime.date(2010, 10, 17)),
    (DATE, b"\0", b"0000-00-00", "0000-00-00"),
    (
        DATETIME,
        b"\x0b\xda\x07\x0a\x11\x13\x1b\x1e\x01\0\0\0",
        b"2010-10-17 19:27:30.000001",
        datetime.datetime(2010, 10, 17, 19, 27, 30, 1),
    ),
    (DATETIME, b"\x04\xda\x07\x0a\x11", b"2010-10-17", datetime.datetime(2010, 10, 17)),
    (TIME, b"\0", b"00:00:00", datetime.timedelta()),
    (
        TIME,
        b"\x08\x01\x78\0\0\0\x13\x1b\x1e",
        b"-2899:27:30",
        -datetime.timedelta(days=120, hours=19, minutes=27, seconds=30),
    ),
    (
        TIME,
        b"\x0c\x00\0\0\0\0\x13\x1b\x1e\x40\xe2\x01\x00",
        b"19:27:30.123456",
        datetime.timedelta(hours=19, minutes=27, seconds=30, microseconds=123456),
    ),
    (3, b"\xfe\xff\xff\xff", b"-2", -2),
    (5, b"\0\0\0\0\0\0\xf8\x3f", b"1.5", 1.5),
    (253, b"\x02\xff\0", b"\xff\0", b"\xff\0"),
]


@pytest.mark.parametrize(("kind", "data", "text", "value"), BINARY)
def test_binary_values(kind: int, data: bytes, text: bytes, value: object) -> None:
    assert read(Reader(data), ValueType(kind)) == value
    assert from_text(text, ValueType(kind)) == data
    with pytest.raises(WireError):
        read(Reader(data[:-1]), ValueType(kind))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (1, b"128"),
        (3, b""),
        (3, b" 1"),
        (3, b"1_0"),
        (8, b"1e3"),
        (5, b"nan"),
        (DATE, b"2020-13-01"),
        (DATETIME, b"2020-01-01 24:00:00"),
        (TIME, b"1:60:00"),
        (6, b"x"),
    ],
)
def test_text_that_is_no_value_of_the_type(kind: int, text: bytes) -> None:
    with pytest.raises(WireError, match=f"^value does not fit type {kind}$"):
        from_text(text, ValueType(kind))


def test_unsigned_values() -> None:
    kind = ValueType(1, unsigned=True)
    assert from_text(b"255", kind) == b"\xff"
    assert read(Reader(b"\xff"), kind) == 255
    with pytest.raises(WireError):
        from_text(b"-1", kind)


def test_binary_rows() -> None:
    columns = [Column(b"a", 3), Column(b"b", 253), Column(b"c", 1, flags=0x20)]
    assert binary_row(columns, [b"2", b"z", b"255"]) == b"\x00\x00\x02\x00\x00\x00\x01z\xff"
    assert binary_row(columns, [b"3", None, b"7"]) == b"\x00\x08\x03\x00\x00\x00\x07"
    assert read_binary_row(b"\x00\x08\x03\x00\x00\x00\x07", columns) == [3, None, 7]
    with pytest.raises(WireError, match="^row 1: value does not fit type 3$"):
        result_set(columns[:1], [[b"1"], [b"x"]], binary=True)


def test_text_rows() -> None:
    columns = [Column(b"a", 3)]
    assert read_text_row(b"\x01x", columns) == [b"x"]
    for wrong in (b"", b"\x02x", b"\x01x\x01y"):
        with pytest.raises(WireError):
            read_text_row(wrong, columns)
    definition = columns[0].encode()
    assert result_set(columns, [[b"x"], [None]], warnings=1) == [
        b"\x01",
        definition,
        b"\xfe\0\0\x02\0",
        b"\x01x",
        b"\xfb",
        b"\xfe\x01\0\x02\0",
    ]


def test_logins() -> None:
    login = Login(0x8A209, b"bob", b"A" * 20, b"test", b"mysql_native_password")
    payload = login.encode()
    assert payload[32:] == b"bob\0\x14" + b"A" * 20 + b"test\0mysql_native_password\0"
    assert Login.parse(payload) == login
    with pytest.raises(WireError, match="before 4.1"):
        Login.parse(b"\x05\0\0\0")
    golden = b"\x11bob\0\x14" + b"A" * 20 + b"test\0\x21\0mysql_native_password\0\x08\x04_pid\x0242"
    change = ChangeUser.parse(golden, 0x188000)
    assert (change.username, change.database, change.charset) == (b"bob", b"test", 33)
    assert change.attributes == b"\x04_pid\x0242"
    assert change.encode(0x188000) == golden


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("8.0.36", 80036),
        ("11.4.2-MariaDB", 110402),
        ("5.5.5-10.11.2-MariaDB", 50505),
        ("5.7", 50700),
        ("abc", None),
        ("8", None),
    ],
)
def test_handshakes(version: str, number: int | None) -> None:
    handshake = Handshake(version.encode(), 7, b"s" * 20 + b"\0", 0x88200, auth_plugin=b"method")
    assert Handshake.parse(handshake.encode()) == handshake
    assert handshake.version_id == number


def test_the_proof_of_a_password() -> None:
    # Twice the hash is what the server keeps: the proof must give it back.
    from hashlib import sha1

    scramble = bytes(range(1, 21))
    stored = sha1(sha1(b"secret").digest()).digest()
    mask = sha1(scramble + stored).digest()
    proof = native_password("secret", scramble)
    assert sha1(bytes(a ^ b for a, b in zip(proof, mask))).digest() == stored
    assert native_password("", scramble) == b""


OK = b"\0\0\0\x02\0\0\0"
MORE_OK = b"\0\0\0\x0a\0\0\0"
EOF, MORE_EOF = eof(), eof(0x0A)


@pytest.mark.parametrize(
    ("command", "packets", "steps"),
    [
        (0x03, [OK], [DONE]),
        (0x03, [b"\xff\x15\x04#28000no"], [DONE]),
        (0x03, [b"\x01", b"\x03def", EOF, b"\x01x", EOF], [MORE] * 4 + [DONE]),
        (0x03, [b"\x01", b"\x03def", EOF, b"\xff\x15\x04x"], [MORE] * 3 + [DONE]),
        (0x03, [MORE_OK, b"\x01", b"\x03def", EOF, MORE_EOF, OK], [MORE] * 5 + [DONE]),
        (0x03, [b"\xfbfile", OK], [Progress.LOCAL_INFILE, DONE]),
        (0x0E, [OK], [DONE]),
        (0x09, [b"Uptime"], [DONE]),
        (0x04, [b"\x03def", EOF], [MORE, DONE]),
        (0x16, [b"\0\1\0\0\0\0\0\0\0\0\0\0"], [DONE]),
        (0x16, [b"\0\1\0\0\0\1\0\1\0\0\0\0", b"\3", EOF, b"\3", EOF], [MORE] * 4 + [DONE]),
        (0x1C, [b"\0row", eof(0x80)], [MORE, DONE]),
        (0x11, [b"\xfemethod\0salt"], [Progress.AUTH]),
        (0x12, [b"\0event", EOF], [Progress.STREAM, DONE]),
        (0x99, [b"\xff\x17\x04#08S01no"], [DONE]),
    ],
)
def test_the_end_of_an_answer(command: int, packets: list[bytes], steps: list[Progress]) -> None:
    tracker = Tracker(command)
    assert [tracker.feed(packet) for packet in packets] == steps


def test_counters_of_an_answer() -> None:
    tracker = Tracker(0x03)
    for packet in (b"\x01", b"\x03def", EOF, b"\x01x", b"\x02yy", eof(2, 5)):
        tracker.feed(packet)
    summary = tracker.summary()
    assert (summary.row_count, summary.bytes, summary.warnings) == (2, 2 + 3 + 8, 5)
    assert (summary.affected_rows, summary.query_status) == (None, 0)


@pytest.mark.parametrize(
    ("command", "packets", "text"),
    [
        (0x03, [b""], "empty packet in the answer to COM_QUERY"),
        (0x03, [OK, OK], "packet behind the end of the answer to COM_QUERY"),
        (0x19, [OK], "answer to COM_STMT_CLOSE, which has none"),
        (
            0x03,
            [b"\xfe"],
            "packet starting 0xfe in the answer to COM_QUERY where OK, ERR or a column count "
            "should be",
        ),
        (
            0x03,
            [b"\x01", b"\x03def", b"\x01x"],
            "packet starting 0x01 in the answer to COM_QUERY where EOF behind the definitions "
            "should be",
        ),
    ],
)
def test_answers_that_cannot_be_followed(command: int, packets: list[bytes], text: str) -> None:
    tracker = Tracker(command)
    for packet in packets[:-1]:
        tracker.feed(packet)
    with pytest.raises(TrackError) as raised:
        tracker.feed(packets[-1])
    assert str(raised.value) == text


@pytest.mark.parametrize(
    ("sql", "database"),
    [
        (b"USE test", b"test"),
        (b" \r\nUse a_$1 ; SELECT 1", b"a_$1"),
        (b"USE`a``b`", b"a`b"),
        (b'USE "a b"', b"a b"),
        (b"/* to */ -- the\n# other\nUSE/**/x", b"x"),
        ("USE žluť".encode(), "žluť".encode()),
        (b"USE", None),
        (b"USE ;", None),
        (b"USER x", None),
        (b"SELECT 1; USE x", None),
        (b"/*M*/USE x#", b"x"),
        (b"/*!50000 USE x */", None),
        (b"/*M!50000 USE x */", None),
        (b"--USE x", None),
    ],
)
def test_use_statements(sql: bytes, database: bytes | None) -> None:
    assert use_statement.database(sql) == database
