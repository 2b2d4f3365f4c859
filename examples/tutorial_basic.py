"""Print every query.

A script is a file with functions of certain names, the hooks. This one has one, `read_query`: it
is called for each command of each client, before a server sees it. The first byte of `packet`
says which command it is; the rest is its argument, for COM_QUERY the text of the query.

The hook returns nothing, so each command goes on to the server as it came. Standard output of the
proxy shows:

    query: SELECT name FROM customers WHERE id = 3
"""


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        print("query:", packet[1:].decode(errors="replace"))
