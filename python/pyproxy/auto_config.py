"""Settings of scripts, shown, changed, saved and loaded by SQL text while the proxy runs.

    from pyproxy import auto_config, commands

    def read_query(proxy, packet):
        return auto_config.handle(proxy, commands.parse(packet))

| command | does |
|---|---|
| `PROXY SHOW CONFIG` | lists every option: columns `module`, `option`, `value`, `type` |
| `PROXY SET GLOBAL module.option = value` | changes one; the value must have the option's type |
| `PROXY SAVE CONFIG INTO "file"` | writes all of them |
| `PROXY LOAD CONFIG FROM "file"` | reads such a file; what it does not name stays |

A module is what `pyproxy.settings.section` made, or any mapping or `types.SimpleNamespace` that stands in
`proxy.globals.config`. Values are `"text"`, `'text'`, numbers, `true` and `false`; a tuple is set by the text of a comma
list. Words may be in any case. A text that is none of these commands goes to the server.

The file has the form that `pyproxy-script-config` reads: data, nothing of it is run. A relative name counts from the
folder of the hook script.

**Who may.** Any client can send such a text, the values may be secrets, and the files are written with the rights of the
proxy. So the commands are for those users only whom the setting `allowed_users` of section `auto_config` names (comma
list, `*` for all); by default that is nobody, and the others get an error. A login counts with the name that the client
gave.
"""

from __future__ import annotations

import builtins
import configparser
import contextlib
import os
import re
import tempfile
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pyproxy import COM_QUERY
from pyproxy.commands import Command
from pyproxy.settings import Section, _parse, section

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["AutoConfigError", "handle", "load", "save"]

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_COMMAND = re.compile(
    r"\s*PROXY\s+(?:"
    r"(?P<show>SHOW\s+CONFIG)"
    rf"|SET\s+GLOBAL\s+(?P<option>{_NAME}\s*\.\s*{_NAME})\s*=\s*(?P<value>{_STRING}|[^\s'\";]+)"
    rf"|SAVE\s+CONFIG\s+INTO\s+(?P<save>{_STRING})"
    rf"|LOAD\s+CONFIG\s+FROM\s+(?P<load>{_STRING})"
    r")\s*(?:;\s*)?",
    re.IGNORECASE | re.DOTALL,
)
# No command is longer: the server may say what is wrong with it.
_MOST_LETTERS = 64 * 1024
_SCALARS = (bool, int, float, str, tuple)


class AutoConfigError(ValueError):
    """An option that does not exist, or a value that cannot be set, written or read."""


def handle(proxy: Proxy, cmd: Command) -> int | None:
    """Runs `cmd` if it is one of the commands above, and answers it.

    Gives what the hook should return: PROXY_SEND_RESULT, or None if the command is not meant.
    """
    # Nearly all queries end here; the expression is for the few that do not.
    if cmd.type != COM_QUERY or cmd.query is None or len(cmd.query) > _MOST_LETTERS:
        return None
    if cmd.query.lstrip()[:5].upper() != "PROXY":
        return None
    words = _COMMAND.fullmatch(cmd.query)
    if words is None:
        return None
    if not _is_allowed(proxy.connection.client.username):
        return _refuse(
            proxy, "PROXY commands need a user of [auto_config] allowed_users", 1227, "42000"
        )
    try:
        if words["show"]:
            return _show(proxy)
        if words["option"]:
            _set(re.split(r"\s*\.\s*", words["option"]), words["value"])
            return _accept(proxy, affected_rows=1)
        if words["save"]:
            save(_unquoted(words["save"]))
        else:
            load(_unquoted(words["load"]))
    except OSError as error:
        return _refuse(proxy, f"{error.filename}: {error.strerror}")
    except AutoConfigError as error:
        return _refuse(proxy, str(error))
    return _accept(proxy)


def save(path: str) -> None:
    """Writes all options to the file at `path`, in place of what it was; only the proxy's user may read it.

    Raises OSError, or AutoConfigError for a value that the form has no way to write.
    """
    text = "".join(
        f"[{module}]\n"
        + "".join(f"{name} = {_written(module, name, value)}\n" for name, value in options)
        for module, options in _sorted_modules()
    )
    path = _resolved(path)
    # Whoever reads it meanwhile sees the old file or the new one, and a full disk does not cost the old one.
    try:
        handle, scratch = tempfile.mkstemp(prefix=".", dir=os.path.dirname(path))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise


def load(path: str) -> None:
    """Reads the file at `path`: its options are set, modules that are not there are made. All of it, or nothing.

    A new option becomes a bool, int, float or str, whichever its text is first. Raises OSError, or AutoConfigError for
    a file of another form and for a value of the wrong type.
    """
    path = _resolved(path)
    parser = configparser.ConfigParser(
        delimiters=("=",), comment_prefixes=("#",), interpolation=None, default_section="\0"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except (configparser.Error, UnicodeDecodeError) as error:
        raise AutoConfigError(f"{path}: {' '.join(str(error).split())}") from None
    config, modules = _config(), dict(_modules())
    values: list[tuple[str, str, Any]] = []
    for name in parser.sections():
        if name not in modules and hasattr(config, name):
            raise AutoConfigError(f"{path}: [{name}] is an option of the proxy, not a module")
        present = _options(modules.get(name, {}))
        for key, text in parser.items(name):
            option = key.replace("-", "_")
            values.append(
                (name, option, _read(f"{path}: [{name}] {key}", text, present.get(option)))
            )
    for name, option, value in values:
        if name not in modules:
            modules[name] = Section()
            setattr(config, name, modules[name])
        _assign(modules[name], option, value)


def _accept(proxy: Proxy, affected_rows: int = 0) -> int:
    proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "affected_rows": affected_rows}
    return proxy.PROXY_SEND_RESULT


def _refuse(proxy: Proxy, text: str, code: int = 1105, sqlstate: str = "HY000") -> int:
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_ERR,
        "errmsg": text,
        "errcode": code,
        "sqlstate": sqlstate,
    }
    return proxy.PROXY_SEND_RESULT


def _config() -> Any:
    return builtins.proxy.globals.config  # type: ignore[attr-defined] # made by the plugin or by pyproxy.testing


def _is_allowed(username: str | None) -> bool:
    allowed: tuple[str, ...] = section("auto_config", allowed_users=()).allowed_users
    return "*" in allowed or (username or "") in allowed


def _modules() -> Iterator[tuple[str, Any]]:
    for name, value in vars(_config()).items():
        if not name.startswith("_") and isinstance(value, (types.SimpleNamespace, Mapping)):
            yield name, value


def _sorted_modules() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    for name, module in sorted(_modules(), key=lambda item: item[0]):
        yield name, sorted(_options(module).items())


def _options(module: Any) -> Mapping[str, Any]:
    return module if isinstance(module, Mapping) else vars(module)


def _assign(module: Any, option: str, value: Any) -> None:
    if isinstance(module, Mapping):
        module[option] = value  # type: ignore[index] # a mapping that cannot change raises TypeError
    else:
        setattr(module, option, value)


def _show(proxy: Proxy) -> int:
    rows = [
        (module, option, _printed(value), type(value).__name__)
        for module, options in _sorted_modules()
        for option, value in options
    ]
    names = ("module", "option", "value", "type")
    fields = [(name, proxy.MYSQL_TYPE_STRING) for name in names]
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": fields, "rows": rows},
    }
    return proxy.PROXY_SEND_RESULT


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _set(name: list[str], text: str) -> None:
    module = dict(_modules()).get(name[0])
    if module is None:
        raise AutoConfigError(f"there is no module {name[0]}")
    options = _options(module)
    if name[1] not in options:
        raise AutoConfigError(f"module {name[0]} has no option {name[1]}")
    present = options[name[1]]
    value = _unquoted(text) if text[0] in "'\"" else _guessed(text)
    if isinstance(present, tuple) and isinstance(value, str) and text[0] in "'\"":
        value = _parse(value, present)
    elif isinstance(present, float) and type(value) is int:
        value = float(value)
    expected, given = type(present).__name__, type(value).__name__
    if not isinstance(present, _SCALARS):
        raise AutoConfigError(f"{name[0]}.{name[1]} is of type {expected}, which cannot be set")
    if expected != given or (given == "str" and text[0] not in "'\""):
        given = given if expected != given else "a word without quotes"
        raise AutoConfigError(f"{name[0]}.{name[1]}: expected {expected}, got {given}")
    _assign(module, name[1], value)


def _guessed(text: str) -> Any:
    """A text as the value that it looks like."""
    for default in (False, 0, 0.0):
        # 0 and 1 are numbers here, not the truth values that the settings file takes them for.
        if isinstance(default, bool) and text.lower() not in ("true", "false"):
            continue
        with contextlib.suppress(ValueError):
            return _parse(text, default)
    return text


def _read(where: str, text: str, present: Any) -> Any:
    if present is None:
        return _guessed(text)
    if not isinstance(present, _SCALARS):
        raise AutoConfigError(f"{where} is of type {type(present).__name__}, which cannot be set")
    try:
        return _parse(text, present)
    except ValueError as error:
        raise AutoConfigError(f"{where}={text}: {error}") from None


def _written(module: str, option: str, value: Any) -> str:
    """The value as it stands in the file. Raises AutoConfigError if it would not be read as the same."""
    text = _printed(value)
    if not isinstance(value, _SCALARS) or text != text.strip() or _parse(text, value) != value:
        raise AutoConfigError(f"{module}.{option}: {value!r} cannot be written to a file")
    if not text.isprintable():
        raise AutoConfigError(f"{module}.{option}: a text of several lines cannot be written")
    return text


def _resolved(path: str) -> str:
    script = getattr(_config(), "python_script", None)
    return os.path.join(os.path.dirname(os.path.abspath(script)) if script else os.getcwd(), path)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
