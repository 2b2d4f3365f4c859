"""What a script sees of a result, and results of several parts."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import Error, FakeServer, Ok, Packets, Result

_SHOW = """
def read_query(proxy, packet):
    proxy.queries.append(7, packet, True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    rs = inj.resultset
    print(inj, rs, rs.fields, rs.raw, rs.row_count, rs.bytes, rs.query_status)
    print(rs.affected_rows, rs.insert_id, rs.warning_count, rs.flags, rs is inj.resultset)
    print(rs.error)
    print(isinstance(inj.query_time, int), inj.response_time >= inj.query_time)
    if rs.rows is not None:
        rows = rs.rows
        print(rows, len(rows), list(rows), list(rows) == rows[:], rows[-1:] if rows else None)
        for field in rs.fields:
            print(field.name, field.org_name, field.table, field.org_table, field.database)
            print(field.type, field.charset, field.length, field.flags, field.decimals)
"""


def _server() -> list[FakeServer]:
    table = {"table": "t", "org_table": "table", "database": "db", "org_name": "col"}
    fields = [
        {"name": "n", "type": 3, "flags": 3, "length": 11, "charset": 63, **table},
        {"name": "text", "type": 253, "charset": 45},
        {"name": "latin", "type": 253, "charset": 8},
        {"name": "blob", "type": 252, "charset": 63},
        {"name": "bits", "type": 16, "charset": 63},
    ]
    rows = [
        (1, "żółw", b"caf\xe9", b"\0\xff", b"\x01"),
        (None,) * 5,
        (2, b"\xff\xfe", "", b"", b""),
    ]
    server = FakeServer().on("rows", Result(fields, rows, warnings=3))
    server.on("empty", Result(fields)).on("status", Result(["a"], [("x",)], status=0x30))
    server.on("ok", Ok(70000, 1 << 33, 2, "info")).on("err", Error(1146, "42S02", "no table"))
    server.on("several", [Result(["a"], [("1",), ("2",)]), Ok(5), Result(["b"], [("3",)])])
    server.on("late error", [Ok(1), Error(1064, "42000", "syntax")])
    error_as_row = Result(["a"], [("1",)]).encode(2, False)[:-1]
    server.on("dying rows", Packets(*error_as_row, b"\xff\x25\x05#70100killed"))
    return [server.on_command(9, Packets(b"Uptime: 5"))]


_QUERIES = ("rows", "empty", "status", "ok", "err", "several", "late error", "dying rows", "other")


def _all(world: World) -> None:
    client = world.client()
    for query in _QUERIES:
        client.query(query)
    for command in (b"\x0e", b"\x09", b"\x02db", b"\x1f", b"\x1b\0\0", b"\x99", b"\x04t\0"):
        client.command(command)
    for query in ("BEGIN", "COMMIT", "SET autocommit=0", "SET autocommit = 1"):
        client.query(query)


@scenario(servers=_server)
def everything_forwarded(world: World) -> None:
    _all(world)


@scenario(_SHOW, servers=_server)
def everything_buffered(world: World) -> None:
    _all(world)


@scenario(_SHOW.replace("packet, True", "packet"), servers=_server)
def everything_queued_but_not_kept(world: World) -> None:
    _all(world)


@scenario(
    _SHOW
    + """
    if rs.fields:
        proxy.response = {
            "type": proxy.MYSQLD_PACKET_OK,
            "resultset": {"fields": rs.fields, "rows": rs.rows},
            "warnings": rs.warning_count,
        }
        return proxy.PROXY_SEND_RESULT
""",
    servers=_server,
)
def everything_handed_back(world: World) -> None:
    _all(world)


@scenario(
    """
    kept = []

    def read_query(proxy, packet):
        for thing in kept:
            try:
                print(thing, thing.id)
            except ReferenceError as error:
                print("ReferenceError", error)
            except AttributeError:
                try:
                    print(list(thing))
                except ReferenceError as error:
                    print("ReferenceError", error)
        proxy.queries.append(1, packet, True)
        return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        kept[:] = [inj, inj.resultset.rows, inj.resultset.fields]
    """,
    servers=_server,
)
def kept_over_the_hook(world: World) -> None:
    client = world.client()
    client.query("rows")
    client.query("rows")


@scenario(
    """
    import threading
    kept = []

    def touch(name, f):
        try:
            print(name, f())
        except ReferenceError as error:
            print(name, error)
        except AttributeError as error:
            # Python says this in other words of a class made in Rust.
            print(name, type(error).__name__)

    def in_thread(proxy):
        touch("thread", lambda: proxy.connection.client)
        touch("thread", lambda: len(proxy.globals.backends))
        touch("thread", lambda: proxy.queries.append(1, b"x"))
        touch("thread", lambda: setattr(proxy, "response", {}))

    def read_query(proxy, packet):
        thread = threading.Thread(target=in_thread, args=(proxy,))
        thread.start()
        thread.join()
        for connection, server in kept:
            touch("other", lambda: connection.backend_ndx)
            touch("other", lambda: setattr(connection, "backend_ndx", 0))
            touch("other", lambda: setattr(connection, "connection_close", True))
            touch("other", lambda: server.username)
            touch("other", lambda: connection)
            touch("other", lambda: server)
            touch("other", lambda: setattr(connection, "x", 1))
        if b"keep" in packet:
            kept.append((proxy.connection, proxy.connection.server))
        for name in ("client", "server", "backend"):
            touch(name, lambda: setattr(proxy.connection, name, None))
        touch("queries", lambda: setattr(proxy, "queries", []))
        touch("nothing", lambda: proxy.no_such_thing)
        touch("builtin", lambda: __import__("builtins").proxy.connection)
    """
)
def touching_what_is_not_there(world: World) -> None:
    first, second = world.client(), world.client()
    first.query("keep")
    second.query("look")
    first.disconnect()
    third = world.client()
    third.query("look")


@scenario(
    """
    def tried(queries, *arguments):
        try:
            queries.append(*arguments)
        except (TypeError, ValueError) as error:
            print(type(error).__name__, error)

    def read_query(proxy, packet):
        q = proxy.queries
        tried(q, 1, b"")
        tried(q, 1, 5)
        tried(q, 1, b"x", "yes")
        tried(q, 1, b"x", {"resultset_is_needed": "yes"})
        q.append(1, bytearray(b"a"), {"other": 1})
        q.append(id=True, packet="ä", resultset_is_needed={"resultset_is_needed": 1})
        q.prepend(3, memoryview(b"c"), None)
        print(q, q.len(), len(q), list(q))
        q.reset()
        print(q, list(q), bool(q))
    """
)
def the_queue(world: World) -> None:
    world.client().query("SELECT 1")


def _strange() -> list[FakeServer]:
    prepared = b"\0\x05\0\0\0\0\0\0\0\0\0\0"
    events = [b"\0event one", b"\0event two", b"\xfe\0\0\x02\0"]
    server = FakeServer().on_command(0x16, Packets(prepared + b"\x01"))
    return [server.on_command(0x12, Packets(*events))]


@scenario(
    "def read_query(proxy, packet): print(packet)",
    servers=_strange,
)
def a_long_prepare_ok_and_a_binlog(world: World) -> None:
    client = world.client()
    client.command(b"\x16SELECT 1")
    client.command(b"\x12\x04\0\0\0\0\0\x01\0\0\0binlog")
    client.command(b"\x0e")


@scenario(servers=_strange)
def an_empty_packet(world: World) -> None:
    client = world.client()
    client.connect()
    client.command(b"")
    client.expect_closed()


@scenario(servers=lambda: [FakeServer().on_command(0x16, Packets(b"\x05odd"))])
def an_answer_that_is_no_prepare_ok(world: World) -> None:
    client = world.client()
    client.command(b"\x16SELECT 1")
    client.expect_closed()
