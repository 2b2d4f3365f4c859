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
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

__all__ = ["Section", "SettingsError", "raw", "section", "use_file"]

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
# Attribute of proxy.globals.config: the groups of the file, as texts.
_GROUPS = "_script_config"
_OPTION = "pyproxy-script-config"


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
    return dict(_groups(_config()).get(name, {}))


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


def _from_file(config: Any, name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in _groups(config).get(name, {}).items():
        where = f"{_OPTION}={config.script_config}: [{name}] {key}={text}"
        setting = key.replace("-", "_")
        if setting not in defaults:
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
