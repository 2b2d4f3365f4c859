"""The first script of the README: rewrite, refuse, and look after what passes.

Queries for the table `clients`, as it was once named, read `customers`. DROP is refused. Everything else
passes, and what the server warns of is printed:

    SELECT 1 / 0 [('Warning', '1365', 'Division by 0')]

The hook is an `async def`: it awaits what the server says, and only its own client waits with it.
"""

import pyproxy


async def read_query(proxy, packet):
    sql = proxy.command.sql
    if packet[0] != proxy.COM_QUERY:
        return None  # forward it as it is
    if sql.upper().startswith("DROP "):
        return pyproxy.Error("DROP is not allowed here")
    result = await proxy.query(sql.replace("clients", "customers"))
    if result.warning_count:
        warnings = await proxy.query("SHOW WARNINGS")
        print(sql, list(warnings.rows))
    return result
