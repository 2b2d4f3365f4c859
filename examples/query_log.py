"""Log every query with its time.

For each query a client sends, one line goes to standard output of the proxy:

    0.42 ms  1 rows  app@127.0.0.1:51442  SELECT name FROM customers WHERE id = 3

The query goes through `proxy.queries`, because `read_query_result` is called only for queued
queries. The result itself is not buffered: rows pass while they arrive, and the hook runs at
the end of the result. Other commands (COM_PING, prepared statements ...) pass unseen.
"""


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(1, packet)
        return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    client = proxy.connection.client
    query = inj.query[1:].decode(errors="replace")
    outcome = "failed"
    if inj.resultset.query_status == proxy.MYSQLD_PACKET_OK:
        outcome = f"{inj.resultset.row_count or 0} rows"
    print(f"{inj.response_time / 1000:.2f} ms  {outcome}  {client.username}@{client.src}  {query}")
