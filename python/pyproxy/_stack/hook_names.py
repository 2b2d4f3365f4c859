"""What the plugin says of a script's hooks when it loads one, for the scripts of `load_multi`."""

from __future__ import annotations

import difflib
import inspect
from types import FunctionType, ModuleType

from pyproxy._stack.waiting import is_async

__all__ = ["OF_CONNECTION", "OF_SCRIPT", "complaint"]

# The hooks, and what they are called with.
OF_CONNECTION = {
    "connect_server": ("proxy",),
    "read_handshake": ("proxy",),
    "read_auth": ("proxy",),
    "read_auth_result": ("proxy", "auth"),
    "read_query": ("proxy", "packet"),
    "read_query_result": ("proxy", "inj"),
    "disconnect_client": ("proxy",),
}
OF_SCRIPT = {"init": ("proxy",), "shutdown": ("proxy",)}
_ALL = {**OF_CONNECTION, **OF_SCRIPT}
# How like the name of a hook another has to be, from 0 to 1. `init` is too short to tell.
_LIKENESS = 0.85


def complaint(module: ModuleType) -> str | None:
    """Why the functions of a script cannot be what they should be; None if they can.

    A hook has to take its parameters, and no function may have a name that nearly is one of the hooks that are not
    there: nobody would call it.
    """
    for name, parameters in _ALL.items():
        function = getattr(module, name, None)
        if callable(function) and not _takes(function, parameters):
            return (
                f"the proxy calls {name}({', '.join(parameters)}), but the script has "
                f"{name}{inspect.signature(function)}"
            )
    if is_async(getattr(module, "disconnect_client", None)):
        return (
            "disconnect_client cannot wait, there is no client any more: make it a def, which may call "
            "pyproxy.spawn"
        )
    missing = [name for name in _ALL if name != "init" and not hasattr(module, name)]
    for name, member in vars(module).items():
        if not isinstance(member, FunctionType) or member.__module__ != module.__name__:
            continue
        close = difflib.get_close_matches(name.lower(), missing, 1, _LIKENESS)
        if close and not name.startswith("_"):
            return f"the function {name} is no hook: did you mean {close[0]}?"
    return None


def _takes(function: object, parameters: tuple[str, ...]) -> bool:
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type] # it is callable
    except ValueError:
        # Python does not know the parameters: they may be anything.
        return True
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    return True
