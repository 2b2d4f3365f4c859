"""Query attributes: of queries and executions, seen, passed on and queued."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import CAPABILITIES, Capability

_WITH = CAPABILITIES | Capability.QUERY_ATTRIBUTES
_ATTRIBUTES = {"text": "value", "data": b"\0", "int": -7, "float": 1.5, "none": None}

_SCRIPT = """
def read_query(proxy, packet):
    print(proxy.command, packet, dict(proxy.command.attributes))
    print(proxy.connection.client.capabilities, proxy.connection.server.capabilities)
    if b"queue" in packet or packet[0] == proxy.COM_STMT_EXECUTE:
        proxy.queries.append(1, b"\\x03DO 1", True)
        proxy.queries.append(2, packet, True)
        return proxy.PROXY_SEND_QUERY
    if b"change" in packet:
        proxy.queries.append(3, packet + b" changed")
        return proxy.PROXY_SEND_QUERY

def read_query_result(proxy, inj):
    print(inj.id, inj.query, dict(proxy.command.attributes))
    if inj.id == 1:
        proxy.queries.append(4, b"\\x03queue", True)
        return proxy.PROXY_IGNORE_RESULT
    if inj.id == 4:
        return proxy.PROXY_IGNORE_RESULT
"""


def _all(world: World) -> None:
    for capabilities in (_WITH, None):
        client = world.client(capabilities=capabilities)
        for attributes in (_ATTRIBUTES, {}) if capabilities else ({},):
            for sql in ("pass", "queue", "change", "USE x"):
                client.query(sql, attributes)
            statement = client.prepare("SELECT ?")
            client.execute(statement, ["a"], attributes)
            client.command(b"\x18" + (statement.id or 0).to_bytes(4, "little") + b"\0\0long")
            client.execute(statement, ["a"], attributes)
        client.query("after")
    client = world.client(capabilities=_WITH)
    for malformed in (b"", b"\0", b"\0\2DO 1", b"\1\1\0\1\x0d\0\1n\1vDO 1"):
        client.command(b"\x03" + malformed)


@scenario()
def query_attributes_without_a_script(world: World) -> None:
    _all(world)


@scenario(script=_SCRIPT)
def query_attributes_and_a_script(world: World) -> None:
    _all(world)


@scenario(script=_SCRIPT, profiling=False)
def query_attributes_and_a_script_that_is_not_asked(world: World) -> None:
    _all(world)


_PARK = """
def connect_server(proxy):
    proxy.connection.backend_ndx = 0
    if proxy.connection.server is not None:
        return proxy.PROXY_IGNORE_RESULT

def disconnect_client(proxy):
    proxy.connection.backend_ndx = -1
"""


@scenario(script=_PARK)
def a_pooled_connection_is_for_clients_of_its_kind(world: World) -> None:
    for capabilities in (_WITH, None, _WITH):
        client = world.client(capabilities=capabilities)
        client.query("DO 1")
        client.quit()
