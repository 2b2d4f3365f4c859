"""Makes commits fail now and then, to test that applications cope with it.

Of the commands that are exactly `COMMIT` (in any case), about half are sent to the server as ROLLBACK, and the client
gets the error of a lost lock:

    ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction

Settings, section `[commit_obfuscator]`:

| setting | default | |
|---|---|---|
| `probability` | 0.5 | how many of the commits fail: 0 none, 1 all |
| `seed` | 0 | a number that makes the choice the same in each run; 0: another choice each time |

What it cannot do: `COMMIT WORK`, `COMMIT;` with its semicolon, a COMMIT inside of several statements, in a prepared
statement, and commits that no command says (autocommit, DDL, another START TRANSACTION) pass untouched.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pyproxy import Error
from pyproxy._common.queries import query_packet, query_text
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Decision, Injection, Proxy

__all__ = ["init", "read_query", "read_query_result", "settings"]

settings = section("commit_obfuscator", probability=0.5, seed=0)

_ROLLBACK = 1
_choice = random.Random()


def init(proxy: Proxy) -> None:
    """Starts the choices anew."""
    _choice.seed(settings.seed or None)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Sends ROLLBACK in place of some of the commits."""
    text = query_text(packet)
    if text is None or text.upper() != "COMMIT" or _choice.random() >= settings.probability:
        return None
    proxy.queries.append(_ROLLBACK, query_packet("ROLLBACK"), resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Tells the client that its commit failed."""
    return Error("Lock wait timeout exceeded; try restarting transaction", 1205, "HY000")
