"""Combine two results into one, the short way: return the rows of both.

The same as `tutorial_union`, where the limits of this are told:

    SELECT 1 UNION ALL SELECT 2   gives 1, 2, 1, 2

The columns are the fields of the result, so they keep their types. `return inj` would send a
result as it came; nothing does the same.
"""

from pyproxy import Rows

FIRST = 1
SECOND = 2


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY or packet[1:].upper().split(None, 1)[:1] != [b"SELECT"]:
        return None
    proxy.queries.append(FIRST, packet, resultset_is_needed=True)
    proxy.queries.append(SECOND, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    result = inj.resultset
    if result.rows is None:
        # An error, or no rows at all (SELECT ... INTO): this is the answer, and one is enough.
        proxy.queries.reset()
        return inj
    if inj.id == FIRST:
        proxy.connection.union_rows = list(result.rows)
        return proxy.PROXY_IGNORE_RESULT
    return Rows(result.fields, [*proxy.connection.union_rows, *result.rows])
