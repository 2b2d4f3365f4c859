"""Teach the server a few words of a shell, the short way: return what is to be sent.

The same as `tutorial_rewrite`, which queues packets:

    ls          SHOW TABLES
    ls shop     SHOW TABLES FROM `shop`
    cd shop     makes shop the default database
    who         SHOW PROCESSLIST

`Send` takes the text of a query, or the bytes of any other command with its command byte in front:
`cd` becomes COM_INIT_DB. What a user typed becomes part of a statement, hence it is quoted as an
identifier.
"""

from pyproxy import Send


def read_query(proxy, packet):
    if packet[0] != proxy.COM_QUERY:
        return None
    words = proxy.command.sql.split()
    if words == ["ls"]:
        return Send("SHOW TABLES")
    if words == ["who"]:
        return Send("SHOW PROCESSLIST")
    if len(words) == 2 and words[0] == "ls":
        return Send("SHOW TABLES FROM `" + words[1].replace("`", "``") + "`")
    if len(words) == 2 and words[0] == "cd":
        return Send(bytes([proxy.COM_INIT_DB]) + words[1].encode())
    return None
