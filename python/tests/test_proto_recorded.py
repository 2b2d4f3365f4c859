"""Every recorded call of `mysql.proto` and `mysql.password`, compared with ours."""

from __future__ import annotations

from typing import Any

import proto_cases
import pytest
import recorded
from pyproxy import proto

CASES = recorded.cases(recorded.PROTO)
LINES = [pytest.param(case, id=f"{n}-{case['fn']}") for n, case in enumerate(CASES, 1)]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 233
    assert {case["quirk"] for case in CASES if "quirk" in case} == set(proto_cases.RIGHT)


@pytest.mark.parametrize("case", LINES)
def test_call(case: dict[str, Any]) -> None:
    call, expected = proto_cases.function(case), proto_cases.result(case)
    if isinstance(expected, type):
        with pytest.raises(expected):
            call(*proto_cases.arguments(case))
        return
    given = proto_cases.fields(call(*proto_cases.arguments(case)))
    if not isinstance(expected, dict):
        assert (given, type(given)) == (expected, type(expected))
        return
    if "server_version_text" not in expected:
        # A field that the original does not have; it is tested by itself.
        given.pop("server_version_text", None)
    for name, value in given.items():
        if name in expected:
            assert value == expected.pop(name), name
        else:
            assert proto_cases.empty(name, value), name
    assert not expected


READ = [
    line
    for line in LINES
    if ".proto.from_" in line.values[0]["fn"]
    and isinstance(proto_cases.result(line.values[0]), dict)
]


@pytest.mark.parametrize("case", READ)
def test_what_was_read_can_be_written_and_read_again(case: dict[str, Any]) -> None:
    read = proto_cases.function(case)
    write = getattr(proto, read.__name__.replace("from_", "to_"))
    packet, *others = proto_cases.arguments(case)
    fields = read(packet, *others)
    if getattr(fields, "params", ()) is None:
        with pytest.raises(proto.PacketError):
            write(fields)
    else:
        assert read(write(fields), *others) == fields
