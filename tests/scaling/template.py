"""The configurations that docs/scaling.md shows: what is tested is what users copy, but for the addresses."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

__all__ = ["DOCS", "proxy_settings", "replaced"]

DOCS = Path(__file__).parents[2] / "docs/scaling"


def replaced(file: Path, changes: Mapping[str, str]) -> str:
    """The text of a file with other addresses. Each must be there."""
    text = file.read_text()
    for old, new in changes.items():
        if old not in text:
            raise RuntimeError(f"{file} does not have {old!r}")
        text = text.replace(old, new)
    return text


def proxy_settings(changes: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The options of a proxy, and the text of all other sections."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(replaced(DOCS / "pyproxy.cnf", changes))
    options = dict(parser["mysql-proxy"])
    parser.remove_section("mysql-proxy")
    lines: list[str] = []
    for name in parser.sections():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in parser[name].items())]
    return options, "\n".join(lines) + "\n"
