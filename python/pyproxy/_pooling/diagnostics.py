"""Whether a statement ends the warnings of the one before, if it makes none of its own: as MariaDB 10.11 and 11.8 were seen to do."""

from __future__ import annotations

from pyproxy._sql.text import Statement

__all__ = ["behind_for", "has_no_table"]

_WITHOUT_TABLES = frozenset(
    "BEGIN CALL COMMIT DEALLOCATE EXECUTE GET HELP IF KILL PREPARE PURGE RELEASE RESET ROLLBACK SAVEPOINT START UNLOCK"
    " USE XA".split()
)
# Where tables may be named among the values.
_OF_VALUES = frozenset("ANALYZE DO EXPLAIN SELECT SET VALUES WITH".split())
_DEFINES = frozenset(("ALTER", "CREATE", "DROP"))
_NO_TABLES = frozenset("DATABASE EVENT FUNCTION PREPARE PROCEDURE ROLE SCHEMA SERVER USER".split())
# Behind SHOW.
_SHOWN = frozenset(
    "AUTHORS BINARY BINLOG CONTRIBUTORS COUNT ENGINE ERRORS GRANTS MASTER PRIVILEGES PROCESSLIST PROFILES RELAYLOG"
    " WARNINGS".split()
)
_SEQUENCES = ("NEXTVAL", "CURRVAL", "LASTVAL", "SETVAL")
_VALUES_OF_SEQUENCES = (("NEXT", "VALUE"), ("PREVIOUS", "VALUE"))
# FROM(...) is no clause there.
_FROM_VALUES = frozenset("EXTRACT MID SUBSTR SUBSTRING TRIM".split())


def has_no_table(statement: Statement) -> bool:
    """Whether it names no table. Then warnings of statements before it stay, if it makes none of its own."""
    word, second = statement.word(0), statement.word(1)
    if (word, second) == ("SET", "STATEMENT"):
        return has_no_table(behind_for(statement))
    if word in _OF_VALUES:
        return not (_asks_sequence(statement) or _reads(statement))
    if word == "SHOW":
        shown = statement.word(2) if second == "FULL" else second
        return shown in _SHOWN or (second == "CREATE" and statement.word(2) in _NO_TABLES)
    if word in _DEFINES:
        return (statement.word(3) if second == "OR" else second) in _NO_TABLES
    if word == "FLUSH":
        return second not in ("TABLE", "TABLES") or len(statement.tokens) == 2
    return word in _WITHOUT_TABLES


def behind_for(statement: Statement) -> Statement:
    """The statement that a SET STATEMENT is about."""
    words = statement.words
    start = words.index("FOR") + 1 if "FOR" in words else len(words)
    return statement.part(start, len(words))


def _asks_sequence(statement: Statement) -> bool:
    words = statement.words
    return statement.has(*_SEQUENCES) or any(
        pair in _VALUES_OF_SEQUENCES for pair in zip(words, words[1:])
    )


def _reads(statement: Statement) -> bool:
    """Whether there is a FROM with a table behind it."""
    if statement.word(0) in ("ANALYZE", "EXPLAIN") and not statement.has("SELECT", "VALUES"):
        return True
    # The names in front of the parentheses that are open.
    open_names: list[str] = []
    for index, kind in enumerate(statement.kinds):
        if kind == "open_paren":
            open_names.append(statement.word(index - 1) if index else "")
        elif kind == "close_paren" and open_names:
            open_names.pop()
        elif statement.words[index] == "FROM":
            is_value = open_names and open_names[-1] in _FROM_VALUES
            if not is_value and statement.word(index + 1) != "DUAL":
                return True
    return False
