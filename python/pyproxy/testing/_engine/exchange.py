"""One command of the client and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..._offline.state import InjectionState
from ..._offline.wire import use_statement
from ..._offline.wire.basic import WireError
from ..._offline.wire.login import ChangeUser, Login

__all__ = ["Effect", "Exchange", "effect_of"]

_INIT_DB, _QUERY, _CHANGE_USER = 0x02, 0x03, 0x11

# What a command changes if the server accepts it: the default database, or the login.
Effect = Union[bytes, Login, None]


@dataclass
class Exchange:
    """One command of the client, from its arrival to the last packet of its answer."""

    injection: InjectionState | None = None
    effect: Effect = None
    answered: bool = False
    forwarded: bool = False
    # A LOAD DATA LOCAL transfer; `from_script`: no server waits for the file.
    infile: bool = False
    infile_from_script: bool = False


def effect_of(payload: bytes, login: Login | None) -> Effect:
    """What the command changes if the server says OK. `login` is the client's present one."""
    if payload[0] == _INIT_DB:
        return payload[1:]
    if payload[0] == _QUERY:
        return use_statement.database(payload[1:])
    if payload[0] != _CHANGE_USER or login is None:
        return None
    try:
        change = ChangeUser.parse(payload, login.capabilities)
    except WireError:
        return None
    return login._replace(
        username=change.username,
        auth_response=change.auth_response,
        database=change.database or None,
        auth_plugin=change.auth_plugin,
        attributes=change.attributes,
        charset=login.charset if change.charset is None else change.charset & 0xFF,
    )
