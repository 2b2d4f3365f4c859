"""The script itself: its life, its errors, its output."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import FakeServer, Result


def _server() -> list[FakeServer]:
    return [FakeServer().on("SELECT 40 + 2", Result([("n", 8)], [(42,)]))]


def _query_twice(world: World) -> None:
    client = world.client()
    client.query("SELECT 40 + 2")
    client.query("SELECT 40 + 2")


_QUEUEING = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, True)
    return proxy.PROXY_SEND_QUERY
"""

# What a hook does, by the name of the scenario.
_WAYS = {
    "value_error": "raise ValueError('hidden')",
    "system_exit": "raise SystemExit(3)",
    "keyboard_interrupt": "raise KeyboardInterrupt",
    "chained": "\n    try: 1 / 0\n    except ZeroDivisionError as e: raise KeyError('k') from e",
    "text": "return 'query'",
    "number": "return 17",
    "three": "return 3",
    "bool": "return True",
    "float": "return 2.0",
    "huge": "return 1 << 80",
    "zero": "return 0",
    "send_query": "return proxy.PROXY_SEND_QUERY",
    "ignore": "return proxy.PROXY_IGNORE_RESULT",
    "send_result": "return proxy.PROXY_SEND_RESULT",
    "attribute_error": "proxy.no_such_thing",
    "long_repr": "return 'x' * 300",
}
for _name, _body in _WAYS.items():
    for _hook in ("read_query", "read_query_result", "disconnect_client"):
        for _policy in ("reject", "forward"):

            def _ways(world: World) -> None:
                _query_twice(world)

            _ways.__name__ = f"{_hook}_{_name}_{_policy}"
            _first = _QUEUEING if _hook == "read_query_result" else ""
            _arguments = {"read_query": ", packet", "read_query_result": ", inj"}.get(_hook, "")
            scenario(
                f"{_first}\ndef {_hook}(proxy{_arguments}): {_body}\n",
                servers=_server,
                on_script_error=_policy,
            )(_ways)


@scenario(
    """
    print("loading", proxy, proxy.COM_QUERY, proxy.connection, __name__)
    import pyproxy, sys
    print(pyproxy.PROXY_VERSION >= 0x00501, pyproxy.Proxy is type(proxy), sys.argv[0].split("/")[-1])

    def init(p):
        print("init", p is proxy, p.connection, p.queries, p.response, len(p.globals.backends))
        print(p.globals.config.profiling, p.globals.config.on_script_error)

    def shutdown(p):
        print("shutdown", p is proxy)

    def read_query(p, packet):
        print(p is proxy, isinstance(p, pyproxy.Proxy), type(p.connection).__name__, p.COM_QUERY)
    """,
    servers=_server,
)
def the_life_of_a_script(world: World) -> None:
    _query_twice(world)


@scenario("def shutdown(proxy): raise ValueError('at the end')", servers=_server)
def shutdown_raises(world: World) -> None:
    _query_twice(world)


@scenario("read_query = 5\ndisconnect_client = None\n", servers=_server)
def hooks_that_are_no_functions(world: World) -> None:
    _query_twice(world)


@scenario(
    """
    import logging
    from pyproxy import chassis

    def read_query(proxy, packet):
        logging.debug("debug %s", 1)
        logging.info("info")
        logging.getLogger("mine").warning("warning")
        logging.error("error")
        for level in ("error", "critical", "warning", "message", "info", "debug"):
            chassis.log(level, level)
        chassis.warning(packet)
        try:
            chassis.log("loud", "x")
        except ValueError as error:
            print(error)
        stats = chassis.get_stats()
        print(sorted(stats), stats["queries"], stats["read_query.calls"], stats["connections"])
    """,
    servers=_server,
)
def logging_and_the_chassis(world: World) -> None:
    _query_twice(world)


@scenario(
    """
    def read_query(proxy, packet):
        print("read_query")

    def read_query_result(proxy, inj):
        print("read_query_result")

    def read_auth(proxy):
        print("read_auth")
    """,
    servers=_server,
    profiling=False,
)
def without_profiling(world: World) -> None:
    _query_twice(world)


@scenario(
    """
    class Hook:
        calls = 0

        def __call__(self, proxy, packet):
            self.calls += 1
            print(self.calls, packet)

    read_query = Hook()
    """,
    servers=_server,
)
def a_hook_is_anything_that_can_be_called(world: World) -> None:
    client = world.client()
    for packet in (b"\x03SELECT 40 + 2", b"\x0e", b"\x03", b"\x03\0\xff"):
        client.command(packet)
