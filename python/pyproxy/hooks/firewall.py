"""A firewall for statements: an allow list that learns, and patterns that block.

Each statement (COM_QUERY, the text of COM_STMT_PREPARE) is reduced to its fingerprint, in which literals are folded:

    SELECT name FROM customers WHERE id = 5 AND city = 'Paris'
    SELECT name FROM customers WHERE id = ? AND city = '?'

and looked up for the client's user. What is refused gets `ERROR 1227 (42000)`, and a line in the proxy's log.

Settings, section `[firewall]`:

| setting | default | |
|---|---|---|
| `mode` | `off` | `off`; `learn`: adds what is new to `allow_file`; `log`: only logs what `enforce` would refuse; `enforce` |
| `allow_file` | | the allow list; `enforce` needs one, or `allow_unlisted` |
| `allow_unlisted` | false | no allow list: all is allowed that nothing blocks |
| `block_file` | | statements that are refused, in the same form |
| `allowed_commands` | | further commands that may pass in `enforce`, such as `COM_PROCESS_KILL` |
| `max_learned` | 10000 | `learn` stops when the list has so many statements |
| `max_statement_bytes` | 262144 | longer statements are not looked at: not learned, and refused. All clients wait while one is |
| `max_log_bytes` | 512 | as much of a statement stands in the log |
| `ansi_quotes` | `unknown` | `on`, `off`: whether the server's `sql_mode` has `ANSI_QUOTES`, whatever a client sets |
| `safe_charset` | false | no client uses GBK, GB18030, Big5, SJIS or CP932, in which a character can end in a backslash |

Section `[firewall_users]` has the modes of single users (`backup = off`), section `[firewall_patterns]` regular
expressions (Python's) that block: `no_drop = (?i)\\bdrop\\s+table\\b`, or for one user `no_drop@shop = ...`.

The files have one statement per line: a user (or `*`), a tab, the fingerprint. They are read again when they change, and
written as a whole. A literal that decides more than a value is not folded: in SET, DDL, accounts, files. A statement that
could be read in two ways (versioned comments, hints, `#`, control characters) is kept byte for byte, behind `= `.
Quotes and backslashes are read as the server's `sql_mode` has it. `NO_BACKSLASH_ESCAPES` is in the status that servers report;
`ANSI_QUOTES` is not, so a statement with double quotes must be on the list in both readings unless `ansi_quotes` says.
`learn` adds both.

What it cannot do:

* The default database is not part of a fingerprint: COM_INIT_DB passes, so names without a database mean what the client
  chooses, as far as the user's privileges go.
* It judges texts. What a stored routine, a trigger, a view or an event does is not seen; a routine that runs its argument
  as a statement must not be on the list.
* A PREPARE or EXECUTE IMMEDIATE of anything but a plain literal is refused in `enforce`: its text is not known.
* Patterns can be got around by whoever tries; only the allow list is safe by default.
* Names and keywords are compared as they are written: `select` and `SELECT` are two statements.
* `safe_charset` and `ansi_quotes` must be true to what the servers do.
* With `pyproxy-on-script-error = forward`, or `pyproxy-skip-profiling`, it would protect nothing: the
  proxy does not start.
* It trusts what the log-in says about the user, and sees no statement of a connection that was made past the proxy.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, NamedTuple

import pyproxy
from pyproxy import Error
from pyproxy._firewall.statement_list import ListError, StatementList, escape
from pyproxy._sql.fingerprint import Fingerprint, Quoting, fingerprint, without_comments
from pyproxy._stack.protection import require_protection
from pyproxy.settings import SettingsError, raw, require, section

if TYPE_CHECKING:
    from pyproxy import Decision, Proxy

__all__ = ["disconnect_client", "init", "read_query", "settings", "shutdown"]

settings = section(
    "firewall",
    mode="off",
    allow_file="",
    allow_unlisted=False,
    block_file="",
    allowed_commands=(),
    max_learned=10_000,
    max_statement_bytes=1 << 18,
    max_log_bytes=512,
    ansi_quotes="unknown",
    safe_charset=False,
)

_log = logging.getLogger("pyproxy.firewall")

_MODES = ("off", "learn", "log", "enforce")
_ANSI_QUOTES = {"unknown": (False, True), "off": (False,), "on": (True,)}
# Commands that carry no statement, and reach nothing that the statements do not.
_HARMLESS = frozenset(
    (
        pyproxy.COM_QUIT,
        pyproxy.COM_INIT_DB,
        pyproxy.COM_FIELD_LIST,
        pyproxy.COM_STATISTICS,
        pyproxy.COM_PING,
        pyproxy.COM_CHANGE_USER,
        pyproxy.COM_STMT_EXECUTE,
        pyproxy.COM_STMT_SEND_LONG_DATA,
        pyproxy.COM_STMT_CLOSE,
        pyproxy.COM_STMT_RESET,
        pyproxy.COM_STMT_FETCH,
        pyproxy.COM_STMT_BULK_EXECUTE,
        pyproxy.COM_SET_OPTION,
        pyproxy.COM_RESET_CONNECTION,
    )
)
_STATEMENTS = (pyproxy.COM_QUERY, pyproxy.COM_STMT_PREPARE)
# Seconds between two looks at the files, and between two writes of what was learned.
_INTERVAL = 1.0


class _Pattern(NamedTuple):
    name: str
    user: str | None
    regex: re.Pattern[str]


class _Rules:
    """What the settings and the files say."""

    def __init__(self) -> None:
        self.modes = {user: _mode(f"[firewall_users] {user}", mode) for user, mode in _users()}
        self.patterns = [_pattern(name, text) for name, text in raw("firewall_patterns").items()]
        self.commands = frozenset(map(_command, settings.allowed_commands))
        self.allowed = _open(settings.allow_file)
        self.blocked = _open(settings.block_file)
        if settings.ansi_quotes not in _ANSI_QUOTES:
            raise SettingsError(f"[firewall] ansi_quotes: expected {', '.join(_ANSI_QUOTES)}")
        modes = {_mode("[firewall] mode", settings.mode), *self.modes.values()}
        if "enforce" in modes and self.allowed is None and not settings.allow_unlisted:
            raise SettingsError(
                "[firewall] mode=enforce needs an allow_file; without a list, and with patterns or a block_file only, "
                "set allow_unlisted=true"
            )
        self._looked_at = self._written_at = time.monotonic()
        self._complained = False

    def mode(self, user: str) -> str:
        """The mode that is in force for `user`."""
        return self.modes.get(user) or _mode("[firewall] mode", settings.mode)

    def refresh(self) -> None:
        """Reads the files again if they changed. One that cannot be used leaves what was there."""
        now = time.monotonic()
        if now - self._looked_at < _INTERVAL:
            return
        self._looked_at = now
        for statements in (self.allowed, self.blocked):
            if statements is None:
                continue
            try:
                if statements.refresh():
                    _log.info("read %s: %d statements", statements.path, len(statements))
            except (ListError, OSError) as error:
                _log.error("the list stays as it was: %s", error)

    def learn(self, user: str, statement: str) -> None:
        """Adds a statement to the allow list."""
        if self.allowed is None or self.allowed.has(user, statement):
            return
        if len(self.allowed) >= settings.max_learned:
            if not self._complained:
                self._complained = True
                _log.warning("no more is learned: max_learned=%d", settings.max_learned)
            return
        self.allowed.add(user, statement)
        _log.info("learned for %s: %s", user, _shown(statement))
        if time.monotonic() - self._written_at >= _INTERVAL:
            self.save()

    def save(self) -> None:
        """Writes what was learned."""
        self._written_at = time.monotonic()
        if self.allowed is None:
            return
        try:
            self.allowed.save()
        except (ListError, OSError) as error:
            _log.error("what was learned could not be written yet: %s", error)

    def objection(
        self, user: str, statement: bytes, readings: dict[Quoting, Fingerprint]
    ) -> str | None:
        """Why a statement is refused whether it was learned or not; None if nothing speaks against it."""
        found = [each.text for each in readings.values()]
        if self.blocked is not None and any(self.blocked.has(user, text) for text in found):
            return "it is on the block list"
        patterns = [pattern for pattern in self.patterns if pattern.user in (None, user)]
        if not patterns:
            return None
        opened = (text for quoting in readings for text in without_comments(statement, quoting))
        texts = {_text(statement), *opened, *found}
        for pattern in patterns:
            if any(map(pattern.regex.search, texts)):
                return f"pattern {pattern.name} matches"
        return None

    def doubt(self, user: str, found: Fingerprint) -> str | None:
        """Why a statement that nothing blocks is not allowed; None if it is."""
        if self.allowed is None:
            return None if settings.allow_unlisted else "there is no allow list"
        if found.is_opaque:
            return "it runs a text that it does not show"
        return None if self.allowed.has(user, found.text) else "it is not on the allow list"


# Made by `init`; without it no statement passes.
_rules: _Rules


def init(proxy: Proxy) -> None:
    """Reads rules and lists; what is wrong with them stops the start."""
    global _rules
    require_protection(proxy, "firewall")
    require("firewall", "firewall", "firewall_users")
    _rules = _Rules()
    _rules.mode("")


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Looks at statements; lets other commands pass that are harmless."""
    user = proxy.connection.client.username or ""
    mode = _rules.mode(user)
    if mode == "off":
        return None
    _rules.refresh()
    if packet[0] not in _STATEMENTS:
        reason = _objection_to_command(packet[0])
        subject = f"command {packet[0]}"
    else:
        statement = packet[1:]
        if len(statement) > settings.max_statement_bytes:
            reason = None if mode == "learn" else "it is longer than max_statement_bytes"
            subject = _text(statement[: settings.max_log_bytes])
        else:
            readings = {each: fingerprint(statement, each) for each in _quotings(proxy, statement)}
            reason = _judge(mode, user, statement, readings)
            subject = next(iter(readings.values())).text
    if reason is None:
        return None
    client = proxy.connection.client
    word = "refused" if mode == "enforce" else "not refused"
    _log.warning("%s, %s@%s: %s: %s", word, escape(user), client.src, reason, _shown(subject))
    if mode != "enforce":
        return None
    return Error("Access denied; the firewall of the proxy does not allow this", 1227, "42000")


def disconnect_client(proxy: Proxy) -> None:
    """Writes what was learned."""
    _rules.save()


def shutdown(proxy: Proxy) -> None:
    """Writes what was learned."""
    _rules.save()


def _judge(
    mode: str, user: str, statement: bytes, readings: dict[Quoting, Fingerprint]
) -> str | None:
    """Why the statement is refused in one of its readings; None if it is not. Learns them in `learn`."""
    reason = _rules.objection(user, statement, readings)
    if mode != "learn":
        doubts = (_rules.doubt(user, found) for found in readings.values())
        return reason or next((doubt for doubt in doubts if doubt is not None), None)
    for found in readings.values():
        if reason is None and not found.is_opaque:
            _rules.learn(user, found.text)
    return reason


def _objection_to_command(command: int) -> str | None:
    if command in _HARMLESS or command in _rules.commands:
        return None
    if _rules.allowed is None and settings.allow_unlisted:
        return None
    return "it is not among allowed_commands"


def _quotings(proxy: Proxy, statement: bytes) -> list[Quoting]:
    """The ways in which the server may read the statement."""
    server = proxy.connection.server
    flags = server.flags if server is not None else None
    backslashes = (False, True) if flags is None else (flags.no_backslash_escapes,)
    return [
        Quoting(ansi_quotes, no_backslash_escapes, settings.safe_charset)
        for ansi_quotes in (_ANSI_QUOTES[settings.ansi_quotes] if b'"' in statement else (False,))
        for no_backslash_escapes in (backslashes if b"\\" in statement else (False,))
    ]


def _users() -> list[tuple[str, str]]:
    return list(raw("firewall_users").items())


def _mode(where: str, mode: str) -> str:
    if mode not in _MODES:
        raise SettingsError(f"{where}={mode}: expected {', '.join(_MODES)}")
    return mode


def _command(name: str) -> int:
    number = getattr(pyproxy, name, None) if name.startswith("COM_") else None
    if not isinstance(number, int):
        raise SettingsError(f"[firewall] allowed_commands: there is no command {name}")
    return number


def _pattern(name: str, text: str) -> _Pattern:
    _, at, user = name.partition("@")
    try:
        return _Pattern(name, user if at else None, re.compile(text))
    except re.error as error:
        raise SettingsError(f"[firewall_patterns] {name}={text}: {error}") from None


def _open(path: str) -> StatementList | None:
    try:
        return StatementList(path) if path else None
    except (ListError, OSError) as error:
        raise SettingsError(f"[firewall]: {error}") from None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _shown(text: str) -> str:
    shown = escape(text)
    limit: int = settings.max_log_bytes
    return shown if len(shown) <= limit else shown[:limit] + "..."
