"""Rewrite some queries and answer others, the short way: return what is sent and what is answered.

The same as `rewrite_and_answer`:

* The table `customers` was once named `clients`: queries for the old name read the new one.
* `SHOW PROXY QUERIES` is answered here, with the number of queries of each user.
* A `DELETE` without `WHERE` is refused.

What was done is printed to standard output of the proxy.
"""

import re

from pyproxy import Error, Rows, Send

OLD_TABLE = re.compile(r"\bclients\b", re.IGNORECASE)
OWN_COMMAND = re.compile(r"\s*SHOW\s+PROXY\s+QUERIES\b", re.IGNORECASE)
DELETE_ALL = re.compile(r"\s*DELETE\b(?!.*\bWHERE\b)", re.IGNORECASE | re.DOTALL)

queries_of = {}


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    query = proxy.command.sql
    user = proxy.connection.client.username
    queries_of[user] = queries_of.get(user, 0) + 1

    if OWN_COMMAND.match(query):
        print("answered:", query)
        return Rows(["user", "queries"], sorted(queries_of.items()))
    if DELETE_ALL.match(query):
        print("refused: ", query)
        return Error("DELETE without WHERE is not allowed here")
    if OLD_TABLE.search(query):
        rewritten = OLD_TABLE.sub("customers", query)
        print("rewrote: ", query, "->", rewritten)
        return Send(rewritten)
    return None
