"""The library in the plugin: how it is found, what it leaves alone, settings from a file."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest
from support.proxy import Proxy

StartProxy = Callable[..., Proxy]


def test_modules_are_carried_by_the_plugin(start_proxy: StartProxy) -> None:
    proxy = start_proxy(
        """
        import inspect
        import pyproxy
        from pyproxy import settings
        print(pyproxy.__file__, settings.__file__)
        print("source", "def section" in inspect.getsource(settings))
        print("constant", pyproxy.COM_QUERY, isinstance(proxy, pyproxy.Proxy))
        """
    )
    assert proxy.stdout() == (
        "libpyproxy.so/pyproxy/__init__.py libpyproxy.so/pyproxy/settings.py\n"
        "source True\nconstant 3 True\n"
    )


def test_tracebacks_show_the_lines_of_the_library(start_proxy: StartProxy) -> None:
    proxy = start_proxy(
        """
        from pyproxy.proxy_utils import get_query_type

        def read_query(proxy, packet):
            get_query_type(b"")
        """
    )
    proxy.criticals_expected = True
    with pytest.raises(pymysql.OperationalError, match="read_query failed"):
        proxy.connect()
    proxy.wait_for_log('File "libpyproxy.so/pyproxy/proxy_utils.py", line')
    assert "    return packet[0]" in proxy.log()


def test_installed_packages_are_not_hidden(start_proxy: StartProxy) -> None:
    proxy = start_proxy(
        """
        import mysql.connector
        from mysql import proto
        import proxy.own, proxy.tokenizer
        import pyproxy.proto, pyproxy.tokenizer
        print(mysql.connector.WHO, proto is pyproxy.proto)
        print(proxy.own.WHO, proxy.tokenizer is pyproxy.tokenizer)
        """,
        files={
            "mysql/__init__.py": "",
            "mysql/connector.py": "WHO = 'the real one'",
            "proxy/__init__.py": "",
            "proxy/own.py": "WHO = 'the user'",
        },
    )
    assert proxy.stdout() == "the real one True\nthe user True\n"


def test_fields_are_pickled_for_other_processes_and_by_them(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    file = tmp_path / "field"
    proxy = start_proxy(
        f"""
        import pickle
        from pathlib import Path

        file = Path({str(file)!r})

        def read_query(proxy, packet):
            proxy.queries.append(1, packet, resultset_is_needed=True)
            return proxy.PROXY_SEND_QUERY

        def read_query_result(proxy, inj):
            for field in inj.resultset.fields or ():
                if field.name == "out":
                    file.write_bytes(pickle.dumps(field))
                elif field.name == "in":
                    restored = pickle.loads(file.read_bytes())
                    proxy.response = {{
                        "type": proxy.MYSQLD_PACKET_OK,
                        "resultset": {{"fields": [restored], "rows": [("x",)]}},
                    }}
                    return proxy.PROXY_SEND_RESULT
        """
    )
    with proxy.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'a' AS `out`")
        field = pickle.loads(file.read_bytes())
        assert (field.name, field.type) == ("out", 253)
        file.write_bytes(pickle.dumps(field))
        cursor.execute("SELECT 1 AS `in`")
        assert cursor.description[0][0] == "out"
        assert cursor.fetchall() == (("x",),)


def test_former_names_need_no_package(start_proxy: StartProxy) -> None:
    proxy = start_proxy(
        """
        import chassis, glib2, proxy_utils, rw_splitting
        import mysql.password, mysql.proto, mysql.tokenizer
        import proxy.auto_config, proxy.balance, proxy.commands, proxy.parser, proxy.tokenizer
        import pyproxy.hooks.rw_splitting
        print(rw_splitting is pyproxy.hooks.rw_splitting)
        print(proxy.PROXY_SEND_QUERY, proxy.globals.backends[0].type)
        """
    )
    assert proxy.stdout() == "True\n1 1\n"


def test_settings_come_from_the_proxys_own_ini_file(
    start_proxy: StartProxy, tmp_path: Path
) -> None:
    script = """
        from pyproxy.settings import raw, section
        settings = section("mine", count=1, ratio=0.5, on=False, names=(), text="x", left=7)
        print(settings.count, settings.ratio, settings.on, settings.names, settings.text, settings.left)
        print(proxy.globals.config.mine is settings, raw("rules"), raw("none"))
        """
    ini = """
        [mysql-proxy]
        keepalive = true
        # a comment
        [mine]
        count = 3
        ratio = 1
        on = true
        names = a, b
        text = 100% of x=y; z
        [rules]
        A.b = c
        """
    proxy = start_proxy(script, config=ini)
    assert proxy.stdout() == ("3 1.0 True ('a', 'b') 100% of x=y; z 7\nTrue {'A.b': 'c'} {}\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[mine]\ncount = many", "[mine] count=many: expected a whole number"),
        ("[mine]\ncuont = 1", "[mine] cuont=1: there is no such setting: did you mean count?"),
        ("count = 1", "File contains no section headers"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    start_proxy: StartProxy, text: str, complaint: str
) -> None:
    script = "from pyproxy.settings import section\nsection('mine', count=1)\n"
    with pytest.raises(RuntimeError) as error:
        start_proxy(script, config=text)
    (line,) = [line for line in str(error.value).splitlines() if "pyproxy-script-config=" in line]
    assert complaint in line
