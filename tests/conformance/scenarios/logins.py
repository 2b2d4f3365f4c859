"""From connect to the first command."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import Error, FakeServer, Packets, Result
from pyproxy.testing.client import CAPABILITIES
from pyproxy.testing.protocol import NATIVE_PASSWORD, native_password


def change_user(
    user: bytes, password: str, scramble: bytes, database: bytes = b"", method: bytes = b""
) -> bytes:
    """A COM_CHANGE_USER of a client that knows its password."""
    proof = native_password(password, scramble)
    tail = bytes([len(proof)]) + proof + database + b"\0\x2d\0"
    return b"\x11" + user + b"\0" + tail + (method or NATIVE_PASSWORD.encode()) + b"\0"


_HOOKS = ("connect_server", "read_handshake", "read_auth", "read_auth_result")


def _login_and_query(world: World) -> None:
    client = world.client()
    if client.connect().ok and not client.closed:
        client.query("SELECT 1")
    else:
        client.expect_closed()


_SHOW_ALL = """
def show(proxy, hook):
    connection = proxy.connection
    for name, socket in ("client", connection.client), ("server", connection.server):
        if socket is None:
            print(hook, name, None)
            continue
        print(hook, name, socket.username, repr(socket.default_db), socket.auth_plugin_name)
        print(socket.mysqld_version, socket.thread_id, socket.scramble_buffer)
        print(socket.scrambled_password, socket == connection.client, repr(socket))
        print(socket.src, socket.dst.type, socket.dst.address, socket.login_packet)
    print(connection.backend_ndx, connection.backend, connection, proxy.queries, proxy.response)

def connect_server(proxy): show(proxy, "connect_server")
def read_handshake(proxy): show(proxy, "read_handshake")
def read_auth(proxy): show(proxy, "read_auth")
def read_auth_result(proxy, auth):
    show(proxy, "read_auth_result")
    print(auth, auth.packet)
def read_query(proxy, packet):
    show(proxy, "read_query")
    print(packet)
def disconnect_client(proxy): show(proxy, "disconnect_client")
"""


def _passwords() -> list[FakeServer]:
    return [FakeServer(users={"u": "p", "bob": "b"})]


@scenario(_SHOW_ALL, servers=_passwords)
def s01_everything_that_is_known_when(world: World) -> None:
    client = world.client(database="test")
    client.query("SELECT 1")
    client.quit()


@scenario(_SHOW_ALL, servers=_passwords)
def s02_wrong_password(world: World) -> None:
    client = world.client(password="wrong")
    client.connect()
    client.expect_closed()


@scenario(
    """
    def connect_server(proxy):
        print([(b.ndx, b.type, b.state, b.connected_clients) for b in proxy.globals.backends])
    def read_query(proxy, packet):
        print(proxy.connection.backend_ndx)
    """,
    servers=lambda: [FakeServer(), FakeServer()],
    read_only=lambda: [FakeServer()],
)
def s03_shortest_queue_first(world: World) -> None:
    clients = [world.client() for _ in range(5)]
    for client in clients:
        client.query("SELECT 1")


@scenario(
    """
    def read_query(proxy, packet):
        print([(b.state, b.connected_clients) for b in proxy.globals.backends])
    """,
    servers=lambda: [FakeServer(down=True), FakeServer()],
)
def s04_first_backend_is_down(world: World) -> None:
    _login_and_query(world)


@scenario(servers=lambda: [FakeServer(down=True)])
def s06_all_backends_are_down(world: World) -> None:
    client = world.client()
    client.connect()
    client.expect_closed()
    _login_and_query(world)


@scenario(servers=lambda: [FakeServer(greeting=Error(1040, "08004", "Too many connections"))])
def s09_the_greeting_is_an_error(world: World) -> None:
    _login_and_query(world)


@scenario(servers=lambda: [FakeServer(greeting=Packets(b"\x0aabc"))])
def s11_a_greeting_that_cannot_be_read(world: World) -> None:
    _login_and_query(world)


for _version in ("11.4.2-MariaDB", "5.7", "abc", "5.5.5-10.11.2-MariaDB"):

    def _versions(world: World) -> None:
        _login_and_query(world)

    _versions.__name__ = f"s10_version_{_version}"
    scenario(
        "def read_query(proxy, packet): print(proxy.connection.server.mysqld_version)",
        servers=lambda version=_version: [FakeServer(version=version)],
    )(_versions)

for _hook in _HOOKS:
    for _policy in ("reject", "forward"):

        def _failing(world: World) -> None:
            _login_and_query(world)

        _arguments = "proxy, auth" if _hook == "read_auth_result" else "proxy"
        _failing.__name__ = f"{_hook}_raises_{_policy}"
        scenario(f"def {_hook}({_arguments}): raise ValueError('hidden')", on_script_error=_policy)(
            _failing
        )
        _failing.__name__ = f"{_hook}_returns_nonsense_{_policy}"
        scenario(f"def {_hook}({_arguments}): return 'query'", on_script_error=_policy)(_failing)
    _failing.__name__ = f"{_hook}_answers_with_an_error"
    scenario(
        f"""
def {_hook}({_arguments}):
    proxy.response = {{"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "no", "errcode": 1045}}
    return proxy.PROXY_SEND_RESULT
"""
    )(_failing)
    _failing.__name__ = f"{_hook}_answers_with_ok"
    scenario(
        f"""
def {_hook}({_arguments}):
    proxy.response.type = proxy.MYSQLD_PACKET_OK
    return proxy.PROXY_SEND_RESULT
"""
    )(_failing)
    _failing.__name__ = f"{_hook}_sets_backend_ndx"
    scenario(
        f"""
def {_hook}({_arguments}):
    for ndx in (0, 5, -1):
        proxy.connection.backend_ndx = ndx
        print(proxy.connection.backend_ndx)
"""
    )(_failing)


@scenario(
    """
    from pyproxy import proto

    def connect_server(proxy):
        proxy.response.type = proxy.MYSQLD_PACKET_RAW
        proxy.response.packets = [
            b"\\x0a5.1.0\\0\\x01\\0\\0\\0abcdefgh\\0\\x00\\x82\\x21\\x02\\0" + bytes(13) + b"ijklmnopqrst\\0"
        ]
        return proxy.PROXY_SEND_RESULT

    def read_query(proxy, packet):
        print(proxy.connection.server, proxy.connection.client.mysqld_version)
        if b"mine" in packet:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
    """.replace("    from pyproxy import proto\n\n", "")
)
def s23_a_mock_server(world: World) -> None:
    client = world.client()
    client.query("mine")
    client.query("not mine")
    client.query("mine")


@scenario(
    """
    def read_auth_result(proxy, auth):
        if auth.packet[0] == 255:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
    """,
    servers=_passwords,
)
def s22_a_refused_client_is_let_in(world: World) -> None:
    client = world.client(password="wrong")
    client.query("SELECT 1")


_LOGIN_OF_BOB = (
    b"\x05\xa2\x0b\0\0\0\0\1\x2d" + bytes(23) + b"bob\0\0" + b"mysql_native_password\0"
).replace(b"\x0b", b"\x08", 1)


@scenario(
    f"""
def read_auth(proxy):
    proxy.queries.append(1, {_LOGIN_OF_BOB!r})
    return proxy.PROXY_SEND_QUERY

def read_query(proxy, packet):
    print(proxy.connection.client.username, proxy.connection.server.username)
"""
)
def s25_another_login_is_sent(world: World) -> None:
    _login_and_query(world)


@scenario(
    """
    def read_auth(proxy):
        proxy.queries.append(1, b"no login")
        return proxy.PROXY_SEND_QUERY
    """
)
def no_login_is_sent_in_place_of_one(world: World) -> None:
    _login_and_query(world)


@scenario("def read_auth(proxy): return proxy.PROXY_SEND_QUERY")
def read_auth_queues_nothing(world: World) -> None:
    _login_and_query(world)


@scenario("def read_auth(proxy): proxy.queries.append(1, b'x')")
def read_auth_queues_in_vain(world: World) -> None:
    _login_and_query(world)


@scenario(_SHOW_ALL, servers=_passwords)
def s26_hangs_up_after_the_login(world: World) -> None:
    client = world.client()
    client.connect()
    client.disconnect()


@scenario(
    """
    def show(proxy):
        for socket in proxy.connection.client, proxy.connection.server:
            print(socket.username, socket.default_db)
    def read_query(proxy, packet): show(proxy)
    """,
    servers=_passwords,
)
def s55_change_user(world: World) -> None:
    client = world.client(database="test")
    client.connect()
    scramble = world.servers[0].connections[0].scramble
    client.command(change_user(b"bob", "b", scramble, b"other"))
    client.query("SELECT 1")


@scenario(
    """
    def read_query(proxy, packet):
        proxy.queries.append(1, packet, True)
        return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        connection = proxy.connection
        print(inj.query[0], connection.client.username, connection.server.username)
    """,
    servers=_passwords,
)
def s55_change_user_injected(world: World) -> None:
    client = world.client()
    client.connect()
    scramble = world.servers[0].connections[0].scramble
    client.command(change_user(b"bob", "b", scramble))
    # With a method that the server does not take: it asks again.
    client.command(change_user(b"u", "p", scramble, method=b"another_method"))
    client.query("SELECT 1")


@scenario(
    """
    answers = []

    def read_auth(proxy):
        client = proxy.connection.client
        print(client.auth_plugin_name, client.scrambled_password)
        answers.append(client.scrambled_password)
        proxy.response.type = proxy.MYSQLD_PACKET_RAW
        if len(answers) == 1:
            proxy.response.packets = b"\\xfemy_method\\0abcdefghijklmnopqrst\\0"
        elif len(answers) == 2:
            proxy.response.packets = b"\\x01more"
        else:
            return None
        return proxy.PROXY_SEND_RESULT

    def read_query(proxy, packet):
        print(proxy.connection.server.auth_plugin_name)
    """
)
def a_script_asks_the_client_before_the_server_does(world: World) -> None:
    world.client().query("SELECT 1")


@scenario(
    """
    def show(proxy):
        print(proxy.connection.client.default_db, proxy.connection.server.default_db)

    def read_query(proxy, packet):
        show(proxy)
        if b"injected" in packet:
            proxy.queries.append(1, "\\x03USE injected", True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        show(proxy)
    """,
    servers=lambda: [FakeServer().on("USE missing", Error(1049, "42000", "Unknown database"))],
)
def use_as_text(world: World) -> None:
    client = world.client(database="first")
    for sql in ("USE second", "/* c */ use `a``b`;", "USE missing", "SELECT 1; USE x", "injected"):
        client.query(sql)
    client.query("SELECT 1")


@scenario(
    "def read_query(proxy, packet): print(proxy.connection.server.default_db)",
    servers=lambda: [FakeServer().on("SELECT 1; SELECT 2", [Result(["1"], [(1,)])] * 2)],
)
def fewer_capabilities(world: World) -> None:
    client = world.client(capabilities=CAPABILITIES & ~(1 << 19))
    client.query("SELECT 1; SELECT 2")
    client.command(b"\x02db")
    client.query("SELECT 1")


@scenario(_SHOW_ALL, servers=lambda: [FakeServer(method="client_ed25519")])
def s16_s17_the_server_asks_for_another_method(world: World) -> None:
    client = world.client()
    client.query("SELECT 1")
    client.quit()


@scenario(
    """
    def read_auth_result(proxy, auth):
        print(auth.packet[:1])
        if auth.packet[0] == 254:
            proxy.response = {"type": proxy.MYSQLD_PACKET_ERR, "errmsg": "not that method"}
            return proxy.PROXY_SEND_RESULT
    """,
    servers=lambda: [FakeServer(method="client_ed25519")],
)
def a_script_refuses_another_method(world: World) -> None:
    client = world.client()
    client.connect()
    client.expect_closed()
