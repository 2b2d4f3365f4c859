"""Ask an HTTP service before a table is dropped.

What blocks goes to a thread, with `asyncio.to_thread`: the hook waits for it, and all other clients are served.
The service gets `GET /drop?user=...&sql=...`, and its status 200 is a yes:

    SERVICE=http://127.0.0.1:8080 mysql-proxy --defaults-file=...

The objects of the connection cannot be used in the thread: it gets what it needs as arguments.
The ready-made script `http_policy` does this for all statements, with time-outs and a memory.
"""

import asyncio
import os
import urllib.error
import urllib.parse
import urllib.request

from pyproxy import Error

SERVICE = os.environ.get("SERVICE", "http://127.0.0.1:8080")
SECONDS = 5


def is_allowed(user, sql):
    question = urllib.parse.urlencode({"user": user, "sql": sql})
    try:
        with urllib.request.urlopen(f"{SERVICE}/drop?{question}", timeout=SECONDS) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


async def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    sql = proxy.command.sql
    if not sql.upper().startswith("DROP "):
        return None
    if await asyncio.to_thread(is_allowed, proxy.connection.client.username, sql):
        return None
    return Error("the service does not allow it", 1227, "42000")
