"""What a statement leaves on its server connection that cannot be carried to another one.

The things are named in plain words. Pure, as `routing` is, which says what else a command means.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyproxy._sql.functions import HARMLESS, WITH_EFFECT
from pyproxy._sql.text import Statement

__all__ = [
    "FUNCTION",
    "INSERT_ID",
    "NO_EFFECT_ON_ROWS",
    "OPTION",
    "OUTLAST_RESET",
    "PROFILES",
    "REPORTS",
    "SEQUENCE",
    "UNSEEN",
    "USER_LOCK",
    "VARIABLE",
    "calls_unknown",
    "inserts",
    "is_compound",
    "prepared",
    "ties_of",
]

# The last insert id may not be what the client had before. A reset of the connection ends this one well.
INSERT_ID = "a last insert id"
OPTION = "an option of the connection"
PROFILES = "profiles of statements"
REPORTS = "reports of the session"
SEQUENCE = "the last value of a sequence"
USER_LOCK = "a user lock"
VARIABLE = "a session variable"
FUNCTION = "a stored function"
_ROLE = "a role"
# What runs statements that are not seen.
UNSEEN = frozenset(
    (
        "a stored procedure",
        FUNCTION,
        "dynamic SQL",
        "a compound statement",
        "a statement too long to read",
    )
)
# What stays on a connection that is reset, and what may hide such a thing. Tried on MySQL 9.7, MariaDB 10.11 and 11.8.
OUTLAST_RESET = UNSEEN | {_ROLE, OPTION, PROFILES}
# What has nothing to do with the rows of a query that has no variable in it and asks about no statement.
NO_EFFECT_ON_ROWS = frozenset(
    (
        INSERT_ID,
        OPTION,
        PROFILES,
        REPORTS,
        SEQUENCE,
        "a user variable",
        "a user lock",
        "the connection's id",
        "counters of the session",
    )
)

# Statements of stored programs that MariaDB runs by themselves, too.
_COMPOUND = frozenset("CASE DECLARE FOR IF LOOP REPEAT WHILE".split())
# What MariaDB's SET STATEMENT ... FOR may run and is looked at as if it stood alone.
_PLAIN = frozenset("SELECT INSERT UPDATE DELETE REPLACE WITH".split())
_INSERTS = frozenset(("INSERT", "REPLACE", "LOAD"))
_EXPLAINS = frozenset(("ANALYZE", "EXPLAIN", "DESCRIBE", "DESC"))
# Behind these of an INSERT or CREATE a name in front of a parenthesis is a function, and no table.
_VALUES = frozenset(("VALUES", "VALUE", "SELECT", "SET", "WITH"))
_WITH_EXPRESSIONS = frozenset("SELECT WITH VALUES TABLE DO SET UPDATE DELETE".split()) | _EXPLAINS


def ties_of(
    statement: Statement, functions: frozenset[str], variables: frozenset[str]
) -> Iterator[str]:
    """What the statement leaves on its connection that no SET can leave on another."""
    word, second = statement.word(0), statement.word(1)
    if word == "CREATE" and "TEMPORARY" in (second, statement.word(3) if second == "OR" else ""):
        yield "a temporary table"
    elif word == "LOCK" or (word == "BACKUP" and second in ("STAGE", "LOCK")):
        yield "locked tables"
    elif word == "FLUSH" and statement.has("LOCK", "EXPORT"):
        yield "locked tables"
    elif word == "FLUSH" and statement.has("STATUS"):
        yield "counters of the session"
    elif word == "PREPARE":
        yield prepared(statement, 1)
    elif word == "EXECUTE":
        yield "dynamic SQL"
    elif word == "CALL":
        yield "a stored procedure"
    elif word == "HANDLER":
        yield "a handler"
    elif word == "XA":
        yield "an XA transaction"
    elif word == "BINLOG":
        yield "replication"
    elif is_compound(statement):
        yield "a compound statement"
    elif word == "SET":
        yield from _of_set(statement)
    if "GET_LOCK" in functions:
        yield USER_LOCK
    if "CONNECTION_ID" in functions or "@@PSEUDO_THREAD_ID" in variables:
        # It was asked for because somebody will name it: KILL, for example.
        yield "the connection's id"
    own = any(not name.startswith("@@") for name in variables)
    assigns = "assign" in statement.kinds
    if own and (assigns or word in ("LOAD", "GET") or statement.has("INTO")):
        yield "a user variable"
    if _draws(statement, functions):
        yield SEQUENCE
    if _changes_insert_id(statement):
        yield INSERT_ID
    if calls_unknown(statement):
        yield FUNCTION


def is_compound(statement: Statement) -> bool:
    """Whether it is one of several statements of a block, or begins like one."""
    if statement.word(0) == "BEGIN":
        return len(statement.tokens) > 1 and statement.word(1) != "WORK"
    # The others are labels.
    begins = [token.raw for token in statement.tokens[:2]]
    return statement.word(0) in _COMPOUND or begins[:1] == [b"<<"] or begins[1:] == [b":"]


def prepared(statement: Statement, index: int) -> str:
    """The tie of the prepared statement that is named at token `index`."""
    name = statement.tokens[index].text.lower() if index < len(statement.tokens) else ""
    return f"prepared statement {name}"


def inserts(statement: Statement) -> bool:
    """Whether it may add rows, and so take a value of an AUTO_INCREMENT column."""
    word = statement.word(0)
    if word in _INSERTS:
        return True
    return (word == "SET" or word in _EXPLAINS) and statement.has(*_INSERTS)


def calls_unknown(statement: Statement) -> bool:
    """Whether it calls a function that is not built in: what that does is not seen, and it may set a role."""
    word = statement.word(0)
    start = 0
    if word in ("INSERT", "REPLACE") or (word == "CREATE" and "TABLE" in statement.words[1:5]):
        places = (index for index, each in enumerate(statement.words[1:], 1) if each in _VALUES)
        start = next(places, len(statement.words))
    elif word and word not in _WITH_EXPRESSIONS:
        return False
    return any(name not in HARMLESS | WITH_EFFECT for name in statement.functions(start))


def _of_set(statement: Statement) -> Iterator[str]:
    words = statement.words
    if words[1:2] == ["STATEMENT"]:
        behind = words[words.index("FOR") + 1 :] if "FOR" in words else []
        if not behind or behind[0] not in _PLAIN:
            yield "dynamic SQL"
    if words[1:2] == ["RESOURCE"]:
        yield "a resource group"
    # Also in a string, that may end elsewhere: the sql_mode is not known.
    if words[1:2] != ["DEFAULT"] and any(b"ROLE" in t.raw.upper() for t in statement.tokens):
        yield _ROLE
    if any(b"PROFILING" in token.raw.upper() for token in statement.tokens):
        yield PROFILES


def _draws(statement: Statement, functions: frozenset[str]) -> bool:
    """Whether it takes a value of a sequence: NEXTVAL(s), NEXT VALUE FOR s, s.nextval."""
    words = statement.words
    follows = any(pair == ("NEXT", "VALUE") for pair in zip(words, words[1:]))
    return follows or "NEXTVAL" in functions or "NEXTVAL" in words


def _changes_insert_id(statement: Statement) -> bool:
    """Whether it changes the last insert id and its OK may not tell: most answers with another id than 0 do."""
    word = statement.word(0)
    if word == "LOAD":
        return True
    if inserts(statement) and (word in _EXPLAINS or statement.has("RETURNING", "LOAD")):
        return True
    if word == "CREATE" and "TABLE" in statement.words[1:5] and statement.has("SELECT"):
        return True
    # LAST_INSERT_ID(expr)
    kinds = statement.kinds
    return any(
        name == "LAST_INSERT_ID" and kinds[index + 2 : index + 3] != ["close_paren"]
        for index, name in statement.calls()
    )
