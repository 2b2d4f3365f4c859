"""Send a query of the script's own after each query of a client, the short way: await it.

The same as `tutorial_inject`. The client gets what it asked for, and the proxy prints:

    2024-05-17 09:30:12 at the server after SELECT name FROM customers

A query in between is not free of effects: what FOUND_ROWS() and ROW_COUNT() tell the client, and
its warnings, are now those of SELECT NOW().
"""


async def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    result = await proxy.query(packet)
    now = await proxy.query("SELECT NOW()")
    for (time,) in now.rows:
        print(time, "at the server after", proxy.command.sql)
    return result
