"""The arithmetic of mysql_native_password.

The server stores `hash(hash(password))`. It sends a challenge of 20 bytes, and the client answers
with `scramble(challenge, hash(password))`, which `check` compares with what is stored.

    >>> from pyproxy import password
    >>> stored = password.hash(password.hash("secret"))
    >>> answer = password.scramble(b"01234567890123456789", password.hash("secret"))
    >>> password.check(b"01234567890123456789", answer, stored)
    True

The client of an account without a password sends an empty answer, which is none of this. Other
authentication methods, such as caching_sha2_password, are none either.

Passwords are `str` (UTF-8) or bytes. A challenge may have a 21st byte, the NUL that ends it on the
wire.
"""

from __future__ import annotations

from typing import Union

from pyproxy import _native

__all__ = ["check", "hash", "scramble", "unscramble"]

Data = Union[str, bytes, bytearray, memoryview]


def hash(password: Data) -> bytes:
    """SHA-1 of `password`, 20 bytes; of that again, what the server stores."""
    return _native.password_hash(password)


def scramble(challenge: Data, hashed: Data) -> bytes:
    """The client's answer to `challenge` for a password with this `hash`, 20 bytes.

    Raises ValueError if the challenge has not 20 or 21 bytes, or the hash not 20.
    """
    return _native.password_scramble(challenge, hashed)


def unscramble(challenge: Data, response: Data, double_hashed: Data) -> bytes:
    """The `hash` of the client's password, 20 bytes, from its answer and what the server stores.

    It is the right one only if `check` says so. Raises ValueError for a wrong length, as
    `scramble`.
    """
    return _native.password_unscramble(challenge, response, double_hashed)


def check(challenge: Data, response: Data, double_hashed: Data) -> bool:
    """Whether the answer was made with the password that the server stores as `double_hashed`.

    An answer, challenge or hash of a wrong length is a wrong one.
    """
    return _native.password_check(challenge, response, double_hashed)
