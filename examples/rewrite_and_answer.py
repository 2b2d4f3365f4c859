"""Rewrite some queries, answer others without any server.

* The table `customers` was once named `clients`: queries for the old name read the new one.
* `SHOW PROXY QUERIES` is answered here, with the number of queries of each user.
* A `DELETE` without `WHERE` is refused.

What was done is printed to standard output of the proxy.
"""

import re

OLD_TABLE = re.compile(rb"\bclients\b", re.IGNORECASE)
OWN_COMMAND = re.compile(rb"\s*SHOW\s+PROXY\s+QUERIES\b", re.IGNORECASE)
DELETE_ALL = re.compile(rb"\s*DELETE\b(?!.*\bWHERE\b)", re.IGNORECASE | re.DOTALL)

queries_of = {}


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    query = packet[1:]
    user = proxy.connection.client.username
    queries_of[user] = queries_of.get(user, 0) + 1

    if OWN_COMMAND.match(query):
        print("answered:", query.decode())
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        proxy.response.resultset = {
            "fields": [("user", proxy.MYSQL_TYPE_STRING), ("queries", proxy.MYSQL_TYPE_LONGLONG)],
            "rows": sorted(queries_of.items()),
        }
        return proxy.PROXY_SEND_RESULT

    if DELETE_ALL.match(query):
        print("refused: ", query.decode(errors="replace"))
        proxy.response.type = proxy.MYSQLD_PACKET_ERR
        proxy.response.errmsg = "DELETE without WHERE is not allowed here"
        return proxy.PROXY_SEND_RESULT

    if OLD_TABLE.search(query):
        rewritten = OLD_TABLE.sub(b"customers", query)
        print("rewrote: ", query.decode(errors="replace"), "->", rewritten.decode(errors="replace"))
        proxy.queries.append(1, bytes([proxy.COM_QUERY]) + rewritten)
        return proxy.PROXY_SEND_QUERY
    return None
