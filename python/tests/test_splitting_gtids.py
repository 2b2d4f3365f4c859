"""GTIDs as the splitting scripts know them, and what a replica is asked."""

from __future__ import annotations

import pytest
from pyproxy._splitting.gtids import Gtids

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
OTHER = "b0c9fa47-71ca-11e1-9e33-c80aa9429563"


def question(*texts: str) -> str | None:
    gtids = Gtids()
    for text in texts:
        assert gtids.add(text)
    return gtids.question(0.5)


def mysql(sets: str) -> str:
    return f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{sets}', 0.5)"


@pytest.mark.parametrize(
    ("texts", "position"),
    [
        (["0-1-5"], "0-1-5"),
        (["0-1-5", "0-2-6"], "0-2-6"),
        (["0-1-6", "0-2-5"], "0-1-6"),
        (["0-1-5", "7-1-2"], "0-1-5,7-1-2"),
        (["0-1-5,7-1-2", "7-1-3"], "0-1-5,7-1-3"),
    ],
)
def test_mariadb_names_the_last_of_each_domain(texts: list[str], position: str) -> None:
    assert question(*texts) == f"SELECT MASTER_GTID_WAIT('{position}', 0.5)"


@pytest.mark.parametrize(
    ("texts", "sets"),
    [
        ([f"{UUID}:5"], f"{UUID}:5-5"),
        ([f"{UUID}:5", f"{UUID}:6"], f"{UUID}:5-6"),
        ([f"{UUID}:5", f"{UUID}:9", f"{UUID}:7"], f"{UUID}:5-5:7-7:9-9"),
        ([f"{UUID}:5-7:9,\n{OTHER}:1"], f"{UUID}:5-7:9-9,{OTHER}:1-1"),
        ([f"{UUID.upper()}:5"], f"{UUID}:5-5"),
        ([f"{UUID}:5:app:1-3:7"], f"{UUID}:5-5,{UUID}:app:1-3:7-7"),
    ],
)
def test_mysql_names_a_set(texts: list[str], sets: str) -> None:
    assert question(*texts) == mysql(sets)


def test_many_ranges_become_one() -> None:
    assert question(*(f"{UUID}:{2 * n}" for n in range(1, 40))) == mysql(
        f"{UUID}:2-66:68-68:70-70:72-72:74-74:76-76:78-78"
    )


def test_nothing_is_asked_for_nothing() -> None:
    assert Gtids().question(1) is None


@pytest.mark.parametrize("text", ["", "?", "0-1", f"{UUID}:", f"{UUID}:x", "0-1-5'"])
def test_what_is_no_gtid_is_not_taken(text: str) -> None:
    gtids = Gtids()
    assert not gtids.add(text)
    assert (gtids.version, gtids.question(1)) == (0, None)
