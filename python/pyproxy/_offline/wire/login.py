"""The packets of the login."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from .basic import Reader, WireError, lenenc_bytes, number
from .replies import Capability

__all__ = [
    "ChangeUser",
    "Handshake",
    "Login",
    "NATIVE_PASSWORD",
    "auth_switch",
    "masked",
    "native_password",
]

NATIVE_PASSWORD = b"mysql_native_password"
# What a proxy cannot follow, or need not: cleared on both sides.
_UNSUPPORTED = Capability.COMPRESS | Capability.SSL | Capability.DEPRECATE_EOF | 0x2E00_0000
_PROTOCOL = 10


def native_password(password: str, scramble: bytes) -> bytes:
    """The proof of a password for this scramble; empty for an empty password."""
    if not password:
        return b""
    once = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(scramble[:20] + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


def auth_switch(method: bytes, scramble: bytes) -> bytes:
    """The server's request to use another authentication method."""
    return b"\xfe" + method + b"\0" + scramble[:20] + b"\0"


def masked(payload: bytes) -> bytes:
    """A login with the capability bits cleared that the proxy does not follow."""
    bits = Reader(payload).integer(4) & ~_UNSUPPORTED
    return number(bits, 4) + payload[4:]


class Handshake(NamedTuple):
    """The server's greeting."""

    server_version: bytes
    thread_id: int
    scramble: bytes
    capabilities: int
    charset: int = 45
    status: int = 2
    auth_plugin: bytes | None = None

    @classmethod
    def parse(cls, payload: bytes) -> Handshake:
        """Reads a payload."""
        reader = Reader(payload)
        version = reader.integer(1)
        if version != _PROTOCOL:
            raise WireError(f"handshake protocol {version} is not supported")
        server_version, thread_id, scramble = reader.nul(), reader.integer(4), reader.take(8)
        if reader.left <= 1:
            return cls(server_version, thread_id, scramble, 0, 0, 0)
        reader.take(1)
        capabilities = reader.integer(2)
        if not reader.left:
            return cls(server_version, thread_id, scramble, capabilities, 0, 0)
        charset, status = reader.integer(1), reader.integer(2)
        capabilities |= reader.integer(2) << 16
        announced = reader.integer(1)
        reader.take(10)
        plugin = None
        if capabilities & (Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH):
            with_plugin = capabilities & Capability.PLUGIN_AUTH
            length = max(13, announced - 8 if with_plugin else 0)
            if reader.left < length:
                length = 12 if reader.left == 12 else 13
            scramble += reader.take(length)
            plugin = reader.nul_or_rest() if with_plugin else None
        return cls(server_version, thread_id, scramble, capabilities, charset, status, plugin)

    def encode(self) -> bytes:
        """The payload."""
        scramble = self.scramble.ljust(21, b"\0")
        with_plugin = bool(self.capabilities & Capability.PLUGIN_AUTH)
        head = number(_PROTOCOL, 1) + self.server_version + b"\0" + number(self.thread_id, 4)
        head += scramble[:8] + b"\0" + number(self.capabilities & 0xFFFF, 2)
        head += number(self.charset, 1) + number(self.status, 2)
        head += number(self.capabilities >> 16, 2)
        head += number(len(scramble) if with_plugin else 0, 1) + bytes(10) + scramble[8:]
        return head + ((self.auth_plugin or b"") + b"\0" if with_plugin else b"")

    @property
    def version_id(self) -> int | None:
        """The version as a number: 80036 for 8.0.36. None if there is none in the text."""
        parts = []
        for part in self.server_version.split(b".")[:3]:
            digits = part[: len(part) - len(part.lstrip(b"0123456789"))]
            if not digits:
                break
            parts.append(int(digits))
            if digits != part:
                break
        if len(parts) < 2:
            return None
        major, minor, patch = (*parts, 0)[:3]
        return major * 10_000 + minor * 100 + patch


def _unquoted(name: bytes) -> bytes:
    """A user name of a login as servers take it: they strip one pair of single quotes."""
    return name[1:-1] if len(name) > 1 and name[:1] == name[-1:] == b"'" else name


class Login(NamedTuple):
    """The client's login, with the user name as servers take it."""

    capabilities: int
    username: bytes
    auth_response: bytes = b""
    database: bytes | None = None
    auth_plugin: bytes | None = None
    attributes: bytes | None = None
    charset: int = 45
    max_packet_size: int = 1 << 24

    @classmethod
    def parse(cls, payload: bytes) -> Login:
        """Reads a payload. What the capabilities announce and the packet lacks is None."""
        reader = Reader(payload)
        capabilities = reader.integer(4)
        if not capabilities & Capability.PROTOCOL_41:
            raise WireError("login of the protocol before 4.1")
        max_packet_size, charset = reader.integer(4), reader.integer(1)
        reader.take(23)
        username = _unquoted(reader.nul())
        if capabilities & Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA:
            auth_response = reader.lenenc_bytes()
        elif capabilities & Capability.SECURE_CONNECTION:
            auth_response = reader.take(reader.integer(1))
        else:
            auth_response = reader.nul_or_rest()

        def announced(bit: int) -> bool:
            return bool(capabilities & bit and reader.left)

        database = reader.nul_or_rest() if announced(Capability.CONNECT_WITH_DB) else None
        auth_plugin = reader.nul_or_rest() if announced(Capability.PLUGIN_AUTH) else None
        attributes = reader.lenenc_bytes() if announced(Capability.CONNECT_ATTRS) else None
        return cls(
            capabilities,
            username,
            auth_response,
            database,
            auth_plugin,
            attributes,
            charset,
            max_packet_size,
        )

    def encode(self) -> bytes:
        """The payload. The bits of optional fields agree with the fields that are there."""
        bits = self.capabilities | Capability.PROTOCOL_41
        for bit, field in (
            (Capability.CONNECT_WITH_DB, self.database),
            (Capability.PLUGIN_AUTH, self.auth_plugin),
            (Capability.CONNECT_ATTRS, self.attributes),
        ):
            bits = bits & ~bit if field is None else bits | bit
        out = number(bits, 4) + number(self.max_packet_size, 4) + number(self.charset, 1)
        name = (
            self.username if _unquoted(self.username) == self.username else b"'%b'" % self.username
        )
        out += bytes(23) + name + b"\0"
        out += number(len(self.auth_response), 1) + self.auth_response
        for text in (self.database, self.auth_plugin):
            out += b"" if text is None else text + b"\0"
        return out + (b"" if self.attributes is None else lenenc_bytes(self.attributes))


class ChangeUser(NamedTuple):
    """COM_CHANGE_USER: a new login on an open connection."""

    username: bytes
    auth_response: bytes
    database: bytes
    charset: int | None = None
    auth_plugin: bytes | None = None
    attributes: bytes | None = None

    @classmethod
    def parse(cls, payload: bytes, capabilities: int) -> ChangeUser:
        """Reads a payload, command byte included, of a client with these capabilities."""
        reader = Reader(payload)
        reader.take(1)
        username = reader.nul()
        auth_response = reader.take(reader.integer(1))
        database = reader.nul_or_rest()
        charset = reader.integer(2) if reader.left else None
        plugin = attributes = None
        if capabilities & Capability.PLUGIN_AUTH and reader.left:
            plugin = reader.nul_or_rest()
        if capabilities & Capability.CONNECT_ATTRS and reader.left:
            attributes = reader.lenenc_bytes()
        return cls(username, auth_response, database, charset, plugin, attributes)

    def encode(self, capabilities: int) -> bytes:
        """The payload for a connection with these capabilities."""
        for text in (self.username, self.database):
            if b"\0" in text:
                raise WireError("a text of COM_CHANGE_USER contains a NUL byte")
        if len(self.auth_response) > 249:
            raise WireError(f"auth data of {len(self.auth_response)} bytes is too long")
        out = b"\x11" + self.username + b"\0" + lenenc_bytes(self.auth_response)
        out += self.database + b"\0"
        plugin = self.auth_plugin if capabilities & Capability.PLUGIN_AUTH else None
        attributes = self.attributes if capabilities & Capability.CONNECT_ATTRS else None
        tail = plugin is not None or attributes is not None
        if self.charset is not None or tail:
            out += number(self.charset or 0, 2)
        if capabilities & Capability.PLUGIN_AUTH and tail:
            out += (plugin or b"") + b"\0"
        return out + (b"" if attributes is None else lenenc_bytes(attributes))
