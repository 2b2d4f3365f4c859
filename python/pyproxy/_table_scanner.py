"""The tables of one statement, with what is done to them: the inside of `pyproxy.parser.get_tables`.

A recursive descent over tokens that knows where tables can stand and steps over everything else.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyproxy._native import SqlToken
from pyproxy._token_cursor import TableReference, TokenCursor, is_name

__all__ = ["READ", "WRITE", "TableScanner", "tablename_expand"]

READ, WRITE = "read", "write"

# Words that may stand between the first word of a statement and its table.
_MODIFIERS = frozenset(
    "LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK IGNORE INTO ONLINE OFFLINE NO_WRITE_TO_BINLOG LOCAL "
    "IF NOT EXISTS".split()
)
# Words that end a list of tables.
_CLAUSES = frozenset(
    "WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT SET FOR LOCK INTO PROCEDURE WINDOW VALUES "
    "SELECT RETURNING".split()
)
_DEFINITIONS = frozenset("CREATE DROP ALTER TRUNCATE RENAME OPTIMIZE REPAIR ANALYZE".split())
# What CREATE, DROP and ALTER are about, if it is one of these, is a table.
_TABLE_WORDS = frozenset(("TABLE", "TABLES", "VIEW"))
# What is nested deeper is not looked at: no query is, and Python has an end to its calls.
_DEEPEST = 100


def tablename_expand(name: str, db: str = "") -> str:
    """`db.name`, or the name alone without a database."""
    return f"{db}.{name}" if db else name


class TableScanner(TokenCursor):
    """Walks over one statement, a function of its own for each place where tables can stand."""

    def __init__(self, tokens: list[SqlToken], default_db: str) -> None:
        super().__init__(tokens)
        self._default_db = default_db
        self._depth = 0
        # The names of common table expressions where the cursor is, in the order of the text, and how often each is
        # among them. They hide tables up to the end of the parentheses that they stand in.
        self._hidden: list[str] = []
        self._times_hidden: dict[str, int] = {}

    def scan(self) -> Iterable[tuple[str, str]]:
        """Pairs of expanded name and mode, in the order of the text."""
        self._statement()
        while self._token() is not None:
            # Behind a parenthesis that nothing opened.
            self._show(0)
            self._at += 1
            self._query()
        for reference in self._references:
            db = reference.db or self._default_db
            yield tablename_expand(reference.table, db), reference.mode

    # Statements.

    def _statement(self) -> None:
        # What stands in front of a statement. A loop: a hostile text repeats it.
        while True:
            if self._word() == "WITH":
                self._common_tables()
            elif self._word() == "SET" and self._word(1) == "STATEMENT":
                self._skip_to("FOR")
            else:
                break
        word = self._word()
        self._at += 1
        if word in ("INSERT", "REPLACE"):
            self._skip_words(_MODIFIERS)
            self._add_table(WRITE)
        elif word == "UPDATE":
            self._skip_words(_MODIFIERS)
            self._tables(WRITE)
        elif word == "DELETE":
            self._delete()
        elif word in ("EXPLAIN", "DESCRIBE", "DESC", "ANALYZE") and self._explain():
            return
        elif word in _DEFINITIONS:
            self._definition(word)
        elif word in ("CHECK", "CHECKSUM"):
            self._skip_words(_MODIFIERS)
            if self._take("TABLE", "TABLES"):
                self._names(READ)
        elif word == "LOCK" and self._take("TABLE", "TABLES"):
            self._lock()
        elif word == "LOAD" and self._skip_to("TABLE"):
            self._add_table(WRITE)
        elif word in ("HANDLER", "TABLE"):
            self._add_table(READ)
        else:
            self._at -= 1
        self._query()

    def _delete(self) -> None:
        self._skip_words(_MODIFIERS)
        targets: list[TableReference] = []
        if not self._take("FROM"):
            targets = self._targets()
            self._take("FROM")
        else:
            start = self._at
            targets = self._targets()
            if not self._take("USING"):
                # One table, which may have an alias.
                self._at = start
                self._tables(WRITE)
                return
        before = len(self._references)
        self._tables(READ)
        # A target without a database means the tables of its name, whatever database they are in.
        used: dict[tuple[str, str], list[TableReference]] = {}
        for reference in self._references[before:]:
            name = reference.called()
            for db in {"", reference.db}:
                used.setdefault((db, name), []).append(reference)
        for target in targets:
            # Each list is marked once, however often a hostile text names it.
            meant = used.get((target.db, target.called()))
            if meant is None:
                self._references.append(target)
            while meant:
                meant.pop().mode = WRITE

    def _targets(self) -> list[TableReference]:
        """The list `t1, db.t2.*` of a multi-table DELETE."""
        targets = []
        while (target := self._name(WRITE)) is not None:
            targets.append(target)
            if self._is("dot") and self._is_star(1):
                self._at += 2
            if not self._is("comma"):
                break
            self._at += 1
        return targets

    def _explain(self) -> bool:
        """EXPLAIN of a statement changes nothing. False for ANALYZE TABLE."""
        if self._word() in _TABLE_WORDS | {"NO_WRITE_TO_BINLOG", "LOCAL"}:
            return False
        while self._word() in ("ANALYZE", "EXTENDED", "PARTITIONS") or self._word() == "FORMAT":
            self._at += 3 if self._word() == "FORMAT" else 1
        if self._word() == "FOR":
            # Of another connection.
            return True
        before = len(self._references)
        if self._word() in ("SELECT", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE") or self._is(
            "open_paren"
        ):
            self._statement()
        else:
            self._add_table(READ)
        for reference in self._references[before:]:
            reference.mode = READ
        return True

    def _definition(self, word: str) -> None:
        """CREATE, DROP, ALTER and so on, of a table, a view, an index or a trigger; nothing else has tables."""
        while self._word() not in (
            *_TABLE_WORDS,
            "INDEX",
            "TRIGGER",
            "PROCEDURE",
            "FUNCTION",
            "EVENT",
            "DATABASE",
        ):
            if word == "TRUNCATE" or self._token() is None:
                break
            self._at += 1
        what = self._word()
        self._at += 1 if what in _TABLE_WORDS else 0
        if what in ("INDEX", "TRIGGER"):
            if self._skip_to("ON"):
                self._add_table(WRITE)
        elif what in _TABLE_WORDS or word == "TRUNCATE":
            self._skip_words(_MODIFIERS)
            if word == "RENAME":
                self._names(WRITE)
            elif word in ("CREATE", "ALTER", "TRUNCATE"):
                self._add_table(WRITE)
                self._other_tables(word)
            else:
                self._names(WRITE)
        else:
            # A body has statements that do not run now.
            self._at = len(self._tokens)
        if what == "TRIGGER":
            self._at = len(self._tokens)

    def _other_tables(self, word: str) -> None:
        """Behind CREATE TABLE t and ALTER TABLE t: the table that is copied, renamed to, or exchanged."""
        if word == "CREATE":
            ahead = 1 if self._is("open_paren") else 0
            if self._word(ahead) == "LIKE":
                self._at += ahead + 1
                self._add_table(READ)
            return
        start = self._at
        while self._token() is not None:
            if self._take("RENAME"):
                if self._word() in ("COLUMN", "INDEX", "KEY"):
                    continue
                self._take("TO", "AS")
                self._add_table(WRITE)
            elif self._word() == "WITH" and self._word(1) == "TABLE":
                self._at += 2
                self._add_table(WRITE)
            else:
                self._at += 1
        self._at = start

    def _names(self, mode: str) -> None:
        """A list of names, separated by commas or, in RENAME TABLE, by TO."""
        self._add_table(mode)
        while self._is("comma") or self._word() == "TO":
            self._at += 1
            self._add_table(mode)

    def _lock(self) -> None:
        while (reference := self._name(READ)) is not None:
            self._references.append(reference)
            while self._token() is not None and not self._is("comma"):
                if self._word() == "WRITE":
                    reference.mode = WRITE
                self._at += 1
            self._at += 1

    # Queries.

    def _common_tables(self) -> None:
        """`WITH a AS (...), b AS (...)`: steps over it; hides the names in the query that follows."""
        self._at += 1
        recursive = self._take("RECURSIVE")
        while (name := self._name(READ)) is not None:
            if self._is("open_paren"):
                self._parenthesis()
            self._take("AS")
            if recursive:
                self._hide(name.table)
            if self._is("open_paren"):
                self._parenthesis()
            if not recursive:
                self._hide(name.table)
            if not self._is("comma"):
                break
            self._at += 1

    def _hide(self, name: str) -> None:
        name = name.lower()
        self._hidden.append(name)
        self._times_hidden[name] = self._times_hidden.get(name, 0) + 1

    def _show(self, count: int) -> None:
        """Ends the hiding of all names but the first `count`."""
        while len(self._hidden) > count:
            self._times_hidden[self._hidden.pop()] -= 1

    def _query(self) -> None:
        """Anything up to the closing parenthesis or the end: finds the tables of its SELECTs."""
        awaits_from = False
        while (token := self._token()) is not None:
            word = self._word()
            if token.kind == "close_paren":
                return
            if token.kind == "open_paren":
                self._parenthesis()
            elif word == "WITH" and self._begins_common_table():
                self._common_tables()
            elif word == "SELECT":
                awaits_from = True
                self._at += 1
            elif word == "FROM" and awaits_from:
                # Not that of TRIM(x FROM y) and the like.
                awaits_from = False
                self._at += 1
                self._tables(READ)
            else:
                self._at += 1

    def _begins_common_table(self) -> bool:
        ahead = 2 if self._word(1) == "RECURSIVE" else 1
        token = self._token(ahead)
        follows = self._word(ahead + 1) == "AS" or self._is("open_paren", ahead + 1)
        return token is not None and is_name(token) and follows

    def _parenthesis(self) -> None:
        """From the opening parenthesis to behind the closing one."""
        hidden = len(self._hidden)
        self._at += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            self._skip_parenthesis()
        else:
            self._query()
        self._depth -= 1
        self._at += 1
        self._show(hidden)

    def _skip_parenthesis(self) -> None:
        """Up to the closing parenthesis."""
        opened = 1
        while self._token() is not None:
            opened += self._is("open_paren") - self._is("close_paren")
            if not opened:
                return
            self._at += 1

    def _tables(self, mode: str) -> None:
        """`t1 AS a JOIN (t2, t3) ON ... , (SELECT ...) x`, up to the clause behind it."""
        self._table(mode)
        while (token := self._token()) is not None:
            word = self._word()
            if token.kind == "close_paren" or word in _CLAUSES - {"FOR"}:
                return
            if word == "FOR":
                if self._word(1) not in ("JOIN", "ORDER", "GROUP", "SYSTEM_TIME"):
                    return
                # An index hint.
                self._at += 2
            elif word == "ON" and self._word(1) == "DUPLICATE":
                return
            elif token.kind == "comma" or word in ("JOIN", "STRAIGHT_JOIN"):
                self._at += 1
                self._table(mode)
            elif token.kind == "open_paren":
                self._parenthesis()
            else:
                self._at += 1

    def _table(self, mode: str) -> None:
        """One table, or what stands in parentheses in its place."""
        if self._word(1) == "OJ":
            # The ODBC form { OJ a LEFT JOIN b ON ... }
            self._at += 2
        self._take("LATERAL")
        if self._is("open_paren") and self._depth < _DEEPEST:
            hidden = len(self._hidden)
            self._at += 1
            self._depth += 1
            if self._word() not in ("SELECT", "WITH", "VALUES"):
                self._tables(mode)
            self._query()
            self._depth -= 1
            self._at += 1
            self._show(hidden)
            return
        if self._is("open_paren"):
            self._parenthesis()
            return
        if self._is_function() or self._word() == "DUAL":
            return
        reference = self._name(mode)
        if reference is None or (
            not reference.db and self._times_hidden.get(reference.table.lower())
        ):
            return
        self._take("AS")
        reference.alias = self._alias()
        self._references.append(reference)
