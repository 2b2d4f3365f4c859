"""Ask for the warnings of each query that has some.

`read_query_result` may queue a further query: here SHOW WARNINGS, if the server counted warnings.
The client has its own answer by then and never sees the second one, which is dropped. The proxy
prints:

    SELECT 1 / 0
      Warning 1365: Division by 0

SHOW WARNINGS leaves the list of warnings as it is: a client that asks for it gets it, too.
"""

OF_CLIENT = 1
WARNINGS = 2


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.queries.append(OF_CLIENT, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    if inj.id == WARNINGS:
        for level, code, message in inj.resultset.rows or ():
            print(f"  {level} {code}: {message}")
        return proxy.PROXY_IGNORE_RESULT
    if inj.resultset.warning_count > 0:
        print(inj.query[1:].decode(errors="replace"))
        show = bytes([proxy.COM_QUERY]) + b"SHOW WARNINGS"
        proxy.queries.append(WARNINGS, show, resultset_is_needed=True)
    return None
