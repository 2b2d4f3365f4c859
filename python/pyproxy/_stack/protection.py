"""What scripts that protect something demand of the proxy's options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyproxy.settings import SettingsError

if TYPE_CHECKING:
    from pyproxy import Proxy

__all__ = ["require_protection"]


def require_protection(proxy: Proxy, script: str) -> None:
    """Stops the start (SettingsError) if the proxy would let queries pass without, or in spite of, `script`."""
    config = proxy.globals.config
    if config.on_script_error != "reject":
        raise SettingsError(
            f"pyproxy-on-script-error={config.on_script_error}: "
            f"{script} protects nothing if queries pass whose hook failed"
        )
    if not config.profiling:
        raise SettingsError(f"pyproxy-skip-profiling=true: {script} is not asked then")
