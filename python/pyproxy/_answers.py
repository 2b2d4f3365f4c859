"""What hooks may return, for annotations.

from pyproxy import Decision, Error, Proxy

def read_query(proxy: Proxy, packet: bytes) -> Decision:
    return Error("not today")
"""

from __future__ import annotations

from typing import Union

from pyproxy import Error, Injection, Ok, Raw, Resultset, Rows, Send

__all__ = ["Answer", "Decision"]

Answer = Union[Ok, Error, Rows, Raw, Resultset]
Decision = Union[int, Answer, Send, Injection, None]
