"""Let two queries of a user run at a time; the others wait for their turn.

A hook that is an `async def` may wait for whatever asyncio can wait for. Here it is a semaphore for
each user: who comes third waits until one of the two has its answer. Everybody else is served
meanwhile. The proxy prints who had to wait:

    u waits in line: SELECT SLEEP(1)

A client that goes away while it waits leaves the line, and one that waits longer than the option
`pyproxy-hook-timeout` gets an error.
"""

import asyncio
from collections import defaultdict

AT_A_TIME = 2

lines = defaultdict(lambda: asyncio.Semaphore(AT_A_TIME))


async def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    user = proxy.connection.client.username
    line = lines[user]
    if line.locked():
        print(user, "waits in line:", proxy.command.sql, flush=True)
    async with line:
        return await proxy.query(packet)
