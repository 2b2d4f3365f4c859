"""Limits of single users in settings: `report = queries_per_second=2 burst=10`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pyproxy.settings import SettingsError, raw

__all__ = ["limits_of_users"]


def limits_of_users(
    section: str, types: Mapping[str, type[int] | type[float]]
) -> dict[str, dict[str, float]]:
    """The limits in `section`, by user: what each user has of those in `types`.

    Raises SettingsError for a name that is not among them, and for a value that is no number from 0 on.
    """
    return {user: _parse(section, user, text, types) for user, text in raw(section).items()}


def _parse(
    section: str, user: str, text: str, types: Mapping[str, type[int] | type[float]]
) -> dict[str, float]:
    limits = {}
    for item in text.split():
        name, _, value = item.partition("=")
        where = f"[{section}] {user}: {item}"
        if name not in types:
            raise SettingsError(f"{where}: expected {', '.join(types)}")
        try:
            number = types[name](value)
        except ValueError:
            raise SettingsError(f"{where}: expected a number") from None
        if number < 0 or not math.isfinite(number):
            raise SettingsError(f"{where}: expected a number from 0 on")
        limits[name] = number
    return limits
