"""The form that statements have in common which differ in their literals only, as a basis for permission.

This is not `pyproxy.tokenizer.normalize`, which keeps the oddities of an older tokenizer. Here a literal is folded only
where it is certain that the server sees the same literal, and that its value does not decide what the statement does:

* In SELECT, INSERT, UPDATE, DELETE and their like, each number becomes `?`, each string `'?'`, hexadecimal and binary
  literals `0x?` and `0b?`, and a list of one of them `?+`, `'?'+` and so on; in `IN (...)` one is a list, too. They
  differ, because a server compares a text, as `0x6162` is, with 0 in its own way: `password = 0` is true for most
  passwords. Comments go, blanks between words become one.
* In all other statements, and where a literal is code, a file, an account or a setting, literals stay.
* A statement that servers can read in different ways (versioned comments, hints, `#`, unterminated quotes, control
  characters) stays as it is, byte for byte, behind `= `.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pyproxy._native import SqlToken, lex

__all__ = [
    "DEFAULT_QUOTING",
    "Fingerprint",
    "Quoting",
    "fingerprint",
    "pieces",
    "without_comments",
]


class Fingerprint(NamedTuple):
    """What stands for a statement."""

    text: str
    # It runs a text that is not in it, such as that of a user variable.
    is_opaque: bool = False
    # It is kept byte for byte.
    is_verbatim: bool = False


class Quoting(NamedTuple):
    """How the server reads quotes, which depends on its sql_mode and on the clients' character sets."""

    ansi_quotes: bool = False
    no_backslash_escapes: bool = False
    # No client uses a character set whose characters can end in a backslash: GBK, GB18030, Big5, SJIS, CP932.
    safe_charset: bool = False


DEFAULT_QUOTING = Quoting()

# Statements whose literals are data.
_DATA_STATEMENTS = frozenset(
    (
        b"SELECT INSERT UPDATE DELETE REPLACE WITH VALUES TABLE CALL EXPLAIN DESCRIBE DESC"
        b" ANALYZE HANDLER DO KILL XA"
    ).split()
)
# SET of nothing but user variables, to nothing but literals.
_SETS_VARIABLES = re.compile(rb"SET @\w+ ?:?= ?-?\?(?: ?, ?@\w+ ?:?= ?-?\?)*\Z", re.IGNORECASE)
# Words that make a literal more than data, wherever they stand.
_LITERAL_MATTERS = re.compile(
    rb"(?<![\w.@])(?:INFILE|OUTFILE|DUMPFILE|LOAD_FILE|SQL_MODE|SONAME)(?!\w)"
    # A quoted user variable, or the host of an account.
    rb"|@\?",
    re.IGNORECASE,
)
# Text that is run as a statement, and the only form of it that shows the text.
_DYNAMIC = re.compile(
    rb"(?<![\w.@])(?:(?<!\bXA )PREPARE|EXECUTE IMMEDIATE|IMMEDIATE)(?!\w)", re.IGNORECASE
)
_SHOWN = re.compile(
    rb"(?:PREPARE (?:\w+|`) FROM|EXECUTE IMMEDIATE) ?\?(?: USING |;|\Z)", re.IGNORECASE
)
# Placeholders.
_LITERAL = r"(?:'\?'|0[xb]\?|(?<!['xb])\?)"
_LIST = re.compile(rf"({_LITERAL})(?: ?, ?\1)+(?!')")
_IN = re.compile(rf"(?<![\w.@`'\"])(IN ?\( ?{_LITERAL})(?= ?\))", re.IGNORECASE)
# Rows of the same form, of literals only.
_ROWS = re.compile(rf"(\({_LITERAL}\+?(?: ?, ?{_LITERAL}\+?)*\))(?: ?, ?\1)+")
_AMBIGUOUS_BYTES = re.compile(rb"[\x80-\xff][\\`]")
_BLANK = re.compile(rb"[ \t\r\n]*\Z")
# A comment that all servers, and all people, read the same.
_PLAIN_COMMENT = re.compile(rb"--(?:[ \t\r]|\Z)|--(?=\n)|/\*(?!.*/\*)", re.DOTALL)
_COMMENTS = ("comment", "skipped_version", "open_version", "close_version", "hint")
_LITERALS = frozenset(
    (
        *("string", "national_string", "quoted_name", "hex", "bits"),
        *("user_variable", "system_variable"),
    )
)
# With it MySQL may read other tokens than MariaDB does.
_DIALECT = re.compile(rb"\$|\.\.|[<>=!]{2}|[0-9][\x80-\xff]")
_SQL_MODE = re.compile(rb"SQL_MODE", re.IGNORECASE)
_SHORT = 4096
_NUMBER_KINDS = frozenset(("integer", "decimal", "float"))
# What stands for the value of a literal, by the kind of its piece.
_PLACEHOLDERS = {"single": b"'?'", "number": b"?", "hex": b"0x?", "bits": b"0b?"}
# What is one word if nothing is between, and what is part of one unless it has quotes.
_OF_WORDS = frozenset(("word", "dot", "integer", "decimal", "float"))
_MAYBE_QUOTED = frozenset(("user_variable", "system_variable", "hex", "bits"))
_SYMBOLS = frozenset(("comma", "open_paren", "close_paren", "assign", "symbol"))
_QUOTES = {b"'": "single", b'"': "double", b"`": "name"}
_QUOTED = re.compile(rb"['\"`]")
_MYSQL, _MARIADB = "9.7.0", "99.0.0-MariaDB"


def fingerprint(statement: bytes, quoting: Quoting = DEFAULT_QUOTING) -> Fingerprint:
    """What stands for `statement`, which is any bytes."""
    if len(statement) <= _SHORT:
        return _cached(statement, quoting)
    return _compute(statement, quoting)


def _compute(statement: bytes, quoting: Quoting) -> Fingerprint:
    folded = bytearray()
    kept = bytearray()
    words = bytearray()
    for kind, text in pieces(statement, quoting):
        if kind is None:
            return _verbatim(statement)
        if kind == "blank":
            if folded and folded[-1:] != b" ":
                for form in (folded, kept, words):
                    form += b" "
            continue
        literal = kind in _PLACEHOLDERS or (kind == "double" and not quoting.ansi_quotes)
        quoted_name = kind in ("name", "double") and not literal
        folded += _PLACEHOLDERS.get(kind, b"'?'") if literal else text
        kept += text
        words += b"?" if literal else b"`" if quoted_name else text
    is_opaque = any(not _SHOWN.match(words, found.start()) for found in _DYNAMIC.finditer(words))
    if not _literals_are_data(bytes(words)):
        return Fingerprint(_text(kept).rstrip("; "), is_opaque)
    lists = _IN.sub(r"\1+", _LIST.sub(r"\1+", _text(folded)))
    return Fingerprint(_ROWS.sub(r"\1", lists).rstrip("; "), is_opaque)


_cached = lru_cache(maxsize=4096)(_compute)


def without_comments(statement: bytes, quoting: Quoting = DEFAULT_QUOTING) -> list[str]:
    """The text with comments taken out and versioned comments opened: for searching, not for permission.

    Two texts, if what is a comment depends on the client's character set.
    """
    texts = [_without_comments(statement, quoting, "utf8mb4")]
    if not quoting.safe_charset and _AMBIGUOUS_BYTES.search(statement):
        texts.append(_without_comments(statement, quoting, "gbk"))
    return texts


def _without_comments(statement: bytes, quoting: Quoting, charset: str) -> str:
    parts = bytearray()
    end = 0
    for token in _lex(statement, quoting, charset=charset):
        parts += statement[end : token.start]
        parts += b" " if token.kind in _COMMENTS else token.raw
        end = token.end
    parts += statement[end:]
    return " ".join(_text(parts).split())


def pieces(statement: bytes, quoting: Quoting) -> Iterator[tuple[str | None, bytes]]:
    """The tokens by kind; kind None where the text has no certain meaning.

    Kinds: `blank` (comments, too), `single` and `double` (quotes), `name` (in backticks), `number`, `hex` and `bits`
    (`0x..`, `0b..`), `word` (with its dots and `@`), `symbol`, `semicolon`.
    """
    if _changes_reading(statement):
        yield None, statement
        return
    if not quoting.safe_charset and _AMBIGUOUS_BYTES.search(statement):
        yield None, statement
        return
    tokens = _lex(statement, quoting, _MARIADB)
    if _DIALECT.search(statement) and _places(tokens) != _places(_lex(statement, quoting, _MYSQL)):
        yield None, statement
        return
    end = 0
    # Of the word that is not yet given out, which may be a number.
    word: list[SqlToken] = []
    for token in tokens:
        kind, start, raw = token.kind, token.start, token.raw
        is_of_word = kind in _OF_WORDS or (kind in _MAYBE_QUOTED and not _QUOTED.search(raw))
        if word and (start != end or not is_of_word):
            yield _word(statement, word)
            word = []
        if start != end:
            yield _blank(statement[end:start])
        end = token.end
        if is_of_word:
            word.append(token)
        elif kind == "comment":
            yield ("blank" if _PLAIN_COMMENT.match(raw) else None), raw
        elif kind in _SYMBOLS:
            yield "symbol", raw
        elif kind == "semicolon":
            yield "semicolon", raw
        else:
            yield from _literal(kind, raw)
    if word:
        yield _word(statement, word)
    if end < len(statement):
        yield _blank(statement[end:])


def _lex(
    statement: bytes, quoting: Quoting, server: str | None = None, charset: str = "utf8mb4"
) -> list[SqlToken]:
    return lex(
        statement,
        server=server,
        charset=charset,
        ansi_quotes=quoting.ansi_quotes,
        no_backslash_escapes=quoting.no_backslash_escapes,
    )


def _changes_reading(statement: bytes) -> bool:
    """Whether another statement follows one that may set the sql_mode: it is read by the new one."""
    found = _SQL_MODE.search(statement)
    end = statement.find(b";", found.end()) if found else -1
    return end >= 0 and bool(statement[end:].strip(b"; \t\r\n"))


def _places(tokens: list[SqlToken]) -> list[tuple[str, int]]:
    # It makes no difference to the text whether `->` is one symbol or two.
    return [(token.kind, token.end) for token in tokens if token.kind != "symbol"]


def _blank(text: bytes) -> tuple[str | None, bytes]:
    return ("blank" if _BLANK.match(text) else None), text


def _word(statement: bytes, tokens: list[SqlToken]) -> tuple[str, bytes]:
    """Tokens without anything between, of which one alone can be a number."""
    text = statement[tokens[0].start : tokens[-1].end]
    if len(tokens) > 1:
        return "word", text
    kind = tokens[0].kind
    return kind if kind in ("hex", "bits") else "number" if kind in _NUMBER_KINDS else "word", text


def _literal(kind: str, raw: bytes) -> Iterator[tuple[str | None, bytes]]:
    """What has quotes, and what is in front of them: `x'41'`, `N'a'`, `@'a'`."""
    found = _QUOTED.search(raw)
    if kind not in _LITERALS or found is None:
        yield None, raw
        return
    if found.start():
        yield "word", raw[: found.start()]
    yield _QUOTES[found.group()], raw[found.start() :]


def _literals_are_data(words: bytes) -> bool:
    if _LITERAL_MATTERS.search(words) or _DYNAMIC.search(words):
        return False
    for part in words.split(b";"):
        part = part.strip()
        first = re.match(rb"[(\s]*(\w+)", part)
        if first is None:
            if part:
                return False
        elif first.group(1).upper() not in _DATA_STATEMENTS and not _SETS_VARIABLES.match(part):
            return False
    return True


def _verbatim(statement: bytes) -> Fingerprint:
    is_opaque = any(
        not _SHOWN.match(found.group())
        for found in re.finditer(
            rb"(?<!\bXA )\bPREPARE\b.*|\bIMMEDIATE\b.*", statement, re.IGNORECASE | re.DOTALL
        )
    )
    return Fingerprint("= " + _text(statement), is_opaque, is_verbatim=True)


def _text(data: bytes | bytearray) -> str:
    return bytes(data).decode("utf-8", "surrogateescape")
