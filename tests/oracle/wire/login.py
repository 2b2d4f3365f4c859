"""Logins with the two methods that the accounts of the oracle have."""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from .codec import Cap, Reader, lenenc_bytes

__all__ = ["Greeting", "Identity", "change_user", "greeting", "response", "scramble"]

NATIVE, SHA2 = b"mysql_native_password", b"caching_sha2_password"


class Identity(NamedTuple):
    """Who a client is, and how it connects. Connections of one identity can be shared."""

    user: str
    password: str
    capabilities: Cap


class Greeting(NamedTuple):
    """What a server says first."""

    version: bytes
    thread_id: int
    seed: bytes
    capabilities: int
    plugin: bytes


def greeting(packet: bytes) -> Greeting:
    """Reads the first packet of a server."""
    reader = Reader(packet, 1)
    version = reader.to_zero()
    thread_id = reader.number(4)
    seed = reader.take(8)
    reader.take(1)
    capabilities = reader.number(2)
    reader.take(3)
    capabilities |= reader.number(2) << 16
    length = reader.number(1)
    reader.take(10)
    seed += reader.take(max(13, length - 8))
    return Greeting(version, thread_id, seed[:20], capabilities, reader.to_zero())


def scramble(plugin: bytes, password: str, seed: bytes) -> bytes:
    """The proof of a password. Raises ValueError for a method that is not known here."""
    secret = password.encode()
    if not secret:
        return b""
    seed = seed[:20]
    if plugin == NATIVE:
        first = hashlib.sha1(secret).digest()
        mask = hashlib.sha1(seed + hashlib.sha1(first).digest()).digest()
    elif plugin == SHA2:
        first = hashlib.sha256(secret).digest()
        mask = hashlib.sha256(hashlib.sha256(first).digest() + seed).digest()
    else:
        raise ValueError(f"a login with {plugin!r} is not known here")
    return bytes(a ^ b for a, b in zip(first, mask))


def response(
    greeted: Greeting, identity: Identity, collation: int, database: str | None
) -> tuple[bytes, Cap]:
    """The login, and the capabilities that the connection has with it."""
    capabilities = identity.capabilities
    if database is not None:
        capabilities |= Cap.CONNECT_WITH_DB
    # These two are asked for only if they are offered; the others are a must.
    for optional in (Cap.SESSION_TRACK, Cap.DEPRECATE_EOF):
        if not greeted.capabilities & optional:
            capabilities &= ~optional
    packet = struct.pack("<IIB23x", capabilities, 1 << 24, collation)
    packet += identity.user.encode() + b"\0"
    proof = scramble(greeted.plugin, identity.password, greeted.seed)
    packet += bytes((len(proof),)) + proof
    if database is not None:
        packet += database.encode() + b"\0"
    return packet + greeted.plugin + b"\0", capabilities


def change_user(
    greeted: Greeting, identity: Identity, collation: int, database: str | None
) -> bytes:
    """A COM_CHANGE_USER."""
    proof = scramble(greeted.plugin, identity.password, greeted.seed)
    packet = b"\x11" + identity.user.encode() + b"\0" + bytes((len(proof),)) + proof
    packet += (database or "").encode() + b"\0" + struct.pack("<H", collation)
    return packet + greeted.plugin + b"\0"


def attributes(values: dict[bytes, bytes]) -> bytes:
    """Attributes of a connection."""
    return lenenc_bytes(b"".join(lenenc_bytes(k) + lenenc_bytes(v) for k, v in values.items()))
