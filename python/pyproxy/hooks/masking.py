"""Masks columns in results, for text queries and prepared statements.

    [masking_rules]
    customers.email = email
    shop.cards.number = last4
    *.ssn = text:withheld

A rule names a column as `table.column` or `database.table.column`, with `*` and `?` as wildcards, in any case. The first
that covers a column counts. The server says for each column of a result which column of which table it is, so an alias of a column
or of a table makes no difference.

| function | `4111111111111111` | `ada@example.com` |
|---|---|---|
| `null` | NULL | NULL |
| `text:hidden` | `hidden` | `hidden` |
| `last4` | `************1111` | `***********.com` |
| `email` | `***` | `a***@example.com` |
| `hash` | 32 hex digits, equal for equal values | |

NULL stays NULL. `last4` shows nothing of values shorter than 8 characters.

Settings, section `[masking]`:

| setting | default | |
|---|---|---|
| `unmasked_users` | | users who see everything |
| `strict` | false | refuse a result with a column that does not tell where it comes from |
| `hash_key` | | key of `hash`; without one the hashes are others after each start |
| `max_statement_bytes` | 262144 | longer statements are not looked at, and rows in their answer are refused. All clients wait while one is |

A masked column that is no text is sent as text (VAR_STRING), unless its function is `null`. Cursors are turned off: the
server sends the whole result at once. Each of several results (several statements, procedures) is masked by itself. What a
script cannot mask is refused with `ERROR 1227 (42000)`: rows for a statement longer than `max_statement_bytes`, binary logs,
and RETURNING in bulk executions. What such a statement changed stays changed.

What it cannot do:

* Every result of a masked user is kept in memory as a whole, also the ones that nothing in is masked.
* A column that is computed (`CONCAT(ssn, '')`), comes out of a UNION, a WITH or a derived table, or is the result of CALL or
  EXECUTE, has no certain origin. It is masked if its name has the name of a masked column in it, as an expression without
  an alias does, whatever the table. Under another alias (`(SELECT ssn AS x FROM t) d`) it passes, unless `strict` is on.
* `strict` lets a column without a certain origin pass only in SHOW, DESCRIBE, EXPLAIN, and in a SELECT that reads no table, no
  user variable and calls no function but those that tell about the connection or the time.
* Conditions are not masked: `WHERE ssn LIKE '1%'` finds out what it wants. Neither is what is copied into other tables,
  into files, or into messages (errors, the notes of EXPLAIN). Take the privileges away where
  that matters.
* A view is a table of its own to MariaDB: give its columns rules, too.
* `hash` of FLOAT values and of fractions of a second can differ between text queries and prepared statements.
* With `pyproxy-on-script-error = forward`, or `pyproxy-skip-profiling`, it would protect nothing: the
  proxy does not start.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyproxy
from pyproxy import Error, Raw
from pyproxy._masking.mask import Rule, rule
from pyproxy._sql.prepared import Prepared
from pyproxy._sql.sources import UNKNOWN, Sources, sources
from pyproxy._stack.protection import require_protection
from pyproxy._stack.traits import declare
from pyproxy.settings import SettingsError, raw, require, section

if TYPE_CHECKING:
    from pyproxy import Connection, Decision, Field, Injection, Proxy, ResultDict, Resultset

__all__ = ["init", "read_query", "read_query_result", "settings"]

settings = section(
    "masking",
    unmasked_users=(),
    strict=False,
    hash_key="",
    max_statement_bytes=1 << 18,
)

# Injection ids.
_RESULT = 1
_PREPARE = 2

# Commands whose rows are masked.
_WITH_ROWS = (pyproxy.COM_QUERY, pyproxy.COM_STMT_EXECUTE, pyproxy.COM_STMT_BULK_EXECUTE)
_WITH_TEXT = (pyproxy.COM_QUERY, pyproxy.COM_STMT_PREPARE, pyproxy.COM_FIELD_LIST)
# Commands that give out whole tables in a form of their own.
_RAW_DATA = (
    pyproxy.COM_BINLOG_DUMP,
    pyproxy.COM_BINLOG_DUMP_GTID,
    pyproxy.COM_TABLE_DUMP,
    pyproxy.COM_REGISTER_SLAVE,
    pyproxy.COM_CLONE,
)
_TEXT_TYPES = (
    pyproxy.MYSQL_TYPE_VARCHAR,
    pyproxy.MYSQL_TYPE_VAR_STRING,
    pyproxy.MYSQL_TYPE_STRING,
    pyproxy.MYSQL_TYPE_TINY_BLOB,
    pyproxy.MYSQL_TYPE_MEDIUM_BLOB,
    pyproxy.MYSQL_TYPE_LONG_BLOB,
    pyproxy.MYSQL_TYPE_BLOB,
)
# Tables with values of columns: MySQL's histograms, MariaDB's statistics.
_STATISTICS = re.compile(rb"column_stat(?:istic)?s", re.IGNORECASE)
_NOT_NULL_FLAG = 1
# What is left of a masked column's flags: BLOB and BINARY, which are about the form and not the value.
_FORM_FLAGS = 16 | 128
_UTF8MB4 = 45
_MIN_LENGTH = 256
_EXECUTE_FLAGS = 5
_CURSOR_BITS = 0b0111

_rules: list[Rule] = []


def init(proxy: Proxy) -> None:
    """Reads the rules; what is wrong with them stops the start."""
    require_protection(proxy, "masking")
    declare(sees_all_results=True)
    require("masking", "masking_rules")
    key = settings.hash_key.encode() or os.urandom(32)
    _rules.clear()
    for name, function in raw("masking_rules").items():
        try:
            _rules.append(rule(name, function, key))
        except ValueError as error:
            raise SettingsError(f"[masking_rules] {name}={function}: {error}") from None


def read_query(proxy: Proxy, packet: bytes) -> Decision:
    """Keeps the results of masked users."""
    connection = proxy.connection
    if not _masks(connection):
        return None
    command = packet[0]
    if command in _RAW_DATA:
        return _refuse("rows in binary logs cannot be masked")
    if command == pyproxy.COM_STMT_FETCH:
        return Error("The statement has no open cursor", 1421, "HY000")
    if command in _WITH_TEXT and _STATISTICS.search(packet):
        return _refuse("statistics of columns have values of theirs")
    _prepared(connection).follow(packet)
    if command == pyproxy.COM_STMT_PREPARE:
        proxy.queries.append(_PREPARE, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
    if command not in _WITH_ROWS:
        return None
    if command == pyproxy.COM_STMT_EXECUTE:
        packet = _without_cursor(packet)
    proxy.queries.append(_RESULT, packet, resultset_is_needed=True)
    return proxy.PROXY_SEND_QUERY


def read_query_result(proxy: Proxy, inj: Injection) -> Decision:
    """Masks a result, or refuses it."""
    result = inj.resultset
    if inj.id == _PREPARE:
        _prepared(proxy.connection).add(inj.query[1:], result.raw)
        return None
    if not _masks(proxy.connection):
        return None
    results = inj.resultsets
    if sum(one.row_count for one in results) != result.row_count:
        return _refuse("an answer that cannot be followed cannot be masked")
    with_rows = [one for one in results if one.fields is not None]
    if not with_rows:
        # An OK has a number of affected rows. Whatever else came had rows that were not shown to us.
        if result.query_status == proxy.MYSQLD_PACKET_OK and result.affected_rows is None:
            return _refuse("rows without columns cannot be masked")
        return None
    if any(_is_statistics(field) for one in with_rows for field in one.fields or ()):
        return _refuse("statistics of columns have values of theirs")
    statement = _statement_of(proxy.connection, inj.query)
    if len(statement or b"") > settings.max_statement_bytes:
        return _refuse("the statement is longer than max_statement_bytes")
    known = UNKNOWN if statement is None else sources(statement)
    rules = {one: _rules_of(known, one.fields or ()) for one in with_rows}
    if settings.strict and not all(
        _is_explained(known, one.fields or (), rules[one]) for one in with_rows
    ):
        return _refuse("a column does not tell where it comes from")
    if not any(any(of_one) for of_one in rules.values()):
        return None
    if any(one.error is not None for one in with_rows):
        # It came after some rows, which nobody needs any more.
        return Raw(result.error or ())
    proxy.response = {
        "type": proxy.MYSQLD_PACKET_OK,
        "resultsets": [_masked(one, rules.get(one, ())) for one in results],
    }
    return proxy.PROXY_SEND_RESULT


def _masks(connection: Connection) -> bool:
    return bool(_rules) and connection.client.username not in settings.unmasked_users


def _masked(result: Resultset, rules: Sequence[Rule | None]) -> Resultset | ResultDict:
    """A result as it was if no rule is for a column of it, else with masked cells."""
    if not any(rules):
        return result
    return {
        "resultset": {
            "fields": [_masked_field(*pair) for pair in zip(result.fields or (), rules)],
            "rows": _masked_rows(result.rows or (), rules),
        },
        "warnings": result.warning_count,
        "server_status": int(result.flags),
    }


def _is_statistics(field: Field) -> bool:
    return _STATISTICS.fullmatch(field.org_table.encode("utf-8", "surrogateescape")) is not None


def _rules_of(known: Sources, fields: Sequence[Field]) -> list[Rule | None]:
    return [_rule_for(field, known) for field in fields]


def _refuse(why: str) -> Error:
    return Error(f"Access denied; the proxy masks columns: {why}", 1227, "42000")


def _prepared(connection: Connection) -> Prepared:
    prepared = getattr(connection, "masking_prepared", None)
    if not isinstance(prepared, Prepared):
        prepared = connection.masking_prepared = Prepared()
    return prepared


def _without_cursor(packet: bytes) -> bytes:
    """The COM_STMT_EXECUTE that gives its rows at once: those that are fetched later come without their columns."""
    if len(packet) <= _EXECUTE_FLAGS:
        return packet
    flags = packet[_EXECUTE_FLAGS] & ~_CURSOR_BITS
    return packet[:_EXECUTE_FLAGS] + bytes((flags,)) + packet[_EXECUTE_FLAGS + 1 :]


def _statement_of(connection: Connection, packet: bytes) -> bytes | None:
    """The statement that a command runs; None if it is not known."""
    if packet[0] == pyproxy.COM_QUERY:
        return packet[1:]
    statement = _prepared(connection).of(packet)
    return None if statement is None else statement.text


def _rule_for(field: Field, known: Sources) -> Rule | None:
    has_origin = known.has_origin(field)
    return next((rule for rule in _rules if rule.covers(field, has_origin)), None)


def _is_explained(known: Sources, fields: Sequence[Field], rules: Sequence[Rule | None]) -> bool:
    """Whether each column is masked, has an origin, or cannot come from a table."""
    return known.is_tableless or all(
        rule is not None or known.has_origin(field) for field, rule in zip(fields, rules)
    )


def _masked_field(field: Field, rule: Rule | None) -> Any:
    """What the client is told about a column."""
    if rule is None:
        return field
    told = {
        name: getattr(field, name)
        for name in (
            *("name", "org_name", "table", "org_table", "database"),
            *("type", "charset", "length", "flags", "decimals"),
        )
    }
    if rule.is_null:
        told["flags"] &= ~_NOT_NULL_FLAG
        return told
    told["flags"] &= _FORM_FLAGS
    told["length"] = max(field.length, _MIN_LENGTH)
    told["decimals"] = 0
    if field.type not in _TEXT_TYPES:
        told.update(type=pyproxy.MYSQL_TYPE_VAR_STRING, charset=_UTF8MB4, flags=0)
    return told


def _masked_rows(rows: Any, rules: Sequence[Rule | None]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        yield tuple(cell if rule is None else rule.apply(cell) for cell, rule in zip(row, rules))
