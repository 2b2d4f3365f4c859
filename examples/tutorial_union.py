"""Combine two results into one.

Each SELECT runs twice, and the client gets the rows of both runs, one after the other:

    SELECT 1 UNION ALL SELECT 2   gives 1, 2, 1, 2

Both results are kept (`resultset_is_needed`). The rows of the first are copied, because a result
can be read only while `read_query_result` runs, and it is dropped. The second is replaced by an
answer with the same columns and the rows of both. If a run fails, the client gets its error.

Kept results are in memory as a whole. A SELECT is recognised by its first word only: WITH,
`(SELECT ...)` and prepared statements pass unchanged. Of several statements in one text the client
gets the first one's rows.
"""

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
        return None
    if inj.id == FIRST:
        proxy.connection.union_rows = list(result.rows)
        return proxy.PROXY_IGNORE_RESULT
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {
            "fields": result.fields,
            "rows": proxy.connection.union_rows + list(result.rows),
        },
    }
    del proxy.connection.union_rows
    return proxy.PROXY_SEND_RESULT
