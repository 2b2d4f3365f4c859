"""CALL, compound statements, and statements that are prepared in SQL."""

from __future__ import annotations

from ..maker import Burst, Kind, Maker
from ..steps import Step

__all__ = ["KINDS"]


def _call(make: Maker) -> Burst:
    n = make.number(1, 5)
    sql, writes, effect, after = make.one_of(
        (f"CALL o1.p_select({n})", "", "", "SELECT FOUND_ROWS()"),
        (f"CALL o1.p_out({n}, @out)", "", "", "SELECT @out"),
        (f"CALL o1.p_write({n})", "o1.t1 o1.t2", "", "SELECT LAST_INSERT_ID()"),
        (
            f"CALL o1.p_temporary({n})",
            "",
            "temporary:o1.of_procedure",
            "SELECT * FROM o1.of_procedure",
        ),
        (f"CALL o1.p_set({n})", "", "", "SELECT @@div_precision_increment, @procedure_saw"),
        (f"CALL o1.p_begin({n})", "o1.log", "begin", "SELECT COUNT(*) FROM o1.log"),
        (f"CALL o1.p_error({n})", "o1.log o1.t2", "", "SELECT @procedure_saw"),
        ("CALL o1.p_role()", "", "", "SELECT CURRENT_ROLE()"),
        ("CALL o1.p_isolation()", "", "", f"SELECT @@{make.dialect.read_only}"),
        ("CALL o1.no_such()", "", "", "SELECT 1"),
    )
    steps = [make.query(sql, writes=writes, effect=effect)]
    if make.chance(0.7):
        steps.append(make.query(after))
    if effect == "begin":
        steps.append(make.query(make.one_of("COMMIT", "ROLLBACK"), effect="end"))
    return make.burst(*steps)


def _compound(make: Maker) -> Step | None:
    if make.dialect.is_mysql:
        return None
    sql, writes = make.one_of(
        ("BEGIN NOT ATOMIC SET @u1 = 77; SELECT @u1; END", ""),
        ("BEGIN NOT ATOMIC SET div_precision_increment = 7; SELECT 1 / 7; END", ""),
        ("IF (SELECT COUNT(*) FROM o1.t1) > 0 THEN SELECT 'some'; END IF", ""),
        (
            "BEGIN NOT ATOMIC INSERT INTO o1.t1 (a) VALUES (1); SELECT LAST_INSERT_ID(); END",
            "o1.t1",
        ),
        ("FOR i IN 1..2 DO INSERT INTO o1.log (what) VALUES (i); END FOR", "o1.log"),
        ("BEGIN NOT ATOMIC SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'own'; END", ""),
    )
    return make.query(sql, writes=writes)


def _prepare(make: Maker) -> Burst:
    name = make.name("q")
    text, writes, using = make.one_of(
        ("SELECT id, a FROM o1.t1 WHERE id = ?", "", "SET @p = 2"),
        ("SELECT 1 + 1", "", ""),
        ("UPDATE o1.t1 SET a = ? WHERE id = 1", "o1.t1", "SET @p = 7"),
        ("INSERT INTO o1.t1 (a) VALUES (?)", "o1.t1", "SET @p = 8"),
        ("SET div_precision_increment = 1", "", ""),
        ("SELECT no_such FROM o1.t1", "", ""),
        ("SET @u1 = 44", "", ""),
    )
    steps = [make.query(f"PREPARE {name} FROM '{text}'", effect=f"prepared:{name}")]
    if using:
        steps.append(make.query(using))
    execute = f"EXECUTE {name}" + (" USING @p" if using else "")
    steps += [make.query(execute, writes=writes) for _ in range(make.number(1, 2))]
    if make.chance(0.7):
        verb = make.one_of("DEALLOCATE", "DROP")
        steps.append(make.query(f"{verb} PREPARE {name}", effect=f"deallocated:{name}"))
    return make.burst(*steps)


def _execute(make: Maker) -> Step | None:
    if not make.client.sql_prepared:
        return make.query("EXECUTE never_prepared") if make.chance(0.2) else None
    return make.query(
        f"EXECUTE {make.choose.choice(sorted(make.client.sql_prepared))}", writes="o1.t1"
    )


def _immediate(make: Maker) -> Step | None:
    if make.dialect.is_mysql:
        return None
    text, writes = make.one_of(
        ("SELECT 5 + 5", ""),
        ("SET @u1 = 55", ""),
        ("SET div_precision_increment = 3", ""),
        ("INSERT INTO o1.log (what) VALUES (1)", "o1.log"),
    )
    return make.query(f"EXECUTE IMMEDIATE '{text}'", writes=writes)


KINDS = (
    Kind("CALL", 5, _call),
    Kind("compound statement", 1.5, _compound),
    Kind("PREPARE in SQL", 2, _prepare),
    Kind("EXECUTE in SQL", 1, _execute),
    Kind("EXECUTE IMMEDIATE", 0.7, _immediate),
)
