"""The PROXY commands of `pyproxy.auto_config` in a real proxy."""

from __future__ import annotations

from collections.abc import Callable

import pymysql
import pytest
from support.proxy import Proxy
from support.whoami import rows, value

SCRIPT = """
    from pyproxy import auto_config, commands
    from pyproxy.settings import section

    settings = section("mine", poll_every=5, is_on=False, text="a")

    def read_query(proxy, packet):
        decision = auto_config.handle(proxy, commands.parse(packet))
        if decision is not None:
            return decision
        if packet[1:] == b"SETTINGS":
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": [("s", proxy.MYSQL_TYPE_STRING)],
                    "rows": [(repr((settings.poll_every, settings.is_on, settings.text)),)],
                },
            }
            return proxy.PROXY_SEND_RESULT
"""
ALLOWED = "[auto_config]\nallowed_users = u\n"


def test_a_running_proxy_is_configured(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT, config=ALLOWED + "[mine]\npoll_every = 6\n")
    with proxy.connect() as client:
        assert rows(client, "PROXY SHOW CONFIG") == [
            ("auto_config", "allowed_users", "u", "tuple"),
            ("mine", "is_on", "false", "bool"),
            ("mine", "poll_every", "6", "int"),
            ("mine", "text", "a", "str"),
        ]
        rows(client, "PROXY SET GLOBAL mine.poll_every = 7")
        rows(client, "PROXY SET GLOBAL mine.is_on = true")
        rows(client, 'PROXY SET GLOBAL mine.text = "b; c"')
        assert value(client, "SETTINGS") == "(7, True, 'b; c')"
        rows(client, 'PROXY SAVE CONFIG INTO "saved.ini"')
        rows(client, "PROXY SET GLOBAL mine.text = ''")
        rows(client, 'PROXY LOAD CONFIG FROM "saved.ini"')
        assert value(client, "SETTINGS") == "(7, True, 'b; c')"
        with pytest.raises(pymysql.err.MySQLError, match="module mine has no option x"):
            rows(client, "PROXY SET GLOBAL mine.x = 1")
    saved = (proxy.folder / "saved.ini").read_text()
    again = start_proxy(SCRIPT, config=saved)
    with again.connect() as client:
        assert value(client, "SETTINGS") == "(7, True, 'b; c')"


def test_nobody_may_unless_told(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(SCRIPT)
    with proxy.connect() as client:
        for sql in ("PROXY SHOW CONFIG", "PROXY SAVE CONFIG INTO 'x'"):
            with pytest.raises(pymysql.OperationalError, match="allowed_users"):
                rows(client, sql)
        assert value(client, "SETTINGS") == "(5, False, 'a')"
    assert not (proxy.folder / "x").exists()
