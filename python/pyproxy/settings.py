"""Settings of hook scripts: named values with defaults, set in an ini file or in Python.

    from pyproxy.settings import section

    settings = section("rwsplit", min_idle_connections=4, is_debug=False)

    def read_query(proxy, packet):
        if settings.is_debug:
            ...

The section stands at `proxy.globals.config.rwsplit`, where other scripts and `PROXY SET GLOBAL` reach it. Its values
come, the first that is there: from what the section is already, from group `[rwsplit]` of the file that the option
`pyproxy-script-config` names, from the defaults. The file may be the proxy's own ini file.
"""

from __future__ import annotations

import builtins
import configparser
import difflib
import logging
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

__all__ = ["Section", "SettingsError", "check_sections", "raw", "require", "section", "use_file"]

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
# Attribute of proxy.globals.config: the groups of the file, as texts.
_GROUPS = "_script_config"
# Attribute of proxy.globals.config: the sections that scripts asked for, and whether Python had set them before.
_ASKED = "_script_sections"
# Sections that are not read while a script is loaded: of mysql-proxy, and of `pyproxy.auto_config`.
_READ_ELSEWHERE = ("mysql-proxy", "auto_config")
_OPTION = "pyproxy-script-config"
# How like another name has to be, from 0 to 1, to be what somebody meant.
_LIKENESS = 0.8

_log = logging.getLogger(__name__)


class SettingsError(ValueError):
    """A setting that cannot be used; the text names the file, the section, the setting and the value."""


class Section(types.SimpleNamespace):
    """The settings of one script, as attributes. They can be changed while the proxy runs."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))


def section(name: str, /, **defaults: Any) -> Section:
    """The section `name`, made if it is not there, with a value for each of `defaults`.

    The type of a default is the type of the setting: bool, int, float, str, or tuple (of str, a comma list in the
    file). Raises SettingsError if the file has a setting that is not among the defaults, or a value of another type.
    """
    config = _config()
    present = getattr(config, name, None)
    if not isinstance(present, (Mapping, types.SimpleNamespace, type(None))):
        raise SettingsError(
            f"proxy.globals.config.{name} is {present!r}, not a section of settings"
        )
    _ask(config, name, present is not None)
    values = dict(defaults)
    values.update(_from_file(config, name, defaults))
    if isinstance(present, Mapping):
        values.update(present)
    elif present is not None:
        values.update(vars(present))
    if not isinstance(present, Section):
        present = Section()
        setattr(config, name, present)
    vars(present).update(values)
    return present


def raw(name: str, /) -> dict[str, str]:
    """The texts of group `name` of the file, for sections whose keys are free: a list of rules, for example."""
    config = _config()
    _ask(config, name, False)
    return dict(_groups(config).get(name, {}))


def require(script: str, *names: str) -> None:
    """For a script that does nothing without settings: raises SettingsError if none of these sections is there.

    They may be in the file, or set in Python before the script was loaded.
    """
    config = _config()
    groups, asked = _groups(config), _asked(config)
    if any(name in groups or asked.get(name) for name in names):
        return
    file = getattr(config, "script_config", None)
    where = f"{_OPTION}={file}: there is no section" if file else f"{_OPTION} is not set:"
    sections = " or ".join(f"[{name}]" for name in names)
    raise SettingsError(f"{where} {sections}, and {script} does nothing without")


def check_sections() -> None:
    """Looks for sections of the file that no script asked for, now that the scripts are loaded.

    Raises SettingsError for one that is spelt almost like one that was asked for and is not in the file. Others may be
    meant for somebody else: one warning names them.
    """
    config = _config()
    groups, asked = _groups(config), _asked(config)
    strangers = [name for name in groups if name not in asked and name not in _READ_ELSEWHERE]
    missing = [name for name in asked if name not in groups]
    for name in strangers:
        close = difflib.get_close_matches(name.replace("-", "_").lower(), missing, 1, _LIKENESS)
        if close:
            raise SettingsError(
                f"{_OPTION}={config.script_config}: no script reads section [{name}]: did you mean [{close[0]}]?"
            )
    if strangers:
        names = ", ".join(f"[{name}]" for name in strangers)
        _log.warning("%s=%s: no script reads %s", _OPTION, config.script_config, names)


def use_file(path: str) -> None:
    """Reads the file that sections take their values from, in place of an earlier one.

    The form is that of mysql-proxy's ini files: groups in brackets, `name = value`, and comments that start with `#`.
    Raises SettingsError if it cannot be read.
    """
    parser = configparser.ConfigParser(
        delimiters=("=",), comment_prefixes=("#",), interpolation=None, default_section="\0"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise SettingsError(f"{_OPTION}={path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{_OPTION}={path}: this is not UTF-8: {error}") from None
    except configparser.Error as error:
        text = " ".join(str(error).split())
        raise SettingsError(f"{_OPTION}={path}: {text}") from None
    config = _config()
    setattr(config, _GROUPS, {name: dict(parser.items(name)) for name in parser.sections()})
    config.script_config = path


def _config() -> Any:
    proxy = getattr(builtins, "proxy", None)
    if proxy is None:
        raise RuntimeError("settings need a proxy: load the script with pyproxy.testing")
    return proxy.globals.config


def _groups(config: Any) -> Mapping[str, Mapping[str, str]]:
    groups: Mapping[str, Mapping[str, str]] = getattr(config, _GROUPS, {})
    return groups


def _asked(config: Any) -> dict[str, bool]:
    asked: dict[str, bool] = getattr(config, _ASKED, {})
    return asked


def _ask(config: Any, name: str, is_set: bool) -> None:
    asked = _asked(config)
    asked[name] = asked.get(name, False) or is_set
    setattr(config, _ASKED, asked)


def _from_file(config: Any, name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in _groups(config).get(name, {}).items():
        where = f"{_OPTION}={config.script_config}: [{name}] {key}={text}"
        setting = key.replace("-", "_")
        if setting not in defaults:
            close = difflib.get_close_matches(setting, defaults, 1, _LIKENESS)
            if close:
                raise SettingsError(f"{where}: there is no such setting: did you mean {close[0]}?")
            known = ", ".join(sorted(defaults))
            raise SettingsError(f"{where}: there is no such setting, but {known}")
        try:
            values[setting] = _parse(text, defaults[setting])
        except ValueError as error:
            raise SettingsError(f"{where}: {error}") from None
    return values


def _parse(text: str, default: Any) -> Any:
    """`text` as a value of the type that `default` has."""
    if isinstance(default, bool):
        word = text.lower()
        if word not in _TRUE | _FALSE:
            raise ValueError("expected true or false")
        return word in _TRUE
    if isinstance(default, tuple):
        return tuple(item.strip() for item in text.split(",") if item.strip())
    for kind, words in ((int, "a whole number"), (float, "a number")):
        if isinstance(default, kind):
            try:
                return kind(text)
            except ValueError:
                raise ValueError(f"expected {words}") from None
    return text
