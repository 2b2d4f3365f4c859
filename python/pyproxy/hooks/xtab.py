"""Cross tables: distinct values of a column become columns.

    XTAB employees department gender COUNT id

    department   gender_f   gender_m   total
    sales        2          1          3

| text (in any case, also after SELECT) | answer |
|---|---|
| `XTAB table row_field col_field op op_field [summary]` | the cross table |
| `XTAB HELP`, `XTAB` | how to use it |
| `XTAB VERSION` | the version |
| `XTAB QUERY` | from now on this client gets the text of the generated query, not its rows |
| `XTAB NOQUERY` | from now on this client gets rows again |
| any other text of this kind | a result set with the column `XTAB ERROR` |

`op` is COUNT, SUM, AVG, MIN or MAX. `summary` adds a last row over all, `Grand Total`. Names may stand in backticks, that
of the table may have its database in front. What fails on the server fails for the client with the server's error.

Settings, section `[xtab]`:

| setting | default | |
|---|---|---|
| `max_columns` | 1000 | a table with more columns than this, row field and total left aside, is an error |

What it cannot do: rows whose `col_field` is NULL count in `total` only. Values are compared as the server compares texts
with the column, so FLOAT columns rarely fit. Column names are cut at 256 characters and have `?` for
characters outside the Basic Multilingual Plane (emoji) and for control characters, as the server wants them. The values are
read first, then the rows: between the two others may change the table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pyproxy import Error, Rows
from pyproxy._common.queries import query_packet, query_text
from pyproxy._stack.traits import declare
from pyproxy.settings import section

if TYPE_CHECKING:
    from pyproxy import Decision, Injection, Proxy

__all__ = ["init", "read_query", "read_query_result", "settings"]

settings = section("xtab", max_columns=1000)

_VERSION = "0.1.3"
_OPERATORS = ("COUNT", "SUM", "AVG", "MIN", "MAX")
_CHARSET, _VALUES, _TABLE = 1024, 2048, 4096
# The server's limit of a column's name.
_NAME_LENGTH = 256

# No command is longer: the server may say what is wrong with it.
_MOST_LETTERS = 8192

_COMMAND = re.compile(r"(select\s+)?xtab(?:\s+|\Z)", re.IGNORECASE)
# What may stand around a command.
_AROUND = "; \t\r\n"
# A name, or names joined by dots, each perhaps in backticks.
_PART = r"(?:`(?:[^`]|``)+`|[\w$\udc80-\udcff]+)"
_WORD = re.compile(rf"({_PART}(?:\.{_PART})*)(?:\s+|\Z)")

_HELP = (
    f"xtab - version {_VERSION}",
    "",
    "XTAB table row_field col_field op op_field [summary]",
    "",
    "table:      a table or a view",
    "            (its database may stand in front)",
    "row_field:  its values become the first column",
    "col_field:  each of its values becomes a column",
    "op:         COUNT, SUM, AVG, MIN or MAX",
    "op_field:   what the operation is applied to",
    "summary:    adds a row over all, by WITH ROLLUP",
    "",
    "Names may stand in backticks, and all commands may follow SELECT.",
    "",
    "Other commands:",
    "XTAB QUERY    the next commands return the text of the query, not its result",
    "XTAB NOQUERY  the next commands return the result (default)",
    "XTAB VERSION  shows the version",
    "XTAB HELP     shows this help",
)
_QUERY_HELP = (
    "After XTAB QUERY, the next XTAB commands return",
    "the text of the generated query.",
    "",
    "After XTAB NOQUERY (default), they run it",
    "and return its result.",
    "",
)
_UNKNOWN_COMMAND = ('unknown command. Enter "XTAB HELP" for help',)
_UNKNOWN_OPERATOR = (
    "unknown operator.",
    f"Accepted operators: {', '.join(_OPERATORS)}",
    'Enter "XTAB HELP" for help',
)


class _Request(NamedTuple):
    """A cross table that a client asked for; the names are quoted for SQL."""

    table: str
    row_field: str
    col_field: str
    operation: str
    op_field: str
    with_summary: bool
    # What the columns are named after.
    col_name: str


def init(proxy: Proxy) -> None:
    """Says what it makes of results, to scripts that are stacked with it."""
    declare(makes_rows_of_results=True)


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Answers the short commands; of a cross table, asks for the values that become columns."""
    text = query_text(packet)
    words = None if text is None or len(text) > _MOST_LETTERS else _words(text)
    if words is None:
        return None
    if len(words) < 2:
        return _answer_option(proxy, words[0].upper() if words else "HELP")
    if not 5 <= len(words) <= 6 or (len(words) == 6 and words[5].upper() != "SUMMARY"):
        return _send_texts(proxy, "XTAB ERROR", _UNKNOWN_COMMAND)
    if words[3].upper() not in _OPERATORS:
        return _send_texts(proxy, "XTAB ERROR", _UNKNOWN_OPERATOR)

    table, row_field, col_field, op_field = (_quoted(words[i]) for i in (0, 1, 2, 4))
    proxy.connection.xtab_request = _Request(
        table,
        row_field,
        col_field,
        operation=words[3].upper(),
        op_field=op_field,
        with_summary=len(words) == 6,
        col_name=".".join(_parts(words[2])),
    )
    values = (
        f"SELECT DISTINCT {col_field} FROM {table} WHERE {col_field} IS NOT NULL "
        f"ORDER BY {col_field} LIMIT {settings.max_columns + 1}"
    )
    for number, sql in ((_CHARSET, "SELECT @@character_set_client"), (_VALUES, values)):
        proxy.queries.append(number, query_packet(sql), resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Goes from the values to the cross table. The first step that fails is the client's answer."""
    rows = inj.resultset.rows
    connection = proxy.connection
    if rows is None:
        proxy.queries.reset()
        return None
    if inj.id == _CHARSET:
        connection.xtab_is_utf8 = str(rows[0][0]).startswith("utf8")
        return proxy.PROXY_IGNORE_RESULT
    request: _Request = connection.xtab_request
    if inj.id == _VALUES:
        if len(rows) > settings.max_columns:
            message = f"XTAB: {request.col_name} has more than {settings.max_columns} values"
            return Error(message, 1105, "HY000")
        sql = _cross_table(request, [row[0] for row in rows], connection.xtab_is_utf8)
        if getattr(connection, "xtab_returns_query", False):
            return _send_texts(proxy, "XTAB query", (sql,))
        proxy.queries.append(_TABLE, query_packet(sql), resultset_is_needed=request.with_summary)
        return proxy.PROXY_IGNORE_RESULT
    if not request.with_summary:
        return None
    # The last row is the one over all; its first cell is NULL, as that of a group may be.
    table = [tuple(row) for row in rows]
    if table:
        table[-1] = ("Grand Total", *table[-1][1:])
    first, *others = inj.resultset.fields or ()
    return Rows([(first.name, proxy.MYSQL_TYPE_VAR_STRING), *others], table)


def _words(text: str) -> list[str] | None:
    """The words behind XTAB, quoted as they are; None if the text is no command of ours."""
    text = text.strip(_AROUND)
    match = _COMMAND.match(text)
    if match is None:
        return None
    after_select, rest = match.group(1), text[match.end() :]
    words = []
    position = 0
    while position < len(rest):
        word = _WORD.match(rest, position)
        if word is None:
            # After SELECT it may be a column of that name.
            return None if after_select else [rest]
        words.append(word.group(1))
        position = word.end()
    if after_select and "FROM" in (word.upper() for word in words):
        return None
    return words


def _answer_option(proxy: Proxy, option: str) -> Rows:
    if option == "HELP":
        return _send_texts(proxy, "XTAB help", _HELP)
    if option == "VERSION":
        return _send_texts(proxy, "XTAB version", (_VERSION,))
    if option not in ("QUERY", "NOQUERY"):
        return _send_texts(proxy, "XTAB ERROR", _UNKNOWN_COMMAND)
    proxy.connection.xtab_returns_query = option == "QUERY"
    kind = "query" if option == "QUERY" else "result set"
    # The blank belongs to the name that clients know.
    return _send_texts(proxy, "XTAB query ", (*_QUERY_HELP, f"Current setting: returns a {kind}"))


def _send_texts(proxy: Proxy, name: str, lines: tuple[str, ...]) -> Rows:
    return Rows([(name, proxy.MYSQL_TYPE_STRING)], [(line,) for line in lines])


def _cross_table(request: _Request, values: list[object], is_utf8: bool) -> str:
    """The SQL text of the cross table."""
    operation, op_field = request.operation, request.op_field
    columns = [request.row_field]
    for value in values:
        name = _column_name(request.col_name, value, is_utf8)
        columns.append(
            f"{operation}(IF({request.col_field} = {_literal(value)}, {op_field}, NULL)) AS {name}"
        )
    columns.append(f"{operation}({op_field}) AS `total`")
    text = ",\n  ".join(columns)
    sql = f"SELECT {text}\nFROM {request.table}\nGROUP BY {request.row_field}"
    return f"{sql} WITH ROLLUP" if request.with_summary else sql


def _literal(value: object) -> str:
    """The value as SQL. What could be read in two ways, by sql_mode or character set, is written in hexadecimal."""
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    text = str(value)
    if text.isascii() and text.isprintable() and "\\" not in text:
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return f"_utf8mb4 X'{text.encode('utf-8', 'surrogateescape').hex()}'"


def _column_name(prefix: str, value: object, is_utf8: bool) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    if not is_utf8:
        # In some character sets, bytes of other letters would take the closing backtick with them.
        text = text.encode("ascii", "backslashreplace").decode("ascii")
    text = "".join(char if _can_be_in_a_name(char) else "?" for char in text)
    return _backticks(f"{prefix}_{text}"[:_NAME_LENGTH].rstrip())


def _can_be_in_a_name(char: str) -> bool:
    """Servers refuse names with characters outside the Basic Multilingual Plane (error 1300)."""
    return char <= "\uffff" and char.isprintable()


def _parts(word: str) -> list[str]:
    """The names in a word of names joined by dots."""
    return [
        part[1:-1].replace("``", "`") if part.startswith("`") else part
        for part in re.findall(_PART, word)
    ]


def _quoted(word: str) -> str:
    return ".".join(_backticks(part) for part in _parts(word))


def _backticks(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
