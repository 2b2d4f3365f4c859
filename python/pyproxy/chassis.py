"""What a script may ask of the program it runs in: outside a proxy, the calls are kept for the test that made them.

Inside the proxy the plugin has a module of this name that asks the host.
"""

from pyproxy._offline.chassis import (
    critical,
    debug,
    error,
    get_stats,
    info,
    log,
    message,
    set_shutdown,
    warning,
)

__all__ = [
    "critical",
    "debug",
    "error",
    "get_stats",
    "info",
    "log",
    "message",
    "set_shutdown",
    "warning",
]
