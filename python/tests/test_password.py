"""pyproxy.password: what the recorded calls do not show. Those are in test_proto_recorded.py."""

from __future__ import annotations

import hashlib

import pytest
from pyproxy import password

CHALLENGE = b"01234567890123456789"


def test_a_login_by_its_steps() -> None:
    hashed = password.hash("caf\u00e9")
    assert hashed == hashlib.sha1("caf\u00e9".encode()).digest()
    stored = password.hash(hashed)
    answer = password.scramble(CHALLENGE, hashed)
    assert password.unscramble(CHALLENGE, answer, stored) == hashed
    assert password.check(CHALLENGE, answer, stored)
    assert not password.check(CHALLENGE[::-1], answer, stored)


def test_the_nul_of_the_challenge_does_not_count() -> None:
    hashed = password.hash("pw")
    answer = password.scramble(CHALLENGE + b"\0", hashed)
    assert answer == password.scramble(CHALLENGE, hashed)
    assert password.check(CHALLENGE + b"\0", answer, password.hash(hashed))


@pytest.mark.parametrize("length", [0, 19, 22])
def test_a_wrong_length_is_an_error_and_never_right(length: int) -> None:
    hashed, challenge = password.hash("pw"), b"0" * length
    with pytest.raises(ValueError, match="challenge"):
        password.scramble(challenge, hashed)
    with pytest.raises(ValueError, match="challenge"):
        password.unscramble(challenge, hashed, hashed)
    with pytest.raises(ValueError, match="hash"):
        password.scramble(CHALLENGE, challenge)
    assert not password.check(challenge, hashed, hashed)
    assert not password.check(CHALLENGE, challenge, hashed)
