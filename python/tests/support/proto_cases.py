"""The recorded calls of `mysql.proto` and `mysql.password`: arguments and results as `pyproxy` has
them.

What differs from the record by intention: byte strings are bytes and never left out, parameters of
date and time types are `datetime` objects, and behaviour that the record calls a quirk is what
`RIGHT` says.
"""

from __future__ import annotations

import datetime
from typing import Any, Callable

from pyproxy import password, proto
from pyproxy.proto import PacketError
from recorded import raw

Case = dict[str, Any]

# Type bytes of parameters.
_DATE, _TIME, _DATETIMES, _TEXTS = 10, 11, (7, 12), range(250, 255)


def function(case: Case) -> Callable[..., Any]:
    """The function that was called."""
    _, module, name = case["fn"].split(".")
    return getattr({"proto": proto, "password": password}[module], name)


def arguments(case: Case) -> list[Any]:
    """What it was called with."""
    return [_argument(value) for value in case["args"]]


def _argument(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    # A number given as text stays what it is: text.
    return {
        key: raw(field) if isinstance(field, str) and key in _BYTE_STRINGS else field
        for key, field in value.items()
    }


_BYTE_STRINGS = {
    name
    for kind in (proto.ErrPacket, proto.ChallengePacket, proto.MasterInfo)
    for name, default in kind()._asdict().items()
    if isinstance(default, bytes)
} | {"username", "response", "database"}


def result(case: Case) -> Any:
    """What it should give: a value, a dict of fields, or the class of an exception."""
    if "quirk" in case:
        return RIGHT[case["quirk"]](case)
    if case["fn"].endswith("to_response_packet") and "server_capabilities" not in case["args"][0]:
        # The original refuses a login without them; ours takes what the login itself asks for.
        return (
            bytes.fromhex("00820000" + "00" * 28) + case["args"][0]["username"].encode() + b"\0\0"
        )
    return _recorded(case)


def _recorded(case: Case) -> Any:
    """What the original gave."""
    if "error" in case:
        return {"argument": TypeError, "packet": PacketError}[case["error"]]
    value = case["result"]
    if not isinstance(value, dict):
        return value
    if set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    fields = {key: raw(text) if isinstance(text, str) else text for key, text in value.items()}
    if "params" in fields:
        fields["params"] = tuple(_param(**param) for param in fields["params"])
    return fields


def _param(type: int, value: Any) -> tuple[int, Any]:
    """Type and value of a parameter."""
    if not isinstance(value, str):
        return type, value
    if type in _TEXTS:
        return type, raw(value)
    if value.startswith("0000-00-00"):
        # Python has no such date; the fraction is none.
        return type, value.partition(".")[0]
    if type == _DATE:
        return type, datetime.date.fromisoformat(value)
    # The nine digits are a number of microseconds.
    moment, _, micros = value.partition(".")
    fraction = datetime.timedelta(microseconds=int(micros))
    if type in _DATETIMES:
        return type, datetime.datetime.fromisoformat(moment) + fraction
    assert type == _TIME
    days, clock = moment.split()
    hours, minutes, seconds = map(int, clock.split(":"))
    span = datetime.timedelta(abs(int(days)), seconds, hours=hours, minutes=minutes) + fraction
    return type, -span if days.startswith("-") else span


def _but(**fields: Any) -> Callable[[Case], Any]:
    """The recorded fields, but these."""
    return lambda case: {**_recorded(case), **fields}


def _replaced(old: bytes, new: bytes, end: bytes = b"") -> Callable[[Case], Any]:
    """The recorded bytes with another text, and an end."""

    def right(case: Case) -> bytes:
        packet = _recorded(case)
        assert old in packet
        return packet.replace(old, new) + end

    return right


def _raises(error: type[Exception]) -> Callable[[Case], Any]:
    return lambda case: error


def _single_param(type: int, value: Any) -> Callable[[Case], Any]:
    """An execution that was refused, read with this parameter."""
    execution = {"stmt_id": 1, "flags": 0, "iteration_count": 1, "new_params_bound": True}
    return lambda case: {**execution, "params": ((type, value),)}


def _param_value(value: Any) -> Callable[[Case], Any]:
    """The recorded execution with another value."""
    return lambda case: {**_recorded(case), "params": ((_recorded(case)["params"][0][0], value),)}


def _micros(micros: int) -> Callable[[Case], Any]:
    """The recorded execution, whose parameter has this fraction of a second."""

    def right(case: Case) -> Any:
        value = _recorded(case)["params"][0][1]
        is_span = isinstance(value, datetime.timedelta)
        assert (value.microseconds if is_span else value.microsecond) == micros
        return _recorded(case)

    return right


def _short_version(case: Case) -> bytes:
    """The greeting with the version as servers write it."""
    number = case["args"][0]["server_version"]
    major, minor, patch = number // 10000, number // 100 % 100, number % 100
    written = f"{major}.{minor:02}.{patch:02}"
    return _replaced(written.encode(), f"{major}.{minor}.{patch}".encode())(case)


def _any_version(case: Case) -> dict[str, Any]:
    """A greeting that was refused for its version."""
    text = bytes.fromhex(case["args"][0]["hex"])[1:].partition(b"\0")[0]
    numbers = {b"11.4.2-MariaDB": 110402, b"5.7.101": 50801, b"abc": 0, b"5.7": 50700}
    return {
        "protocol_version": 10,
        "server_version": numbers[text],
        "server_version_text": text,
        "thread_id": 0x04030201,
        "capabilities": 33280,
        "charset": 8,
        "server_status": 2,
        "challenge": b"01234567890123456789",
    }


_SHORT_PARAM = b"12"
# What is right where the original does something else, by what the record says about it.
RIGHT: dict[str, Callable[[Case], Any]] = {
    "16-bit fields wrap": _raises(PacketError),
    "64-bit values above 2**63 come out negative; the value is 18446744073709551615": _but(
        affected_rows=18446744073709551615
    ),
    "BIT parameters are refused": _single_param(16, b"\x01"),
    "DECIMAL parameters are refused": _single_param(246, _SHORT_PARAM),
    "MEDIUMINT parameters are refused": _single_param(9, 1),
    "TINYBLOB parameters are refused": _single_param(249, _SHORT_PARAM),
    "VARCHAR (15) parameters are refused": _single_param(15, _SHORT_PARAM),
    "a NULL-typed parameter must also have its null bit set": _single_param(6, None),
    "a major version above 10 is rejected": _any_version,
    "a minor or patch version above 100 is rejected": _any_version,
    "a version that does not start with three numbers is rejected": _any_version,
    "a number argument is taken as its decimal text": _raises(TypeError),
    "a numeric string is taken as a number": _raises(TypeError),
    "an empty text gives a table without the field": _recorded,
    "bit 31 of an 8-byte length-encoded integer is sign-extended; the value is 2147483648": _but(
        affected_rows=2147483648
    ),
    "error code is truncated to 16 bits": _raises(PacketError),
    "message cut at 512 bytes": lambda case: (b"\xff\0\0#07000" + raw(case["args"][0]["errmsg"])),
    "message cut at the first NUL": _but(errmsg=b"a\0b"),
    "numeric versions are written with two-digit minor and patch": _short_version,
    "only a 20-byte challenge is taken here, unlike scramble and check: empty string plus a "
    "critical log line": lambda case: password.hash("pw"),
    "plugin name without a trailing NUL is accepted; protocol_version is always reported as 0; the "
    "value is 10": _but(protocol_version=10),
    "plugin-auth before 5.5.10 and for 5.6.0-5.6.1: no NUL after the plugin name": _replaced(
        b"5.05.00", b"5.5.0", end=b"\0"
    ),
    "plugin-auth: the plugin name is not taken from the table, so an empty NUL-terminated name "
    "follows": _short_version,
    "protocol_version is always reported as 0; the value is 10": _but(protocol_version=10),
    "protocol_version is ignored: always 10": _recorded,
    "response length is written modulo 256": _raises(PacketError),
    "server version defaults to 5.0.99; default scramble is the digits 0-9 repeated": _recorded,
    "signed values are decoded as unsigned; the value is -1": _param_value(-1),
    "sqlstate cut at 5 bytes": _raises(PacketError),
    "the fraction is microseconds on the wire but is printed as nanoseconds (should read .000001)": (
        _micros(1)
    ),
    "the fraction is microseconds on the wire but is printed as nanoseconds (should read .123456)": (
        _micros(123456)
    ),
    "the last string must be NUL-terminated": lambda case: {
        "server_capabilities": 33288,
        "capabilities": 239245,
        "max_packet_size": 1 << 24,
        "charset": 33,
        "username": b"root",
        "response": b"R" * 20,
        "database": b"world",
    },
    "types not bound: no params field": _but(params=None),
    "unsigned 64-bit above 2**63 comes out negative; the value is 18446744073709551615": (
        _param_value(18446744073709551615)
    ),
    "versions of 100000 and more fall back to 5.0.99": _replaced(b"5.0.99", b"10.11.19"),
    "versions of 30000 and less fall back to 5.0.99": _replaced(b"5.0.99", b"3.0.0"),
    "without 'capabilities' the client flags are 33280 (no connect-with-db bit), yet the database is "
    "still written": lambda case: (33288).to_bytes(2, "little") + _recorded(case)[2:],
    "without the secure-connection bit only the first 8 challenge bytes are sent": _recorded,
    "wrong length: empty string plus a critical log line, no exception": _raises(ValueError),
}


def fields(packet: Any) -> Any:
    """What a function gave, as `result` has it."""
    if not hasattr(packet, "_asdict"):
        return packet
    given = packet._asdict()
    if given.get("params"):
        given["params"] = tuple((param.type, param.value) for param in given["params"])
    return given


def empty(name: str, value: Any) -> bool:
    """Whether the original leaves this field out."""
    return name == "master_ssl_verify_server_cert" or not value
