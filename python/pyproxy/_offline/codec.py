"""Character sets: how the text of a column becomes `str`, and back.

Collation ids are those of MySQL and MariaDB. A server converts text to `character_set_results`, so all but UTF-8,
latin1 and binary are rare.
"""

from __future__ import annotations

from .wire.columns import Column

__all__ = ["BINARY", "decode", "encode"]

# Collation id of binary data, and of everything that is no text.
BINARY = 63

_ALWAYS_BYTES = {16, 242, 255}
_TEXT_OR_BYTES = {15, 249, 250, 251, 252, 253, 254}
_SURROGATES = "surrogateescape"


def _span(first: int, last: int) -> range:
    return range(first, last + 1)


# Python's name of the codec, and the collations it is for.
_CODECS: dict[str, tuple[int | range, ...]] = {
    "big5": (1, 84),
    "iso8859-2": (2, 9, 21, 27, 77),
    # What MySQL calls latin1 is Windows code page 1252.
    "cp1252": (5, 8, 15, 31, _span(47, 49), 94),
    "cp850": (4, 80),
    "hp-roman8": (6, 72),
    "koi8-r": (7, 74),
    "euc-jp": (12, 91, 97, 98),
    "shift-jis": (13, 88),
    "cp1251": (14, 23, _span(50, 52)),
    "iso8859-8": (16, 71),
    "tis-620": (18, 89),
    "euc-kr": (19, 85),
    "iso8859-13": (20, 41, 42, 79),
    "koi8-u": (22, 75),
    "gb2312": (24, 86),
    "iso8859-7": (25, 70),
    "cp1250": (26, 34, 44, 66, 99),
    "gbk": (28, 87),
    "cp1257": (29, 58, 59),
    "iso8859-9": (30, 78),
    "utf-16-be": (35, 54, 55, 90, _span(101, 124), _span(128, 151), 159, _span(2560, 3071)),
    "cp866": (36, 68),
    "mac-latin2": (38, 43),
    "mac-roman": (39, 53),
    "cp852": (40, 81),
    "utf-16-le": (56, 62),
    "cp1256": (57, 67),
    "utf-32-be": (60, 61, _span(160, 183), _span(3072, 3327)),
    "cp932": (95, 96),
    "gb18030": (_span(248, 250),),
}
_BY_COLLATION = {
    collation: name
    for name, spans in _CODECS.items()
    for span in spans
    for collation in ((span,) if isinstance(span, int) else span)
}


def _name(column: Column) -> str | None:
    """Python's name of the codec for the cells of a column; None if they are shown as bytes."""
    if column.type in _ALWAYS_BYTES:
        return None
    if column.type in _TEXT_OR_BYTES and column.charset == BINARY:
        return None
    # MariaDB numbers the NO PAD variants from 1024 on.
    collation = column.charset - 1024 if 1024 <= column.charset < 2048 else column.charset
    return _BY_COLLATION.get(collation, "utf-8")


def decode(data: bytes, column: Column) -> str | bytes:
    """A cell for the script."""
    name = _name(column)
    return data if name is None else data.decode(name, _SURROGATES)


def encode(text: str, column: Column) -> bytes:
    """The bytes that a client expects for `text` in such a column."""
    return text.encode(_name(column) or "utf-8", _SURROGATES)
