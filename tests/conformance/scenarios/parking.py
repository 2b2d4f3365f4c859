"""`backend_ndx`, the pool, and several clients of one proxy."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import FakeServer, Ok

from .logins import change_user


def _two() -> list[FakeServer]:
    return [FakeServer(), FakeServer()]


_SHOW_POOL = """
def show(proxy, where):
    for backend in proxy.globals.backends:
        users = backend.pool.users
        print(where, backend.ndx, backend.connected_clients, list(users.items()), len(users[""]), "u" in users)
"""


@scenario(
    """
    def read_query(proxy, packet):
        if b"park" in packet:
            proxy.connection.backend_ndx = -1
        print(proxy.connection.backend_ndx, proxy.connection.server, proxy.connection.backend)
    """
)
def parks_and_forwards(world: World) -> None:
    client = world.client()
    for word in ("first", "park", "without a server"):
        client.query(word)


@scenario(
    """
    def read_query(proxy, packet):
        for ndx in (1, 0, 7):
            proxy.connection.backend_ndx = ndx
            print(proxy.connection.backend_ndx)
        try:
            proxy.connection.backend_ndx = -2
        except ValueError as error:
            print(error)
    """,
    servers=_two,
)
def no_idle_connection(world: World) -> None:
    world.client().query("SELECT 1")


_POOLING = (
    _SHOW_POOL
    + """
def connect_server(proxy):
    show(proxy, "connect_server")
    proxy.connection.backend_ndx = 0
    if proxy.connection.server:
        return proxy.PROXY_IGNORE_RESULT

def read_auth_result(proxy, auth):
    print("auth", auth.packet[0], proxy.connection.server.username)

def read_query(proxy, packet):
    server = proxy.connection.server
    print(packet[:1], server.username, server.default_db, server.thread_id, proxy.connection.client.default_db)
    if packet[0] == proxy.COM_QUIT:
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
    show(proxy, "disconnect_client")
"""
)


def _passwords() -> list[FakeServer]:
    return [FakeServer(users={"u": "p", "bob": "b"})]


@scenario(_POOLING, servers=_passwords)
def a_pooled_connection_is_logged_in_again(world: World) -> None:
    first = world.client(database="test")
    first.query("SELECT 1")
    first.quit()
    second = world.client()
    second.query("SELECT 2")
    second.quit()
    bob = world.client(user="bob", password="b", database="other")
    bob.query("SELECT 3")
    bob.quit()


@scenario(_POOLING, servers=_passwords)
def a_pooled_connection_refuses_a_wrong_password(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    second = world.client(password="wrong")
    second.connect()
    second.expect_closed()
    third = world.client()
    third.query("SELECT 3")
    third.quit()


@scenario(_POOLING, servers=_passwords, pool_change_user=False)
def a_pooled_connection_without_change_user(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    second = world.client()
    second.query("SELECT 2")
    second.quit()
    third = world.client(password="wrong")
    third.connect()
    third.expect_closed()


@scenario(_POOLING, servers=_passwords, pool_change_user=False)
def in_another_database_without_change_user(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    second = world.client(database="test")
    second.query("SELECT 2")
    second.quit()


@scenario(_POOLING, servers=_passwords, pool_change_user=False)
def a_transaction_is_not_pooled_without_change_user(world: World) -> None:
    first = world.client()
    first.query("BEGIN")
    first.quit()
    second = world.client()
    second.query("SELECT 2")
    second.quit()


@scenario(_POOLING, servers=_passwords)
def a_pooled_connection_with_other_capabilities(world: World) -> None:
    first = world.client(capabilities=0xFA685)
    first.query("SELECT 1")
    first.quit()
    second = world.client()
    second.query("SELECT 2")
    second.quit()


@scenario(_POOLING, servers=_passwords)
def other_capabilities_of_an_old_client(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    second = world.client(capabilities=0x0A685)
    second.connect()
    second.expect_closed()


# What the pool tells about connections that died may be a second old.
_POOLING_BLINDLY = _POOLING.replace('    show(proxy, "connect_server")\n', "")


@scenario(_POOLING_BLINDLY, servers=_passwords)
def a_pooled_connection_that_died(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    world.hang_up(0)
    second = world.client()
    second.query("SELECT 2")
    second.quit()


_MOVING = (
    _SHOW_POOL
    + """
def read_query(proxy, packet):
    word = packet[1:].decode()
    if word == "park":
        proxy.connection.backend_ndx = -1
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        return proxy.PROXY_SEND_RESULT
    if word == "back":
        proxy.connection.backend_ndx = 0
    print(word, proxy.connection.backend_ndx, proxy.connection.server)
    show(proxy, word)
"""
)


@scenario(_MOVING)
def parks_and_takes_back(world: World) -> None:
    client = world.client()
    for word in ("one", "park", "two", "back", "three"):
        client.query(word)


@scenario(_MOVING)
def a_connection_of_somebody_else(world: World) -> None:
    carol, bob = world.client(user="carol"), world.client(user="bob")
    carol.query("one")
    carol.query("park")
    bob.query("one")
    bob.query("park")
    for word in ("back", "two"):
        bob.query(word)
        carol.query(word)


@scenario(_MOVING)
def a_busy_backend_is_counted(world: World) -> None:
    clients = [world.client() for _ in range(3)]
    for client in clients:
        client.query("one")
    clients[0].quit()
    clients[1].disconnect()
    clients[2].query("two")


@scenario(
    _SHOW_POOL
    + """
def read_query(proxy, packet):
    if b"two" in packet:
        proxy.queries.append(1, b"\\x03one", True)
        proxy.queries.append(2, b"\\x03two", True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    proxy.connection.backend_ndx = -1
    print(inj.id, proxy.connection.server, len(proxy.queries))
    show(proxy, "result")
    if inj.id == 1:
        return proxy.PROXY_IGNORE_RESULT
"""
)
def parks_in_a_result_with_more_queued(world: World) -> None:
    client = world.client()
    client.query("two")
    client.query("three")


@scenario(
    """
    def connect_server(proxy):
        proxy.connection.backend_ndx = 1
        print(proxy.connection.backend_ndx, proxy.connection.backend)
    """,
    servers=_two,
)
def connect_server_chooses(world: World) -> None:
    world.client().query("SELECT 1")


@scenario("def connect_server(proxy): proxy.connection.backend_ndx = 4", servers=_two)
def connect_server_chooses_what_is_not_there(world: World) -> None:
    client = world.client()
    client.connect()
    client.expect_closed()


@scenario(
    """
    def connect_server(proxy):
        proxy.globals.backends[0].state = proxy.BACKEND_STATE_DOWN
        proxy.connection.backend_ndx = 0
    """,
    servers=_two,
)
def connect_server_chooses_what_is_down(world: World) -> None:
    world.client().query("SELECT 1")


@scenario(
    """
    def connect_server(proxy):
        backends = proxy.globals.backends
        print(len(backends), backends[-1].ndx, [b.type for b in backends[:2]], backends)
        for index in (5, "x"):
            try:
                backends[index]
            except (IndexError, TypeError) as error:
                print(type(error).__name__, error)
        backend = backends[0]
        print(backend == backends[0], backend.uuid, backend.pool == backends[0].pool)
        backend.uuid = "abc"
        backend.pool.min_idle_connections = 3
        print(backend.uuid, backend.pool.min_idle_connections, backend.pool.users, backend.pool)
        for name, value in ("state", 9), ("uuid", 5), ("ndx", 5):
            try:
                setattr(backend, name, value)
            except (ValueError, TypeError, AttributeError) as error:
                print(name, type(error).__name__)
        print(proxy.globals, sorted(n for n in vars(proxy.globals.config)))
    """,
    servers=lambda: [FakeServer()],
    read_only=lambda: [FakeServer()],
)
def what_backends_are_to_scripts(world: World) -> None:
    world.client().query("SELECT 1")


@scenario(
    """
    def read_query(proxy, packet):
        state = proxy.connection
        state.count = getattr(state, "count", 0) + 1
        proxy.globals.total = getattr(proxy.globals, "total", 0) + 1
        proxy.mine = state.count
        print(state.count, proxy.globals.total, vars(state), proxy.mine)
    """,
    servers=lambda: [FakeServer().on("SELECT 1", Ok(3))],
)
def state_of_connections(world: World) -> None:
    clients = [world.client(), world.client()]
    for _ in range(2):
        for client in clients:
            client.query("SELECT 1")


@scenario(_POOLING, servers=_passwords)
def change_user_then_pooled(world: World) -> None:
    first = world.client()
    first.connect()
    scramble = world.servers[0].connections[0].scramble
    first.command(change_user(b"bob", "b", scramble, b"other"))
    first.query("SELECT 1")
    first.quit()
    second = world.client()
    second.query("SELECT 2")
    second.quit()


@scenario(
    """
    def connect_server(proxy):
        backend = proxy.globals.backends[0]
        if backend.pool.users[""].cur_idle_connections:
            proxy.connection.backend_ndx = 0
            backend.state = proxy.BACKEND_STATE_DOWN
            return proxy.PROXY_IGNORE_RESULT

    def read_query(proxy, packet):
        print(proxy.connection.backend_ndx, [b.connected_clients for b in proxy.globals.backends])
        if packet[0] == proxy.COM_QUIT:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT

    def disconnect_client(proxy):
        proxy.connection.backend_ndx = -1
    """,
    servers=_two,
)
def an_idle_connection_of_a_backend_that_is_down(world: World) -> None:
    for _ in range(3):
        client = world.client()
        client.query("SELECT 1")
        client.quit()


@scenario(
    _POOLING.replace(
        "        return proxy.PROXY_IGNORE_RESULT\n",
        """        proxy.response.type = proxy.MYSQLD_PACKET_ERR
        return proxy.PROXY_SEND_RESULT
""",
        1,
    ),
    servers=_passwords,
)
def a_pooled_connection_and_an_answer(world: World) -> None:
    first = world.client()
    first.query("SELECT 1")
    first.quit()
    for _ in range(2):
        second = world.client()
        second.connect()
        second.expect_closed()
