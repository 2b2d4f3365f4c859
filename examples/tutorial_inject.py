"""Send a query of the script's own after each query of a client.

Instead of letting a command pass, `read_query` queues packets and returns `PROXY_SEND_QUERY`. They
run one after the other on the client's server connection, and `read_query_result` is called with
the result of each. The number given to `append` tells them apart.

A result reaches the client unless the hook drops it, which it can do only if it was queued with
`resultset_is_needed`. Here the client gets what it asked for, and the proxy prints:

    2024-05-17 09:30:12 at the server after SELECT name FROM customers

A query in between is not free of effects: what FOUND_ROWS() and ROW_COUNT() tell the client, and
its warnings, are now those of SELECT NOW().
"""

OF_CLIENT = 1
OF_SCRIPT = 2


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.connection.inject_query = packet[1:].decode(errors="replace")
    proxy.queries.append(OF_CLIENT, packet)
    now = bytes([proxy.COM_QUERY]) + b"SELECT NOW()"
    proxy.queries.append(OF_SCRIPT, now, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    if inj.id == OF_CLIENT:
        return None
    for (now,) in inj.resultset.rows or ():
        print(now, "at the server after", proxy.connection.inject_query)
    return proxy.PROXY_IGNORE_RESULT
