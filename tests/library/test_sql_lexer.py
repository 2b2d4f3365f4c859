"""The lexer beside servers: what it reads, and what it refuses, is what they read and refuse.

Texts are made at random, from pieces that are hard to read, always the same ones. Each is given to a server as it is, and as its
tokens say that it is meant. PYPROXY_SQL_SERVERS names more servers (`user:password@host:port`, several with blanks between), and
PYPROXY_SQL_TEXTS the number of texts for each server, sql_mode and character set.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from pyproxy._native import SqlToken, lex, shape
from support.mariadb import MariaDb
from support.sql_texts import expression, plain, string

_TEXTS = int(os.environ.get("PYPROXY_SQL_TEXTS", "60"))
_MODES = ("", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES")
_NUMBERS = ("integer", "decimal", "float")
_CHARSETS = ("utf8mb4", "latin1", "gbk", "big5", "sjis", "cp932", "gb18030")
_SYNTAX = 1064
# A server may find these before it has read all: they do not tell whether it would refuse the rest.
_EARLY = (1300, 3854, 1193, 1582)
_UNKNOWN_CHARSET = 1115
# Servers drop it, and go on with what is behind it.
_NO_EXPONENT = re.compile(rb"[0-9]*[.][0-9]*[eE]")


class Server:
    """A connection, and how the server reads on it."""

    def __init__(self, connection: pymysql.Connection) -> None:
        self._connection = connection
        # Names and cells are bytes here.
        connection.encoding = "latin1"
        self._version = connection.server_version
        self.charset = "utf8mb4"
        self._mode = ""

    def use(self, mode: str, charset: str) -> bool:
        """Sets both; False if the server does not know the character set."""
        self._mode, self.charset = mode, charset
        self.run(f"SET sql_mode = '{mode}'".encode())
        return self.run(f"SET NAMES {charset}".encode()) != _UNKNOWN_CHARSET

    def lex(self, sql: bytes) -> list[SqlToken]:
        return lex(
            sql,
            server=self._version,
            charset=self.charset,
            ansi_quotes="ANSI_QUOTES" in self._mode,
            no_backslash_escapes="NO_BACKSLASH_ESCAPES" in self._mode,
        )

    def run(self, sql: bytes) -> Any:
        """The number of an error, or the rows."""
        try:
            self._connection.query(sql)
        except pymysql.MySQLError as error:
            return error.args[0]
        return self._connection._result.rows


def _servers(mariadb: MariaDb) -> Iterator[Server]:
    yield Server(mariadb.connect())
    for address in os.environ.get("PYPROXY_SQL_SERVERS", "").split():
        account, _, place = address.rpartition("@")
        user, _, password = account.partition(":")
        host, _, port = place.rpartition(":")
        yield Server(
            pymysql.connect(
                host=host, port=int(port), user=user, password=password, database="test"
            )
        )


def _settings(mariadb: MariaDb) -> Iterator[Server]:
    """Each server with each sql_mode and character set."""
    for server in _servers(mariadb):
        for mode in _MODES:
            for charset in _CHARSETS:
                if server.use(mode, charset):
                    yield server


def _is_refused(answer: object) -> bool:
    return answer == _SYNTAX


def _difference(server: Server, sql: bytes) -> str | None:
    """What the server reads otherwise; None if there is nothing."""
    tokens = server.lex(sql)
    answer = server.run(sql)
    if tokens and _NO_EXPONENT.match(tokens[-1].raw) and tokens[-1].kind == "invalid":
        return None
    if tokens and tokens[-1].kind in ("unterminated", "invalid"):
        # Before it came to the end it may have found another mistake, such as an unknown variable.
        return None if isinstance(answer, int) else f"it takes what is refused: {answer}"
    meant = server.run(plain(tokens, None))
    if answer in _EARLY or meant in _EARLY:
        return None
    if _is_refused(answer) != _is_refused(meant):
        return f"{answer}, but {meant} to {plain(tokens, None)!r}"
    values = server.run(plain(tokens, server.charset))
    if isinstance(answer, tuple) and isinstance(values, tuple) and answer != values:
        return f"{answer}, but {values} to {plain(tokens, server.charset)!r}"
    return None


def test_texts_are_read_as_servers_read_them(mariadb: MariaDb) -> None:
    choose = random.Random(1)
    differences = []
    for server in _settings(mariadb):
        for sql in [expression(choose) for _ in range(_TEXTS)]:
            difference = _difference(server, sql)
            if difference is not None:
                differences.append((server._version, server._mode, server.charset, sql, difference))
    assert not differences, "\n".join(map(repr, differences[:40])) + f"\n{len(differences)}"


def test_strings_are_equal_byte_by_byte(mariadb: MariaDb) -> None:
    choose = random.Random(2)
    compared = 0
    differences = []
    for server in _settings(mariadb):
        for text in [string(choose) for _ in range(_TEXTS)]:
            tokens = server.lex(text)
            sql = b"SELECT HEX(" + text + b")"
            if {token.kind for token in tokens} != {"string"}:
                continue
            answer = server.run(sql)
            expected = b"".join(token.value for token in tokens).hex().upper()
            if isinstance(answer, tuple):
                compared += 1
            if _is_refused(answer) or (isinstance(answer, tuple) and answer[0][0] != expected):
                differences.append(
                    (server._version, server._mode, server.charset, sql, answer, expected)
                )
    assert not differences, "\n".join(map(repr, differences[:40])) + f"\n{len(differences)}"
    assert compared > _TEXTS


@pytest.mark.parametrize(
    "literal", ["0x4", "0x41", "0x414", "x'414A'", "X''", "b'1'", "0b101", "b'100000001'"]
)
def test_hex_and_bit_literals_are_equal_byte_by_byte(mariadb: MariaDb, literal: str) -> None:
    for server in _servers(mariadb):
        [token] = server.lex(literal.encode())
        answer = server.run(f"SELECT HEX(CAST({literal} AS BINARY))".encode())
        assert answer == ((token.value.hex().upper(),),)


@pytest.mark.parametrize("no_backslash_escapes", [False, True])
def test_a_shape_is_read_as_its_text(no_backslash_escapes: bool) -> None:
    def read(sql: bytes | str, charset: str) -> list[tuple[str, bytes]]:
        tokens = lex(sql, charset=charset, no_backslash_escapes=no_backslash_escapes)
        return [("number" if token.kind in _NUMBERS else token.kind, token.raw) for token in tokens]

    shapes = 0
    for seed in range(20_000):
        sql, charset = expression(random.Random(seed)), ("utf8mb4", "gbk")[seed % 2]
        found = shape(sql, charset=charset, no_backslash_escapes=no_backslash_escapes)
        if found is None:
            continue
        shapes += 1
        was, now = read(sql, charset), read(found, charset)
        assert [kind for kind, _ in was] == [kind for kind, _ in now], (sql, found)
        for (kind, before), (_, after) in zip(was, now):
            assert before == after or (kind, after) in (("number", b"0"), ("string", b"''")), sql
    assert shapes > 5_000
