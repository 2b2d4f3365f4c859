"""Choose the server at the login: by user, by database, by what the client tells of itself.

The first rule that fits counts:

* users whose name begins with `report_` go to the last backend,
* the databases `tenant_0`, `tenant_1` ... go to the backend of that number, counted round,
* programs that tell the connection attribute `backend` (`mariadb --connect-attr=backend:1`, where the
  client has such an option) get what they ask for,
* everybody else goes where the fewest clients are.

`PROXY_GREET` has the proxy greet the client by itself, so that no server is kept waiting for a login
that is not for it. The chosen server then asks the client for its password, with its own method: the
proxy knows none, and a user may exist on that server only. Standard output shows who went where:

    report_anna: backend 2
"""


def connect_server(proxy):
    return proxy.PROXY_GREET


def read_auth(proxy):
    client = proxy.connection.client
    wanted = choose(client, len(proxy.globals.backends))
    if wanted is not None:
        proxy.connection.backend_ndx = wanted


def choose(client, count):
    """The backend of a client; None for any."""
    if client.username.startswith("report_"):
        return count - 1
    tenant = client.default_db.removeprefix("tenant_")
    if tenant != client.default_db and tenant.isdigit():
        return int(tenant) % count
    asked = client.attributes.get("backend", "")
    # What a client tells may be anything. A backend that is not there would refuse it.
    return int(asked) if asked.isdigit() and int(asked) < count else None


def read_auth_result(proxy, auth):
    if auth.packet[0] == proxy.MYSQLD_PACKET_OK:
        connection = proxy.connection
        print(f"{connection.client.username}: backend {connection.backend_ndx}")
