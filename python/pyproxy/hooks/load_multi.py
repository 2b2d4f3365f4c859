"""Stacks several scripts, and loads further ones while the proxy runs.

    [load_multi]
    directory = /etc/mysql-proxy/scripts
    scripts = query_log, firewall, mine, masking
    admin_users = dba

**A stack is a chain**: client, first script, ..., last script, server. A script is to the one behind it what the client is
to the proxy.

* `read_query`: each script sees the commands that the one before it made, one by one. It may let a command pass, answer it,
  send another one (`pyproxy.Send`), or queue commands of its own in its place, with ids of its own.
* `read_query_result`: a result goes back the same way, to each script that had queued, as the scripts behind it made it:
  the server's, one that was replaced, the answer of a script. Each may replace or drop it. It is the result of the command
  that the script queued, whatever the scripts behind it made of that. A script that let the command pass is not asked.
* `connect_server`, `read_handshake`, `read_auth`: all scripts are asked, in order, until one answers the client. Only one may
  decide something else. `read_auth_result`: all, from the last to the first.
* `init`, `shutdown` and `disconnect_client` go to all of them.
* A script may wait. What it awaits of `proxy.query` is a command to the scripts behind it, too.

| text (in any case, of users in `admin_users`) | answer |
|---|---|
| `PLOAD name` | loads a script behind the others, or where it was before it was unloaded. Column `info`, or column `ERROR` with the reason |
| `PUNLOAD name` | a column of that name: `unloaded` or `NOT FOUND` |
| `PLOAD_HELP` | columns `command`, `description` |

Settings, section `[load_multi]`:

| setting | default | |
|---|---|---|
| `directory` | | absolute path of the folder with the scripts; empty: the folder of this script |
| `scripts` | | comma list of those to load at the start: files of `directory`, or ready-made scripts by their names; `.py` may be left out |
| `admin_users` | | comma list of the users who may load and unload; everybody else gets ERR 1227 |
| `load_command`, `unload_command`, `help_command` | `PLOAD`, `PUNLOAD`, `PLOAD_HELP` | other words for the commands |

Only ready-made scripts and files below `directory` can be loaded, wherever a name or a link points; a file comes before a ready-made
script of its name. A script of `scripts` that cannot be loaded stops the start of the proxy.

**What does not fit** is refused with both names, at the start and by PLOAD: two that choose the backends of clients (pooling,
splitting, `ro_balance`), `login_mapping` and pooling, `histogram` and `analyze_query`, and `xtab` or `admin_sql` behind
`masking`, which has to see results before something else is made of them. A script of your own that does the latter gets
`ERROR 1227 (42000)` in place of its rows, and the log has a line: put it in front of `masking`.

What scripts share: modules, `proxy.globals`, and one process. What they set on `proxy` and `proxy.connection` is theirs.

What it cannot do: a script gets a view of `proxy`, and sometimes of `inj` and `auth`, which `isinstance` does not take for the
real ones. What is queued behind a result larger than `pyproxy-max-kept-bytes`, or behind one at which a hook failed, is not
run. Between PUNLOAD and PLOAD of a script the others go on without it. A command that an unloaded script handles goes on
with it. `pyproxy-reload` looks at this file, not at the scripts.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyproxy import Error, Rows, _native
from pyproxy._common.queries import query_text
from pyproxy._stack.chain import Chain
from pyproxy._stack.pipeline import Pipeline
from pyproxy._stack.script_view import AuthView, ProxyView
from pyproxy._stack.scripts import LoadError, Script, conflict, load, name_of
from pyproxy._stack.waiting import begin, outcome
from pyproxy.settings import section

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar, Union

    from pyproxy import Answer, Auth, Decision, Injection, Proxy

    T = TypeVar("T")
    # What a hook returned, or the rest of one that waits.
    Begun = Union[T, Coroutine[Any, Any, T]]

__all__ = [
    "connect_server",
    "disconnect_client",
    "init",
    "read_auth",
    "read_auth_result",
    "read_handshake",
    "read_query",
    "read_query_result",
    "settings",
    "shutdown",
]

settings = section(
    "load_multi",
    directory="",
    scripts=(),
    admin_users=(),
    load_command="PLOAD",
    unload_command="PUNLOAD",
    help_command="PLOAD_HELP",
)

# What may stand around a command.
_AROUND = "; \t\r\n"

_log = logging.getLogger(__name__)
_scripts: list[Script] = []
# The names of all that were ever loaded, also those that are unloaded now.
_order: list[str] = []


def init(proxy: Proxy) -> Begun[None]:
    """Loads the scripts of the settings. Raises LoadError for one that cannot be loaded."""
    return begin(_init(proxy))


async def _init(proxy: Proxy) -> None:
    directory = str(_directory())
    if settings.directory and directory not in sys.path:
        # For modules that the scripts have beside them.
        sys.path.append(directory)
    try:
        for name in settings.scripts:
            await _load(proxy, name)
    except LoadError:
        await _shutdown(proxy)
        raise


def shutdown(proxy: Proxy) -> Begun[None]:
    """Ends all scripts."""
    return begin(_shutdown(proxy))


async def _shutdown(proxy: Proxy) -> None:
    while _scripts:
        await _end(proxy, _scripts.pop())
    _order.clear()


def connect_server(proxy: Proxy) -> Begun[int | Error | None]:
    """Asks the scripts."""
    return begin(_ask(proxy, "connect_server"))


def read_handshake(proxy: Proxy) -> Begun[int | Error | None]:
    """Asks the scripts."""
    return begin(_ask(proxy, "read_handshake"))


def read_auth(proxy: Proxy) -> Begun[int | Error | None]:
    """Asks the scripts."""
    return begin(_ask(proxy, "read_auth"))


def read_auth_result(proxy: Proxy, auth: Auth) -> Begun[int | Error | None]:
    """Asks the scripts, from the last to the first, about the server's answer or what another script made of it."""
    return begin(_read_auth_result(proxy, auth))


async def _read_auth_result(proxy: Proxy, auth: Auth) -> int | Error | None:
    scripts = tuple(_scripts)
    chain = Chain(proxy, scripts, lambda script: _view(proxy, script))
    answer: bytes | None = None
    for position, script in reversed(list(enumerate(scripts, 1))):
        hook = script.hook("read_auth_result")
        if hook is None:
            continue
        proxy.response = None
        decision = await chain.ask(
            script, position, hook, auth if answer is None else AuthView(answer)
        )
        if isinstance(decision, Error):
            (answer, *_) = _native.encode_answer(proxy, proxy.COM_QUERY, decision)
        elif decision == proxy.PROXY_SEND_RESULT:
            (answer, *_) = _native.encode_answer(proxy, proxy.COM_QUERY)
        elif decision not in (None, proxy.PROXY_NO_DECISION):
            raise ValueError(f"read_auth_result of {script} returned {decision!r}")
    if answer is None:
        return None
    proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": answer}
    return proxy.PROXY_SEND_RESULT


def read_query(proxy: Proxy, packet: bytes) -> Begun[Decision]:
    """Runs our own commands; gives any other to the scripts."""
    return begin(_read_query(proxy, packet))


async def _read_query(proxy: Proxy, packet: bytes) -> Decision:
    answer = await _run_command(proxy, packet)
    if answer is not None:
        return answer
    pipeline = Pipeline(proxy, _scripts, lambda script: _view(proxy, script), packet)
    proxy.connection.load_multi_pipeline = pipeline
    return await pipeline.read_query()


def read_query_result(proxy: Proxy, inj: Injection) -> Begun[Decision]:
    """Gives the result to the scripts that asked for it."""
    pipeline: Pipeline = proxy.connection.load_multi_pipeline
    return begin(pipeline.read_query_result(inj))


def disconnect_client(proxy: Proxy) -> None:
    """Tells all scripts, even if one of them fails."""
    failed = None
    for script in _scripts:
        hook = script.hook("disconnect_client")
        if hook is not None:
            try:
                hook(_view(proxy, script))
            except Exception as error:
                failed = failed or error
    if failed is not None:
        raise failed


async def _ask(proxy: Proxy, name: str) -> int | Error | None:
    """Asks the scripts until one answers the client. The first other decision counts, and the others hear of the client, too."""
    first: int | None = None
    for script in tuple(_scripts):
        hook = script.hook(name)
        if hook is None:
            continue
        queued = list(proxy.queries)
        proxy.queries.reset()
        proxy.response = None
        decision: int | Error | None = await outcome(hook(_view(proxy, script)))
        if isinstance(decision, Error) or decision == proxy.PROXY_SEND_RESULT:
            return decision
        if decision is None or decision == proxy.PROXY_NO_DECISION:
            if len(proxy.queries) > 0:
                _log.warning(
                    "%s of %s queued queries and did not return PROXY_SEND_QUERY", name, script
                )
            proxy.queries.reset()
        elif first is not None:
            raise ValueError(f"{name} of {script} returned {decision!r} after another script")
        else:
            first, queued = decision, list(proxy.queries)
            proxy.queries.reset()
        for query in queued:
            proxy.queries.append(*query)
    return first


def _view(proxy: Proxy, script: Script) -> ProxyView:
    """The view that this script has of this connection, always the same one."""
    connection = proxy.connection
    views: dict[Script, ProxyView] | None = getattr(connection, "load_multi_views", None)
    if views is None:
        views = connection.load_multi_views = {}
    if script not in views:
        views[script] = ProxyView(proxy)
    return views[script]


async def _run_command(proxy: Proxy, packet: bytes) -> Answer | None:
    """Answers PLOAD, PUNLOAD and PLOAD_HELP; None for any other text."""
    text = query_text(packet)
    if text is None:
        return None
    words = text.strip(_AROUND).split(None, 1)
    command = words[0].upper() if words else ""
    commands = {
        settings.load_command.upper(): _answer_load,
        settings.unload_command.upper(): _answer_unload,
        settings.help_command.upper(): _answer_help,
    }
    if command not in commands:
        return None
    if proxy.connection.client.username not in settings.admin_users:
        message = f"Access denied; you need to be in admin_users of load_multi for {command}"
        return Error(message, 1227, "42000")
    return await commands[command](proxy, words[1].strip("'\"`") if len(words) > 1 else "")


async def _answer_load(proxy: Proxy, name: str) -> Rows:
    try:
        script = await _load(proxy, name)
    except LoadError as error:
        _log.warning("%s", error, exc_info=error.__cause__)
        return _send_text(proxy, "ERROR", str(error))
    return _send_text(proxy, "info", f"module {script} loaded")


async def _answer_unload(proxy: Proxy, name: str) -> Rows:
    found = [script for script in _scripts if script.name == name_of(name)]
    for script in found:
        _scripts.remove(script)
        await _end(proxy, script)
    return _send_text(proxy, name or "ERROR", "unloaded" if found else "NOT FOUND")


async def _answer_help(proxy: Proxy, name: str) -> Rows:
    return Rows(
        [("command", proxy.MYSQL_TYPE_STRING), ("description", proxy.MYSQL_TYPE_STRING)],
        [
            (f"{settings.load_command} name", "loads a script, behind the others or where it was"),
            (f"{settings.unload_command} name", "unloads a script"),
            (settings.help_command, "shows this help"),
        ],
    )


def _send_text(proxy: Proxy, name: str, text: str) -> Rows:
    return Rows([(name, proxy.MYSQL_TYPE_STRING)], [(text,)])


def _directory() -> Path:
    return Path(settings.directory) if settings.directory else Path(__file__).parent


async def _load(proxy: Proxy, name: str) -> Script:
    """Loads a script and runs its `init`. Raises LoadError."""
    _check_is_new(name)
    may_wait = proxy.globals.config.event_loop == "own"
    script = load(_directory(), name, forbidden=Path(__file__), may_wait=may_wait)
    await script.begin(proxy)
    try:
        # Somebody else may have been faster.
        _check_is_new(name)
        _check_fits(script)
    except LoadError:
        await _end(proxy, script)
        raise
    _scripts.insert(_place(script.name), script)
    if script.name not in _order:
        _order.append(script.name)
    return script


def _check_is_new(name: str) -> None:
    if any(script.name == name_of(name) for script in _scripts):
        raise LoadError(f"{name} is already loaded")


def _check_fits(script: Script) -> None:
    """Raises LoadError if it cannot work with the others."""
    place = _place(script.name)
    pairs = [(other, script) for other in _scripts[:place]]
    pairs += [(script, other) for other in _scripts[place:]]
    for first, second in pairs:
        reason = conflict(first, second)
        if reason is not None:
            raise LoadError(f"{first} and {second} cannot be stacked: {reason}")


def _place(name: str) -> int:
    """Where among the scripts one belongs that was unloaded; at the end if it was not."""
    behind = _order[_order.index(name) :] if name in _order else []
    places = (place for place, script in enumerate(_scripts) if script.name in behind)
    return next(places, len(_scripts))


async def _end(proxy: Proxy, script: Script) -> None:
    try:
        await script.end(proxy)
    except Exception:
        _log.exception("shutdown of %s failed", script)
