"""Clients with DEPRECATE_EOF, whose results end with an OK: what they get is what they get directly, byte for byte."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import pymysql
import pytest
from pymysql.constants import CLIENT
from support.mariadb import PASSWORD, USER, MariaDb
from support.proxy import Proxy

DEPRECATE_EOF = 1 << 24
PREPARE, EXECUTE, FETCH, RESET = b"\x16", b"\x17", b"\x1c", b"\x1a"
# What separates the end of an answer from a pause in it, without a proxy, in seconds.
PAUSE = 0.2

KEEPS = """
def read_query(proxy, packet):
    proxy.queries.append(1, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY
"""
READS = (
    KEEPS
    + """
def read_query_result(proxy, inj):
    for result in inj.resultsets:
        assert result.rows is None or len(list(result.rows)) == result.row_count
"""
)
REMAKES = (
    KEEPS
    + """
def read_query_result(proxy, inj):
    result = inj.resultset
    if result.fields is None or result.error is not None or len(inj.resultsets) != 1:
        return
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultset": {"fields": result.fields, "rows": list(result.rows)},
        "server_status": int(result.flags),
        "warnings": result.warning_count,
    }
    return proxy.PROXY_SEND_RESULT
"""
)


class Client(pymysql.Connection):
    """Logs in and leaves everything else to the test."""

    def __init__(self, port: int) -> None:
        flags = DEPRECATE_EOF | CLIENT.MULTI_STATEMENTS | CLIENT.PS_MULTI_RESULTS
        super().__init__(
            host="127.0.0.1",
            port=port,
            user=USER,
            password=PASSWORD,
            database="test",
            client_flag=flags,
            autocommit=None,
            read_timeout=20,
        )

    def set_character_set(self, *_names: object) -> None:
        """Sends nothing."""

    def ask(self, command: bytes, length: int | None) -> bytes:
        """The answer to a command: so many bytes, or what comes until a pause."""
        stream: socket.socket = self._sock
        stream.sendall(struct.pack("<I", len(command)) + command)
        answer = b""
        stream.settimeout(20)
        while length is None or len(answer) < length:
            try:
                got = stream.recv(1 << 16)
            except TimeoutError:
                break
            assert got, "the connection ended"
            answer += got
            stream.settimeout(PAUSE if length is None else 20)
        return answer


def answers(port: int, lengths: list[int] | None) -> list[bytes]:
    """The answers to a session of all kinds of commands."""
    client = Client(port)
    seen: list[bytes] = []

    def ask(command: bytes) -> bytes:
        answer = client.ask(command, lengths[len(seen)] if lengths else None)
        # Each server connection numbers its statements from anywhere.
        is_statement = command[:1] == PREPARE and answer[4] == 0
        seen.append(answer[:5] + bytes(4) + answer[9:] if is_statement else answer)
        return answer

    for sql in (b"SELECT 1, NULL", b"SELECT 1; SELECT 2; DO 1", b"SELECT * FROM missing"):
        ask(b"\x03" + sql)
    prepared = ask(PREPARE + b"SELECT ?, b FROM ends ORDER BY a")
    statement = prepared[5:9]
    seven = b"\0\1\x08\0" + struct.pack("<q", 7)
    ask(EXECUTE + statement + b"\0\1\0\0\0" + seven)
    ask(EXECUTE + statement + b"\1\1\0\0\0" + seven)
    for _ in range(3):
        ask(FETCH + statement + b"\2\0\0\0")
    ask(RESET + statement)
    ask(PREPARE + b"DO ?")
    call = ask(PREPARE + b"CALL ends_with(@x)")
    ask(EXECUTE + call[5:9] + b"\0\1\0\0\0")
    ask(b"\x04ends\0")
    ask(b"\x0e")
    ask(b"\x03SELECT 'in step'")
    client.close()
    return seen


@pytest.fixture(scope="module")
def directly(mariadb: MariaDb) -> list[bytes]:
    """The answers without a proxy."""
    mariadb.execute(
        "CREATE TABLE test.ends (a INT PRIMARY KEY, b VARCHAR(10))",
        "INSERT INTO test.ends VALUES (1, 'x'), (2, 'y'), (3, NULL), (4, 'z'), (5, 'w')",
        "CREATE PROCEDURE test.ends_with(OUT p INT) BEGIN SET p = 3; SELECT 1; END",
    )
    seen = answers(mariadb.port, None)
    # Number of columns, one definition, one row and the OK at the end: no EOF between.
    assert [seen[-1][0], *seen[-1].split(b"in step")[-1][4:5]] == [1, 0xFE]
    return seen


@pytest.mark.parametrize("script", [None, KEEPS, READS, REMAKES])
def test_answers_are_those_of_the_server(
    start_proxy: Callable[..., Proxy], directly: list[bytes], script: str | None
) -> None:
    proxy = start_proxy(script)
    lengths = [len(answer) for answer in directly]
    assert answers(proxy.port, lengths) == directly


def test_what_a_script_makes_has_the_form_that_the_client_reads(
    start_proxy: Callable[..., Proxy],
) -> None:
    proxy = start_proxy(
        """
        def read_query(proxy, packet):
            if packet[0] == proxy.COM_QUERY:
                fields = [("a", proxy.MYSQL_TYPE_STRING)]
                proxy.response = {"type": 0, "resultset": {"fields": fields, "rows": [["x"]]}}
                return proxy.PROXY_SEND_RESULT
        """
    )
    client = Client(proxy.port)
    answer = client.ask(b"\x03SELECT 1", None)
    first_bytes = []
    while answer:
        length = int.from_bytes(answer[:3], "little")
        first_bytes.append(answer[4])
        answer = answer[4 + length :]
    assert first_bytes == [1, 3, 1, 0xFE]
    client.close()
