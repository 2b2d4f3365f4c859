"""See where a connection comes from and where it goes to.

The client's connection has two ends, and so has the proxy's own connection to the server. The
first is known when a client connects (`connect_server`), the second when the server has sent its
first packet (`read_handshake`). Standard output shows both:

    client 127.0.0.1:51442 -> proxy 127.0.0.1:4045
    proxy 127.0.0.1:38210 -> server 127.0.0.1:3306

That is all this script wants to know, so it answers the client in place of the server: an ERR
`done`, which ends the connection. Without that, clients could log in.

Choosing a server is done in `connect_server`, too: `proxy.connection.backend_ndx = 0` takes the
first one.
"""


def connect_server(proxy):
    client = proxy.connection.client
    print(f"client {client.src} -> proxy {client.dst}")


def read_handshake(proxy):
    server = proxy.connection.server
    print(f"proxy {server.src} -> server {server.dst}")

    proxy.response.type = proxy.MYSQLD_PACKET_ERR
    proxy.response.errmsg = "done"
    return proxy.PROXY_SEND_RESULT
