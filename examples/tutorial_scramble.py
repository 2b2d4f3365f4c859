"""Log a client in as somebody else.

With `mysql_native_password` a server sends random bytes, the challenge, and the client answers
with its password scrambled with them. Both are printed for each login, in hexadecimal:

    challenge 5b3c... user app response 17ab...

Whoever says to be `replace` is logged in as the user below, whatever the password was: the script
makes a login packet of its own and queues it in `read_auth`, where the first queued packet goes to
the server in place of the client's.

The server then takes the client for one with the capabilities named here. So this is for plain
clients, and for accounts with `mysql_native_password`. `pyproxy.hooks.login_mapping` is the script
to use.
"""

from pyproxy import password, proto

ANYBODY = "replace"
USER, PASSWORD = "demo", "demo"

CONNECT_WITH_DB = 1 << 3
PROTOCOL_41 = 1 << 9
SECURE_CONNECTION = 1 << 15
MULTI_STATEMENTS = 1 << 16
MULTI_RESULTS = 1 << 17
PS_MULTI_RESULTS = 1 << 18
MULTI = MULTI_STATEMENTS | MULTI_RESULTS | PS_MULTI_RESULTS


def read_auth(proxy):
    client, server = proxy.connection.client, proxy.connection.server
    challenge, response = server.scramble_buffer[:20], client.scrambled_password
    print("challenge", challenge.hex(), "user", client.username, "response", response.hex())
    if client.username != ANYBODY:
        return None
    login = proto.to_response_packet(
        server_capabilities=PROTOCOL_41 | SECURE_CONNECTION | CONNECT_WITH_DB,
        capabilities=PROTOCOL_41 | SECURE_CONNECTION | MULTI,
        max_packet_size=1 << 24,
        charset=45,  # utf8mb4_general_ci
        username=USER,
        response=password.scramble(challenge, password.hash(PASSWORD)),
        database=client.default_db,
    )
    proxy.queries.append(1, login)
    return proxy.PROXY_SEND_QUERY
