"""Values of the binary protocol, as Python objects and as text.

What Python has no value for (a date of zeros, a day that is not in the calendar) is the text that the text protocol
has for it.
"""

from __future__ import annotations

import datetime
import re
import struct
from typing import Union

from .basic import Reader, WireError, lenenc_bytes, number

__all__ = ["Value", "ValueType", "clock_text", "from_text", "read", "to_text"]

Value = Union[None, str, bytes, int, float, datetime.date, datetime.datetime, datetime.timedelta]

_INTEGERS = {1: 1, 2: 2, 13: 2, 3: 4, 9: 4, 8: 8}
_FLOATS = {4: "<f", 5: "<d"}
_NULL = 6
_DATES = (10, 14)
_DATETIMES = (7, 12)
_TIME = 11
_BYTES = (0, 15, 16, 242, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255)
# Most digits of a fraction of a second. More in a column's `decimals` means "not fixed".
_MAX_FRACTION = 6

_DATE_TEXT = rb"(\d{4})-(0\d|1[0-2])-([0-2]\d|3[01])"
_CLOCK_TEXT = rb"([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?"
_DATE = re.compile(_DATE_TEXT)
_DATETIME = re.compile(_DATE_TEXT + rb"(?:[ T]([01]\d|2[0-3]):" + _CLOCK_TEXT + rb")?")
_SPAN = re.compile(rb"(-?)(\d{1,9}):" + _CLOCK_TEXT)
_FLOAT = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


class ValueType:
    """Type of a binary value: a number of `proxy.MYSQL_TYPE_*`, and whether integers are unsigned."""

    __slots__ = ("code", "decimals", "unsigned")

    def __init__(self, code: int, unsigned: bool = False, decimals: int = 0) -> None:
        self.code = code
        self.unsigned = unsigned
        self.decimals = decimals

    def mismatch(self) -> WireError:
        """The error for a value that is none of this type."""
        return WireError(f"value does not fit type {self.code}")


def read(reader: Reader, kind: ValueType) -> Value:
    """Takes a value that the NULL bitmap does not call NULL. Strings come as bytes."""
    code = kind.code
    if code in _INTEGERS:
        return reader.integer(_INTEGERS[code], signed=not kind.unsigned)
    if code in _BYTES:
        return reader.lenenc_bytes()
    if code in _FLOATS:
        form = _FLOATS[code]
        value: float = struct.unpack(form, reader.take(struct.calcsize(form)))[0]
        return value
    if code in _DATES:
        return _read_date(reader)
    if code in _DATETIMES:
        return _read_datetime(reader, kind.decimals)
    if code == _TIME:
        return _read_time(reader)
    if code == _NULL:
        return None
    raise WireError(f"unknown type {code}")


def from_text(text: bytes, kind: ValueType) -> bytes:
    """The binary form of a cell of the text protocol."""
    code = kind.code
    if code in _INTEGERS:
        return _integer(text, _INTEGERS[code], kind)
    if code in _BYTES:
        return lenenc_bytes(text)
    if code in _FLOATS:
        if not _FLOAT.fullmatch(text):
            raise kind.mismatch()
        try:
            return struct.pack(_FLOATS[code], float(text))
        except OverflowError:
            return struct.pack(_FLOATS[code], float("-inf" if text[:1] == b"-" else "inf"))
    if code in _DATES:
        match = _DATE.fullmatch(text)
        return _parts(match, kind) if match else _refuse(kind)
    if code in _DATETIMES:
        match = _DATETIME.fullmatch(text)
        return _parts(match, kind) if match else _refuse(kind)
    if code == _TIME:
        match = _SPAN.fullmatch(text)
        return _span(match) if match else _refuse(kind)
    if code == _NULL:
        return _refuse(kind)
    raise WireError(f"unknown type {code}")


def to_text(value: Value) -> str:
    """A date or time as the text protocol has it."""
    if isinstance(value, datetime.datetime):
        return f"{value.date().isoformat()} {_clock(value)}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _span_text(value)
    return str(value)


def _refuse(kind: ValueType) -> bytes:
    raise kind.mismatch()


def _integer(text: bytes, size: int, kind: ValueType) -> bytes:
    if not re.fullmatch(rb"\+?\d+" if kind.unsigned else rb"[+-]?\d+", text):
        raise kind.mismatch()
    try:
        return int(text).to_bytes(size, "little", signed=not kind.unsigned)
    except OverflowError:
        raise kind.mismatch() from None


def _fraction(digits: bytes | None) -> int:
    return int(digits.ljust(_MAX_FRACTION, b"0")) if digits else 0


def _parts(match: re.Match[bytes], kind: ValueType) -> bytes:
    """A date, or a date and a time of day, in the shortest form."""
    groups = [int(group or 0) for group in match.groups()[:6]]
    micros = _fraction(match.groups()[6]) if len(match.groups()) > 6 else 0
    date = number(groups[0], 2) + bytes(groups[1:3])
    clock = bytes(groups[3:6])
    if micros:
        body = date + clock + number(micros, 4)
    elif any(clock):
        body = date + clock
    else:
        body = date if any(date) else b""
    return number(len(body), 1) + body


def _span(match: re.Match[bytes]) -> bytes:
    sign, hours, minutes, seconds, digits = match.groups()
    micros = _fraction(digits)
    days, hour = divmod(int(hours), 24)
    body = number(days, 4) + bytes((hour, int(minutes), int(seconds)))
    if not any(body) and not micros and not sign:
        return b"\0"
    body = number(bool(sign), 1) + body + (number(micros, 4) if micros else b"")
    return number(len(body), 1) + body


def _read_body(reader: Reader, what: str, lengths: tuple[int, ...]) -> Reader:
    length = reader.integer(1)
    body = Reader(reader.take(length))
    if length not in lengths:
        raise WireError(f"a {what} of {length} bytes")
    return body


def _date_parts(body: Reader) -> tuple[int, int, int]:
    if not body.left:
        return 0, 0, 0
    return body.integer(2), body.integer(1), body.integer(1)


def _read_date(reader: Reader) -> Value:
    parts = _date_parts(_read_body(reader, "date", (0, 4, 7, 11)))
    try:
        return datetime.date(*parts)
    except ValueError:
        return "{:04}-{:02}-{:02}".format(*parts)


def _read_datetime(reader: Reader, decimals: int) -> Value:
    body = _read_body(reader, "datetime", (0, 4, 7, 11))
    year, month, day = _date_parts(body)
    hour, minute, second = body.take(3) if body.left else bytes(3)
    micros = body.integer(4) if body.left else 0
    try:
        return datetime.datetime(year, month, day, hour, minute, second, micros)
    except ValueError:
        text = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        if micros:
            return f"{text}.{micros:06}"
        return f"{text}.{'0' * decimals}" if 1 <= decimals <= _MAX_FRACTION else text


def _read_time(reader: Reader) -> Value:
    body = _read_body(reader, "time", (0, 8, 12))
    if not body.left:
        return datetime.timedelta()
    sign = -1 if body.integer(1) else 1
    days = body.integer(4)
    hours, minutes, seconds = body.take(3)
    micros = body.integer(4) if body.left else 0
    try:
        return sign * datetime.timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micros
        )
    except OverflowError:
        text = f"{'-' if sign < 0 else ''}{days * 24 + hours:02}:{minutes:02}:{seconds:02}"
        return f"{text}.{micros:06}" if micros else text


def _clock(moment: datetime.datetime | datetime.time) -> str:
    text = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    return f"{text}.{moment.microsecond:06}" if moment.microsecond else text


def _span_text(span: datetime.timedelta) -> str:
    micros = span // datetime.timedelta(microseconds=1)
    sign = "-" if micros < 0 else ""
    seconds, micros = divmod(abs(micros), 1_000_000)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{micros:06}" if micros else text


def clock_text(moment: datetime.time) -> str:
    """A time of day as the text protocol has it."""
    return _clock(moment)
