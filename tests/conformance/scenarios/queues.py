"""What a script queues, what it does with the results, and the one answer to each command."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import Disconnect, Error, FakeServer, LocalInfile, Ok, Packets, Result


def _server() -> list[FakeServer]:
    """Answers one, two and three with these texts."""
    server = FakeServer()
    for word in ("one", "two", "three"):
        server.on(f"SELECT '{word}'", Result([word], [(word,)]))
    return [server]


_TWO = """
def read_query(proxy, packet):
    if b"both" not in packet:
        return None
    proxy.queries.append(1, b"\\x03SELECT 'one'", resultset_is_needed=True)
    proxy.queries.append(2, b"\\x03SELECT 'two'", {"resultset_is_needed": True})
    print("queued", len(proxy.queries), list(proxy.queries))
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    print("result", inj.id, inj.query, list(inj.resultset.rows), len(proxy.queries))
"""


def _both(world: World) -> None:
    client = world.client()
    client.query("both")
    client.query("SELECT 'three'")


@scenario(_TWO + "    if inj.id == 1: return proxy.PROXY_IGNORE_RESULT\n", servers=_server)
def first_of_two_ignored(world: World) -> None:
    _both(world)


@scenario(_TWO + "    if inj.id == 2: return proxy.PROXY_IGNORE_RESULT\n", servers=_server)
def second_of_two_ignored(world: World) -> None:
    _both(world)


@scenario(_TWO.replace("append(2", "prepend(2"), servers=_server)
def prepended_and_both_sent(world: World) -> None:
    _both(world)


@scenario(_TWO + "    return proxy.PROXY_IGNORE_RESULT\n", servers=_server)
def all_ignored(world: World) -> None:
    _both(world)


_NOT_NEEDED = """
def read_query(proxy, packet):
    if b"both" in packet:
        proxy.queries.append(1, "\\x03SELECT 'one'")
        proxy.queries.append(2, "\\x03SELECT 'two'")
        return proxy.PROXY_SEND_QUERY
"""
_SHOW_COUNTERS = """
def read_query_result(proxy, inj):
    rs = inj.resultset
    print(inj.id, rs.fields, rs.rows, rs.raw, rs.row_count, rs.bytes, rs.query_status, rs)
"""


@scenario(_NOT_NEEDED, servers=_server)
def two_not_needed_without_hook(world: World) -> None:
    _both(world)


@scenario(_NOT_NEEDED + _SHOW_COUNTERS, servers=_server)
def two_not_needed_with_hook(world: World) -> None:
    _both(world)


@scenario(_NOT_NEEDED + _SHOW_COUNTERS + "    return proxy.PROXY_IGNORE_RESULT\n", servers=_server)
def ignoring_what_was_sent_already(world: World) -> None:
    _both(world)


@scenario(
    _NOT_NEEDED
    + """
def read_query_result(proxy, inj):
    proxy.response.type = proxy.MYSQLD_PACKET_OK
    return proxy.PROXY_SEND_RESULT
""",
    servers=_server,
)
def replacing_what_was_sent_already(world: World) -> None:
    _both(world)


@scenario(_TWO.split("def read_query_result")[0], servers=_server)
def no_hook_for_needed_results(world: World) -> None:
    _both(world)


@scenario(
    _TWO
    + """
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": [("n", proxy.MYSQL_TYPE_STRING)], "rows": [[f"answer {inj.id}"]]},
    }
    return proxy.PROXY_SEND_RESULT
""",
    servers=_server,
)
def an_answer_in_both_results(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        print("queued", len(proxy.queries))
        if b"both" in packet:
            proxy.queries.append(1, b"\\x03SELECT 'one'", resultset_is_needed=True)
            raise KeyError("hidden")
    """,
    servers=_server,
)
def queues_then_raises(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        if b"both" in packet:
            proxy.queries.append(1, b"\\x03SELECT 'one'", True)
            raise KeyError("hidden")
    """,
    servers=_server,
    on_script_error="forward",
)
def queues_then_raises_and_is_forwarded(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        proxy.queries.append(1, b"\\x03SELECT 'one'", True)
    """,
    servers=_server,
)
def queued_without_send_query(world: World) -> None:
    _both(world)


@scenario("def read_query(proxy, packet): return proxy.PROXY_SEND_QUERY", servers=_server)
def send_query_with_an_empty_queue(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        if b"both" in packet:
            proxy.queries.append(7, b"\\x03SELECT 'one'", True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print(inj.id)
        if inj.id < 10:
            proxy.queries.append(inj.id + 1, b"\\x03SELECT 'two'", True)
            return proxy.PROXY_IGNORE_RESULT
    """,
    servers=_server,
)
def queueing_more_from_a_result(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        if b"both" in packet:
            proxy.queries.append(1, b"\\x03SELECT 'one'", True)
            proxy.queries.append(2, b"\\x03SELECT 'two'", True)
            proxy.queries.append(3, b"\\x03SELECT 'three'", False)
            proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "affected_rows": 5}
            return proxy.PROXY_SEND_RESULT

    def read_query_result(proxy, inj):
        print(inj.id, inj.resultset)
    """,
    servers=_server,
)
def queued_behind_an_own_answer(world: World) -> None:
    _both(world)


def _injecting(packet: str) -> str:
    """A script that queues `packet` and then a query, for the command "both"."""
    return f"""
def read_query(proxy, packet):
    connection = proxy.connection
    if connection.server:
        print("client", connection.client.default_db, "server", connection.server.default_db)
    if b"both" in packet:
        proxy.queries.append(1, {packet}, resultset_is_needed=True)
        proxy.queries.append(2, b"\\x03SELECT 'two'", resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    print(inj.id, inj.resultset.query_status, inj.resultset.raw)
    if inj.id == 1:
        return proxy.PROXY_IGNORE_RESULT
"""


@scenario(_injecting('b"\\x19\\x01\\0\\0\\0"'), servers=_server)
def injected_statement_close(world: World) -> None:
    _both(world)


@scenario(_injecting('b"\\x02mysql"'), servers=_server)
def injected_init_db(world: World) -> None:
    client = world.client(database="test")
    client.query("both")
    client.query("SELECT 'three'")
    client.command(b"\x02other")
    client.query("SELECT 'three'")


@scenario(_injecting('b""'), servers=_server)
def injected_empty_packet(world: World) -> None:
    _both(world)


@scenario(_injecting('b"\\x01"'), servers=_server)
def injected_quit(world: World) -> None:
    client = world.client()
    client.query("both")
    client.expect_closed()


@scenario(_injecting('b"\\x0e"'), servers=_server)
def injected_ping(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        if b"both" in packet:
            proxy.queries.append(1, b"\\x19\\x01\\0\\0\\0")
            return proxy.PROXY_SEND_QUERY
    """,
    servers=_server,
)
def only_a_command_without_answer_is_queued(world: World) -> None:
    _both(world)


@scenario(
    """
    def read_query(proxy, packet):
        if packet[0] in (proxy.COM_STMT_CLOSE, proxy.COM_STMT_SEND_LONG_DATA):
            proxy.queries.append(1, b"\\x03SELECT 'one'", True)
            proxy.queries.append(2, b"\\x03SELECT 'two'")
            proxy.queries.append(3, packet)
            proxy.queries.append(4, b"\\x03SELECT 'three'", packet[1] == 2)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print(inj.id, inj.resultset)
        if inj.id == 4:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
    """,
    servers=_server,
)
def queued_for_a_client_that_expects_nothing(world: World) -> None:
    client = world.client()
    client.command(b"\x19\x01\0\0\0")
    client.query("SELECT 'one'")
    client.command(b"\x19\x02\0\0\0")
    client.command(b"\x18\x01\0\0\0\0\0x")
    client.query("SELECT 'two'")


@scenario(
    """
    def read_query(proxy, packet):
        if packet[0] == proxy.COM_STMT_CLOSE:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
    """,
    servers=_server,
)
def an_answer_to_a_client_that_expects_nothing(world: World) -> None:
    client = world.client()
    client.command(b"\x19\x01\0\0\0")
    client.query("SELECT 'one'")


def _loading() -> list[FakeServer]:
    server = _server()[0]
    server.on("LOAD", LocalInfile("file.csv", Ok(affected_rows=2)))
    return [server.on("LOAD BAD", LocalInfile("file.csv", Error(1261, "01000", "too short")))]


@scenario(servers=_loading)
def load_data(world: World) -> None:
    client = world.client()
    client.query("LOAD")
    client.send_file(b"1\n2\n")
    client.query("LOAD")
    client.query("LOAD BAD")
    client.query("SELECT 'one'")


@scenario(
    """
    def read_query(proxy, packet):
        if b"LOAD" in packet:
            proxy.queries.append(1, packet, b"BAD" not in packet)
            proxy.queries.append(2, b"\\x03SELECT 'two'", True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print(inj.id, inj.resultset.query_status, inj.resultset.affected_rows, inj.resultset)
    """,
    servers=_loading,
)
def load_data_injected(world: World) -> None:
    client = world.client()
    client.send_file(b"1\n2\n")
    client.query("LOAD")
    client.query("LOAD BAD")
    client.query("SELECT 'one'")


@scenario(
    """
    def read_query(proxy, packet):
        if b"LOAD" in packet:
            proxy.queries.append(1, b"\\x03SELECT 'one'", True)
            proxy.queries.append(2, packet, True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print(inj.id, inj.resultset.query_status)
    """,
    servers=_loading,
)
def load_data_behind_the_answer(world: World) -> None:
    client = world.client()
    client.query("LOAD")
    client.query("SELECT 'one'")


@scenario(
    """
    def read_query(proxy, packet):
        if b"file" in packet:
            proxy.response.type = proxy.MYSQLD_PACKET_RAW
            proxy.response.packets = [b"\\xfbmine.csv"]
            return proxy.PROXY_SEND_RESULT
    """,
    servers=_server,
)
def a_script_asks_for_a_file(world: World) -> None:
    client = world.client()
    client.send_file(b"abc")
    client.query("file")
    client.query("SELECT 'one'")


def _odd() -> list[FakeServer]:
    server = _server()[0].on("dies", Disconnect(b"\x01")).on("silent", Disconnect())
    server.on("strange", Packets(b"\xfe\0\0\x02\0"))
    return [server.on("twice", Packets(b"\0\0\0\x02\0\0\0", b"\0\0\0\x02\0\0\0"))]


@scenario(servers=_odd)
def answers_that_cannot_be_followed(world: World) -> None:
    client = world.client()
    client.query("strange")
    client.expect_closed()


@scenario(servers=_odd)
def server_dies_in_an_answer(world: World) -> None:
    client = world.client()
    client.query("dies")
    client.expect_closed()


@scenario(_TWO.replace("SELECT 'two'", "strange"), servers=_odd)
def a_queued_answer_that_cannot_be_followed(world: World) -> None:
    client = world.client()
    client.query("both")
    client.expect_closed()


@scenario(_TWO.replace("SELECT 'one'", "strange"), servers=_odd)
def the_first_queued_answer_cannot_be_followed(world: World) -> None:
    client = world.client()
    client.query("both")
    client.expect_closed()
