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
    *(
        b"a",
        b"b",
        b"_utf8",
        b"_latin1'a'",
        b"_",
        b"$",
        b"a$",
        b"$$",
        b"NULL",
        b"AS",
        b"NOW",
        b"HEX",
    ),
    *(b"@", b"@a", b"@'a'", b"@`a`", b"@@", b"@@version", b"@@session", b".sql_mode", b"@@global"),
    *(
        b"/*",
        b"*/",
        b"/*!",
        b"/*!50000",
        b"/*!50700",
        b"/*!999999",
        b"/*!99999",
        b"/*!100100",
        b"!",
    ),
    *(b"/*M!", b"/*M!100100", b"/*M!999999", b"/*!090000", b"/*!090700 ", b"/*+", b"M", b"/", b"*"),
    *(b"--", b"-- ", b"--\t", b"--\x01", b"--\x7f", b"--\n", b"-", b"->", b"->>", b"#", b"\n"),
    *(b"+", b"<", b">", b"=", b"<=>", b"<=", b"<>", b"!=", b"<<", b">>", b"||", b"&&", b"|", b"&"),
    *(b":=", b":", b"(", b")", b"(", b")", b",", b",", b";", b"\0", b"\x01", b"\x0b", b"%", b"~"),
    *(b"\xbf", b"\xbf\\", b"\xbf'", b"\xbf`", b"\x95\\", b"\x81\x30", b"\x81\x30\x81\x30", b"\xa1"),
    *(
        b"\xe4\xb8\xad",
        b"\xe4",
        b"\xc3\xa9",
        b"\xa0",
        b"\xe9",
        b"\xff",
        b"\x80",
        b"\xa5\x5c",
        b"\xfe",
    ),
]
_INSIDE = [
    *(
        b"a",
        b"b",
        b"0",
        b"n",
        b"t",
        b"Z",
        b"%",
        b"_",
        b"\\",
        b"\\",
        b"\\",
        b"'",
        b"''",
        b'"',
        b'""',
        b"`",
    ),
    *(
        b"\\'",
        b'\\"',
        b"\\\\",
        b"\\0",
        b"\\n",
        b"\\r",
        b"\\b",
        b"\\t",
        b"\\Z",
        b"\\%",
        b"\\_",
        b"\\x",
    ),
    *(
        b"\0",
        b"\n",
        b"\r",
        b" ",
        b"-- ",
        b"/*",
        b"*/",
        b"#",
        b";",
        b"\x1a",
        b"\xbf",
        b"\xbf\\",
        b"\xbf'",
    ),
    *(
        b"\x95\\",
        b"\x81\x30\x81\x30",
        b"\x81\x30",
        b"\xe4\xb8\xad",
        b"\xe4",
        b"\xc3\xa9",
        b"\xa5",
        b"\\\xbf",
    ),
]
_COMMENTS = ("comment", "skipped_version", "open_version", "close_version", "hint")


def expression(choose: random.Random) -> bytes:
    """A SELECT of pieces, of which many make no sense together."""
    pieces = choose.choices(_PIECES, k=choose.randint(1, 7))
    between = choose.choice([b"", b"", b" "])
    start = choose.choice(
        [b"SELECT ", b"SELECT 1 ", b"SELECT 1,", b"SELECT", b"SELECT 1=", b"SELECT HEX("]
    )
    return (
        start
        + between.join(pieces)
        + choose.choice([b"", b"", b" 1", b"'", b"*/", b"\n", b")", b";", b"\0"])
    )


def string(choose: random.Random) -> bytes:
    """A string, or what looks like one."""
    quote = choose.choice([b"'", b"'", b'"'])
    inside = b"".join(choose.choices(_INSIDE, k=choose.randint(0, 6)))
    return quote + inside + quote


def plain(tokens: Iterable[SqlToken], charset: str | None) -> bytes:
    """The text of the tokens so that there are no two ways to read it.

    With `charset`, strings are written as hex literals of it; without, each is replaced by another.
    """
    shown = [token for token in tokens if token.kind not in _COMMENTS]
    out = b""
    for index, token in enumerate(shown):
        before = shown[index - 1] if index else None
        raw = token.raw
        # Only in front of a dot or a parenthesis it matters whether there is a blank.
        touches = before is not None and before.end == token.start
        if not (touches and (token.kind == "open_paren" or b"." in (raw, before and before.raw))):
            out += b" "
        if token.kind == "string":
            raw = b"'q'" if charset is None else f"_{charset} x'{token.value.hex()}'".encode()
        elif token.kind == "word" and before is not None and before.kind == "dot" and raw.isascii():
            raw = b"`" + raw + b"`"
        elif token.kind == "word" and _is_qualifier(token, shown[index + 1 : index + 3]):
            raw = b"`" + raw + b"`"
        elif token.kind == "null":
            raw = b"NULL"
        out += raw
    return out


def _is_qualifier(token: SqlToken, following: list[SqlToken]) -> bool:
    """Whether a dot and a name follow directly: then it is no keyword. An introducer is one even then."""
    if not token.raw.isascii() or token.raw[:1] == b"_":
        return False
    kinds = [other.kind for other in following if other.raw.isascii()]
    return kinds == ["dot", "word"] and token.end == following[0].start == following[1].start - 1
