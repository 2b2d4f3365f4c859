"""Watch what goes over the wire.

One line for each command, with the number of the connection at the server, and for queries a dump
of the first packet of the answer (of a result set the number of columns, else OK or ERR):

    [12] [COM_QUERY] SELECT nothing
    [12] < 00000000  ff 1e 04 23 34 32 53 32  32 55 6e 6b 6e 6f 77 6e  ...#42S22Unknown
    ...

The packet is queued as the client sent it, and must be returned as `PROXY_SEND_QUERY`: what is
queued without that is thrown away. Its result is kept, so that `raw` can be read; then it goes to
the client.
"""

from pyproxy import commands


def hex_dump(data):
    """Lines of 16 bytes: offset, hexadecimal, and what can be printed."""
    for start in range(0, len(data), 16):
        line = data[start : start + 16]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        yield f"{start:08x}  {line[:8].hex(' '):23}  {line[8:].hex(' '):23}  {printable}"


def read_query(proxy, packet):
    number = proxy.connection.server.thread_id
    print(f"[{number}] {commands.pretty_print(commands.parse(packet))}")
    if packet[0] != proxy.COM_QUERY:
        return None
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy, inj):
    number = proxy.connection.server.thread_id
    for line in hex_dump(inj.resultset.raw):
        print(f"[{number}] < {line}")
