"""Answer queries in the script: with rows, or with an error.

    SHOW QUERYCOUNTER   a row with two numbers: all queries, and those of this connection
    SHOW MYERROR        ERROR 1105 (HY000): this error is made by a script

Both in upper or lower case; no server sees them. Everything else passes, also a SHOW alone.

Where counters live decides what they count. A global of the script is there once, for all
connections; an attribute of `proxy.connection` belongs to one client and ends with it.
"""

all_queries = 0


def read_query(proxy, packet):
    global all_queries
    if packet[0] != proxy.COM_QUERY:
        return None
    connection = proxy.connection
    all_queries += 1
    connection.query_counter = getattr(connection, "query_counter", 0) + 1

    words = packet[1:].upper().split()
    if words == [b"SHOW", b"QUERYCOUNTER"]:
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {
                "fields": [
                    ("global_query_counter", proxy.MYSQL_TYPE_LONG),
                    ("query_counter", proxy.MYSQL_TYPE_LONG),
                ],
                "rows": [(all_queries, connection.query_counter)],
            },
        }
        return proxy.PROXY_SEND_RESULT
    if words == [b"SHOW", b"MYERROR"]:
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_ERR,
            "errmsg": "this error is made by a script",
            "errcode": 1105,
            "sqlstate": "HY000",
        }
        return proxy.PROXY_SEND_RESULT
    return None
