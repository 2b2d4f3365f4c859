"""Answer queries in the script, the short way: return the rows, or the error.

The same as `tutorial_resultset`, which fills `proxy.response`:

    SHOW QUERYCOUNTER   a row with two numbers: all queries, and those of this connection
    SHOW MYERROR        ERROR 1105 (HY000): this error is made by a script

A column is a name; its type is that of its cells. What a hook returns is a value: a test can make
one, and compare it with what `read_query` gave.
"""

from pyproxy import Error, Rows

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
        columns = ["global_query_counter", "query_counter"]
        return Rows(columns, [(all_queries, connection.query_counter)])
    if words == [b"SHOW", b"MYERROR"]:
        return Error("this error is made by a script")
    return None
