"""Answers that a script makes: what they are on the wire, and what is said about wrong ones."""

from __future__ import annotations

from harness.scenario import World, scenario
from pyproxy.testing import Error, FakeServer, Result

_ANSWERING = """
import datetime, decimal
def read_query(proxy, packet):
    if b"mine" not in packet:
        return None
    OK, ERR, RAW = proxy.MYSQLD_PACKET_OK, proxy.MYSQLD_PACKET_ERR, proxy.MYSQLD_PACKET_RAW
    STRING, LONG = proxy.MYSQL_TYPE_STRING, proxy.MYSQL_TYPE_LONG
    field = ("a", STRING)
    proxy.response = {response}
    return proxy.PROXY_SEND_RESULT
"""

_RIGHT = {
    "ok": "{'type': OK}",
    "ok_with_counts": "{'type': OK, 'affected_rows': 300, 'insert_id': 1 << 40, 'warnings': 2}",
    "ok_with_status": "{'type': OK, 'server_status': 3}",
    "err_by_default": "{'type': ERR}",
    "err": "{'type': ERR, 'errmsg': 'nö', 'errcode': 1146, 'sqlstate': '42S02'}",
    "err_of_600": "{'type': ERR, 'errmsg': 'x' * 600}",
    "raw": "{'type': RAW, 'packets': [b'\\0\\0\\0\\x02\\0\\0\\0']}",
    "raw_one": "{'type': RAW, 'packets': '\\0\\x01\\0\\x02\\0\\0\\0'}",
    "cells": "{'type': OK, 'resultset': {'fields': [field] * 6, "
    "'rows': [[b'a\\0b', 'ä', None, '', True, 1 << 70]]}}",
    "numbers": "{'type': OK, 'resultset': {'fields': [('n', LONG), ('d', 5), ('x', 246)], "
    "'rows': ((n, n / 4, decimal.Decimal(n) / 8) for n in range(3))}}",
    "dates": "{'type': OK, 'resultset': {'fields': [('d', 10), ('t', 12), ('s', 11), ('c', 11)], "
    "'rows': [(datetime.date(1, 2, 3), datetime.datetime(2020, 1, 2, 3, 4, 5, 6), "
    "-datetime.timedelta(days=2, seconds=3, microseconds=5), datetime.time(1, 2, 3))]}}",
    "no_rows": "{'type': OK, 'resultset': {'fields': [field], 'rows': ()}, 'warnings': 7}",
    "field_mappings": "{'type': OK, 'resultset': {'rows': [(1, 2)], 'fields': ["
    "dict(name='n', type=3, table='t', org_table='o', database='d', org_name='m', charset=8, "
    "length=7, flags=1, decimals=2), {'name': b'only'}]}}",
    "every_type": "{'type': OK, 'resultset': {'rows': [], 'fields': [(str(n), n) for n in "
    "(*range(17), *range(242, 256))]}}",
    "latin1": "{'type': OK, 'resultset': {'rows': [('é€',)], "
    "'fields': [dict(name='l', type=253, charset=8)]}}",
    "other_objects": "{'type': OK, 'resultset': {'rows': [(1j,), ([1, 2],), (bytearray(b'x'),)], "
    "'fields': [field]}}",
    "more_keys": "{'type': OK, 'unknown': 5}",
}

_WRONG = {
    "empty": "{}",
    "type_none": "{'type': None}",
    "type_text": "{'type': 'OK'}",
    "type_unknown": "{'type': 77}",
    "type_huge": "{'type': 1 << 80}",
    "resultset_number": "{'type': OK, 'resultset': 5}",
    "resultset_empty": "{'type': OK, 'resultset': {}}",
    "no_rows_key": "{'type': OK, 'resultset': {'fields': [field]}}",
    "no_fields_key": "{'type': OK, 'resultset': {'rows': []}}",
    "fields_empty": "{'type': OK, 'resultset': {'fields': [], 'rows': []}}",
    "fields_text": "{'type': OK, 'resultset': {'fields': 'ab', 'rows': []}}",
    "field_number": "{'type': OK, 'resultset': {'fields': [3], 'rows': []}}",
    "field_of_one": "{'type': OK, 'resultset': {'fields': [('a',)], 'rows': []}}",
    "field_type_text": "{'type': OK, 'resultset': {'fields': [('a', 'text')], 'rows': []}}",
    "field_type_large": "{'type': OK, 'resultset': {'fields': [('a', 256)], 'rows': []}}",
    "field_without_name": "{'type': OK, 'resultset': {'fields': [{'type': 3}], 'rows': []}}",
    "rows_text": "{'type': OK, 'resultset': {'fields': [field], 'rows': 'abc'}}",
    "row_number": "{'type': OK, 'resultset': {'fields': [field], 'rows': [5]}}",
    "row_text": "{'type': OK, 'resultset': {'fields': [field], 'rows': ['ab']}}",
    "row_short": "{'type': OK, 'resultset': {'fields': [field] * 2, 'rows': [(1, 2), (1,)]}}",
    "row_long": "{'type': OK, 'resultset': {'fields': [field], 'rows': [(1,), (1, 2)]}}",
    "rows_raise": "{'type': OK, 'resultset': {'fields': [field], "
    "'rows': ((1 / (2 - n),) for n in range(9))}}",
    "rows_exit": "{'type': OK, 'resultset': {'fields': [field], 'rows': (exit(n) for n in [1])}}",
    "nan": "{'type': OK, 'resultset': {'fields': [field], 'rows': [(float('nan'),)]}}",
    "infinity": "{'type': OK, 'resultset': {'fields': [field], 'rows': [(float('-inf'),)]}}",
    "decimal_nan": "{'type': OK, 'resultset': {'fields': [field], "
    "'rows': [(decimal.Decimal('NaN'),)]}}",
    "affected_negative": "{'type': OK, 'affected_rows': -1}",
    "insert_id_large": "{'type': OK, 'insert_id': 1 << 64}",
    "warnings_text": "{'type': OK, 'warnings': 'many'}",
    "status_more_results": "{'type': OK, 'server_status': 8}",
    "errcode_zero": "{'type': ERR, 'errcode': 0}",
    "errcode_large": "{'type': ERR, 'errcode': 70000}",
    "sqlstate_short": "{'type': ERR, 'sqlstate': 'HY'}",
    "errmsg_number": "{'type': ERR, 'errmsg': 5}",
    "packets_missing": "{'type': RAW}",
    "packets_empty": "{'type': RAW, 'packets': []}",
    "packets_with_number": "{'type': RAW, 'packets': [b'x', 5]}",
    "not_a_mapping": "5",
    "keys_not_text": "{1: 2}",
}


def _answers(world: World) -> None:
    client = world.client()
    client.query("mine")
    client.query("not by the script")
    client.query("mine")


for _name, _response in {**_RIGHT, **_WRONG}.items():
    _answers.__name__ = f"response_{_name}"
    scenario(_ANSWERING.replace("{response}", _response))(_answers)


@scenario(
    """
    def read_query(proxy, packet):
        r = proxy.response
        print(r, r.type, r.errmsg, dir(r))
        if b"set" in packet:
            r.type = proxy.MYSQLD_PACKET_ERR
            r.errmsg = "first"
            r.mine = 5
            print(r.mine, r)
            del r.mine
            print(hasattr(r, "mine"))
            return proxy.PROXY_SEND_RESULT
        proxy.response = {"type": 0, "affected_rows": 3}
        proxy.response = proxy.response
        return proxy.PROXY_SEND_RESULT
    """
)
def response_attributes(world: World) -> None:
    client = world.client()
    client.query("set")
    client.query("other")
    client.query("set")


@scenario(
    """
    def read_query(proxy, packet):
        print("server", proxy.connection.server.default_db)
        print("client", proxy.connection.client.default_db)
        if b"through" not in packet:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT
    """
)
def ok_to_everything(world: World) -> None:
    client = world.client(database="test")
    client.query("SELECT 1")
    client.command(b"\x02mysql")
    client.command(b"\x0e")
    client.query("through")


@scenario(
    """
    def read_query(proxy, packet):
        proxy.connection.connection_close = True
        print(proxy.connection.connection_close)
    """
)
def connection_close(world: World) -> None:
    client = world.client()
    client.query("SELECT 1")
    client.expect_closed()


@scenario(
    """
    def read_query(proxy, packet):
        if packet[0] == proxy.COM_QUIT:
            proxy.response.type = proxy.MYSQLD_PACKET_OK
            return proxy.PROXY_SEND_RESULT

    def disconnect_client(proxy):
        print("gone", proxy.connection.client.username, proxy.connection.server is None)
    """
)
def a_script_answers_quit(world: World) -> None:
    client = world.client()
    client.query("SELECT 1")
    client.quit()


@scenario(
    """
    ROWS = {"fields": [("a", 3)], "rows": [(1,)]}

    def read_query(proxy, packet):
        proxy.response.type = proxy.MYSQLD_PACKET_OK
        if b"made" in packet:
            if b"rows" in packet:
                proxy.response.resultset = ROWS
            if b"away" in packet:
                proxy.connection.backend_ndx = -1
            return proxy.PROXY_SEND_RESULT
        if b"SELECT" in packet:
            proxy.queries.append(1, packet, True)
            return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": ROWS}
        return proxy.PROXY_SEND_RESULT
    """,
    servers=lambda: [
        FakeServer()
        .on("SELECT", Result(["a"], [("x",)], status=0x0231))
        .on("bad", Error(1, "HY000", "x"))
    ],
)
def made_answers_have_the_status_of_the_connection(world: World) -> None:
    client = world.client()
    for sql in (
        "made",
        "BEGIN",
        "made",
        "made rows",
        "bad",
        "made",
        "SELECT",
        "made",
        "SET autocommit=0",
    ):
        client.query(sql)
    for sql in ("made", "made away", "made rows"):
        client.query(sql)


@scenario(
    """
    def read_auth(proxy):
        print(proxy.connection.client.username)

    def read_query(proxy, packet):
        print(proxy.connection.client.username, proxy.connection.server.username)
    """
)
def a_user_name_in_quotes(world: World) -> None:
    for user in ("'u'", "u", "''u''", "'", "''", "'u", '"u"'):
        world.client(user=user).query("SELECT 1")


@scenario(
    """
    import itertools
    ENDLESS = {"fields": [("a", 3)], "rows": itertools.repeat((1,))}

    def read_query(proxy, packet):
        if b"rows" in packet:
            proxy.response = {"type": proxy.MYSQLD_PACKET_OK, "resultset": ENDLESS}
            return proxy.PROXY_SEND_RESULT
        if b"packets" in packet:
            proxy.response = {"type": proxy.MYSQLD_PACKET_RAW, "packets": itertools.repeat(b"x")}
            return proxy.PROXY_SEND_RESULT
        proxy.queries.append(1, packet, True)
        proxy.queries.append(2, b"\x03other", True)
        return proxy.PROXY_SEND_QUERY

    def read_query_result(proxy, inj):
        print(inj.id, inj.resultset.row_count)
    """,
    servers=lambda: [
        FakeServer()
        .on("fits", Result(["a"], [(str(n),) for n in range(1000, 1040)]))
        .on("large", Result(["a"], [(str(n),) for n in range(1000, 2000)]))
    ],
    max_kept_bytes=4096,
)
def kept_results_and_made_answers_are_bounded(world: World) -> None:
    client = world.client()
    for sql in ("fits", "large", "fits", "endless rows", "endless packets", "fits"):
        client.query(sql)
