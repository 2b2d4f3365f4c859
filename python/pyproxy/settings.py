"""Settings of hook scripts: named values with defaults, set in an ini file or in Python.

    from pyproxy.settings import section

    settings = section("rwsplit", min_idle_connections=4, is_debug=False)

    def read_query(proxy, packet):
        if settings.is_debug:
            ...

The section stands at `proxy.globals.config.rwsplit`, where other scripts and `PROXY SET GLOBAL` reach it. Its values
come, the first that is there: from what the section is already, from group `[rwsplit]` of the file that the option
`pyproxy-script-config` names, from the defaults. The file may be the proxy's own ini file. When the script is loaded again
the file is read again: a setting that it changed has the new value, others stay as they are.
"""

from __future__ import annotations

import builtins
import configparser
import difflib
import logging
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

__all__ = ["Section", "SettingsError", "check_sections", "raw", "require", "section", "use_file"]

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
# Attribute of proxy.globals.config: the groups of the file, as texts.
_GROUPS = "_script_config"
# Attribute of proxy.globals.config: the sections that scripts asked for, and whether Python had set them before.
_ASKED = "_script_sections"
# Attribute of proxy.globals.config: what is known of each setting of each section.
_KNOWN = "_script_settings"
# Attribute of proxy.globals.config: how many times scripts were loaded.
_LOADS = "_script_loads"
# Sections that are not read while a script is loaded: of mysql-proxy, and of `pyproxy.auto_config`.
_READ_ELSEWHERE = ("mysql-proxy", "auto_config")
_OPTION = "pyproxy-script-config"
# How like another name has to be, from 0 to 1, to be what somebody meant.
_LIKENESS = 0.8

_log = logging.getLogger(__name__)


class SettingsError(ValueError):
    """A setting that cannot be used; the text names the file, the section, the setting and the value."""


class _Known(NamedTuple):
    """Where a setting's value came from."""

    default: Any
    # What file and default said when it was asked for.
    source: Any
    # In which load that was.
    load: int


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
    values = {**defaults, **_from_file(config, name, defaults)}
    old = present if isinstance(present, Mapping) else vars(present) if present is not None else {}
    changed = _note_sources(config, name, defaults, values)
    values.update({key: value for key, value in old.items() if key not in changed})
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


def snapshot() -> Any:
    """The settings as they are, for `restore`."""
    config = _config()
    known = {name: dict(settings) for name, settings in _known(config).items()}
    values = {name: dict(vars(section)) for name, section in _sections(config).items()}
    return known, values, dict(_groups(config)), dict(_asked(config))


def restore(snapshot: Any, /) -> None:
    """Has the settings be again what they were: the script could not be loaded."""
    config = _config()
    known, values, groups, asked = snapshot
    for name, section in _sections(config).items():
        if name in values:
            vars(section).clear()
            vars(section).update(values[name])
        else:
            delattr(config, name)
    setattr(config, _KNOWN, known)
    setattr(config, _ASKED, asked)
    if hasattr(config, _GROUPS):
        setattr(config, _GROUPS, groups)


def read_again() -> None:
    """A script is about to be loaded, maybe again: reads the file as it is now. Raises SettingsError if it cannot be read."""
    config = _config()
    setattr(config, _LOADS, _loads(config) + 1)
    if hasattr(config, _GROUPS):
        use_file(config.script_config)


def refresh() -> None:
    """A script was loaded: sections that it did not ask for, as they belong to modules that were loaded before, follow the file, too.

    Raises SettingsError as `section` does.
    """
    config = _config()
    known, sections = _known(config), _sections(config)
    for name, section in sections.items():
        settings = known[name]
        if any(setting.load < _loads(config) for setting in settings.values()):
            defaults = {key: setting.default for key, setting in settings.items()}
            values = {**defaults, **_from_file(config, name, defaults)}
            changed = _note_sources(config, name, defaults, values)
            vars(section).update({key: values[key] for key in changed})


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


def _known(config: Any) -> dict[str, dict[str, _Known]]:
    known: dict[str, dict[str, _Known]] = getattr(config, _KNOWN, {})
    return known


def _sections(config: Any) -> dict[str, Section]:
    found = ((name, getattr(config, name, None)) for name in _known(config))
    return {name: section for name, section in found if isinstance(section, Section)}


def _loads(config: Any) -> int:
    loads: int = getattr(config, _LOADS, 0)
    return loads


def _note_sources(
    config: Any, name: str, defaults: Mapping[str, Any], values: Mapping[str, Any]
) -> set[str]:
    """Notes what file and defaults say of these settings. Those of which they said something else in an earlier load."""
    known = _known(config)
    before = known.setdefault(name, {})
    setattr(config, _KNOWN, known)
    load = _loads(config)
    news = {key for key in defaults if key not in before or before[key].load < load}
    changed = {key for key in news if key in before and before[key].source != values[key]}
    before.update({key: _Known(defaults[key], values[key], load) for key in news})
    return changed


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
