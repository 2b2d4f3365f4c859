"""Keep server connections when their clients leave, and give them to the next ones.

A client that connects and leaves for every query makes the server log it in each time. This script
parks the server connection of a client that leaves in the pool of its backend, unless enough are
idle there. A new client gets an idle connection if there is one. It still logs in with its own
name and password: the plugin does that with COM_CHANGE_USER, which also resets the session, so
that nobody meets another client's variables, temporary tables or locks.

COM_QUIT must not reach the server, which would close the connection: the script answers it.
Standard output shows each step:

    client 127.0.0.1:51442: new connection to 127.0.0.1:3306
    client 127.0.0.1:51442: left, 1 idle at 127.0.0.1:3306
    client 127.0.0.1:51450: idle connection to 127.0.0.1:3306

A connection belongs to one client as long as that is there. To share it between the queries of
several clients, see `pyproxy.hooks.rw_splitting`.
"""

MAX_IDLE = 8


def idle_connections(backend):
    return backend.pool.users[""].cur_idle_connections


def connect_server(proxy):
    client = proxy.connection.client.src
    usable = [b for b in proxy.globals.backends if b.takes_clients]
    if not usable:
        return None
    # One with idle connections if possible; of several the one with the fewest clients.
    backend = min(usable, key=lambda b: (idle_connections(b) == 0, b.connected_clients))
    proxy.connection.backend_ndx = backend.ndx
    if proxy.connection.server is not None:
        print(f"client {client}: idle connection to {backend.dst}")
        return proxy.PROXY_IGNORE_RESULT
    print(f"client {client}: new connection to {backend.dst}")
    return None


def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    return None


def disconnect_client(proxy):
    client, backend = proxy.connection.client.src, proxy.connection.backend
    if backend is None or idle_connections(backend) >= MAX_IDLE:
        return
    proxy.connection.backend_ndx = -1
    print(f"client {client}: left, {idle_connections(backend)} idle at {backend.dst}")
