"""Stacks several scripts, and loads further ones while the proxy runs.

    [load_multi]
    directory = /etc/mysql-proxy/scripts
    scripts = firewall, auditing
    admin_users = dba

Each hook asks the scripts in the order in which they were loaded. The first one that returns something decides, and the
ones behind it are not asked; `read_query_result` goes to the script that handled the query. `init`, `shutdown` and
`disconnect_client` go to all of them.

| text (in any case, of users in `admin_users`) | answer |
|---|---|
| `PLOAD name` | loads a script behind the others. Column `info`, or column `ERROR` with the reason |
| `PUNLOAD name` | a column of that name: `unloaded` or `NOT FOUND` |
| `PLOAD_HELP` | columns `command`, `description` |

Settings, section `[load_multi]`:

| setting | default | |
|---|---|---|
| `directory` | | absolute path of the folder with the scripts; empty: the folder of this script |
| `scripts` | | comma list of those to load at the start, relative to `directory`; `.py` may be left out |
| `admin_users` | | comma list of the users who may load and unload; everybody else gets ERR 1227 |
| `load_command`, `unload_command`, `help_command` | `PLOAD`, `PUNLOAD`, `PLOAD_HELP` | other words for the commands |

Only files below `directory` can be loaded, wherever a name or a link points. A script of `scripts` that cannot be
loaded stops the start of the proxy.

**Scripts that protect.** What `masking` cannot see it cannot mask, and only one script handles a query. So a stack with
`masking` and another script that takes results (one with a hook `read_query_result`) is refused, at the start and by
PLOAD, in either order; scripts without that hook are asked in front of it. `firewall` stands before all that take
results, `masking` among them: it passes what it allows on to the next. A query that a script sends past one of the
two all the same is refused with ERR 1227.

What scripts share: modules, `proxy.globals`, and one process. What they set on `proxy` and `proxy.connection` is theirs.
What it cannot do: let two scripts handle the same query, so put those that handle all queries (pooling, histograms)
last. A script gets a view of `proxy`, which `isinstance(proxy, pyproxy.Proxy)` does not take for one. A query that an
unloaded script handles goes on with it. `pyproxy-reload` looks at this file, not at the scripts.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyproxy._common.answers import query_text, refuse, send_rows
from pyproxy._stack.protection import RESULTS, STATEMENTS
from pyproxy._stack.script_view import ProxyView
from pyproxy._stack.scripts import LoadError, Script, conflict, load, name_of
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Auth, Injection, Proxy

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


def init(proxy: Proxy) -> None:
    """Loads the scripts of the settings. Raises LoadError for one that cannot be loaded."""
    directory = str(_directory())
    if directory not in sys.path:
        # For modules that the scripts have beside them.
        sys.path.append(directory)
    try:
        for name in settings.scripts:
            _load(proxy, name)
    except LoadError:
        shutdown(proxy)
        raise


def shutdown(proxy: Proxy) -> None:
    """Ends all scripts."""
    while _scripts:
        _end(proxy, _scripts.pop())


def connect_server(proxy: Proxy) -> int | None:
    """Asks the scripts."""
    return _ask(proxy, "connect_server")


def read_handshake(proxy: Proxy) -> int | None:
    """Asks the scripts."""
    return _ask(proxy, "read_handshake")


def read_auth(proxy: Proxy) -> int | None:
    """Asks the scripts."""
    return _ask(proxy, "read_auth")


def read_auth_result(proxy: Proxy, auth: Auth) -> int | None:
    """Asks the scripts."""
    return _ask(proxy, "read_auth_result", auth)


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    """Runs our own commands; asks the scripts about any other."""
    answer = _run_command(proxy, packet)
    if answer is not None:
        return answer
    return _ask(proxy, "read_query", packet)


def read_query_result(proxy: Proxy, inj: Injection) -> int | None:
    """Asks the script that handled the query."""
    script: Script = proxy.connection.load_multi_handler
    hook = script.hook("read_query_result")
    return None if hook is None else hook(_view(proxy, script), inj)


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


def _ask(proxy: Proxy, name: str, *arguments: Any) -> int | None:
    for script in _scripts:
        hook = script.hook(name)
        if hook is None:
            continue
        decision: int | None = hook(_view(proxy, script), *arguments)
        if decision is not None and decision != proxy.PROXY_NO_DECISION:
            if name == "read_query" and decision == proxy.PROXY_SEND_QUERY:
                guard = _bypassed_by(script)
                if guard is not None:
                    return _stop_bypass(proxy, script, guard)
            proxy.connection.load_multi_handler = script
            return decision
        if len(proxy.queries) > 0:
            _log.warning(
                "%s of %s queued queries and did not return PROXY_SEND_QUERY", name, script
            )
            proxy.queries.reset()
        # What a script set and did not send is not the answer of the next one.
        proxy.response = None
    return None


def _bypassed_by(sender: Script) -> Script | None:
    """A script that protects and does not see a query which `sender` sends; None if there is no such script."""
    is_behind = False
    for script in _scripts:
        if script is sender:
            is_behind = True
        elif RESULTS in script.has_to_see or (is_behind and STATEMENTS in script.has_to_see):
            return script
    return None


def _stop_bypass(proxy: Proxy, script: Script, guard: Script) -> int:
    proxy.queries.reset()
    _log.error("refused: %s sends queries that %s does not see", script, guard)
    message = "Access denied; the scripts of the proxy do not fit each other, see its log"
    return refuse(proxy, 1227, "42000", message)


def _view(proxy: Proxy, script: Script) -> ProxyView:
    """The view that this script has of this connection, always the same one."""
    connection = proxy.connection
    views: dict[Script, ProxyView] | None = getattr(connection, "load_multi_views", None)
    if views is None:
        views = connection.load_multi_views = {}
    if script not in views:
        views[script] = ProxyView(proxy)
    return views[script]


def _run_command(proxy: Proxy, packet: bytes) -> int | None:
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
        return refuse(proxy, 1227, "42000", message)
    return commands[command](proxy, words[1].strip("'\"`") if len(words) > 1 else "")


def _answer_load(proxy: Proxy, name: str) -> int:
    try:
        script = _load(proxy, name)
    except LoadError as error:
        _log.warning("%s", error, exc_info=error.__cause__)
        return _send_text(proxy, "ERROR", str(error))
    return _send_text(proxy, "info", f"module {script} loaded")


def _answer_unload(proxy: Proxy, name: str) -> int:
    found = [script for script in _scripts if script.name == name_of(name)]
    for script in found:
        _scripts.remove(script)
        _end(proxy, script)
    return _send_text(proxy, name or "ERROR", "unloaded" if found else "NOT FOUND")


def _answer_help(proxy: Proxy, name: str) -> int:
    return send_rows(
        proxy,
        [("command", proxy.MYSQL_TYPE_STRING), ("description", proxy.MYSQL_TYPE_STRING)],
        [
            (f"{settings.load_command} name", "loads a script, behind the others"),
            (f"{settings.unload_command} name", "unloads a script"),
            (settings.help_command, "shows this help"),
        ],
    )


def _send_text(proxy: Proxy, name: str, text: str) -> int:
    return send_rows(proxy, [(name, proxy.MYSQL_TYPE_STRING)], [(text,)])


def _directory() -> Path:
    return Path(settings.directory) if settings.directory else Path(__file__).parent


def _load(proxy: Proxy, name: str) -> Script:
    """Loads a script and runs its `init`. Raises LoadError."""
    if any(script.name == name_of(name) for script in _scripts):
        raise LoadError(f"{name} is already loaded")
    script = load(_directory(), name, forbidden=Path(__file__))
    script.begin(proxy)
    for other in _scripts:
        reason = conflict(other, script)
        if reason is not None:
            _end(proxy, script)
            raise LoadError(f"{other} and {script} cannot be stacked: {reason}")
        if RESULTS in other.has_to_see and script.hook("read_query") is not None:
            _log.warning("%s is not asked about what %s handles: put it in front", script, other)
    _scripts.append(script)
    return script


def _end(proxy: Proxy, script: Script) -> None:
    try:
        script.end(proxy)
    except Exception:
        _log.exception("shutdown of %s failed", script)
