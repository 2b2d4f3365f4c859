"""Texts that are hard to read, and the same texts as anybody reads them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from pyproxy._native import SqlToken

__all__ = ["expression", "plain", "string"]

# Each has a meaning of its own, or one with another beside it.
_PIECES = [
    *(b"1", b"0", b"12", b"1.5", b".5", b"1.", b".", b"..", b"1e5", b"1e", b"e5", b"1a", b"0x41"),
    *(b"0x", b"0b1", b"0b", b"0X41", b"x'41'", b"x'4'", b"X'4a'", b"b'01'", b"b'2'", b"N'a'"),
    *(b"n'", b"'a'", b"''", b"'", b'"a"', b'""', b'"', b"`a`", b"`", b"\\", b"\\N", b"\\'"),
    *(b"a", b"b", b"_utf8", b"_latin1'a'", b"_", b"$", b"a$", b"$$", b"NULL", b"AS", b"NOW", b"HEX"),
    *(b"@", b"@a", b"@'a'", b"@`a`", b"@@", b"@@version", b"@@session", b".sql_mode", b"@@global"),
    *(b"/*", b"*/", b"/*!", b"/*!50000", b"/*!50700", b"/*!999999", b"/*!99999", b"/*!100100", b"!"),
    *(b"/*M!", b"/*M!100100", b"/*M!999999", b"/*!090000", b"/*!090700 ", b"/*+", b"M", b"/", b"*"),
    *(b"--", b"-- ", b"--\t", b"--\x01", b"--\x7f", b"--\n", b"-", b"->", b"->>", b"#", b"\n"),
    *(b"+", b"<", b">", b"=", b"<=>", b"<=", b"<>", b"!=", b"<<", b">>", b"||", b"&&", b"|", b"&"),
    *(b":=", b":", b"(", b")", b"(", b")", b",", b",", b";", b"\0", b"\x01", b"\x0b", b"%", b"~"),
    *(b"\xbf", b"\xbf\\", b"\xbf'", b"\xbf`", b"\x95\\", b"\x81\x30", b"\x81\x30\x81\x30", b"\xa1"),
    *(b"\xe4\xb8\xad", b"\xe4", b"\xc3\xa9", b"\xa0", b"\xe9", b"\xff", b"\x80", b"\xa5\x5c", b"\xfe"),
]
_INSIDE = [
    *(b"a", b"b", b"0", b"n", b"t", b"Z", b"%", b"_", b"\\", b"\\", b"\\", b"'", b"''", b'"', b'""', b"`"),
    *(b"\\'", b'\\"', b"\\\\", b"\\0", b"\\n", b"\\r", b"\\b", b"\\t", b"\\Z", b"\\%", b"\\_", b"\\x"),
    *(b"\0", b"\n", b"\r", b" ", b"-- ", b"/*", b"*/", b"#", b";", b"\x1a", b"\xbf", b"\xbf\\", b"\xbf'"),
    *(b"\x95\\", b"\x81\x30\x81\x30", b"\x81\x30", b"\xe4\xb8\xad", b"\xe4", b"\xc3\xa9", b"\xa5", b"\\\xbf"),
]
# Operators of more than one byte. MySQL takes more bytes for one token, and means the first.
_LONG = (b"<=>", b"<=", b"<>", b"<<", b">=", b">>", b"!=", b"||", b"&&", b"->", b"->>", b"..")


def expression(choose: random.Random) -> bytes:
    """A SELECT of pieces, of which many make no sense together."""
    pieces = choose.choices(_PIECES, k=choose.randint(1, 7))
    between = choose.choice([b"", b"", b" "])
    start = choose.choice([b"SELECT ", b"SELECT 1 ", b"SELECT 1,", b"SELECT", b"SELECT 1=", b"SELECT HEX("])
    return start + between.join(pieces) + choose.choice([b"", b"", b" 1", b"'", b"*/", b"\n", b")", b";", b"\0"])


def string(choose: random.Random) -> bytes:
    """A string, or what looks like one."""
    quote = choose.choice([b"'", b"'", b'"'])
    inside = b"".join(choose.choices(_INSIDE, k=choose.randint(0, 6)))
    return quote + inside + quote


def plain(tokens: Iterable[SqlToken], charset: str | None) -> bytes:
    """The text of the tokens so that there are no two ways to read it.

    With `charset`, strings are written as hex literals of it; without, each is replaced by another.
    """
    parts: list[bytes] = []
    behind_dot = False
    for token in tokens:
        kind, raw = token.kind, token.raw
        if kind in ("comment", "skipped_version", "open_version", "close_version", "hint"):
            continue
        if kind == "string":
            raw = b"'q'" if charset is None else f"_{charset} x'{token.value.hex()}'".encode()
        elif kind == "word" and behind_dot:
            raw = b"`" + raw + b"`"
        elif kind == "null":
            raw = b"NULL"
        elif kind == "symbol" and raw not in _LONG:
            raw = raw[:1]
        elif kind == "dot":
            # Between blanks there would be a number instead of a name.
            raw = b" . "
        parts.append(raw)
        behind_dot = kind == "dot"
    return b" ".join(parts)
