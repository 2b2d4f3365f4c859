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
    match proxy.command.sql.split():
        case ["ls"]:
            return Send("SHOW TABLES")
        case ["ls", database]:
            return Send("SHOW TABLES FROM `" + database.replace("`", "``") + "`")
        case ["cd", database]:
            return Send(bytes([proxy.COM_INIT_DB]) + database.encode())
        case ["who"]:
            return Send("SHOW PROCESSLIST")
    return None
