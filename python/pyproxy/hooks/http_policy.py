"""An HTTP service decides which statements run.

    [http_policy]
    url = http://127.0.0.1:8181/check

Before a statement runs or is prepared, the service gets a POST with JSON:

    {"user": "app", "address": "10.0.0.7", "database": "shop", "command": "COM_QUERY", "sql": "DELETE FROM t WHERE id = 1",
     "fingerprint": "DELETE FROM t WHERE id = ?", "tables": {"shop.t": "write"}}

It answers with status 200 and JSON: `{"allow": true}`, or `{"allow": false, "message": "not on Sundays"}`; then the client gets
`ERROR 1227 (42000)` with that message. `"cache": 60` in the answer is how many seconds it counts, 0 for this time only.

Settings, section `[http_policy]`:

| setting | default | |
|---|---|---|
| `url` | | the service: `http://host:port/path` |
| `timeout` | 0.5 | seconds that it may take |
| `on_failure` | refuse | `allow`: what the service does not decide runs |
| `cache` | 10.0 | seconds that a decision counts, unless the service says |
| `cache_by` | text | `fingerprint`: a decision counts for all statements that differ in their literals only |
| `max_cached` | 10000 | decisions that are kept; the one that was not used for longest goes |
| `max_at_once` | 32 | questions at the same time; further statements wait, `timeout` at most |
| `retry_after` | 1.0 | seconds without a question after there was no answer |
| `exempt_users` | | users about whom nobody is asked |

A prepared statement is asked about when it is prepared, and again when it is executed: what is cached counts there, too.
Any other answer than 200 with such JSON is none, as is a time-out. The log says once that there is no answer, and once that there
is one again.

What it cannot do:

* Commands without a statement (COM_INIT_DB, COM_FIELD_LIST, ...) pass. So do values: `sql` has the `?` of a prepared statement.
* It speaks plain HTTP, one connection for each question: the service belongs on the same machine.
* Who is asked sees texts with all that is in them.
* With `pyproxy-on-script-error = forward`, or `pyproxy-skip-profiling`, it would protect nothing: the
  proxy does not start, unless `on_failure` is `allow`.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import pyproxy
from pyproxy import Error
from pyproxy._http_policy.client import Client, NoAnswer
from pyproxy._stack.protection import require_protection
from pyproxy.settings import SettingsError, require, section

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["init", "read_query", "settings"]

settings = section(
    "http_policy",
    url="",
    timeout=0.5,
    on_failure="refuse",
    cache=10.0,
    cache_by="text",
    max_cached=10_000,
    max_at_once=32,
    retry_after=1.0,
    exempt_users=(),
)

_log = logging.getLogger("pyproxy.http_policy")

_ASKED = (
    pyproxy.COM_QUERY,
    pyproxy.COM_STMT_PREPARE,
    pyproxy.COM_STMT_EXECUTE,
    pyproxy.COM_STMT_BULK_EXECUTE,
)
_clock = time.monotonic


class _Decision(NamedTuple):
    """What the service said, and until when it counts."""

    refusal: str | None
    until: float


_Key = tuple[str, str | None, str, str]
# The one used last at the end.
_decisions: dict[_Key, _Decision] = {}
_client: Any = None
_is_away = False
_asks_again_at = 0.0


def init(proxy: Proxy) -> None:
    """Reads the settings; what is wrong with them stops the start."""
    global _client
    require("http_policy", "http_policy")
    for name, values in (
        ("on_failure", ("refuse", "allow")),
        ("cache_by", ("text", "fingerprint")),
    ):
        if getattr(settings, name) not in values:
            raise SettingsError(f"[http_policy] {name}: expected {' or '.join(values)}")
    if settings.on_failure == "refuse":
        require_protection(proxy, "http_policy")
    try:
        _client = Client(settings.url, settings.timeout, max(1, settings.max_at_once))
    except ValueError as error:
        raise SettingsError(f"[http_policy] url={settings.url}: {error}") from None


def read_query(proxy: Proxy, packet: bytes) -> Any:
    """Asks about a statement, unless there is a decision that counts."""
    client = proxy.connection.client
    user = client.username or ""
    if packet[0] not in _ASKED or user in settings.exempt_users:
        return None
    command = proxy.command
    sql = command.sql
    if sql is None:
        return _without_answer("the text of a prepared statement is not known")
    address = client.src.address if client.src is not None else None
    what = (command.fingerprint or sql) if settings.cache_by == "fingerprint" else sql
    key = (user, address, client.default_db, what)
    decision = _decisions.pop(key, None)
    if decision is not None and _clock() < decision.until:
        _decisions[key] = decision
        return _refused(decision.refusal)
    question = {
        "user": user,
        "address": address,
        "database": client.default_db,
        "command": command.name,
        "sql": sql,
        "fingerprint": command.fingerprint,
        "tables": dict(command.tables or {}),
    }
    return _asked(key, question)


async def _asked(key: _Key, question: Mapping[str, object]) -> Error | None:
    global _is_away, _asks_again_at
    if _is_away and _clock() < _asks_again_at:
        return _without_answer("the policy service does not answer")
    try:
        answer = await _client.ask(question)
        decision = _read(answer)
    except NoAnswer as error:
        _asks_again_at = _clock() + settings.retry_after
        if not _is_away:
            _is_away = True
            _log.warning("no decision of %s: %s", settings.url, error)
        return _without_answer("the policy service does not answer")
    if _is_away:
        _is_away = False
        _log.warning("%s decides again", settings.url)
    if decision.until > _clock():
        _decisions[key] = decision
        while len(_decisions) > max(1, settings.max_cached):
            del _decisions[next(iter(_decisions))]
    return _refused(decision.refusal)


def _read(answer: dict[str, Any]) -> _Decision:
    """Raises NoAnswer for what is no decision."""
    allow, message = answer.get("allow"), answer.get("message", "")
    seconds = answer.get("cache", settings.cache)
    if not isinstance(allow, bool) or not isinstance(message, str):
        raise NoAnswer("the answer is no decision")
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        raise NoAnswer("the answer has a wrong time")
    refusal = None if allow else message or "the policy does not allow it"
    return _Decision(refusal, _clock() + seconds)


def _without_answer(why: str) -> Error | None:
    return None if settings.on_failure == "allow" else _refused(why)


def _refused(why: str | None) -> Error | None:
    return None if why is None else Error(f"Access denied; {why}", 1227, "42000")
