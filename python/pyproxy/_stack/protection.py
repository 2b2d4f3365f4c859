"""What scripts that protect something demand: of the proxy's options, and of scripts that are stacked with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyproxy.settings import SettingsError

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["RESULTS", "STATEMENTS", "noticing", "require_protection"]

# What a script has to see of each client before anybody else: all statements, or all results.
STATEMENTS, RESULTS = "statements", "results"

_noticed: set[str] = set()


def require_protection(proxy: Proxy, script: str, sees: str) -> None:
    """Stops the start (SettingsError) if the proxy would let queries pass without, or in spite of, `script`.

    `sees` is what the script has to see: STATEMENTS or RESULTS.
    """
    _noticed.add(sees)
    config = proxy.globals.config
    if config.on_script_error != "reject":
        raise SettingsError(
            f"pyproxy-on-script-error={config.on_script_error}: "
            f"{script} protects nothing if queries pass whose hook failed"
        )
    if not config.profiling:
        raise SettingsError(f"pyproxy-skip-profiling=true: {script} is not asked then")


@contextlib.contextmanager
def noticing() -> Iterator[set[str]]:
    """Collects what the scripts have to see that start inside of the `with` block."""
    global _noticed
    outer, _noticed = _noticed, set()
    try:
        yield _noticed
    finally:
        _noticed = outer
