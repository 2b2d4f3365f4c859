"""The client's login packet with another user in it, and everything else as it was.

What the client is able to do (its capabilities) must reach the server unchanged: it decides the form of all answers.
"""

from __future__ import annotations

from pyproxy.proto import PacketError

__all__ = ["NATIVE", "replaced"]

NATIVE = b"mysql_native_password"

# Capabilities that decide the form of the packet.
_CONNECT_WITH_DB = 0x00000008
_PROTOCOL_41 = 0x00000200
_SECURE_CONNECTION = 0x00008000
_PLUGIN_AUTH = 0x00080000
_LENENC_AUTH = 0x00200000
# Capabilities, packet size, character set and filler.
_FIXED = 32
# The first byte of longer length-encoded lengths, and how many bytes follow it.
_LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def replaced(login: bytes, username: bytes, response: bytes) -> bytes:
    """`login` for `username`, with this answer (20 bytes or none) to the challenge of mysql_native_password.

    Raises PacketError for what is no login.
    """
    capabilities = int.from_bytes(login[:4], "little")
    if len(login) < _FIXED or not capabilities & _PROTOCOL_41:
        raise PacketError("this is no login of protocol 4.1")
    _, rest = _text(login[_FIXED:])
    if capabilities & (_LENENC_AUTH | _SECURE_CONNECTION):
        length, rest = _length(rest, bool(capabilities & _LENENC_AUTH))
        rest = rest[length:]
        proof = bytes((len(response),)) + response
    else:
        _, rest = _text(rest)
        proof = response + b"\0"
    database = b""
    if capabilities & _CONNECT_WITH_DB and rest:
        name, rest = _text(rest)
        database = name + b"\0"
    method = b""
    if capabilities & _PLUGIN_AUTH:
        _, rest = _text(rest)
        method = NATIVE + b"\0"
    return login[:_FIXED] + username + b"\0" + proof + database + method + rest


def _text(data: bytes) -> tuple[bytes, bytes]:
    """The bytes before the next NUL, or all if there is none, and those behind it."""
    text, _, rest = data.partition(b"\0")
    return text, rest


def _length(data: bytes, is_lenenc: bool) -> tuple[int, bytes]:
    if not data:
        raise PacketError("the login ends before its auth data")
    width = _LENGTHS.get(data[0], 0) if is_lenenc else 0
    if width:
        return int.from_bytes(data[1 : 1 + width], "little"), data[1 + width :]
    return data[0], data[1:]
