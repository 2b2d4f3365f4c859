"""The script `commit_obfuscator`: which commits fail, and with what."""

from __future__ import annotations

import pytest
from pyproxy.testing import Session

SCRIPT = "pyproxy.hooks.commit_obfuscator"


def outcomes(seed: int, probability: float = 0.5) -> list[bool]:
    """Which of 200 commits succeed."""
    config = {"commit_obfuscator": {"seed": seed, "probability": probability}}
    with Session(SCRIPT, config=config) as session:
        succeeded = [session.query("COMMIT").ok for _ in range(200)]
        assert [query.text for query in session.server_queries] == [
            "COMMIT" if ok else "ROLLBACK" for ok in succeeded
        ]
        return succeeded


def test_about_half_of_the_commits_are_rolled_back() -> None:
    assert 70 < sum(outcomes(seed=1)) < 130


def test_the_seed_makes_the_choice() -> None:
    assert outcomes(seed=1) == outcomes(seed=1)
    assert outcomes(seed=1) != outcomes(seed=2)
    # None of two runs of 200 choices is the other one.
    assert outcomes(seed=0) != outcomes(seed=0)


def test_the_probability() -> None:
    assert all(outcomes(seed=1, probability=0))
    assert not any(outcomes(seed=1, probability=1))
    assert sum(outcomes(seed=1, probability=0.9)) < 50


@pytest.mark.parametrize("text", ["COMMIT", "commit", "Commit"])
def test_the_error(text: str) -> None:
    with Session(SCRIPT, config={"commit_obfuscator": {"probability": 1}}) as session:
        assert session.query(text).error == (
            1205,
            "HY000",
            "Lock wait timeout exceeded; try restarting transaction",
        )


@pytest.mark.parametrize(
    "packet", [b"\x03COMMIT;", b"\x03COMMIT WORK", b"\x16COMMIT", b"\x02COMMIT"]
)
def test_everything_else_passes(packet: bytes) -> None:
    with Session(SCRIPT, config={"commit_obfuscator": {"probability": 1}}) as session:
        assert session.command(packet).ok
        assert [query.packet for query in session.server_queries] == [packet]
