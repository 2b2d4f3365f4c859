"""What the servers have at the end of a session, and how they get back to what they had before it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..generator import fixtures
from ..generator.dialect import Dialect
from ..servers.node import Node, cells
from ..wire.answers import Result, Rows

__all__ = ["Data", "Objects"]

_NAMES = ", ".join(f"'{name}'" for name in fixtures.DATABASES)
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")
# MySQL's binary log has it for a client that has set `show_create_table_verbosity`.
_VERBOSE = " ROW_FORMAT=DYNAMIC"
_TABLES = (
    "SELECT table_schema, table_name, table_type FROM information_schema.tables"
    f" WHERE table_schema IN ({_NAMES}) ORDER BY 1, 2"
)
_PROGRAMS = (
    "SELECT routine_schema, routine_name, routine_type, routine_definition"
    f" FROM information_schema.routines WHERE routine_schema IN ({_NAMES}) ORDER BY 1, 2",
    "SELECT trigger_schema, trigger_name, action_statement FROM information_schema.triggers"
    f" WHERE trigger_schema IN ({_NAMES}) ORDER BY 1, 2",
    f"SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ({_NAMES})",
)


class Table(NamedTuple):
    """A table, view or sequence."""

    kind: str
    create: str
    rows: tuple[bytes, ...]


class Data(NamedTuple):
    """Everything in the databases of the sessions."""

    tables: dict[str, Table]
    programs: tuple[bytes, ...] | None

    @classmethod
    def of(cls, node: Node, with_programs: bool = True) -> Data:
        """That of a server. Programs change rarely, and take half of the time."""
        found = [tuple(map(str, row)) for row in node.rows(_TABLES)]
        names = [f"{schema}.{name}" for schema, name, _ in found]
        kinds = [kind for _, _, kind in found]
        texts = []
        for name, kind in zip(names, kinds):
            is_view = kind == "VIEW"
            texts.append(f"SHOW CREATE {'VIEW' if is_view else 'TABLE'} {name}")
            texts.append("SELECT NULL" if is_view else f"SELECT * FROM {name}")
        texts += _PROGRAMS if with_programs else ()
        results = node.answer("; ".join(texts))
        if len(results) < len(texts):
            # One of them failed, so those behind it did not run.
            results = tuple(node.answer(text)[0] for text in texts)
        parts = [_rows(result) for result in results]
        tables = {
            name: Table(kind, _create(parts[2 * index]), parts[2 * index + 1])
            for index, (name, kind) in enumerate(zip(names, kinds))
        }
        programs = tuple(row for part in parts[2 * len(names) :] for row in part)
        return cls(tables, programs if with_programs else None)

    def without_counters(self) -> Data:
        """What a replica has of it: its counters know nothing of rows that were rolled back."""
        tables = {
            name: each._replace(create=_plain(each.create).replace(_VERBOSE, ""))
            for name, each in self.tables.items()
        }
        return Data(tables, self.programs)

    def difference(self, other: Data) -> str:
        """What differs, in a few words."""
        for name in sorted({*self.tables, *other.tables}):
            one, two = self.tables.get(name), other.tables.get(name)
            if one is None or two is None:
                return f"table {name} is {'missing' if two is None else 'there'}"
            if one.rows != two.rows:
                return f"rows of {name}: {list(one.rows)} against {list(two.rows)}"
            if one != two:
                return f"table {name}: {one.create} against {two.create}"
        return "" if _same(self.programs, other.programs) else "programs"


class Objects:
    """Makes the objects of the sessions, and makes them anew where they have changed."""

    def __init__(self, dialect: Dialect) -> None:
        self._tables = fixtures.tables(dialect)
        self._programs = fixtures.programs(dialect)
        self._pristine: Data | None = None

    def make(self, node: Node) -> None:
        """Makes everything anew."""
        for name in fixtures.DATABASES:
            node.run(f"DROP DATABASE IF EXISTS {name}")
        for sql in fixtures.databases():
            node.run(sql)
        node.run("; ".join(sql for parts in self._tables.values() for sql in parts))
        for sql in self._programs:
            node.run(sql)
        if self._pristine is None:
            self._pristine = Data.of(node)

    def restore(self, node: Node, present: Data) -> None:
        """Makes anew what is not as it was; `present` is what the server has."""
        pristine = self._pristine
        assert pristine is not None
        if not present.difference(pristine):
            return
        if not _same(present.programs, pristine.programs):
            self.make(node)
            return
        changed = [n for n, table in pristine.tables.items() if present.tables.get(n) != table]
        if any(self._is_hard(name, present, pristine) for name in changed):
            self.make(node)
            return
        if "o1.t3" in changed and "o1.log" not in changed:
            # Its trigger writes there.
            changed.append("o1.log")
        # So the log is the last.
        changed.sort(key=lambda name: name == "o1.log")
        texts = [
            f"DROP {'VIEW' if table.kind == 'VIEW' else 'TABLE'} IF EXISTS {name}"
            for name, table in present.tables.items()
            if name not in pristine.tables
        ]
        for name in changed:
            texts += self._anew(name, present.tables.get(name), pristine.tables[name])
        node.run("; ".join(texts))

    def _is_hard(self, name: str, present: Data, pristine: Data) -> bool:
        """Whether it cannot be made anew alone: views, and what has a trigger."""
        old, new = pristine.tables[name], present.tables.get(name)
        if old.kind == "VIEW":
            return True
        return name == "o1.t3" and (new is None or _plain(new.create) != _plain(old.create))

    def _anew(self, name: str, present: Table | None, pristine: Table) -> list[str]:
        create, *fill = self._tables[name]
        if present is None:
            return [create, *fill]
        if pristine.kind == "SEQUENCE":
            return [f"DROP SEQUENCE {name}", create]
        if _plain(present.create) == _plain(pristine.create):
            return [f"TRUNCATE TABLE {name}", *fill]
        return [f"DROP TABLE {name}", create, *fill]


def _same(one: tuple[bytes, ...] | None, other: tuple[bytes, ...] | None) -> bool:
    return one is None or other is None or one == other


def _rows(result: Result) -> tuple[bytes, ...]:
    return result.rows if isinstance(result, Rows) else ()


def _create(rows: tuple[bytes, ...]) -> str:
    return str(cells(rows[0])[1]) if rows else "an error"


def _plain(create: str) -> str:
    """Without the counter."""
    return _COUNTER.sub("", create)
