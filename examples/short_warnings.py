"""Ask for the warnings of each query that has some, the short way: await both answers.

The same as `tutorial_warnings`. `proxy.query` runs a query on the client's own server connection and
gives its result. What the hook returns is what the client gets; the other result is dropped. The
proxy prints:

    SELECT 1 / 0
      Warning 1365: Division by 0
"""


async def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    result = await proxy.query(packet)
    if result.warning_count:
        print(proxy.command.sql)
        warnings = await proxy.query("SHOW WARNINGS")
        for level, code, message in warnings.rows:
            print(f"  {level} {code}: {message}")
    return result
