"""Follow a connection through all its steps, and take part in each.

This script has every hook, in the order in which they are called, with type hints: a skeleton to
start from. Each hook prints its name. Some of them answer in place of the server:

* a client that is not on 127.0.0.1 is refused when it connects;
* the user `evil` is refused when it logs in;
* `SELECT 1` is answered with a packet that the script makes itself: ERROR 1279.

A RAW response is sent as it is; `pyproxy.proto` knows how packets look. Everything else passes.
"""

from __future__ import annotations

from pyproxy import Auth, Injection, Proxy, proto


def refuse(proxy: Proxy, reason: str) -> int:
    """Answers with an error, which during the login ends the connection."""
    proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": reason}
    return proxy.PROXY_SEND_RESULT


def init(proxy: Proxy) -> None:
    print("init: the script was loaded,", len(proxy.globals.backends), "backends")


def connect_server(proxy: Proxy) -> int | None:
    client = proxy.connection.client.src
    print("connect_server: a client came from", client)
    if client is None or client.address != "127.0.0.1":
        return refuse(proxy, "only clients on 127.0.0.1 may connect")
    return None


def read_handshake(proxy: Proxy) -> int | None:
    server = proxy.connection.server
    print("read_handshake: the server has version", server and server.mysqld_version)
    return None


def read_auth(proxy: Proxy) -> int | None:
    user = proxy.connection.client.username
    print("read_auth: the client wants to log in as", user)
    if user == "evil":
        return refuse(proxy, "evil logins are not allowed")
    return None


def read_auth_result(proxy: Proxy, auth: Auth) -> int | None:
    accepted = auth.packet[0] == proxy.MYSQLD_PACKET_OK
    print("read_auth_result: the server", "accepts" if accepted else "does not accept (yet)")
    return None


def read_query(proxy: Proxy, packet: bytes) -> int | None:
    print("read_query: command", packet[0], "with", len(packet) - 1, "bytes")
    if packet[0] != proxy.COM_QUERY:
        return None
    if packet[1:] == b"SELECT 1":
        error = proto.to_err_packet(errcode=1279, sqlstate="HY000", errmsg="a raw error")
        proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": [error]}
        return proxy.PROXY_SEND_RESULT
    proxy.queries.append(1, packet)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> int | None:
    print("read_query_result: query", inj.id, "gave", inj.resultset.row_count, "rows")
    return None


def disconnect_client(proxy: Proxy) -> None:
    print("disconnect_client: the client has gone")


def shutdown(proxy: Proxy) -> None:
    print("shutdown: the proxy ends")
