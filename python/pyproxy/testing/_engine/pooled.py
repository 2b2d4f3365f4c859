"""A client that was greeted from the pool: its connection is logged in as somebody, and is made the client's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._offline.reply import proxy_error
from ..._offline.state import ServerSide
from ..._offline.wire.basic import WireError
from ..._offline.wire.login import ChangeUser, Login
from ..._offline.wire.replies import Capability, Err, Ok
from .phase import Phase

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["asking_again", "take_over"]

_ACCESS_DENIED = 1045
_SWITCH_REQUEST = b"pyproxy_switch_request"


def take_over(connection: Connection, login: Login, server: ServerSide) -> None:
    """The client got a pooled connection, which is logged in as somebody: make it its own."""
    speaks = server.speaks(login.capabilities)
    if speaks and connection.process.options.pool_change_user:
        _change_user(connection, login, ask_again=False)
    elif (
        speaks
        and not connection.process.options.pool_change_user
        and server.default_db == (login.database or b"")
    ):
        _compare_logins(connection, login, server)
    else:
        _replace(connection, login, server)


def _change_user(connection: Connection, login: Login, ask_again: bool) -> None:
    server = connection.session.server
    assert server is not None
    sent = asking_again(login) if ask_again else login
    request = ChangeUser(
        sent.username,
        sent.auth_response,
        sent.database or b"",
        sent.charset,
        sent.auth_plugin,
        sent.attributes,
    )
    try:
        payload = request.encode(server.capabilities & login.capabilities)
    except WireError:
        text = b"the login does not fit into COM_CHANGE_USER"
        connection.refuse([Err(1043, b"08S01", text).encode()])
        return
    connection.login.send(login, payload)


def _compare_logins(connection: Connection, login: Login, server: ServerSide) -> None:
    """Without re-authentication only who would have logged in the same way gets the connection."""
    pooled = server.login if server.login_is_proof else None
    keys = (login.username, login.auth_plugin, login.auth_response)
    if pooled is None or keys != (pooled.username, pooled.auth_plugin, pooled.auth_response):
        connection.session.park_server()
        text = b"(proxy-pool) login failed"
        connection.refuse([Err(_ACCESS_DENIED, b"28000", text).encode()])
        return
    connection.to_client([Ok(status=connection.session.status()).encode()])
    connection.phase = Phase.COMMANDS


def _replace(connection: Connection, login: Login, server: ServerSide) -> None:
    """The pooled connection does not fit the client: it goes back, and another one takes its place."""
    session = connection.session
    if not login.capabilities & Capability.PLUGIN_AUTH:
        session.close_server()
        connection.refuse(proxy_error("no pooled connection fits this client, try again"))
        return
    if connection.process.options.pool_change_user:
        backend = connection.process.shared.backends[server.backend]
        found = backend.take(lambda idle: idle.speaks(login.capabilities))
        if found is not None:
            session.exchange_server(found)
            _change_user(connection, login, ask_again=True)
            return
    choice = session.backend_ndx
    session.park_server()
    session.choice = choice
    connection.login.reconnect(login)


def asking_again(login: Login) -> Login:
    """The login without auth data, for a method that no account has: the server asks for the right one."""
    return login._replace(auth_response=b"", auth_plugin=_SWITCH_REQUEST)
