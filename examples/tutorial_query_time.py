"""Measure how long each query takes.

`inj` knows two times, in microseconds, both counted from the moment the query was queued: until
the first packet of the result (`query_time`: the server has worked) and until the last one
(`response_time`: all rows have come as well). Standard output shows them in milliseconds:

     12.345 ms  first packet
     67.890 ms  last packet   SELECT * FROM orders

Only queued queries are measured. The client's own packet is queued unchanged and its result is not
kept, so that the rows pass while they arrive.
"""


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    query = inj.query[1:].decode(errors="replace")
    print(f"{inj.query_time / 1000:8.3f} ms  first packet")
    print(f"{inj.response_time / 1000:8.3f} ms  last packet   {query}")
