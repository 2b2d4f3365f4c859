"""What a script may ask of the program it runs in."""

def get_stats() -> dict[str, int]:
    """The numbers that the plugin counts since its start, by name.

    `connections`, `queries`, `queued_queries`, `malformed_packets`, `panics`, `python_wait_micros`, and for
    each hook `<hook>.calls`, `<hook>.errors` and `<hook>.micros`. A new dict each time.
    """

def set_shutdown() -> None:
    """Asks the host to end: connections are closed, `shutdown(proxy)` is called. Returns at once."""

def log(level: str, text: object) -> None:
    """Writes a line to the host's log, with the place it was called from.

    `level` is "error", "critical", "warning", "message", "info" or "debug". "error" is written as critical: a
    script does not abort the proxy.
    """

def error(text: object) -> None:
    """Writes to the host's log at level critical: GLib's own level error would abort the proxy."""

def critical(text: object) -> None:
    """Writes to the host's log at level critical."""

def warning(text: object) -> None:
    """Writes to the host's log at level warning."""

def message(text: object) -> None:
    """Writes to the host's log at level message, between warning and info."""

def info(text: object) -> None:
    """Writes to the host's log at level info."""

def debug(text: object) -> None:
    """Writes to the host's log at level debug."""
