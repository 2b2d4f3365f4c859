"""pyproxy.balance with the pools of a real proxy."""

from __future__ import annotations

from collections.abc import Callable

from support.mariadb import MariaDb
from support.proxy import Proxy
from support.whoami import rows

SCRIPT = """
    from pyproxy import balance, commands

    def connect_server(proxy):
        # A new connection, to the first backend that has none to spare.
        for backend in proxy.globals.backends:
            if backend.pool.users[""].cur_idle_connections == 0:
                proxy.connection.backend_ndx = backend.ndx
                return

    def read_auth_result(proxy, auth):
        proxy.connection.backend_ndx = -1

    def read_query(proxy, packet):
        if packet[1:4] == b"SET":
            # What PyMySQL says first; a server would be attached for it.
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
        if commands.parse(packet).query == "WHERE":
            found = balance.idle_failsafe_rw(proxy), balance.idle_ro(proxy)
            proxy.response = {
                "type": proxy.MYSQLD_PACKET_OK,
                "resultset": {
                    "fields": [("rw", proxy.MYSQL_TYPE_LONG), ("ro", proxy.MYSQL_TYPE_LONG)],
                    "rows": [found],
                },
            }
            return proxy.PROXY_SEND_RESULT
        proxy.connection.backend_ndx = balance.idle_failsafe_rw(proxy)
"""


def test_idle_connections_of_the_user_are_found(
    start_proxy: Callable[..., Proxy], mariadb: MariaDb, replica: MariaDb
) -> None:
    mariadb.execute("CREATE USER IF NOT EXISTS v IDENTIFIED BY 'p'")
    replica.execute("CREATE USER IF NOT EXISTS v IDENTIFIED BY 'p'")
    proxy = start_proxy(SCRIPT, backends=[mariadb], read_only=[replica])
    with proxy.connect() as one:
        assert rows(one, "WHERE") == [(0, -1)]
        with proxy.connect() as two:
            assert rows(two, "WHERE") == rows(one, "WHERE") == [(0, 1)]
            # The only idle connection of the primary is in use now.
            rows(two, "DO 1")
            assert rows(one, "WHERE") == [(-1, 1)]
        with proxy.connect(user="v") as stranger:
            assert rows(stranger, "WHERE") == [(0, -1)]
