"""Prepared statements: binary rows both ways."""

from __future__ import annotations

import datetime

from harness.scenario import World, scenario
from pyproxy.testing import Error, FakeServer, Result

_FIELDS = [
    ("i", 3),
    ("s", 253),
    ("d", 5),
    ("f", 4),
    ("day", 10),
    ("at", 12),
    ("span", 11),
    ("b", 252),
    ("n", 246),
    {"name": "u", "type": 8, "flags": 0x20},
]
_ROWS = [
    (-5, "text", 1.5, 0.25, datetime.date(2020, 2, 29), datetime.datetime(2020, 1, 2, 3, 4, 5))
    + (datetime.timedelta(hours=30, microseconds=5), b"\0\xff", "12.50", (1 << 64) - 1),
    (None,) * len(_FIELDS),
    (0, "", 0.0, -0.5, "0000-00-00", "0000-00-00 00:00:00", "-838:59:59", b"", "0", 0),
]


def _server() -> list[FakeServer]:
    server = FakeServer().on("SELECT everything", Result(_FIELDS, _ROWS))
    server.on("SELECT ?, '?'", Result([("?", 3)], [(7,)]))
    return [server.on("broken", Error(1064, "42000", "You have an error"))]


def _all(world: World) -> None:
    client = world.client()
    everything = client.prepare("SELECT everything")
    client.execute(everything)
    one = client.prepare("SELECT ?, '?'")
    client.execute(one, [5, "a", None, 2.5, b"\0"][:1])
    client.close_statement(one)
    client.execute(one, [6])
    client.prepare("broken")
    client.execute(everything)


@scenario(servers=_server)
def prepared_statements(world: World) -> None:
    _all(world)


_BUFFERED = """
def read_query(proxy, packet):
    proxy.queries.append(packet[0], packet, True)
    return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    rs = inj.resultset
    print(inj.id, rs, rs.fields, rs.raw, rs.row_count, rs.bytes, rs.flags)
    print(rs.rows if rs.rows is None else [row for row in rs.rows])
"""


@scenario(_BUFFERED, servers=_server)
def prepared_statements_buffered(world: World) -> None:
    _all(world)


@scenario(
    _BUFFERED
    + """
    if rs.rows:
        proxy.response = {
            "type": 0,
            "resultset": {"fields": rs.fields, "rows": (row for row in rs.rows)},
        }
        return proxy.PROXY_SEND_RESULT
""",
    servers=_server,
)
def rows_are_handed_back(world: World) -> None:
    _all(world)
    world.client().query("SELECT everything")


_WRONG_CELLS = ["'x'", "1 << 31", "'2020-13-01'", "1.5", "b'12'"]
for _number, _cell in enumerate(_WRONG_CELLS):

    def _binary(world: World) -> None:
        client = world.client()
        client.execute(client.prepare("SELECT ?, '?'"), [1])
        client.query("text")

    _binary.__name__ = f"a_cell_without_binary_form_{_number}"
    scenario(
        f"""
def read_query(proxy, packet):
    if packet[0] == proxy.COM_STMT_PREPARE:
        return None
    field = ("c", proxy.MYSQL_TYPE_DATE if {_number} == 2 else proxy.MYSQL_TYPE_LONG)
    proxy.response = {{"type": 0, "resultset": {{"fields": [field], "rows": [[None], [{_cell}]]}}}}
    return proxy.PROXY_SEND_RESULT
""",
        servers=_server,
    )(_binary)


def _with_cursor(world: World) -> None:
    client = world.client()
    statement = client.prepare("SELECT everything").id
    assert statement is not None
    head = statement.to_bytes(4, "little")
    client.command(b"\x17" + head + b"\x01\x01\0\0\0")
    for count in (2, 1, 5):
        client.command(b"\x1c" + head + count.to_bytes(4, "little"))
    client.command(b"\x1a" + head)
    client.command(b"\x1c\x09\0\0\0\x01\0\0\0")
    client.command(b"\x0e")


@scenario(servers=_server)
def a_cursor(world: World) -> None:
    _with_cursor(world)


@scenario(_BUFFERED, servers=_server)
def a_cursor_buffered(world: World) -> None:
    _with_cursor(world)


@scenario(
    _BUFFERED
    + """
    if inj.id == proxy.COM_STMT_FETCH and rs.rows is not None:
        proxy.response = {
            "type": 0,
            "resultset": {"fields": rs.fields, "rows": [row[::1] for row in rs.rows]},
        }
        return proxy.PROXY_SEND_RESULT
""",
    servers=_server,
)
def rows_of_a_cursor_are_handed_back(world: World) -> None:
    _with_cursor(world)


@scenario(
    """
    def read_query(proxy, packet):
        if packet[0] == proxy.COM_STMT_FETCH:
            field = ("n", proxy.MYSQL_TYPE_LONG)
            proxy.response = {"type": 0, "resultset": {"fields": [field], "rows": [(5,), (None,)]}}
            return proxy.PROXY_SEND_RESULT
    """,
    servers=_server,
)
def a_script_answers_fetch(world: World) -> None:
    _with_cursor(world)
