"""Teach the server a few words of a shell.

    ls          SHOW TABLES
    ls shop     SHOW TABLES FROM `shop`
    cd shop     makes shop the default database
    who         SHOW PROCESSLIST

The script queues another packet in place of the client's, here even another command: `cd` becomes
COM_INIT_DB. There is no `read_query_result`, so the client gets the answer as the server gave it.

What a user typed becomes part of a statement, hence it is quoted as an identifier.
"""


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    command = translate(proxy, packet[1:].split())
    if command is None:
        return None
    proxy.queries.append(1, command)
    return proxy.PROXY_SEND_QUERY


def translate(proxy, words):
    """The command packet for a list of words, or None if they mean nothing here."""
    query = bytes([proxy.COM_QUERY])
    if words == [b"ls"]:
        return query + b"SHOW TABLES"
    if words == [b"who"]:
        return query + b"SHOW PROCESSLIST"
    if len(words) != 2:
        return None
    name, database = words
    if name == b"ls":
        return query + b"SHOW TABLES FROM `" + database.replace(b"`", b"``") + b"`"
    if name == b"cd":
        return bytes([proxy.COM_INIT_DB]) + database
    return None
