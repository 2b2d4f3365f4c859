"""Maps log-ins: a user of the proxy becomes a user of the server.

The proxy itself checks the client's password, and logs in to the server with another name and password, which no client
knows.

    [login_mapping_users]
    app = *2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19 shop_rw the secret of shop_rw

Here `app` logs in with the password whose hash stands first, and works as `shop_rw`. `SELECT PASSWORD('...')` gives the hash
on a MariaDB server; without one, Python does:

    python3 -c "from pyproxy import password as p; print('*' + p.hash(p.hash('secret')).hex())"

`-` in place of the hash is a user without a password. The server user's password may be missing, too.

Settings, section `[login_mapping]`:

| setting | default | |
|---|---|---|
| `users_file` | | a file with the same lines as the section has; it is read again when it changes |
| `unknown_users` | `refuse` | `refuse` them, or `pass` their log-in to the server as it is |
| `free_refusals` | 3 | so many refused log-ins of a user from an address are not followed by a delay |
| `max_delay` | 60.0 | seconds; the longest delay |

Each refused log-in is logged, with user, address, and how many there were. After `free_refusals` of them the next one of
this user from this address is looked at no sooner than a second later, then two, four, up to `max_delay`: until then
each is refused, whatever the password. A right password, or ten times `max_delay` without a refusal, ends that.

Scripts see the front end's name in `proxy.connection.client.username`, and the server's in `.server.username`.

What it cannot do:

* Both log-ins are mysql_native_password. A client that comes with another method is asked to switch to it, and must be able
  to. A user of the server that has another method cannot be logged in: the client gets `ERROR 1045 (28000)`. MySQL 9 no
  longer has this method, so none of its users can be mapped to.
* COM_CHANGE_USER is refused, with `ERROR 1227 (42000)`. COM_RESET_CONNECTION works.
* A client that a script greets from the pool, before its name is known, cannot be mapped: its log-in is refused. Scripts that
  look into the pool by the client's name do not find the connections of the server's user.
* Whoever guesses passwords from many addresses is not slowed down.
* TLS ends at the proxy's side of the client: the plugin has none.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pyproxy
from pyproxy import Error, password
from pyproxy._firewall.statement_list import escape
from pyproxy._login import accounts
from pyproxy._login.accounts import Account, AccountError
from pyproxy._login.exchange import NATIVE, replaced
from pyproxy._login.refusals import Refusals
from pyproxy._stack.traits import CHOOSES_USERS, declare
from pyproxy.settings import SettingsError, raw, require, section

if TYPE_CHECKING:
    from pyproxy import Auth, Decision, Proxy, Socket

__all__ = ["init", "read_auth", "read_auth_result", "read_query", "settings"]

settings = section(
    "login_mapping", users_file="", unknown_users="refuse", free_refusals=3, max_delay=60.0
)

_log = logging.getLogger("pyproxy.login_mapping")

# First bytes of the server's answers.
_OK = 0
_SWITCH = 0xFE
_ERR = 0xFF
_CHALLENGE = 20
# Seconds between two looks at the file.
_INTERVAL = 1.0


class _Users:
    """The accounts of the section and of the file; the file's come first."""

    def __init__(self) -> None:
        self._of_section = accounts.parse(raw("login_mapping_users"))
        self._of_file: dict[str, Account] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._looked_at = time.monotonic()
        if settings.users_file:
            self._read()

    def get(self, name: str) -> Account | None:
        """The account of a name of the front end."""
        self._refresh()
        return self._of_file.get(name) or self._of_section.get(name)

    def _read(self) -> None:
        path = settings.users_file
        self._stamp = accounts.stamp(path)
        self._of_file = accounts.read(path)
        if accounts.is_readable_by_others(path):
            _log.warning("%s has passwords in it, and everybody can read it", path)

    def _refresh(self) -> None:
        now = time.monotonic()
        if not settings.users_file or now - self._looked_at < _INTERVAL:
            return
        self._looked_at = now
        try:
            if accounts.stamp(settings.users_file) != self._stamp:
                self._read()
                _log.info("read %s: %d users", settings.users_file, len(self._of_file))
        except (AccountError, OSError) as error:
            _log.error("the users stay as they were: %s", error)


_refusals = Refusals()

# Made by `init`; without it nobody can log in.
_users: _Users


def init(proxy: pyproxy.Proxy) -> None:
    """Reads the users; what is wrong with them stops the start."""
    global _users
    declare(CHOOSES_USERS)
    require("login_mapping", "login_mapping", "login_mapping_users")
    if settings.unknown_users not in ("refuse", "pass"):
        raise SettingsError(
            f"[login_mapping] unknown_users={settings.unknown_users}: expected refuse or pass"
        )
    try:
        _users = _Users()
    except (AccountError, OSError) as error:
        raise SettingsError(f"[login_mapping]: {error}") from None


def read_auth(proxy: Proxy) -> int | Error | None:
    """Checks the client's password, and logs in to the server as somebody else."""
    client, server = proxy.connection.client, proxy.connection.server
    account = _users.get(client.username or "")
    if _refusals.must_wait(*_who(client)):
        return _deny(client)
    if account is None:
        return None if settings.unknown_users == "pass" else _deny(client)
    challenge = (client.scramble_buffer or b"")[:_CHALLENGE]
    if client.auth_plugin_name not in (None, NATIVE.decode()):
        # The client's answer is in its log-in when this hook is called again.
        switch = bytes((_SWITCH,)) + NATIVE + b"\0" + challenge + b"\0"
        proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": switch}
        return proxy.PROXY_SEND_RESULT
    if server is None or not _is_right(client, account):
        return _deny(client)
    if server.username is not None:
        # It is logged in already, as whoever it was parked by.
        return Error("pyproxy: a pooled connection cannot be mapped", 1105, "HY000")
    _refusals.forget(*_who(client))
    secret = account.backend_password.encode("utf-8", "surrogateescape")
    response = _proof(secret, server.scramble_buffer) if secret else b""
    name = account.backend_user.encode("utf-8", "surrogateescape")
    proxy.connection.login_mapping_user = account.backend_user
    proxy.queries.append(1, replaced(client.login_packet or b"", name, response))
    return proxy.PROXY_SEND_QUERY


def read_auth_result(proxy: Proxy, auth: Auth) -> int | Error | None:
    """Lets an OK through. Everything else is about a user the client does not know of."""
    user = getattr(proxy.connection, "login_mapping_user", None)
    if user is None or auth.packet[0] == _OK:
        return None
    if auth.packet[0] == _ERR:
        why = auth.packet[9:].decode("utf-8", "replace")
    else:
        why = "the server asks for another method than mysql_native_password"
    _log.error("the log-in as %s failed: %s", user, why)
    return Error("Access denied; the proxy cannot log in to the server, see its log", 1045, "28000")


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Refuses COM_CHANGE_USER of a mapped client, whose password the server does not know."""
    if packet[0] != pyproxy.COM_CHANGE_USER:
        return None
    if getattr(proxy.connection, "login_mapping_user", None) is None:
        return None
    return Error("Access denied; the proxy does not map COM_CHANGE_USER", 1227, "42000")


def _is_right(client: Socket, account: Account) -> bool:
    proof = client.scrambled_password or b""
    if account.double_hash is None:
        return not proof
    return password.check(client.scramble_buffer or b"", proof, account.double_hash)


def _proof(secret: bytes, challenge: bytes | None) -> bytes:
    return password.scramble((challenge or b"")[:_CHALLENGE], password.hash(secret))


def _who(client: Socket) -> tuple[str, str]:
    """User and address of a client."""
    address = client.src.address if client.src is not None else None
    return client.username or "", address or "?"


def _deny(client: Socket) -> Error:
    user, host = _who(client)
    count = _refusals.add(user, host, settings.free_refusals, settings.max_delay)
    _log.warning("refused a log-in of %s from %s, the %d. in a row", escape(user), host, count)
    using = "YES" if client.scrambled_password else "NO"
    message = f"Access denied for user '{client.username}'@'{host}' (using password: {using})"
    return Error(message, 1045, "28000")
